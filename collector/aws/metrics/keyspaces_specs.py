"""The CloudWatch metrics of Amazon Keyspaces: name, dimensions, statistics, and what must be so for one to exist.

Names and valid statistics: Keyspaces developer guide, "Amazon Keyspaces metrics and dimensions" (2025 text); all are
aggregated by the minute. Which have the dimension Operation, and that its values are SELECT, INSERT, UPDATE and DELETE:
the service's own dashboards (aws-samples/amazon-keyspaces-cloudwatch-cloudformation-templates).
"""

from __future__ import annotations

from collector.aws.metrics.queries import FIVE_MINUTES, MINUTE, Spec
from stillfit.model import Statistic

NAMESPACE = "AWS/Cassandra"
HOUR = 3_600
OPERATION, RECEIVING_REGION = "Operation", "ReceivingRegion"
DIRECTIONS = ("read", "write")
READS, WRITES = ("SELECT",), ("DELETE", "INSERT", "UPDATE")

_Brings = tuple[tuple[str, Statistic, str], ...]


def _spec(name: str, brings: _Brings, *, part: str = "", period_s: int = MINUTE) -> Spec:
    return Spec(name=name, brings=brings, namespace=NAMESPACE, part=part, period_s=period_s)


def _sum(name: str, metric: str, part: str = "") -> Spec:
    return _spec(name, ((f"keyspaces_{metric}", Statistic.SUM, "Sum"),), part=part)


def _range(metric: str) -> _Brings:
    return (
        (metric, Statistic.AVERAGE, "Average"),
        (metric, Statistic.MAXIMUM, "Maximum"),
        (metric, Statistic.MINIMUM, "Minimum"),
    )


def _level(metric: str) -> _Brings:
    return _range(metric)[:2]


CONSUMED = tuple(
    _spec(
        f"Consumed{direction.title()}CapacityUnits",
        (
            (f"keyspaces_consumed_{direction}_units", Statistic.SUM, "Sum"),
            (f"keyspaces_consumed_{direction}_units", Statistic.COUNT, "SampleCount"),
            (f"keyspaces_consumed_{direction}_units", Statistic.MAXIMUM, "Maximum"),
        ),
    )
    for direction in DIRECTIONS
)
PROVISIONED = tuple(
    _spec(
        f"Provisioned{direction.title()}CapacityUnits",
        _range(f"keyspaces_provisioned_{direction}_units"),
        period_s=FIVE_MINUTES,
    )
    for direction in DIRECTIONS
)
SIZE = _spec("BillableTableSizeInBytes", _level("keyspaces_size_bytes"), period_s=HOUR)
THROTTLES = {
    direction: _sum(f"{direction.title()}ThrottleEvents", f"{direction}_throttle_events", OPERATION)
    for direction in DIRECTIONS
}
CAUSES = (
    _sum("StoragePartitionThroughputCapacityExceeded", "partition_throttle_events", OPERATION),
    _sum("PerConnectionRequestRateExceeded", "connection_throttle_events", OPERATION),
)
"""Throttle events count what exceeds "the provisioned capacity for a table, or account level quotas, request per
connection quotas, or partition level quotas" (developer guide): where they are zero, so are these."""
LATENCY = _spec(
    "SuccessfulRequestLatency",
    (
        ("keyspaces_requests", Statistic.SUM, "SampleCount"),
        ("keyspaces_request_latency_ms", Statistic.AVERAGE, "Average"),
        ("keyspaces_request_latency_ms", Statistic.P50, "p50"),
        ("keyspaces_request_latency_ms", Statistic.P99, "p99"),
        ("keyspaces_request_latency_ms", Statistic.MAXIMUM, "Maximum"),
    ),
    part=OPERATION,
)
"""Its sample count is the number of successful requests (developer guide), so SuccessfulRequestCount is never asked."""
ROWS = _spec(
    "ReturnedItemCountBySelect",
    (
        ("keyspaces_rows_returned", Statistic.SUM, "Sum"),
        ("keyspaces_rows_returned", Statistic.AVERAGE, "Average"),
        ("keyspaces_rows_returned", Statistic.MAXIMUM, "Maximum"),
    ),
    part=OPERATION,
)
BY_OPERATION = (
    LATENCY,
    ROWS,
    _sum("SystemErrors", "system_errors", OPERATION),
    _sum("UserErrors", "user_errors", OPERATION),
)
OF_TABLE = (
    _sum("ConditionalCheckFailedRequests", "conditional_check_failures"),
    _sum("TTLDeletes", "ttl_delete_units"),
    _sum("SystemReconciliationDeletes", "reconciliation_delete_units"),
)
REPLICATION = _spec("ReplicationLatency", _range("keyspaces_replication_latency_ms"), part=RECEIVING_REGION)
OF_ACCOUNT = tuple(
    _spec(
        f"AccountMaxTableLevel{direction.title()}s",
        ((f"keyspaces_account_max_table_{direction}_units", Statistic.MAXIMUM, "Maximum"),),
        period_s=FIVE_MINUTES,
    )
    for direction in DIRECTIONS
)
OF_PROVISIONED_ACCOUNT = tuple(
    _spec(
        f"{name}{direction.title()}CapacityUtilization", _level(f"{metric}_{direction}_percent"), period_s=FIVE_MINUTES
    )
    for name, metric in (
        ("AccountProvisioned", "keyspaces_account_provisioned"),
        ("MaxProvisionedTable", "keyspaces_max_table_provisioned"),
    )
    for direction in DIRECTIONS
)
ALL = (
    *CONSUMED,
    *PROVISIONED,
    SIZE,
    *THROTTLES.values(),
    *CAUSES,
    *BY_OPERATION,
    *OF_TABLE,
    REPLICATION,
    *OF_ACCOUNT,
    *OF_PROVISIONED_ACCOUNT,
)
"""Every metric of Keyspaces that can be asked for."""
