"""Fault by operation: each ends in a Gap with its reason, a SourceError, or the right data; never in a wrong value."""

from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest

from collector.aws.looks.progress import NEWCOMER_S
from collector.aws.settings.inventory import TAG_LISTING
from collector.aws.source import AwsSource
from collector.aws.wire.limiter import RetryBudget
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import NOON, Brought, OpenSource, cycle, put

REFUSED = FaultKind.RESULT_FORBIDDEN
READS = "ConsumedReadCapacityUnits"

WHOLE = {
    FaultKind.THROTTLE: GapReason.THROTTLED,
    FaultKind.INTERNAL_ERROR: GapReason.UNREACHABLE,
    FaultKind.UNAVAILABLE: GapReason.UNREACHABLE,
    FaultKind.ACCESS_DENIED: GapReason.DENIED,
    FaultKind.EXPIRED_TOKEN: GapReason.DENIED,
    FaultKind.CLOCK_SKEW: GapReason.DENIED,
    FaultKind.RESET: GapReason.UNREACHABLE,
    FaultKind.TRUNCATED: GapReason.GARBLED,
    FaultKind.HANG: GapReason.TIMEOUT,
    FaultKind.GARBAGE: GapReason.GARBLED,
    FaultKind.HTML: GapReason.GARBLED,
}
UNFIT = {
    *(FaultKind.LATENCY, FaultKind.HANG, FaultKind.SLOW_DRIP, FaultKind.SLOW_HEAD, FaultKind.ACCESS_DENIED),
    *(FaultKind.NOT_FOUND, FaultKind.REFUSED, FaultKind.HUGE_VALUES, FaultKind.MISSHAPEN),
}
"""Kinds that take real time, or are no passing thing, or may put a wrong number where nobody can see it."""
MISSING_WITHOUT = {
    "GetMetricData": {"consumed_read_units", "read_throttle_events", "provisioned_read_units"},
    "ListMetrics": {"successful_requests", "throttled_requests", "request_latency_ms", "system_errors"},
    "DescribeTimeToLive": {"ttl_attribute", "ttl_status"},
    "DescribeContinuousBackups": {"point_in_time_recovery", "recovery_period_days"},
    "DescribeKinesisStreamingDestination": {"kinesis_destinations"},
    "DescribeTable": {"*"},
    "DescribeScalableTargets": {"autoscaling_read_min", "autoscaling_write_max"},
    "DescribeScalingPolicies": {"autoscaling_read_target", "autoscaling_write_target"},
    "DescribeScheduledActions": {"autoscaling_read_schedule", "autoscaling_write_schedule"},
}
MISSING_OF_THE_REGION_WITHOUT = {
    "ListContributorInsights": {"contributor_insights", "contributor_insights_status"},
    "ListBackups": {"backups", "newest_backup", "backups_bytes"},
    "ListExports": {"exports", "newest_export", "exports_billed_bytes"},
    "DescribeScalingActivities": {"scaling_activities"},
}


@pytest.mark.parametrize("operation", MISSING_WITHOUT)
@pytest.mark.parametrize("kind", WHOLE)
def test_a_lost_call_is_a_gap_with_its_reason(
    kind: FaultKind, operation: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    world.faults.add(Fault(kind=kind, operation=operation))
    clock.advance(4 * 3_600)
    missing = cycle(source, clock).missing()

    assert MISSING_WITHOUT[operation] <= missing.keys()
    assert {missing[name] for name in MISSING_WITHOUT[operation]} == {WHOLE[kind].value}


@pytest.mark.parametrize("kind", WHOLE)
def test_tables_that_cannot_be_listed_end_the_cycle(
    kind: FaultKind, world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation="ListTables"))

    with pytest.raises(SourceError, match="dynamodb:ListTables for aws/123456789012/eu-west-1") as lost:
        cycle(source, clock)
    assert lost.value.reason is WHOLE[kind]


@pytest.mark.parametrize("operation", MISSING_OF_THE_REGION_WITHOUT)
@pytest.mark.parametrize("kind", WHOLE)
def test_a_lost_call_that_tells_of_all_tables_is_a_gap_of_the_region(
    kind: FaultKind, operation: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation=operation))
    missing = cycle(source, clock).missing(source.scope)

    assert missing == dict.fromkeys(MISSING_OF_THE_REGION_WITHOUT[operation], WHOLE[kind].value)


