"""The CloudWatch metrics of DynamoDB: name, dimensions, statistics, own period, and what must be on for it to exist.

Names, dimensions, valid statistics and periods: DynamoDB developer guide, "DynamoDB metrics and dimensions" (2025 text,
with the cause-specific throttle metrics); what it does not list as aggregated by the minute is published every five.
Metrics of vector indexes are not in that text: their names are in AWS's agent skills (vector search, August 2026).
A statistic that the guide does not call valid for a metric is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stillfit.metrics import THROTTLE_REASONS
from stillfit.model import Statistic

NAMESPACE = "AWS/DynamoDB"
USAGE = "AWS/Usage"
MINUTE, FIVE_MINUTES = 60, 300

DIRECTIONS = ("read", "write")
_CLOUDWATCH_REASONS = {
    "provisioned": "ProvisionedThroughput",
    "key_range": "KeyRangeThroughput",
    "on_demand_max": "MaxOnDemandThroughput",
    "account_limit": "AccountLimit",
}


class Feature(StrEnum):
    """What has to be on at a table or index before CloudWatch can have some of its metrics."""

    PROVISIONED = "provisioned capacity"
    READ_CAP = "a maximum of on-demand reads"
    WRITE_CAP = "a maximum of on-demand writes"
    STREAM = "a stream"
    REPLICAS = "replicas in other regions"
    LEGACY_REPLICAS = "replicas of version 2017.11.29"
    SOURCES = "replicas that write here"
    KINESIS = "a Kinesis destination"
    BUILDING = "an index under construction"
    VECTORS = "a vector index"


Brings = tuple[tuple[str, Statistic, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spec:
    """One CloudWatch metric and the canonical (metric, statistic, CloudWatch statistic) it brings. One object each."""

    name: str
    brings: Brings
    period_s: int = MINUTE
    namespace: str = NAMESPACE
    part: str = "Operation"
    """The dimension that divides a metric of one subject, where an ask names a part: GetItem, a receiving region."""
    fixed: tuple[tuple[str, str], ...] = ()
    """Further dimensions that are always the same."""
    feature: Feature | None = None
    """Asked only where this is on; None exists everywhere."""


def _sum(name: str, metric: str, period_s: int = MINUTE) -> Spec:
    return Spec(name=name, brings=((metric, Statistic.SUM, "Sum"),), period_s=period_s)


def _range(metric: str) -> Brings:
    return (
        (metric, Statistic.AVERAGE, "Average"),
        (metric, Statistic.MAXIMUM, "Maximum"),
        (metric, Statistic.MINIMUM, "Minimum"),
    )


def _sizes(metric: str) -> Brings:
    return (
        (metric, Statistic.SUM, "Sum"),
        (metric, Statistic.COUNT, "SampleCount"),
        (metric, Statistic.MAXIMUM, "Maximum"),
    )


def _latency(requests: str, latency: str) -> Brings:
    """The five statistics that are billed as one metric."""
    return (
        (requests, Statistic.SUM, "SampleCount"),
        (latency, Statistic.AVERAGE, "Average"),
        (latency, Statistic.P50, "p50"),
        (latency, Statistic.P99, "p99"),
        (latency, Statistic.MAXIMUM, "Maximum"),
    )


def _every_five_minutes(name: str, brings: Brings, feature: Feature, part: str = "") -> Spec:
    return Spec(name=name, brings=brings, period_s=FIVE_MINUTES, feature=feature, part=part)


def causes_of(direction: str) -> tuple[str, ...]:
    """Canonical names of the four cause-specific throttle metrics of "read" or "write"."""
    return tuple(f"{direction}_{reason}_throttle_events" for reason in THROTTLE_REASONS)


CONSUMED = tuple(
    Spec(name=f"Consumed{direction.title()}CapacityUnits", brings=_sizes(f"consumed_{direction}_units"))
    for direction in DIRECTIONS
)
PROVISIONED = tuple(
    _every_five_minutes(
        f"Provisioned{direction.title()}CapacityUnits", _range(f"provisioned_{direction}_units"), Feature.PROVISIONED
    )
    for direction in DIRECTIONS
)
CAPPED = tuple(
    _every_five_minutes(f"OnDemandMax{direction.title()}RequestUnits", _range(f"on_demand_max_{direction}_units"), cap)
    for direction, cap in zip(DIRECTIONS, (Feature.READ_CAP, Feature.WRITE_CAP), strict=True)
)
THROTTLES = {
    direction: _sum(f"{direction.title()}ThrottleEvents", f"{direction}_throttle_events") for direction in DIRECTIONS
}
CAUSES = {
    direction: tuple(
        _sum(f"{direction.title()}{_CLOUDWATCH_REASONS[reason]}ThrottleEvents", metric)
        for reason, metric in zip(THROTTLE_REASONS, causes_of(direction), strict=True)
    )
    for direction in DIRECTIONS
}

LATENCY = Spec(name="SuccessfulRequestLatency", brings=_latency("successful_requests", "request_latency_ms"))
SYSTEM_ERRORS = _sum("SystemErrors", "system_errors")
INJECTED_ERRORS = _sum("FaultInjectionServiceInducedErrors", "injected_errors")
RETURNED_ITEMS = Spec(name="ReturnedItemCount", brings=_sizes("returned_items"))
THROTTLED_REQUESTS = _sum("ThrottledRequests", "throttled_requests")
TABLE_ONLY = (
    _sum("ConditionalCheckFailedRequests", "conditional_check_failures"),
    _sum("TransactionConflict", "transaction_conflicts"),
    _sum("TimeToLiveDeletedItemCount", "ttl_deleted_items"),
)
USER_ERRORS = Spec(
    name="UserErrors",
    brings=(("user_errors", Statistic.SUM, "Sum"), ("user_errors", Statistic.COUNT, "SampleCount")),
    part="",
)

_GET_RECORDS = (("Operation", "GetRecords"),)
STREAMS = tuple(
    Spec(name=name, brings=brings, part="StreamLabel", fixed=_GET_RECORDS, feature=Feature.STREAM)
    for name, brings in (
        ("SuccessfulRequestLatency", _latency("stream_requests", "stream_latency_ms")),
        ("ReturnedRecordsCount", _sizes("stream_records")),
        ("ReturnedBytes", _sizes("stream_bytes")),
    )
)
REPLICATION_LATENCY = _every_five_minutes(
    "ReplicationLatency", _range("replication_latency_ms"), Feature.REPLICAS, "ReceivingRegion"
)
PENDING_REPLICATION = _every_five_minutes(
    "PendingReplicationCount",
    (("pending_replications", Statistic.AVERAGE, "Average"),),
    Feature.LEGACY_REPLICAS,
    "ReceivingRegion",
)
WRITTEN_BY_SOURCE = Spec(
    name="ConsumedWriteCapacityUnits",
    brings=_sizes("write_units_by_source"),
    part="Source",
    feature=Feature.SOURCES,
)
KINESIS = tuple(
    _every_five_minutes(name, brings, Feature.KINESIS, "DelegatedOperation")
    for name, brings in (
        ("AgeOfOldestUnreplicatedRecord", _range("kinesis_oldest_record_age_ms")),
        ("ConsumedChangeDataCaptureUnits", _range("kinesis_capture_units")),
        ("FailedToReplicateRecordCount", (("kinesis_failed_records", Statistic.SUM, "Sum"),)),
        (
            "ThrottledPutRecordCount",
            (*_range("kinesis_throttled_records"), ("kinesis_throttled_records", Statistic.COUNT, "SampleCount")),
        ),
    )
)
INDEX_BUILDS = tuple(
    _every_five_minutes(name, ((metric, statistic, asked),), Feature.BUILDING)
    for name, metric, statistic, asked in (
        ("OnlineIndexPercentageProgress", "index_build_percent", Statistic.MAXIMUM, "Maximum"),
        ("OnlineIndexConsumedWriteCapacity", "index_build_write_units", Statistic.SUM, "Sum"),
        ("OnlineIndexThrottleEvents", "index_build_throttle_events", Statistic.SUM, "Sum"),
    )
)
VECTOR_INDEXES = tuple(
    _every_five_minutes(name, ((metric, Statistic.SUM, "Sum"),), Feature.VECTORS, "VectorIndexName")
    for name, metric in (
        ("VectorWriteRequestBytes", "vector_write_bytes"),
        ("VectorSearchRequestBytes", "vector_search_bytes"),
    )
)


def _of_account(name: str, brings: Brings) -> Spec:
    return Spec(name=name, brings=brings, period_s=FIVE_MINUTES, part="")


def _usage(resource: str, metric: str) -> Spec:
    """What Service Quotas compares with a quota (CloudWatch user guide, "AWS usage metrics": the four dimensions)."""
    fixed = (("Type", "Resource"), ("Resource", resource), ("Service", "DynamoDB"), ("Class", "None"))
    return Spec(
        name="ResourceCount",
        brings=_range(metric),
        period_s=FIVE_MINUTES,
        namespace=USAGE,
        part="",
        fixed=fixed,
    )


ACCOUNT_LIMITS = tuple(
    _of_account(name, ((metric, Statistic.MAXIMUM, "Maximum"),))
    for name, metric in (
        ("AccountMaxReads", "account_read_quota_units"),
        ("AccountMaxWrites", "account_write_quota_units"),
        ("AccountMaxTableLevelReads", "table_read_quota_units"),
        ("AccountMaxTableLevelWrites", "table_write_quota_units"),
    )
)
ACCOUNT_PROVISIONED = (
    *(
        _of_account(
            f"{which}{direction.title()}CapacityUtilization", _range(f"{metric}_{direction}_utilization_percent")
        )
        for which, metric in (
            ("AccountProvisioned", "account_provisioned"),
            ("MaxProvisionedTable", "largest_table_provisioned"),
        )
        for direction in DIRECTIONS
    ),
    *(
        _usage(f"AccountProvisioned{direction.title()}CapacityUnits", f"account_provisioned_{direction}_units")
        for direction in DIRECTIONS
    ),
)
"""Of provisioned capacity: where nothing is provisioned there is nothing to utilise."""
TABLE_COUNT = _usage("TableCount", "table_count")
ACCOUNT = (*ACCOUNT_LIMITS, *ACCOUNT_PROVISIONED, TABLE_COUNT)
OF_ACCOUNT = (*ACCOUNT, USER_ERRORS)
"""Of an account and region, without a dimension of a table."""

FEATURED = (
    *CAPPED,
    *STREAMS,
    REPLICATION_LATENCY,
    PENDING_REPLICATION,
    WRITTEN_BY_SOURCE,
    *KINESIS,
    *INDEX_BUILDS,
    *VECTOR_INDEXES,
)
"""Asked only where their feature is on, besides PROVISIONED."""
SPARSE_BY_OPERATION = (SYSTEM_ERRORS, INJECTED_ERRORS, RETURNED_ITEMS)
SPARSE = (*TABLE_ONLY, *SPARSE_BY_OPERATION, USER_ERRORS)
"""Published only when something happened: asked only where ListMetrics names them (operations.py)."""

ALL = (
    *CONSUMED,
    *THROTTLES.values(),
    *CAUSES["read"],
    *CAUSES["write"],
    LATENCY,
    THROTTLED_REQUESTS,
    *SPARSE,
    *PROVISIONED,
    *FEATURED,
    *ACCOUNT,
)
"""Every metric that the DynamoDB collector can ask for."""
