"""Causes of refused requests are in the price of a plan as often as they were asked lately."""

from collections.abc import Sequence

import numpy as np
import pytest
from structlog.testing import capture_logs

from collector.aws.keyspaces import Keyspaces
from collector.aws.looks.tripped import LATELY, Lately, Tripped
from collector.aws.metered import MeteredSource
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import USD_PER_METRIC
from collector.aws.spending.month import Month
from collector.aws.spending.plan import HOUR, Load, Plan, Share, Tier, plan, slowest, without_rest
from collector.aws.spending.printed import budget_lines, lines
from stillfit.clock import FakeClock
from stillfit.standins.aws import World
from tests.collector.aws.kit import NOON, OpenSource, cycle, put
from tests.collector.aws.services import JOBS, OpenService, put_cassandra, put_jobs

QUIET, REFUSED = np.zeros(20), np.array([0.0, 3.0])
TICK, A_LOOK = 300, 2 * 8
"""Causes of a table with an index, both ways."""


def after(*readings: np.ndarray) -> Lately:
    """A hot table after readings of one tripwire each."""
    tripped = Tripped[str]()
    for values in readings:
        tripped.note("orders", values)
        tripped.turn(["orders"])
    return tripped.of("orders")


def counted(source: MeteredSource) -> float:
    share = source.plan.load.causes_share
    assert share is not None
    return share


def looks(source: MeteredSource, clock: FakeClock, number: int) -> int:
    """Billed metrics of so many looks."""
    before = source.bill.metrics
    for _ in range(number):
        clock.advance(TICK)
        cycle(source, clock)
    return source.bill.metrics - before


@pytest.mark.parametrize(
    ("readings", "share"),
    [
        ((), 1.0),
        ((QUIET,), 1 / 2),
        ((QUIET,) * 3, 1 / 4),
        ((REFUSED,) * 50, 1.0),
        ((np.empty(0),) * (LATELY - 1), 1 / LATELY),
        ((QUIET,) * LATELY, 1 / LATELY * (1 - 1 / LATELY)),  # from here on the oldest fade
        ((QUIET,) * 500 + (REFUSED,), 1 / LATELY),
    ],
)
def test_all_is_counted_until_readings_show_less(readings: tuple[np.ndarray, ...], share: float) -> None:
    assert after(*readings).wires == pytest.approx(share)


def test_one_tripwire_of_two_asks_half_of_the_causes_and_which_requests_were_refused() -> None:
    tripped = Tripped[str]()
    for _ in range(100):
        tripped.note("orders", REFUSED)
        tripped.note("orders", QUIET)
        tripped.turn(["orders"])

    lately = tripped.of("orders")
    assert lately.wires == pytest.approx(0.5, abs=0.001)
    assert lately.looks == pytest.approx(1.0)


def test_a_look_that_read_no_tripwire_of_a_table_says_nothing_of_it() -> None:
    tripped = Tripped[str]()
    tripped.note("orders", QUIET)
    tripped.turn(["orders"])
    before = tripped.of("orders")
    tripped.turn(["orders"])

    assert tripped.of("orders") == before


@pytest.mark.parametrize(
    ("readings", "unknown", "wires"),
    [((), 1.0, 1.0), ((REFUSED,), 0.5, 1.0), ((QUIET,), 0.5, 0.5), ((QUIET,) * (LATELY - 1), 1 / 12, 1 / 12)],
)
def test_what_is_only_assumed_is_told_from_what_was_seen(
    readings: tuple[np.ndarray, ...], unknown: float, wires: float
) -> None:
    lately = after(*readings)

    assert lately.unknown == pytest.approx(unknown)
    assert lately.wires == pytest.approx(wires)


def test_what_is_hot_no_more_is_forgotten() -> None:
    tripped = Tripped[str]()
    tripped.note("orders", QUIET)
    tripped.turn(["orders"])
    tripped.turn([])

    assert tripped.of("orders") == Lately()


def test_a_hot_table_that_refuses_nothing_is_priced_without_causes(opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("orders",))
    cycle(source, clock)
    assert counted(source) == 0.5  # of a new table the tripwires are read before it is planned
    looks(source, clock, 5 * LATELY)
    billed = looks(source, clock, LATELY)

    assert counted(source) < 0.02
    assert source.plan.load.of(Tier.HOT).causes == A_LOOK
    assert billed * 730 == pytest.approx(source.plan.metrics_a_month, rel=0.03)


