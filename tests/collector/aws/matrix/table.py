"""The fault matrix as tables: what may go wrong with a call, which calls there are, and what a lost one costs us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stillfit.model import GapReason, Subject
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import ORDERS, SCOPE
from tests.collector.aws.matrix.fleet import (
    ACCOUNT,
    DAX,
    DYNAMODB,
    KEYSPACES,
    change_key,
    deny_tag_search,
    put_export,
    switch_on_insights,
)
from tests.collector.aws.services import FRONT, JOBS, NODE

DRIP_S = 0.02
"""Between two bytes of an answer that never ends: shorter than the patience of each read."""

FAULTS: dict[str, tuple[Fault, GapReason]] = {
    "throttled": (Fault(kind=FaultKind.THROTTLE), GapReason.THROTTLED),
    "internal error": (Fault(kind=FaultKind.INTERNAL_ERROR), GapReason.UNREACHABLE),
    "unavailable": (Fault(kind=FaultKind.UNAVAILABLE), GapReason.UNREACHABLE),
    "denied": (Fault(kind=FaultKind.ACCESS_DENIED), GapReason.DENIED),
    "expired token": (Fault(kind=FaultKind.EXPIRED_TOKEN), GapReason.DENIED),
    "unknown key": (Fault(kind=FaultKind.REFUSED, code="UnrecognizedClientException", status=400), GapReason.DENIED),
    "clock skew": (Fault(kind=FaultKind.CLOCK_SKEW), GapReason.DENIED),
    "not understood": (Fault(kind=FaultKind.REFUSED, code="ValidationException", status=400), GapReason.UNSUPPORTED),
    "reset": (Fault(kind=FaultKind.RESET), GapReason.UNREACHABLE),
    "reset midway": (Fault(kind=FaultKind.RESET_MIDWAY), GapReason.UNREACHABLE),
    "truncated": (Fault(kind=FaultKind.TRUNCATED), GapReason.GARBLED),
    "garbage": (Fault(kind=FaultKind.GARBAGE), GapReason.GARBLED),
    "html 200": (Fault(kind=FaultKind.HTML), GapReason.GARBLED),
    "html 403": (Fault(kind=FaultKind.HTML, status=403), GapReason.GARBLED),
    "html 500": (Fault(kind=FaultKind.HTML, status=500), GapReason.UNREACHABLE),
    "html 503": (Fault(kind=FaultKind.HTML, status=503), GapReason.UNREACHABLE),
}
"""Every way in which a whole call is lost at once, and the reason that its Gap must have."""

ENDLESS: dict[str, tuple[Fault, GapReason]] = {
    "hang": (Fault(kind=FaultKind.HANG), GapReason.TIMEOUT),
    "slow drip": (Fault(kind=FaultKind.SLOW_DRIP, seconds=DRIP_S), GapReason.TIMEOUT),
}
"""Those that only end because we end them. A dripping head is cut as a dripping body is (test_deadline.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation of one source. `missing` is what a Gap must name when it is lost; nothing: the cycle ends."""

    source: str
    operation: str
    action: str
    subject: Subject = ORDERS
    missing: frozenset[str] = frozenset()
    another_way: frozenset[GapReason] = frozenset()
    """Reasons for which the same is found out by other calls: no Gap then, but the right data."""
    arrange: Callable[[World], None] = field(default=lambda _: None)


def _row(source: str, action: str, *missing: str, **more: object) -> Row:
    operation = action.partition(":")[2]
    return Row(**({"source": source, "operation": operation, "action": action, "missing": frozenset(missing)} | more))  # type: ignore[arg-type]


_SCALING = "application-autoscaling"
_KEYSPACES_SCALING = tuple(
    f"keyspaces_autoscaling_{way}_{what}" for way in ("read", "write") for what in ("min", "max", "target")
)

ROWS: tuple[Row, ...] = (
    _row(DYNAMODB, "dynamodb:ListTables"),
    _row(DYNAMODB, "dynamodb:DescribeTable", "*"),
    _row(DYNAMODB, "cloudwatch:GetMetricData", "read_throttle_events", "write_throttle_events"),
    _row(DYNAMODB, "cloudwatch:ListMetrics", "successful_requests", "request_latency_ms", "system_errors"),
    _row(DYNAMODB, "dynamodb:DescribeTimeToLive", "ttl_attribute"),
    _row(DYNAMODB, "dynamodb:DescribeContinuousBackups", "point_in_time_recovery"),
    _row(DYNAMODB, "dynamodb:DescribeKinesisStreamingDestination", "kinesis_destinations"),
    _row(DYNAMODB, "dynamodb:ListContributorInsights", "contributor_insights", subject=ACCOUNT),
    _row(DYNAMODB, "dynamodb:DescribeContributorInsights", "hottest_partition_key_units", arrange=switch_on_insights),
    _row(DYNAMODB, "cloudwatch:GetInsightRuleReport", "hottest_partition_key_units", arrange=switch_on_insights),
    _row(DYNAMODB, "dynamodb:ListBackups", "backups", "newest_backup", subject=ACCOUNT),
    _row(DYNAMODB, "dynamodb:ListExports", "exports", "newest_export", subject=ACCOUNT),
    _row(DYNAMODB, "dynamodb:DescribeExport", "exports_billed_bytes", subject=ACCOUNT, arrange=put_export),
    _row(DYNAMODB, "kms:DescribeKey", "encryption_key", arrange=change_key),
    _row(DYNAMODB, "tag:GetResources", "tags", subject=ACCOUNT, another_way=frozenset({GapReason.DENIED})),
    _row(DYNAMODB, "dynamodb:ListTagsOfResource", "tags", arrange=deny_tag_search),
    _row(DYNAMODB, f"{_SCALING}:DescribeScalableTargets", "autoscaling_read_max", "autoscaling_write_min"),
    _row(DYNAMODB, f"{_SCALING}:DescribeScalingPolicies", "autoscaling_read_target", "autoscaling_write_target"),
    _row(DYNAMODB, f"{_SCALING}:DescribeScheduledActions", "autoscaling_read_schedule", "autoscaling_write_schedule"),
    _row(DYNAMODB, f"{_SCALING}:DescribeScalingActivities", "scaling_activities", subject=ACCOUNT),
    _row(KEYSPACES, "cassandra:ListKeyspaces"),
    _row(KEYSPACES, "cassandra:ListTables", "*", subject=Subject(engine=JOBS.engine, scope=SCOPE, keyspace="shop")),
    _row(KEYSPACES, "cassandra:GetTable", "*", subject=JOBS),
    _row(KEYSPACES, "cassandra:ListTagsForResource", "keyspaces_tags", subject=JOBS),
    _row(KEYSPACES, "cloudwatch:GetMetricData", "keyspaces_consumed_read_units", subject=JOBS),
    _row(KEYSPACES, "cloudwatch:ListMetrics", "keyspaces_requests", subject=JOBS),
    _row(KEYSPACES, f"{_SCALING}:DescribeScalableTargets", *_KEYSPACES_SCALING, subject=JOBS),
    _row(KEYSPACES, f"{_SCALING}:DescribeScalingPolicies", *_KEYSPACES_SCALING, subject=JOBS),
    _row(DAX, "dax:DescribeClusters"),
    _row(DAX, "dax:DescribeParameters", "dax_item_ttl_s", "dax_query_ttl_s", subject=FRONT),
    _row(DAX, "dax:ListTags", "dax_tags", subject=FRONT),
    _row(DAX, "cloudwatch:GetMetricData", "dax_cpu_percent", subject=NODE),
    _row(DAX, "cloudwatch:ListMetrics", "dax_get_item_requests", subject=FRONT),
)

ELSEWHERE = {
    "cassandra:Select": "the permission of every read of Keyspaces: its operations have rows of their own",
    "account:ListRegions": "tests/cli/test_check_fleet.py",
    "dynamodb:DescribeLimits": "tests/collector/aws/test_account.py",
    "servicequotas:GetServiceQuota": "tests/collector/aws/wire/test_quotas.py",
    "pricing:GetProducts": "tests/collector/money/test_prices.py",
    "ce:GetCostAndUsage": "tests/collector/money/test_explorer.py",
    "ce:GetCostAndUsageWithResources": "tests/collector/money/test_explorer.py",
    "ce:GetReservationCoverage": "tests/collector/money/test_explorer.py",
    "ce:GetReservationUtilization": "tests/collector/money/test_explorer.py",
    "ce:GetSavingsPlansCoverage": "tests/collector/money/test_explorer.py",
    "ce:GetSavingsPlansUtilization": "tests/collector/money/test_explorer.py",
}
"""Actions of permissions.py without a row of their own, and where they are tried instead."""
