"""A budget that is used up: only tripwires are read, and what is hot, whatever was never read before."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.metered import MeteredSource
from collector.aws.service import ServiceSource
from collector.aws.source import AwsSource
from collector.aws.spending.budget import Budget
from collector.aws.spending.month import TYPICAL, Month
from collector.aws.spending.plan import HOUR, Load, Share, Tier, plan
from collector.aws.spending.printed import budget_lines, lines
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Call, Extras, World
from stillfit.standins.aws.insight_rules import rule_name
from tests.collector.aws.kit import NOON, REGION, cycle, on_demand, provisioned, put, put_table
from tests.collector.aws.services import put_cassandra, put_jobs
from tests.standins.hangup import PATIENT

OVER = Month("2026-11", 1_000.0, 20 * 24 * HOUR)
TRIPWIRES = {"ReadThrottleEvents", "WriteThrottleEvents"}


@contextmanager
def opened(
    aws: AwsStandIn, clock: FakeClock, month: Sequence[Month], *, keyspaces: bool = False
) -> Iterator[MeteredSource]:
    """A source with a budget of one dollar; the last of `month` is the one that it is."""
    where = AwsTarget(region=REGION, endpoint_url=aws.url)
    access = Access(where, clock, patience=PATIENT)
    budget = Budget(1.0, month=lambda: month[-1])
    source = ServiceSource(access, Keyspaces(access), budget) if keyspaces else AwsSource(access, budget)
    try:
        yield source
    finally:
        source.close()


@pytest.fixture
def asked(world: World) -> list[str]:
    """The metrics and reports that were asked and are billed by the metric, in order."""
    names: list[str] = []

    def hear(call: Call) -> None:
        if call.operation == "GetInsightRuleReport":
            names.append(call.operation)
        queries = call.parameters.get("MetricDataQueries", ()) if call.operation == "GetMetricData" else ()
        names.extend(query["MetricStat"]["Metric"]["MetricName"] for query in queries)

    world.before_call.append(hear)
    return names


def test_what_was_never_read_is_not_read_either(
    world: World, aws: AwsStandIn, clock: FakeClock, asked: list[str]
) -> None:
    with opened(aws, clock, [OVER]) as source:
        cycle(source, clock, since_s=None)
        clock.advance(300)
        put_table(world, on_demand("newcomer"))
        cycle(source, clock)

    assert set(asked) == TRIPWIRES
    assert len(asked) == 2 * 3  # of orders, of its index and of the newcomer, once each
    assert source.backlog.seconds > 0
    assert source.backlog.ends_at is None


def test_a_hot_table_is_read_whole(world: World, aws: AwsStandIn, clock: FakeClock, asked: list[str]) -> None:
    put(world, "ReadThrottleEvents", [0.0] * 20 + [7.0] * 10)
    with opened(aws, clock, [OVER]) as source:
        cycle(source, clock, since_s=None)

    assert "ReadKeyRangeThroughputThrottleEvents" in asked
    assert "ConsumedReadCapacityUnits" in asked


def test_the_rest_and_the_past_are_read_when_a_new_month_begins(
    aws: AwsStandIn, clock: FakeClock, asked: list[str]
) -> None:
    month = [OVER]
    with opened(aws, clock, month) as source:
        before = cycle(source, clock, since_s=None).all("read_throttle_events")
        asked.clear()
        month.append(Month("2026-12", 0.0, 31 * 24 * HOUR))
        clock.advance(300)
        after = cycle(source, clock).all("read_throttle_events")

    assert {"ConsumedReadCapacityUnits", "AccountProvisionedReadCapacityUtilization"} <= set(asked)
    assert min(span.start for one in before for span in one.covered) >= NOON - 4 * HOUR
    assert min(span.start for one in after for span in one.covered) < NOON - 13 * 24 * HOUR


def test_reports_of_keys_are_asked_only_where_requests_are_refused(
    world: World, aws: AwsStandIn, clock: FakeClock, asked: list[str]
) -> None:
    names = [rule_name(kind, "orders") for kind in ("PKC", "PKT")]
    on = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": names}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(), Extras(contributor_insights={None: on}))
    for name in names:
        world.insights.put(DEFAULT_ACCOUNT, REGION, name, {})
    with opened(aws, clock, [OVER]) as source:
        cycle(source, clock, since_s=None)
        assert "GetInsightRuleReport" not in asked

        for metric in ("ReadThrottleEvents", "ReadKeyRangeThroughputThrottleEvents"):
            put(world, metric, [7.0] * 10, end=NOON + 3 * HOUR)
        clock.advance(3 * HOUR)
        cycle(source, clock)
    assert asked.count("GetInsightRuleReport") == 2


def test_other_services_keep_to_it_too(world: World, aws: AwsStandIn, clock: FakeClock, asked: list[str]) -> None:
    put_jobs(world)
    put_cassandra(world, "ConsumedReadCapacityUnits", [1.0] * 30, Operation="SELECT")
    with opened(aws, clock, [OVER], keyspaces=True) as source:
        cycle(source, clock, since_s=None)
        assert not [name for name in asked if "Consumed" in name]
    with opened(aws, clock, [TYPICAL], keyspaces=True) as source:
        cycle(source, clock, since_s=None)
        assert [name for name in asked if "Consumed" in name]


def test_where_nobody_keeps_what_is_spent_everything_is_read(
    aws: AwsStandIn, clock: FakeClock, asked: list[str]
) -> None:
    with opened(aws, clock, [TYPICAL]) as source:
        source.budget.usd_a_month = 0.001
        cycle(source, clock, since_s=None)

    assert not source.budget.plan.wires_alone
    assert not source.budget.plan.is_within_budget
    assert "ConsumedReadCapacityUnits" in asked


def test_what_goes_on_besides_tripwires_is_told_with_its_price() -> None:
    load = Load({Tier.WARM: Share(10, 20, 100)}, listings_an_hour=40.0, reports_an_hour=50.0)
    alone, without = plan(load, 1.0, month=OVER), plan(Load({Tier.WARM: Share(10, 20, 100)}), 1.0, month=OVER)

    assert "which metrics there are is still listed, for 0.29 USD a month" in list(budget_lines(alone))
    assert alone.usd_a_month == pytest.approx(without.usd_a_month + 40 * 730 * 1e-5)
    assert not [line for line in (*lines(alone), *budget_lines(without)) if "hot keys" in line or "listed" in line]