def test_a_table_that_refuses_requests_all_the_time_is_priced_with_all_of_them(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    hours = 2
    for dims in ({}, {"GlobalSecondaryIndexName": "by-status"}):
        for name in ("ReadThrottleEvents", "WriteThrottleEvents"):
            put(world, name, [1.0] * 60 * (hours + 1), end=NOON + HOUR * hours, **dims)
    source = opened()
    cycle(source, clock)
    looks(source, clock, LATELY)

    assert counted(source) == pytest.approx(1.0)


def test_an_incident_that_begins_is_priced_as_its_readings_show_it(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(hot=("orders",))
    cycle(source, clock)
    looks(source, clock, 2 * LATELY)
    before = counted(source)
    put(world, "WriteThrottleEvents", [5.0] * 60, end=NOON + 3 * HOUR)
    looks(source, clock, LATELY)

    assert before < 0.2
    assert counted(source) == pytest.approx(0.25, abs=0.12)  # one of four tripwires: of the table, and writes


def test_keyspaces_are_priced_alike(world: World, served: OpenService, clock: FakeClock) -> None:
    put_jobs(world)
    put_cassandra(world, "ConsumedReadCapacityUnits", [1.0] * 600, end=NOON + 5 * HOUR, Operation="SELECT")
    for name in ("ReadThrottleEvents", "WriteThrottleEvents"):
        put_cassandra(world, name, [0.0] * 600, end=NOON + 5 * HOUR, Operation="SELECT")
    source = served(Keyspaces, hot=(JOBS.name,))
    cycle(source, clock)
    before = counted(source)
    looks(source, clock, 2 * LATELY)

    assert before == 1.0
    assert counted(source) < 0.2


HOT = Share(tables=2, wires=4, rest=20, causes=22, likely=2.2)


def test_the_price_counts_causes_as_often_as_tripwires_are_read() -> None:
    usual = plan(Load({Tier.HOT: Share(2, 4, 20)})).metrics_a_month
    each = 730 * 12

    assert plan(Load({Tier.HOT: HOT})).metrics_a_month == pytest.approx(usual + 2.2 * each)
    assert plan(Load({Tier.HOT: HOT}).at_most).metrics_a_month == pytest.approx(usual + 22 * each)


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (
            Load({Tier.HOT: HOT}),
            "counted with 10% of the tripwires of hot tables, as lately seen (1.93 if with all); 0.19 USD a month",
        ),
        (
            Load({Tier.HOT: HOT}).at_most,
            "counted with every tripwire of hot tables, the most it can be; 1.93 USD a month",
        ),
        (Load({Tier.WARM: Share(2, 4, 20)}), None),
    ],
)
def test_the_plan_says_what_it_assumes(load: Load, told: str | None) -> None:
    causes = "causes of refused requests: "
    said = [line.removeprefix(causes) for line in lines(plan(load)) if line.startswith(causes)]

    assert said == ([told] if told else [])


@pytest.mark.parametrize(("spare", "alone"), [(-0.001, True), (0.001, False)])
def test_what_is_kept_for_the_end_of_the_month_counts_all_causes(spare: float, *, alone: bool) -> None:
    load = Load({Tier.HOT: HOT, Tier.WARM: Share(100, 200, 1_000)})
    cadences = without_rest(slowest(load).cadences)
    kept_for = Plan(load=load.at_most, cadences=cadences).usd_a_month
    budget = 0.99 * slowest(load).usd_a_month
    month = Month("2026-11", 0.99 * budget - kept_for - spare, 730 * HOUR)

    assert kept_for > Plan(load=load, cadences=cadences).usd_a_month
    assert plan(load, budget, month=month).wires_alone is alone


REST = {Tier.WARM: Share(180, 360, 2_000), Tier.COLD: Share(200, 400, 1_000)}


def fleet(hot: int, lately: Lately) -> Load:
    """So many hot tables, with 11 causes each, beside others."""
    causes = 11 * hot
    share = Share(hot, 2 * hot, 10 * hot, causes, causes * lately.wires, causes * lately.unknown)
    return Load({Tier.HOT: share, **REST})


def of_slowest(hot: int, share: float) -> float:
    """A budget: so much of what the slowest plan takes while nothing is refused."""
    return share * slowest(fleet(hot, Lately()).quiet).usd_a_month