@pytest.mark.parametrize("kind", WHOLE)
def test_lost_tags_are_a_gap_unless_each_table_may_be_asked(
    kind: FaultKind, world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation="GetResources"))
    got = cycle(source, clock)
    refused = WHOLE[kind] is GapReason.DENIED

    assert got.missing(source.scope) == {TAG_LISTING if refused else "tags": WHOLE[kind].value}
    assert ("tags" in got.settings()) is refused


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.THROTTLE,
        FaultKind.INTERNAL_ERROR,
        FaultKind.RESET,
        FaultKind.HTML,
        FaultKind.GARBAGE,
        FaultKind.EXPIRED_TOKEN,
        FaultKind.PARTIAL_DATA,
        FaultKind.RESULT_INTERNAL_ERROR,
        FaultKind.EMPTY_PAGE,
        FaultKind.CUT_PAGE,
        FaultKind.DUPLICATE_TIMESTAMPS,
        FaultKind.UNORDERED_TIMESTAMPS,
    ],
)
def test_what_passes_costs_no_data(kind: FaultKind, world: World, opened: OpenSource, clock: FakeClock) -> None:
    put(world, READS, range(1, 61))
    world.faults.add(Fault(kind=kind, operation="GetMetricData", count=1))
    got = cycle(opened(attempts=2), clock)

    assert got.one("consumed_read_units").values.tolist() == list(range(1, 61))
    assert got.gaps == ()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FaultKind.PARTIAL_DATA, "partial"),
        (FaultKind.RESULT_INTERNAL_ERROR, "unreachable"),
        (FaultKind.RESULT_FORBIDDEN, "denied"),
    ],
)
def test_one_bad_metric_is_a_gap_and_costs_no_other(
    kind: FaultKind, reason: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, READS, [1, 2])
    put(world, "ConsumedWriteCapacityUnits", [3, 4])
    world.faults.add(Fault(kind=kind, metric=READS))
    got = cycle(source, clock)

    assert (got.missing(), got.all("consumed_read_units")) == ({"consumed_read_units": reason}, [])
    assert got.one("consumed_write_units").values.tolist() == [3, 4]


@pytest.mark.parametrize("kind", [FaultKind.PARTIAL_DATA, FaultKind.RESULT_INTERNAL_ERROR, FaultKind.RESULT_FORBIDDEN])
def test_a_metric_that_failed_and_was_billed_waits_its_cadence_and_loses_nothing(
    kind: FaultKind, world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, READS, np.ones(180))
    world.faults.add(Fault(kind=kind, metric=READS))
    cycle(source, clock)
    before = world.faults.struck[kind]
    clock.advance(300)
    cycle(source, clock)
    assert world.faults.struck[kind] == before

    world.faults.clear()
    clock.advance(3 * 3_600 - 300)
    assert len(cycle(source, clock).one("consumed_read_units").times) == 180


@pytest.mark.parametrize("is_healthy", [True, False])
def test_only_what_was_answered_whole_wins_back_further_tries(
    is_healthy: bool, world: World, source: AwsSource, clock: FakeClock
) -> None:
    retries = source._reading._reader.retries
    assert retries.take(int(RetryBudget.RESERVE))
    if not is_healthy:
        world.faults.add(Fault(kind=FaultKind.RESULT_INTERNAL_ERROR))
    cycle(source, clock)

    assert retries.take(1) is is_healthy


