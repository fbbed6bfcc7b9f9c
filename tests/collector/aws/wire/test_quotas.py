"""The live quota: read where it may be, kept by the limiter, and never taken for more than it is."""

from collections import Counter
from typing import Any

import pytest

from collector.aws.metrics.cloudwatch import GIVE_UP_AFTER, _Breaker
from collector.aws.source import AwsSource
from collector.aws.wire.access import Access
from collector.aws.wire.limiter import CALLS_PER_S, DOUBLED_IN_S, Limiter, RetryBudget
from collector.aws.wire.quotas import _rate
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Engine, GapReason, Subject
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import REGION, SCOPE, cycle, on_demand, put_table

ACCOUNT = Subject(engine=Engine.DYNAMODB, scope=SCOPE)
NAME = "cloudwatch_calls_per_second"
ACTION = "servicequotas:GetServiceQuota"


def seconds_for(limiter: Limiter, clock: FakeClock, calls: int) -> float:
    began = clock.monotonic()
    for _ in range(calls):
        limiter.wait()
    return clock.monotonic() - began


@pytest.mark.parametrize("rate", [10.0, 50.0, 500.0])
def test_the_limiter_keeps_what_the_service_keeps(rate: float, world: World, aws: AwsStandIn, clock: FakeClock) -> None:
    world.quotas.limit("GetMetricData", per_second=rate)
    access = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock)
    access.quotas.look(clock.monotonic(), "a test")
    took = seconds_for(access.limiter, clock, int(11 * rate))
    access.close()

    assert took == pytest.approx(10, abs=0.2)


def test_the_live_quota_is_told_and_read_once_a_day(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.quotas.limit("GetMetricData", per_second=120)
    told = cycle(source, clock).settings(ACCOUNT)[NAME]
    clock.advance(23 * 3_600)
    cycle(source, clock)
    before = world.bill.calls[ACTION]
    world.quotas.limit("GetMetricData", per_second=240)
    clock.advance(3_601)

    assert (told, before) == (120.0, 1)
    assert cycle(source, clock).settings(ACCOUNT)[NAME] == 240.0


def test_without_the_permission_the_lower_rate_is_kept_and_told(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetServiceQuota"))
    got = cycle(source, clock)

    assert got.missing(ACCOUNT)[NAME] == "denied"
    assert seconds_for(source._access.limiter, clock, int(11 * CALLS_PER_S)) == pytest.approx(10, abs=0.2)


def test_a_quota_that_is_not_told_is_no_data_and_says_what_is_kept(
    aws: AwsStandIn, world: World, source: AwsSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.aws.wire.quotas.RATE_OF_GET_METRIC_DATA", "L-00000000")
    (gap,) = (one for one in cycle(source, clock).gaps if one.missing == NAME)

    assert (gap.reason, gap.detail.endswith("50 a second are kept")) == ("no data", True)


@pytest.mark.parametrize(
    ("value", "unit"), [(0.0, "SECOND"), (float("nan"), "SECOND"), (50.0, "FORTNIGHT")], ids=["none", "nan", "unit"]
)
def test_a_quota_that_cannot_be_one_changes_nothing(value: float, unit: str) -> None:
    quota: dict[str, Any] = {"Value": value, "Period": {"PeriodValue": 1, "PeriodUnit": unit}}
    with pytest.raises((ValueError, KeyError)):
        _rate(quota)


def test_a_rate_that_was_given_is_not_asked_for(world: World, aws: AwsStandIn, clock: FakeClock) -> None:
    access = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock, calls_per_s=20)
    access.quotas.look(clock.monotonic(), "a test")
    access.close()

    assert world.bill.calls[ACTION] == 0


def test_a_throttled_quota_recovers_to_the_live_rate(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    limiter.keep(500.0)
    limiter.complained()
    clock.advance(DOUBLED_IN_S)
    limiter.answered()

    assert limiter.pace == 1.0
    assert seconds_for(limiter, clock, 5_500) == pytest.approx(10, abs=0.2)


def test_what_is_asked_again_is_a_tenth_of_what_was_answered() -> None:
    budget = RetryBudget()
    assert budget.take(1_000)
    assert not budget.take(1)

    budget.answered(99)
    assert not budget.take(10)
    budget.answered(1)
    assert budget.take(10)


def test_a_service_that_answers_in_part_for_hours_is_not_paid_twice(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    source._reading._reader.retries._left = 0.0
    world.faults.add(Fault(kind=FaultKind.RESULT_INTERNAL_ERROR))
    asked: Counter[str] = Counter()
    world.before_call.append(
        lambda call: asked.update(str(one["MetricStat"]) for one in call.parameters.get("MetricDataQueries", ()))
    )
    got = cycle(source, clock)

    assert got.missing()["consumed_read_units"] == "unreachable"
    assert set(asked.values()) == {1}


def test_an_outage_is_tried_once_in_the_next_reading_and_an_answer_ends_it() -> None:
    breaker, lost = _Breaker(), SourceError("no answer", reason=GapReason.TIMEOUT, retryable=True)
    for _ in range(GIVE_UP_AFTER):
        assert breaker.open_for is None
        breaker.note(lost)
    breaker.try_again()
    breaker.note(lost)
    assert breaker.open_for is lost

    breaker.try_again()
    breaker.note(None)
    breaker.note(lost)
    assert breaker.open_for is None


def test_an_operation_that_was_given_up_is_tried_once_in_the_next_cycle(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(8):
        put_table(world, on_demand(f"t{number:03}"))
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="DescribeTable"))
    tried = []
    for _ in range(2):
        before = source.calls["dynamodb:DescribeTable"]
        clock.advance(300)
        cycle(source, clock)
        tried.append(source.calls["dynamodb:DescribeTable"] - before)
    world.faults.clear()
    clock.advance(300)

    assert tried[0] >= 5
    assert tried[1] == 1
    assert len(cycle(source, clock).listed.subjects_seen) == 10
