"""Which tables are hot, warm and cold, and what a look asks of each."""

import numpy as np
import pytest

from collector.aws.source import AwsSource
from collector.aws.spending.plan import SETTLE_S, SHOWN_AFTER_S, Tier
from stillfit.clock import FakeClock
from stillfit.standins.aws import World
from tests.collector.aws.kit import NOON, ORDERS, OpenSource, cycle, on_demand, put, put_table

TICK = 300
HOUR = 3_600
OF_ACCOUNT, LIMITS_A_DAY = 7, 4
"""Billed metrics of the account and region: its use of limits every hour, the limits themselves every day."""


def serve(world: World, table: str, minutes: int = 60, *, end: int = NOON) -> None:
    put(world, "SuccessfulRequestLatency", [1.0] * minutes, end=end, TableName=table, Operation="GetItem")


def tiers(source: AwsSource) -> dict[Tier, int]:
    return {tier: share.tables for tier, share in source.plan.load.shares.items()}


def looks(source: AwsSource, clock: FakeClock, *, hours: float) -> int:
    """Billed metrics of so many hours of looks."""
    before = source.bill.metrics
    for _ in range(int(hours * HOUR / TICK)):
        clock.advance(TICK)
        cycle(source, clock)
    return source.bill.metrics - before


def test_a_table_that_serves_is_warm_and_one_that_does_not_is_cold(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("carts"))
    serve(world, "carts")
    cycle(source, clock)

    assert tiers(source) == {Tier.HOT: 0, Tier.WARM: 1, Tier.COLD: 1}


@pytest.mark.parametrize(("units", "tier"), [(479, Tier.COLD), (480, Tier.HOT), (481, Tier.HOT)])
def test_four_fifths_of_a_limit_is_hot(
    units: int, tier: Tier, world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "ConsumedReadCapacityUnits", [units])  # of 10 a second
    cycle(source, clock)
    clock.advance(TICK)
    cycle(source, clock)

    assert tiers(source)[tier] == 1


@pytest.mark.parametrize(("hours", "tier"), [(2.9, Tier.HOT), (3.0, Tier.COLD)])
def test_a_refused_request_is_hot_for_three_hours(
    hours: float, tier: Tier, world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "ReadThrottleEvents", [1])
    cycle(source, clock)
    clock.advance(hours * HOUR)
    cycle(source, clock)

    assert tiers(source)[tier] == 1


def test_what_the_operator_calls_hot_is_hot(opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("ord*",))
    cycle(source, clock)

    assert tiers(source)[Tier.HOT] == 1


def test_a_cold_table_costs_four_tripwire_readings_an_hour(source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    looks(source, clock, hours=3)  # until every reading has found its beat

    # two tripwires of table and index four times an hour; the other eight every three hours
    assert looks(source, clock, hours=12) == 12 * 4 * 4 + 4 * 8 + OF_ACCOUNT * 12 + LIMITS_A_DAY


def test_a_hot_table_is_read_whole_every_look(opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("*",))
    cycle(source, clock)

    assert looks(source, clock, hours=1) == 12 * 12 + OF_ACCOUNT


def test_a_tripwire_brings_everything_of_its_table_up_to_date_in_the_same_look(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    clock.advance(1_200)
    put(world, "ReadThrottleEvents", [5], end=NOON + 1_200)
    put(world, "ConsumedReadCapacityUnits", [600.0] * 20, end=NOON + 1_200)
    got = cycle(source, clock)

    assert got.one("read_throttle_events").values.tolist() == [5]
    assert got.one("consumed_read_units").covered[0].end == NOON + 1_200 - SHOWN_AFTER_S


def test_rare_readings_miss_no_point(world: World, source: AwsSource, clock: FakeClock) -> None:
    day = 24 * 60
    minutes = np.arange(1.0, day + 1)
    put(world, "ConsumedReadCapacityUnits", minutes, end=NOON + day * 60)
    cycle(source, clock)
    seen: dict[int, float] = {}
    for _ in range(day * 60 // TICK):
        clock.advance(TICK)
        for one in cycle(source, clock).all("consumed_read_units"):
            seen |= dict(zip(one.times.tolist(), one.values.tolist(), strict=True))

    newest = max(seen)
    assert newest >= NOON + day * 60 - 3 * HOUR
    assert list(seen.values()) == [float(n) for n in range(1, (newest - NOON) // 60 + 2)]


def test_a_fleets_rare_readings_are_spread_over_their_interval(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(40):
        put_table(world, on_demand(f"table{number}"))
    cycle(source, clock)
    looks(source, clock, hours=3)
    each = [looks(source, clock, hours=1 / 12) for _ in range(36)]

    assert max(each) < sum(each) / 6


def test_a_budget_stretches_what_a_source_reads_and_says_so(
    opened: OpenSource, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    source = opened()
    source.budget.usd_a_month = 0.02
    cycle(source, clock)

    assert source.plan.rung > 0
    assert source.plan.load.of(Tier.COLD).tables == 1


def test_the_projected_bill_is_what_a_day_comes_to(source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    looks(source, clock, hours=3)
    billed = looks(source, clock, hours=24)

    assert billed * 730 / 24 == pytest.approx(source.plan.metrics_a_month, rel=0.02)


def test_subjects_of_a_cold_table_lag_by_what_the_source_says(source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    ends = [NOON - SHOWN_AFTER_S]
    behind = []
    for _ in range(12):
        clock.advance(TICK)
        ends += [one.covered[-1].end for one in cycle(source, clock).all("read_throttle_events", ORDERS)]
        judged_at = int(clock.now().timestamp()) + TICK  # just before the next look
        behind.append(judged_at - SETTLE_S - max(ends))

    assert 0 < max(behind) <= source.lag_s == 900 + 120 + SHOWN_AFTER_S - SETTLE_S


def test_a_tripwire_has_all_of_its_table_read_whatever_the_budget(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened()
    source.budget.usd_a_month = 0.02  # hot tables are read once an hour
    cycle(source, clock)
    put(world, "WriteThrottleEvents", [50] * 2, end=NOON + 3 * HOUR)
    clock.advance(3 * HOUR + 60)
    got = cycle(source, clock)

    assert got.one("write_throttle_events").values.tolist() == [50, 50]
    assert got.one("consumed_write_units").covered[-1].end == NOON + 3 * HOUR + 60 - SHOWN_AFTER_S


def test_a_table_whose_turn_it_is_not_has_no_gap(source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    clock.advance(TICK)

    assert cycle(source, clock).gaps == ()


def test_the_projected_bill_holds_while_everything_is_refused_on_a_budget(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    hours = 8
    for dims in ({}, {"GlobalSecondaryIndexName": "by-status"}):
        for name in ("ReadThrottleEvents", "WriteThrottleEvents"):
            put(world, name, [1.0] * 60 * hours, end=NOON + HOUR * hours, **dims)
    serve(world, "orders", 60 * hours, end=NOON + HOUR * hours)
    source.budget.usd_a_month = 2.2
    cycle(source, clock)
    looks(source, clock, hours=4)
    billed = looks(source, clock, hours=3)
    hot = source.plan.cadences[Tier.HOT]

    assert hot.rest_s > hot.wires_s
    assert billed * 730 / 3 == pytest.approx(source.plan.metrics_a_month, rel=0.05)


def test_listings_are_counted_by_the_pages_that_they_took(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    assert source.plan.load.listings_an_hour == 9 * 4
    for number in range(501):
        serve(world, f"table{number}", 5, end=NOON + 900)
    clock.advance(1_800)
    cycle(source, clock)

    assert source.plan.load.listings_an_hour == 10 * 4
