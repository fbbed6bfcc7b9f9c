"""A plan in words: how often what is read, for how much, and what that makes of the budget of the month. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from collector.aws.spending.meter import USD_PER_METRIC
from collector.aws.spending.month import MONTH_S
from collector.aws.spending.plan import HOUR, NEVER_S, Plan, fixed, told


def budget_lines(one: Plan) -> Iterator[str]:
    """What the month has come to and will, and what that makes of the budget; nothing where neither is known."""
    budget = f"the budget of {one.budget_usd or 0.0:,.2f} USD"
    if one.month.name:
        spent = f"{one.month.spent_usd:,.2f} USD spent in {one.month.name} (UTC)"
        of = f", of {budget}" if one.budget_usd is not None else ""
        yield f"{spent}, {one.expected_usd:,.2f} expected by its end{of}"
    if one.wires_alone:
        if_all = "is not enough if all hot tables refuse requests"
        what = "is used up" if one.is_used_up else f"{if_all}, so what is left is kept for their tripwires"
        yield f"{budget} {what}: until the month ends only tripwires are read, and tables that are hot"
        if one.load.listings_an_hour:
            yield f"which metrics there are is still listed, for {one.listings_usd_a_month:,.2f} USD a month"
        if not one.is_within_budget:
            beyond = one.expected_usd - (one.budget_usd or 0.0)
            yield f"even those go beyond it, by {beyond:,.2f} USD: they are read all the same"
    elif one.is_doubted:
        yield f"as slow as can be: {budget} is not enough if all hot tables refuse requests, which no reading has shown"
    elif not one.is_within_budget:
        yield f"as slow as can be, and still above {budget}: when that is nearly used up, only tripwires will be read"
    elif one.rung:
        yield f"stretched by {one.rung} step{'' if one.rung == 1 else 's'} to keep to {budget}"
    yield from _beyond_line(one)


def _beyond_line(one: Plan) -> Iterator[str]:
    """By how much a storm that nobody has seen yet would go beyond the budget, where nothing can be kept for it."""
    if not one.is_within_budget or one.kept_for.is_within_budget:
        return
    beyond = one.kept_for.expected_usd - (one.budget_usd or 0.0)
    what = "if all hot tables refused requests until the month ends, it would go beyond the budget by"
    yield f"{what} {beyond:,.2f} USD or more"


def _causes_line(one: Plan) -> Iterator[str]:
    """What is assumed of causes, where any table is hot."""
    counted, usd = one.load.causes_share, one.causes_usd_a_month
    if counted is None:
        return
    most = replace(one, load=one.load.at_most).causes_usd_a_month
    as_seen = f"with {counted:.0%} of the tripwires of hot tables, as lately seen ({most:.2f} if with all)"
    assumed = "with every tripwire of hot tables, the most it can be" if counted == 1.0 else as_seen
    yield f"causes of refused requests: counted {assumed}; {usd:.2f} USD a month"


def lines(one: Plan) -> Iterator[str]:
    """The plan, its price and its worst ages, a line each."""
    for tier, cadence in one.cadences.items():
        share = one.load.of(tier)
        tables = f"{share.tables:,} table{'' if share.tables == 1 else 's'}"
        rest = "nothing else" if cadence.rest_s == NEVER_S else f"the rest every {told(cadence.rest_s)}"
        often = f"tripwires every {told(cadence.wires_s)}, {rest}"
        usd = fixed(share, cadence) * USD_PER_METRIC
        age = f"a message at most {told(one.worst_age_s(tier))} late"
        yield f"{tier}: {tables}, {often}; {age}; {usd:.2f} USD a month"
    yield from _causes_line(one)
    if (reports := one.load.reports_an_hour) and not one.wires_alone:
        usd = reports * MONTH_S / HOUR * USD_PER_METRIC
        noun = "metric" if round(reports) == 1 else "metrics"
        yield f"limits of the account, reports of hot keys: {reports:,.0f} {noun} an hour; {usd:.2f} USD a month"
    if listings := one.load.listings_an_hour:
        usd = one.listings_usd_a_month
        yield f"which metrics there are: {listings:,.0f} listings an hour; {usd:.2f} USD a month"