def test_a_cause_that_is_refused_for_good_holds_back_no_tripwire(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(hot=("orders",))
    put(world, "ReadThrottleEvents", np.ones(240), end=NOON + 3_600)
    world.faults.add(Fault(kind=REFUSED, metric="ReadKeyRangeThroughputThrottleEvents"))
    for _ in range(6):
        got = cycle(source, clock)
        clock.advance(300)

    assert got.missing()["read_key_range_throttle_events"] == "denied"
    assert got.one("read_throttle_events").covered[0].start == NOON + 4 * 300 - 900


@pytest.mark.parametrize(
    ("age_s", "is_late"), [(NEWCOMER_S - 300, False), (NEWCOMER_S, False), (NEWCOMER_S + 300, True)]
)
def test_a_table_that_could_not_be_described_at_first_gets_its_first_look(
    age_s: int, is_late: bool, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(first_look=timedelta(days=2))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTable", until=NOON + 1))
    assert cycle(source, clock, since_s=None).missing()["*"] == "denied"
    clock.advance(age_s)
    read = cycle(source, clock).all("consumed_read_units")
    look = timedelta(days=2).total_seconds() if is_late else NEWCOMER_S

    assert read[0].covered[0].start == (NOON + age_s - look) // 3_600 * 3_600 + (0 if is_late else age_s % 3_600)
    assert [one.period_s for one in read] == ([300, 60] if is_late else [60])


def test_a_cut_answer_whose_token_repeats_is_partial_and_not_vouched_for(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for name in (READS, "ReadThrottleEvents", "TransactionConflict"):
        put(world, name, np.ones(180))
    world.faults.add(
        Fault(kind=FaultKind.CUT_PAGE, operation="GetMetricData"),
        Fault(kind=FaultKind.REPEATED_TOKEN, operation="GetMetricData"),
    )
    got = cycle(source, clock)

    assert set(got.missing().values()) <= {"partial", "not asked"}
    assert all(len(one.times) == 180 for one in got.series if one.metric in got.missing() and len(one.times))


def test_a_listing_that_goes_in_circles_is_not_taken_for_the_inventory(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(250):
        world.dynamodb.put_table(*source.scope.scope, {"TableName": f"table{number:03}"})
    world.faults.add(Fault(kind=FaultKind.REPEATED_TOKEN, operation="ListTables"))

    with pytest.raises(SourceError, match="goes round in circles"):
        cycle(source, clock)


def test_a_missing_permission_is_named_and_asked_once_a_cycle(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(100):
        world.dynamodb.put_table(*source.scope.scope, {"TableName": f"table{number:03}"})
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetMetricData"))
    details = {gap.detail for gap in cycle(source, clock).gaps if gap.reason is GapReason.DENIED}

    assert details == {
        (
            "cloudwatch:GetMetricData for aws/123456789012/eu-west-1 was refused (AccessDenied): "
            "grant cloudwatch:GetMetricData (deploy/aws/iam-policy.json)"
        )
    }
    assert world.bill.refused["cloudwatch:GetMetricData"] <= 8


def test_expired_credentials_are_renewed_once_a_cycle(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.EXPIRED_TOKEN, operation="ListTables", count=1))
    assert cycle(source, clock).gaps == ()

    world.faults.add(Fault(kind=FaultKind.EXPIRED_TOKEN, operation="ListTables"))
    with pytest.raises(SourceError, match="credentials have expired"):
        cycle(source, clock)
    assert world.bill.refused["dynamodb:ListTables"] == 3


def test_throttling_slows_us_down(world: World, opened: OpenSource, clock: FakeClock) -> None:
    source = opened(attempts=2)
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="GetMetricData", count=1))
    cycle(source, clock)

    assert 0.5 <= source.pace < 1.0


def test_points_that_change_later_are_read_again(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, READS, [1, 1, 1])
    cycle(source, clock)
    put(world, READS, [5, 5, 5])
    clock.advance(4 * 3_600)

    assert cycle(source, clock).one("consumed_read_units").values.tolist() == [5, 5, 5]


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_hour_at_random_brings_only_the_truth(
    seed: int, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    """A twelfth of all calls and results fail in some way; whatever is vouched for afterwards is what was measured."""
    source = opened()
    world.faults._random.seed(seed)
    truth = dict(enumerate(np.random.default_rng(seed).integers(1, 1_000, 120)))
    put(world, READS, [float(value) for value in truth.values()], end=NOON + 3_600)
    bad = [kind for kind in FaultKind if kind not in UNFIT]
    world.faults.add(*(Fault(kind=kind, probability=1 / 12 / len(bad) * 4, until=NOON + 3_300) for kind in bad))
    cycles: list[Brought] = []
    for _ in range(13):
        with suppress(SourceError):
            cycles.append(cycle(source, clock))
        clock.advance(300)

    known: dict[int, float] = {}
    for got in cycles:
        for one in got.all("consumed_read_units"):
            known |= dict(zip(one.times.tolist(), one.values.tolist(), strict=True))
    expected = {NOON - 3_600 + 60 * minute: float(value) for minute, value in truth.items()}
    assert known == {time: value for time, value in expected.items() if time < NOON + 3_600}
