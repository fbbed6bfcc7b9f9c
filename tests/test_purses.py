"""What was spent of a month: kept over restarts and kills, shared by all that pay from one budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.aws.spending.plan import Plan
from collector.aws.spending.purse import AHEAD, AHEAD_USD, Purse
from stillfit.clock import FakeClock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.errors import StoreError
from stillfit.purses import purses_of
from stillfit.sources import SigningIn, source_id, sources
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Call, Fault, FaultKind, World
from stillfit.store.store import Store
from tests.demo.kit import aws_environment, environment

REGION, OTHER = "eu-west-1", "us-east-1"
ROW = f"aws/default/{REGION}"


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    """One quiet table in each of two regions."""
    world = World(now=lambda: clock.now().timestamp())
    for region in (REGION, OTHER):
        table = {"TableName": "orders", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, region, table)
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield world


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


class Remembered:
    """Counts how often it is written."""

    def __init__(self) -> None:
        self.usd, self.writes = 0.0, 0

    def add(self, month: str, source: str, usd: float) -> None:
        self.usd, self.writes = self.usd + usd, self.writes + 1

    def spent(self, month: str) -> dict[str, float]:
        return {ROW: self.usd}


def process(
    store: Store, clock: FakeClock, *, budget: float | None = None, regions: tuple[str, ...]
) -> list[SigningIn]:
    """The sources of a process that has just been started."""
    config = Config(aws=(Aws(regions=regions, monthly_budget=budget, first_look=timedelta(hours=2)),))
    return [one for one, _ in sources(config, clock, kept=store.spending) if isinstance(one, SigningIn)]


def look(one: SigningIn, clock: FakeClock) -> list[str]:
    """One look; what it did not ask, in the words of its last gaps."""
    batches = list(one.collect(clock.now() - timedelta(seconds=300), clock.now()))
    return [gap.detail for gap in batches[-1].gaps if gap.missing == "*"]


def named(call: Call, table: str) -> set[str]:
    """The metrics of a table that a call asks for."""
    metrics = [one["MetricStat"]["Metric"] for one in call.parameters.get("MetricDataQueries", ())]
    return {one["MetricName"] for one in metrics if {"Name": "TableName", "Value": table} in one["Dimensions"]}


def spent(store: Store, month: str = "2026-11") -> float:
    return sum(store.spending.spent(month).values())


def billed(world: World) -> float:
    """By the service, with the listings that it gives away a million times a month."""
    return world.bill.dollars + world.bill.calls["cloudwatch:ListMetrics"] * 1e-5


def test_what_a_process_spent_the_next_one_knows(world: World, store: Store, clock: FakeClock) -> None:
    for _ in range(2):
        for one in process(store, clock, regions=(REGION, OTHER)):
            look(one, clock)
            one.close()

    assert world.bill.dollars > 0
    assert spent(store) == pytest.approx(billed(world))


def test_a_process_that_is_killed_has_counted_a_little_too_much_and_nothing_too_little(
    world: World, store: Store, clock: FakeClock
) -> None:
    (one,) = process(store, clock, regions=(REGION,))
    batches = one.collect(None, clock.now())
    next(batches)
    next(batches)  # metrics have been paid for, and nothing is settled

    assert billed(world) <= spent(store) <= billed(world) * (1 + AHEAD) + 1e-9
    one.close()


@pytest.mark.parametrize("requests", [1, 2, 5, 50])
def test_a_crash_loop_counts_what_it_spends_and_a_little_more(requests: int, clock: FakeClock, store: Store) -> None:
    killed = 40
    for _ in range(killed):
        till = Purse(clock, store.spending).till(ROW)
        for _ in range(requests):
            till.take(0.0001)

    really = killed * requests * 0.0001
    assert really <= spent(store) <= really * (1 + AHEAD) + 1e-9


def test_a_long_look_is_written_down_in_few_pieces_and_never_too_late(clock: FakeClock) -> None:
    kept = Remembered()
    till = Purse(clock, kept).till(ROW)
    for number in range(800):
        till.take(0.005)
        assert 0.005 * (number + 1) <= kept.usd + 1e-9 <= 0.005 * (number + 1) + AHEAD_USD + 2e-9

    assert kept.writes <= 800 * 0.005 / AHEAD_USD + 25
    till.settle()
    till.take(0.0001)
    assert kept.usd == pytest.approx(4.0 + 0.000125)  # a look begins with little again


def test_what_is_refused_is_not_counted_and_what_is_lost_is(world: World, store: Store, clock: FakeClock) -> None:
    (one,) = process(store, clock, regions=(REGION,))
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="GetMetricData", count=2))
    look(one, clock)
    assert spent(store) == pytest.approx(billed(world))

    world.faults.add(Fault(kind=FaultKind.TRUNCATED, operation="GetMetricData", count=1))
    clock.advance(3_600)
    look(one, clock)
    assert spent(store) == pytest.approx(billed(world))
    assert one.source is not None
    assert one.source.bill.lost_metrics > 0
    one.close()


def test_a_month_that_overspent_is_stretched_after_a_restart(world: World, store: Store, clock: FakeClock) -> None:
    def plan(budget: float | None) -> Plan:
        (one,) = process(store, clock, budget=budget, regions=(REGION,))
        look(one, clock)
        one.close()
        assert one.source is not None
        return one.source.budget.plan

    fresh = plan(None).usd_a_month
    before = plan(1.2 * fresh).rung
    store.spending.add("2026-11", ROW, 0.3 * fresh)

    assert plan(1.2 * fresh).rung > before == 0


def test_a_budget_that_is_used_up_is_told_with_every_look_until_the_month_ends(
    world: World, store: Store, clock: FakeClock
) -> None:
    (one,) = process(store, clock, budget=0.80, regions=(REGION,))
    assert look(one, clock) == []
    store.spending.add("2026-11", ROW, 5.0)
    clock.advance(3_600 * 4)
    told = look(one, clock)
    asked: set[str] = set()
    world.before_call.append(lambda call: asked.update(named(call, "orders")))
    clock.advance(3_600 * 24)
    look(one, clock)

    assert told
    assert "the budget of 0.80 USD is used up: until the month ends only tripwires are read" in told[0]
    assert asked == {"ReadThrottleEvents", "WriteThrottleEvents"}
    clock.advance((datetime(2026, 12, 1, tzinfo=UTC) - clock.now()).total_seconds())
    assert look(one, clock) == []
    assert "ConsumedReadCapacityUnits" in asked
    one.close()


def test_regions_share_what_is_spent(world: World, store: Store, clock: FakeClock) -> None:
    first, second = process(store, clock, budget=0.80, regions=(REGION, OTHER))
    look(first, clock)
    store.spending.add("2026-11", ROW, 5.0)

    assert "is used up" in " ".join(look(second, clock))
    for one in (first, second):
        one.close()


def test_a_month_ends_at_midnight_utc(store: Store) -> None:
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    till = (purse := Purse(clock, store.spending)).till(ROW)
    till.take(0.01)
    month = purse.month()
    assert (month.name, round(month.spent_usd, 9), month.left_s) == ("2026-11", 0.01, 60.0)
    clock.advance(60)
    till.take(0.02)
    till.settle()

    assert [round(spent(store, month), 9) for month in ("2026-11", "2026-12")] == [0.01, 0.02]


def test_what_is_given_back_after_midnight_is_of_the_month_that_it_was_taken_in(store: Store) -> None:
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    till = Purse(clock, store.spending).till(ROW)
    month = till.take(0.01)
    clock.advance(60)
    till.take(0.02)
    till.give_back(0.01, month)  # the answer, a refusal, came after midnight
    till.settle()

    assert [round(spent(store, month), 9) for month in ("2026-11", "2026-12")] == [0.0, 0.02]


def test_what_is_given_back_when_a_month_was_done_with_is_taken_off_it(store: Store) -> None:
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    till = Purse(clock, store.spending).till(ROW)
    month = till.take(0.01)
    clock.advance(60)
    till.settle()  # of another service of the region, which shares the row
    till.give_back(0.01, month)
    till.settle()

    assert round(spent(store, "2026-11"), 9) == 0.0


def test_what_was_written_ahead_of_a_month_that_is_over_is_not_taken_from_the_next(store: Store) -> None:
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    purse = Purse(clock, store.spending)
    purse.till(ROW).take(1.0)
    clock.advance(60)
    store.spending.add("2026-12", ROW, 0.5)  # by another replica

    assert purse.month().spent_usd == pytest.approx(0.5)


def test_a_store_that_refuses_at_midnight_is_told_of_the_old_month_later(clock: FakeClock) -> None:
    class Shaky(Remembered):
        fails = False

        def add(self, month: str, source: str, usd: float) -> None:
            if self.fails:
                raise StoreError("the disk is full", retryable=True)
            months[month] = months.get(month, 0.0) + usd

    months: dict[str, float] = {}
    clock = FakeClock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    till = (purse := Purse(clock, kept := Shaky())).till(ROW)
    till.take(0.01)
    kept.fails = True
    till.take(0.04)
    clock.advance(60)
    till.settle()
    assert purse.unwritten_usd == pytest.approx(0.05 - 0.0125)
    kept.fails = False
    till.take(0.02)
    till.settle()

    assert {month: round(usd, 9) for month, usd in months.items()} == {"2026-11": 0.05, "2026-12": 0.02}
    assert purse.unwritten_usd == 0.0


def test_a_store_that_refuses_is_told_with_the_next(clock: FakeClock) -> None:
    class Shaky:
        def __init__(self) -> None:
            self.rows: list[float] = []
            self.fails = True

        def add(self, month: str, source: str, usd: float) -> None:
            if self.fails:
                raise StoreError("the disk is full", retryable=True)
            self.rows.append(usd)

        def spent(self, month: str) -> dict[str, float]:
            return {ROW: sum(self.rows)}

    kept = Shaky()
    till = Purse(clock, kept).till(ROW)
    till.take(1.0)
    kept.fails = False
    till.take(0.5)
    till.settle()

    assert sum(kept.rows) == pytest.approx(1.5)


def test_what_a_region_spent_that_is_gone_counts_and_what_another_entry_reads_does_not(
    store: Store, clock: FakeClock
) -> None:
    for region in (REGION, OTHER, "ap-south-1"):
        store.spending.add("2026-11", f"aws/default/{region}", 1.0)
    store.spending.add("2026-11", "aws/team/eu-west-1", 7.0)
    first, second = purses_of((Aws(regions=(REGION,)), Aws(regions=(OTHER,))), clock, store.spending)

    assert (first.month().spent_usd, second.month().spent_usd) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (Aws(regions=(REGION,), profile="prod"), Aws(regions=(REGION,), profile="prod/x")),
        (
            Aws(regions=(REGION,), role_arn="arn:aws:iam::123456789012:role/team"),
            Aws(regions=(REGION,), role_arn="arn:aws:iam::123456789012:role/team/reader"),
        ),
        (Aws(regions=("all",), profile="prod"), Aws(regions=("all",), profile="prod/x")),
    ],
)
def test_a_name_that_begins_another_does_not_pay_for_it(short: Aws, long: Aws, store: Store, clock: FakeClock) -> None:
    for one, usd in ((short, 1.0), (long, 7.0)):
        store.spending.add("2026-11", source_id(one, REGION), usd)
    purses = purses_of((short, long), clock, store.spending)

    assert [purse.month().spent_usd for purse in purses] == [1.0, 7.0]
