"""A budget of a calendar month: what is spent counts, what is left may be used, and tripwires are always kept."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from collector.aws.spending.budget import Budget
from collector.aws.spending.month import MONTH_S, Month, month_at, month_name
from collector.aws.spending.plan import Load, Plan, Share, Tier, ladder, plan, slowest, without_rest
from collector.aws.spending.printed import budget_lines

FLEET = Load({Tier.HOT: Share(5, 10, 100), Tier.WARM: Share(450, 900, 5_000), Tier.COLD: Share(500, 1_000, 2_500)})
FREE = plan(FLEET).usd_a_month
SLOWEST = slowest(FLEET).usd_a_month
ALONE = Plan(load=FLEET, cadences=without_rest(slowest(FLEET).cadences)).usd_a_month
STEPS = len(list(ladder()))


def month(spent: float, left: float) -> Month:
    """With a share of a typical month left."""
    return Month("2026-11", spent, left * MONTH_S)


@pytest.mark.parametrize(
    ("budget", "spent", "left", "fresh"),
    [
        (FREE + 0.01, 0.0, 1.0, True),
        (FREE, 0.0, 1.0, True),
        (FREE - 0.01, 0.0, 1.0, False),
        (FREE, FREE / 2, 0.5, True),
        (FREE, FREE / 2 + 0.01, 0.5, False),  # a storm, or a first look
        (FREE / 2, 0.0, 0.5, True),  # began cheap: what was not spent may be
        (FREE / 2, 0.01, 0.5, False),
        (FREE / 10, FREE / 10, 0.0, True),  # the month is over
    ],
)
def test_a_month_is_read_as_freshly_as_what_is_left_of_its_budget_pays_for(
    budget: float, spent: float, left: float, fresh: bool
) -> None:
    made = plan(FLEET, budget, month=month(spent, left))

    assert (made.rung == 0) is fresh
    assert made.is_within_budget


BUDGET = 0.99 * SLOWEST
FOR_REST = 0.99 * BUDGET - ALONE
"""What may be spent in all before only tripwires are read: something is kept for the rest of a look."""


@pytest.mark.parametrize(
    ("spent", "rung", "alone", "within"),
    [
        (0.0, STEPS - 1, False, False),
        (FOR_REST - 0.01, STEPS - 1, False, False),
        (FOR_REST + 0.000_1, STEPS, True, True),
        (BUDGET - ALONE - 0.000_1, STEPS, True, True),
        (BUDGET - ALONE + 0.000_1, STEPS, True, False),
        (2 * BUDGET, STEPS, True, False),
    ],
)
def test_beyond_the_slowest_step_what_is_left_is_kept_for_the_tripwires(
    spent: float, rung: int, alone: bool, within: bool
) -> None:
    made = plan(FLEET, BUDGET, month=month(spent, 1.0))

    assert (made.rung, made.wires_alone, made.is_within_budget) == (rung, alone, within)
    assert made.cadences[Tier.HOT] == slowest(FLEET).cadences[Tier.HOT]
    assert all(cadence.wires_s <= 3 * 3_600 for cadence in made.cadences.values())


@pytest.mark.parametrize(("spare", "fresher"), [(0.019, False), (0.021, True)])
def test_it_is_read_faster_again_only_with_something_to_spare(spare: float, fresher: bool) -> None:
    before = plan(FLEET, FREE, month=month(1.0, 1.0))
    after = plan(FLEET, FREE, month=month(0.0, 1.0 - spare), before=before)

    assert before.rung > 0
    assert (after.rung == 0) is fresher


def test_a_new_month_begins_anew() -> None:
    before = plan(FLEET, FREE, month=month(2 * FREE, 0.01))
    after = plan(FLEET, FREE, month=Month("2026-12", 0.0, MONTH_S), before=before)

    assert (before.wires_alone, after.rung) == (True, 0)


def test_a_longer_month_costs_more() -> None:
    long = month_at(datetime(2026, 12, 1, tzinfo=UTC), 0.0)

    assert plan(FLEET, FREE, month=long).rung > 0
    assert plan(FLEET, FREE * 744.001 / 730, month=long).rung == 0


@pytest.mark.parametrize(
    ("at", "name", "left"),
    [
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), "2026-11", 1.0),
        (datetime(2026, 12, 1, tzinfo=UTC), "2026-12", 31 * 86_400.0),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), "2026-12", 43_200.0),
        (datetime(2027, 1, 1, 3, tzinfo=timezone(timedelta(hours=9))), "2026-12", 6 * 3_600.0),
    ],
)
def test_months_are_those_of_utc(at: datetime, name: str, left: float) -> None:
    assert month_at(at, 2.0) == Month(name, 2.0, left)
    assert month_name(at) == name


def test_what_is_spent_stretches_what_all_sources_read() -> None:
    spent = [0.0]
    budget = Budget(FREE, month=lambda: month(spent[0], 0.5))
    assert budget.share("aws/1/eu-west-1", FLEET).rung == 0
    spent[0] = FREE * 0.8
    stretched = budget.share("aws/1/us-east-1", Load())

    assert stretched.rung > 0
    assert budget.plan == stretched


def test_the_month_and_the_step_are_told() -> None:
    told = [
        " ".join(budget_lines(plan(FLEET, 2 * SLOWEST, month=month(spent, 1.0))))
        for spent in (0.0, 1.1 * SLOWEST, 2 * SLOWEST)
    ]

    assert "0.00 USD spent in 2026-11 (UTC)" in told[0]
    assert "steps to keep to the budget" in told[0]
    assert "as slow as can be, and still above" in told[1]
    assert "is used up: until the month ends only tripwires are read, and tables that are hot" in told[2]
    assert "they are read all the same" in told[2]
    assert not list(budget_lines(plan(FLEET)))
    assert "expected by its end" in " ".join(budget_lines(plan(FLEET, month=month(1.0, 0.5))))


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0, 3.0, 30.0], ids=lambda share: f"{share:g} of the slowest")
@pytest.mark.parametrize("storms", [(), (2,), (2, 9, 16, 27)], ids=["quiet", "one storm", "four storms"])
def test_a_month_of_looks_ends_within_its_budget_as_long_as_the_tripwires_do(
    share: float, storms: tuple[int, ...]
) -> None:
    """A look every hour; a storm costs on each of its days 3 % of the budget beyond what the plan says.

    Nothing makes up for one that comes when nothing but tripwires is read any more.
    """
    amount, hours = share * SLOWEST, 30 * 24
    spent = too_late = 0.0
    budget = Budget(amount, month=lambda: Month("2026-11", spent, (hours - hour) * 3_600.0))
    for hour in range(hours):
        made = budget.share("aws/1/eu-west-1", FLEET)
        storm = 0.03 * amount / 24 if hour // 24 in storms else 0.0
        spent += made.usd_a_month * 3_600 / MONTH_S + storm
        too_late += storm if made.wires_alone else 0.0

    alone = ALONE * hours * 3_600 / MONTH_S
    assert spent <= max(amount, alone) + too_late
    assert spent >= min(0.95 * amount, 0.95 * FREE)
