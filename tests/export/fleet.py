"""A small fleet at noon with everything in it that a page can show: made by hand, so that goldens stay still."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from collector.aws.looks.history import Backlog
from collector.aws.spending.month import Month
from collector.aws.spending.plan import Load, Share, Tier, plan
from stillfit.advice import Advice, AdviceState, Effort, Option, Transition
from stillfit.cycle import Turn
from stillfit.export.view import SourceStatus, Spent, View, view_of
from stillfit.model import (
    Attributes,
    Blocker,
    Confidence,
    CostFigure,
    Engine,
    Evidence,
    EvidenceKind,
    Finding,
    FitState,
    FitVerdict,
    GapReason,
    Judgement,
    Money,
    Series,
    Severity,
    Span,
    Statistic,
    Subject,
    Unknown,
    Workload,
)
from stillfit.snapshot import Snapshot
from tests.builders import BY_STATUS, JOBS, JOBS_ON_1, NOON, NOON_S, ORDERS, cassandra_subject, gap, series, subject

LOOK = Span(NOON_S - 6 * 3600, NOON_S)
PRICES = datetime(2026, 10, 1, tzinfo=UTC)
CARTS = subject("carts")
EVENTS = subject("events")
TABLES = (ORDERS, CARTS, EVENTS, JOBS)
SCOPE = replace(ORDERS, table="")
OPTION = Option(
    kind="key_design",
    steps=(
        "Find the key: turn on Contributor Insights (throttled keys only) for an hour.",
        "Spread its writes: add a suffix of 0 to 9 to customer_id and read the ten together.",
    ),
    commands=(
        "aws dynamodb update-contributor-insights --table-name orders \\\n  --contributor-insights-action ENABLE",
    ),
    not_helpful=("Raising write capacity: one partition serves 1,000 writes a second, however much is provisioned.",),
    effect="The refusals end; capacity that is there already is used.",
    effort=Effort.MEDIUM,
    risk="Readers must ask ten keys instead of one.",
    rollback="Write without the suffix again; old readers keep working.",
    verify="write throttle events by key range stay at 0 for an hour",
)


def evidence(
    signal: str, mid: float, unit: str = "", *, low: float | None = None, high: float | None = None
) -> Evidence:
    window = Span(NOON_S - 3600, NOON_S)
    return Evidence(
        signal=signal,
        unit=unit,
        kind=EvidenceKind.MEASURED,
        source="dynamodb",
        low=mid if low is None else low,
        mid=mid,
        high=mid if high is None else high,
        window=window,
        points=60,
    )


def advice(number: int, of: Subject, title: str, **changes: object) -> Advice:
    record = Advice(
        id=f"A-{number:04}",
        fingerprint=f"print-{number}",
        rule="dynamodb-hot-key-range",
        rule_version=1,
        subject=of,
        title=title,
        summary=f"{title}.",
        cause="key_range",
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        option=OPTION,
        evidence=(),
        state=AdviceState.OPEN,
        state_since=NOON - timedelta(minutes=42),
        first_seen=NOON - timedelta(minutes=55),
        last_seen=NOON,
        judged_until=NOON,
        transitions=1,
    )
    return replace(record, **changes)  # type: ignore[arg-type]  # names of fields, by the tests' own hand


HOT = advice(
    1,
    ORDERS,
    "One key range takes the writes",
    summary="31% of writes were refused for 42 minutes, while the table used 38% of what it may take. "
    "One range of keys gets nearly all of them, so more capacity will not help.",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    evidence=(
        evidence("write_key_range_throttle_events", 61_320, "events"),
        evidence("consumed_write_units_per_second", 1_486, "WCU/s"),
        evidence("peak_write_demand_per_second", 3_910.4, "WCU/s"),
        replace(evidence("partition_key", 0), mid=None, low=None, high=None, text="customer_id", window=None),
    ),
)
STARVED = advice(
    2,
    BY_STATUS,
    "An index holds back its table",
    rule="dynamodb-index-back-pressure",
    evidence=(evidence("write_provisioned_throttle_events", 4_210, "events"),),
)
QUEUE = advice(
    3,
    JOBS,
    "Used as a queue: reads wade through tombstones",
    rule="cassandra-queue",
    severity=Severity.CRITICAL,
    evidence=(replace(evidence("tombstones_per_read_p99", 5_722, "tombstones", low=4_768, high=5_722), coverage=0.83),),
    option=replace(OPTION, commands=(), not_helpful=()),
)
SAVING = advice(
    4,
    CARTS,
    "Pay per request instead of provisioning",
    rule="dynamodb-switch-to-on-demand",
    severity=Severity.INFO,
    saving=Money(low=380, mid=410.4, high=452, price_date=PRICES, arithmetic="612.40 - 202.00 = 410.40 USD a month"),
    evidence=(evidence("saving_on_demand_usd", 410.4, "USD", low=380, high=452),),
)
SEEN = advice(5, EVENTS, "Items grew", state=AdviceState.ACKNOWLEDGED, rule="cost-item-growth")
OVER = advice(
    6,
    subject("badges"),
    "Refused by its own limit",
    state=AdviceState.RESOLVED,
    state_reason="nothing refused for 30 minutes",
    state_since=NOON - timedelta(hours=3),
)


def cost(of: Subject, option: str, mid: float, spread: float = 0.08, component: str = "total") -> CostFigure:
    low, high = mid * (1 - spread), mid * (1 + spread)
    money = Money(low=low, mid=mid, high=high, price_date=PRICES, arithmetic=f"{mid:.2f} USD a month")
    return CostFigure(subject=of, option=option, component=component, money=money)


COSTS = (
    cost(ORDERS, "current", 2_310.0),
    *(cost(ORDERS, option, usd, 0.1, "throughput") for option, usd in (("current", 2_210.0), ("provisioned", 1_105.0))),
    *(cost(CARTS, option, usd, 0.1, "throughput") for option, usd in (("current", 600.0), ("on-demand", 189.6))),
    *(cost(EVENTS, option, usd, 0.1, "throughput") for option, usd in (("current", 80.0), ("provisioned", 84.4))),
    cost(ORDERS, "on-demand", 2_310.0),
    cost(ORDERS, "provisioned", 1_205.0, 0.2),
    cost(CARTS, "current", 612.4, 0),
    cost(CARTS, "on-demand", 202.0),
    cost(CARTS, "provisioned", 612.4, 0),
    cost(EVENTS, "current", 88.1),
    cost(EVENTS, "on-demand", 88.1),
    cost(EVENTS, "provisioned", 92.5),
)
FITS = (
    FitVerdict(workload="orders", candidate="dynamodb/on-demand", is_current=True, state=FitState.FITS),
    FitVerdict(
        workload="reports",
        candidate="dynamodb/provisioned",
        is_current=True,
        state=FitState.DOES_NOT_FIT,
        blockers=(
            Blocker("joins", "Joins across entities are needed; DynamoDB has none.", certain=True, evidence=()),
            Blocker("size", "possible blocker, confirm: items near 400 KB", certain=False, evidence=()),
        ),
    ),
    FitVerdict(workload="reports", candidate="keyspaces", is_current=False, state=FitState.DOES_NOT_FIT),
    FitVerdict(
        workload="reports", candidate="cassandra", is_current=False, state=FitState.UNKNOWN, missing=("joins_needed",)
    ),
)


def _judgements() -> tuple[Judgement, ...]:
    blind = Unknown("write_throttle_events: denied (grant cloudwatch:GetMetricData)", ("write_throttle_events",))
    found = Finding(
        detector="dynamodb/throttling",
        subject=ORDERS,
        cause="key_range",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        since=NOON - timedelta(minutes=42),
        summary="31% of writes refused",
        evidence=HOT.evidence,
    )
    return (
        Judgement(detector="dynamodb/throttling", subject=ORDERS, answer=found),
        Judgement(detector="dynamodb/throttling", subject=CARTS, answer=None),
        Judgement(detector="dynamodb/throttling", subject=EVENTS, answer=blind),
        Judgement(detector="cost/drift", subject=EVENTS, answer=None),
        Judgement(detector="cassandra/tombstones", subject=JOBS, answer=Unknown("2 of 6 nodes seen", ("tombstones",))),
    )


RECORDS = (HOT, STARVED, QUEUE, SAVING, SEEN, OVER)
TURN = Turn(
    at=NOON,
    judgements=_judgements(),
    costs=COSTS,
    unpriced=(Judgement(detector="costs", subject=JOBS, answer=Unknown("no price of a node is configured")),),
    fits=FITS,
    undecided=(),
    advice=RECORDS,
    transitions=(
        Transition(
            advice_id="A-0001",
            number=1,
            before=AdviceState.PENDING,
            after=AdviceState.OPEN,
            at=NOON,
            reason="fires",
            by="stillfit",
        ),
    ),
)


def wave(mean: float, *, burst_from: int = 318) -> list[float]:
    """Six hours of minutes: calm, then much more."""
    return [mean * (1 + 0.2 * math.sin(i / 30)) * (1 if i < burst_from else 3) for i in range(360)]


def _series() -> tuple[Series, ...]:
    six = partial(series, window=LOOK)
    refused = [0.0] * 318 + [1_460.0] * 42
    return (
        six("consumed_write_units", [60 * v for v in wave(640)]),
        six("consumed_read_units", [60 * v for v in wave(420)]),
        six("write_throttle_events", refused),
        six("write_key_range_throttle_events", refused),
        six("write_provisioned_throttle_events", []),
        six("write_provisioned_throttle_events", [70.0] * 360, of=BY_STATUS),
        six("write_throttle_events", [70.0] * 360, of=BY_STATUS),
        six("provisioned_write_units", [500.0] * 72, of=CARTS, period_s=300),
        six("request_latency_ms", wave(4.2), statistic=Statistic.P99, dimension="PutItem"),
        six("conditional_check_failures", [3.0] * 360),
        six("table_size_bytes", 52e9),
        six("tombstones_per_read", wave(1_900), of=JOBS_ON_1, statistic=Statistic.P99),
        six("sstables_per_read", 3, of=JOBS_ON_1, statistic=Statistic.P99),
        six("live_rows_per_read", 10, of=JOBS_ON_1, statistic=Statistic.P99),
        six("local_read_latency_ms", 12, of=JOBS_ON_1, statistic=Statistic.P99),
        six("reads", [600.0] * 360, of=JOBS_ON_1),
        six("writes", [900.0] * 360, of=JOBS_ON_1),
        six("disk_used_bytes", 4e9, of=JOBS_ON_1),
        six("max_partition_bytes", 9e7, of=JOBS_ON_1),
        six("thread_pool_pending", 2, of=NODE, dimension="ReadStage"),
        six("clients", 41, of=NODE),
    )


NODE = cassandra_subject("", keyspace="", node="10.0.0.1")
SNAPSHOT = Snapshot(
    at=NOON,
    spans={Engine.DYNAMODB: LOOK, Engine.CASSANDRA: LOOK},
    subjects=(*TABLES, BY_STATUS, JOBS_ON_1, NODE),
    series=_series(),
    attributes=(
        Attributes.of(ORDERS, NOON, {"billing_mode": "PAY_PER_REQUEST", "table_class": "STANDARD"}),
        Attributes.of(CARTS, NOON, {"billing_mode": "PROVISIONED", "table_class": "STANDARD"}),
        Attributes.of(NODE, NOON, {"version": "5.0.9"}),
    ),
    gaps=(
        gap("write_throttle_events", of=EVENTS, detail="grant cloudwatch:GetMetricData"),
        gap(of=CARTS, reason=GapReason.STALE),
    ),
    workloads=(Workload(name="orders", tables=(ORDERS,)), Workload(name="reports", tables=(EVENTS,))),
)
LOAD = Load({Tier.HOT: Share(1, 4, 30, causes=11, likely=2.2), Tier.WARM: Share(12, 30, 150)})
AWS = SourceStatus(
    id="aws/123456789012/us-east-1",
    engine="dynamodb",
    scope=SCOPE.scope,
    last_attempt=NOON - timedelta(minutes=2),
    last_success=NOON - timedelta(minutes=2),
    subjects=13,
    points=12_430,
    seconds=1.4,
    spent=(Spent(api="cloudwatch", requests=310, metrics=52_000, datapoints=900_000, dollars=0.52, lost_dollars=0.01),),
    plan=plan(LOAD, budget_usd=3.00),
    shared=plan(LOAD, budget_usd=3.00, month=Month("2026-11", 0.21, 2_430_000.0)),
    backlog=Backlog(9, 9 * 333 * 3_600, NOON + timedelta(minutes=20)),
)
CLUSTER = SourceStatus(
    id="cassandra/prod",
    engine="cassandra",
    scope=("prod", ""),
    last_attempt=NOON,
    last_success=NOON - timedelta(minutes=30),
    error="cassandra/prod: 10.0.0.2 did not answer within 5 s: check its port 9042",
    subjects=9,
)
EMPTY = View(instance="demo", version="0.1.0", started_at=NOON - timedelta(hours=5), at=NOON)
VIEW = view_of(EMPTY, TURN, SNAPSHOT, (AWS, CLUSTER))