def a_month(hot: int, amount: float, storms: Sequence[int]) -> tuple[float, float]:
    """What 30 days came to, and how far beyond its budget the plan last said that a storm would take them.

    A look every hour, with as many readings of the tripwires as the plan says; on days of storm all of them trip.
    """
    hours, spent, feared, tripped = 30 * 24, 0.0, 0.0, Tripped[str]()
    budget = Budget(amount, month=lambda: Month("2026-11", spent, (hours - hour) * 3_600.0))
    for hour in range(hours):
        made = budget.share("aws/1/eu-west-1", fleet(hot, tripped.of("hot")))
        refuses, readings = hour // 24 in storms, max(1, HOUR // made.cadences[Tier.HOT].wires_s)
        feared = feared if refuses else max(0.0, made.kept_for.expected_usd - amount)
        for _ in range(readings):
            tripped.note("hot", REFUSED if refuses else QUIET)
            tripped.turn(["hot"])
        causes = refuses * readings * made.load.of(Tier.HOT).causes * USD_PER_METRIC
        spent += (made.usd_a_month - made.causes_usd_a_month) / 730 + causes
    return spent, feared


@pytest.mark.parametrize(("hot", "share"), [(20, 2.0), (20, 1.3), (200, 1.75)])
@pytest.mark.parametrize("storms", [(), (2, 9, 16), (29,), range(30)], ids=["none", "some", "the last day", "always"])
def test_a_month_of_storms_ends_within_its_budget_and_uses_it(storms: Sequence[int], hot: int, share: float) -> None:
    amount = of_slowest(hot, share)
    spent, _ = a_month(hot, amount, storms)

    assert 0.95 * amount <= spent <= amount


def test_what_quiet_weeks_have_left_for_the_tripwires_is_kept_for_them() -> None:
    """A budget that does not pay for a month of storm pays for the last days of one."""
    amount = of_slowest(200, 1.3)
    spent, feared = a_month(200, amount, range(27, 30))

    assert feared < 0.01 * amount
    assert 0.95 * amount <= spent <= amount


def test_a_storm_that_no_budget_was_there_for_goes_as_far_beyond_it_as_the_plan_said() -> None:
    amount = of_slowest(200, 1.3)
    spent, feared = a_month(200, amount, range(23, 30))

    assert amount < spent <= amount + 1.2 * feared


@pytest.mark.parametrize(
    ("lately", "alone", "told"),
    [
        (Lately(), False, "not enough if all hot tables refuse requests, which no reading has shown"),
        (after(QUIET), False, "not enough if all hot tables refuse requests, which no reading has shown"),
        (
            after(QUIET, QUIET),
            False,
            "if all hot tables refused requests until the month ends, it would go beyond the budget",
        ),
        (after(REFUSED), True, "is not enough if all hot tables refuse requests, so what is left is kept for"),
    ],
)
def test_no_budget_is_called_used_up_while_money_is_left(lately: Lately, *, alone: bool, told: str) -> None:
    load, amount = fleet(200, lately), of_slowest(200, 1.3)
    made = plan(load, amount, month=Month("2026-11", 0.0, 720 * 3_600.0))
    said = " ".join(budget_lines(made))

    assert (made.wires_alone, made.is_used_up) == (alone, False)
    assert told in said
    assert "used up" not in said


@pytest.mark.parametrize(
    ("lately", "level", "event"),
    [
        (Lately(), "warning", "as slow as can be until it is known which hot tables refuse requests"),
        (after(REFUSED), "error", "not enough is left of the budget if all hot tables refuse requests"),
    ],
)
def test_the_log_of_a_start_says_so_too(lately: Lately, level: str, event: str) -> None:
    budget = Budget(of_slowest(200, 1.3), month=lambda: Month("2026-11", 0.0, 720 * 3_600.0))
    with capture_logs() as logs:
        budget.share("aws/1/eu-west-1", fleet(200, lately))

    assert [one["log_level"] for one in logs] == [level]
    assert event in logs[0]["event"]


@pytest.mark.parametrize("lately", [Lately(), after(REFUSED)])
def test_what_no_reading_has_shown_does_not_reopen_a_budget_that_is_used_up(lately: Lately) -> None:
    amount = of_slowest(200, 1.3)
    made = plan(fleet(200, lately), amount, month=Month("2026-11", amount, 24 * 3_600.0))

    assert (made.wires_alone, made.is_used_up) == (True, True)
