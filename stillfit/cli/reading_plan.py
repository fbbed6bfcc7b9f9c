"""What a configuration makes stillfit read of a real account, for how much, and whether the budget can hold it.

Finding that out takes free calls only, and a listing or two of metrics; nothing that CloudWatch bills by the metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from math import ceil

from collector.aws.spending.month import Month
from collector.aws.spending.plan import Load, Plan, cheapest_on_time, plan, slowest, told
from collector.aws.spending.printed import budget_lines, lines
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.errors import SourceError, StoreError
from stillfit.export.wording import plural
from stillfit.purses import purses_of
from stillfit.sources import SigningIn, looking_once
from stillfit.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What one entry of `aws:` comes to. `errors`: regions that could not be asked, so the plan is too small."""

    settings: Aws
    plan: Plan
    errors: tuple[str, ...] = ()
    month: Month | None = None
    """What the entry has spent of this month by the store; None where there is none that tells."""


def project(config: Config, clock: Clock) -> tuple[Projection, ...]:
    """Find the tables of each entry, all regions side by side."""
    with ExitStack() as open_ones:
        entries = [looking_once(one, clock, config.evaluate_every) for one in config.aws]
        regions = [source for entry in entries for source in entry]
        for source in regions:
            open_ones.enter_context(closing(source))
        if not regions:
            return ()
        with ThreadPoolExecutor(len(regions), "stillfit-plan") as pool:
            errors = dict(zip(regions, pool.map(lambda source: _listed(source, clock), regions), strict=True))
        return tuple(
            Projection(settings=one, plan=_plan(entry), errors=tuple(e for s in entry if (e := errors[s])), month=month)
            for one, entry, month in zip(config.aws, entries, _months(config, clock), strict=True)
        )


def _months(config: Config, clock: Clock) -> tuple[Month | None, ...]:
    """By entry; nothing is known before the daemon has made its store, or while that cannot be reached."""
    try:
        with closing(Store.open(config.store, clock=clock, exclusive=False)) as store:
            return tuple(purse.month() for purse in purses_of(config.aws, clock, store.spending))
    except StoreError:
        return (None,) * len(config.aws)


def told_plan(one: Projection) -> Iterator[str]:
    """The plan and its price, a line each."""
    for error in one.errors:
        yield f"not counted: {error}"
    if one.plan.load.tables:
        yield from (line for line in lines(one.plan) if ": 0 tables" not in line)
        budget = f" of a budget of {one.plan.budget_usd:,.2f}" if one.plan.budget_usd is not None else ""
        yield f"in all {one.plan.usd_a_month:,.2f} USD a month{budget}, and more only while requests are refused"
        yield from _told_month(one)
    elif not one.errors:
        yield "found no table that this entry watches: look at its regions, include, exclude and tags"
    if one.plan.rung and one.plan.is_within_budget and not one.plan.wires_alone:
        free = plan(one.plan.load, rhythm=one.plan.rhythm)
        yield f"stretched to keep to the budget: the freshest plan would be {free.usd_a_month:,.2f} USD a month"


def _told_month(one: Projection) -> Iterator[str]:
    """Where the month stands, and by which step the daemon would go on from here."""
    if one.month is not None and one.month.spent_usd:
        made = one.plan
        yield from budget_lines(plan(made.load, made.budget_usd, made.rhythm, month=one.month))


def mistakes(position: int, one: Projection) -> Iterator[str]:
    """Why the budget of entry `position` cannot be taken as it is."""
    place = f"config: aws[{position}].monthly_budget"
    made = one.plan
    if made.budget_usd is None:
        return
    if made.wires_alone or not made.is_within_budget:
        least = slowest(made.load, made.rhythm).usd_a_month
        told_least = f"even the slowest reading of {plural(made.load.tables, 'table')} costs {least:,.2f} USD"
        raised = f"raise the budget of {made.budget_usd:,.2f}, or watch fewer tables with include and exclude"
        yield f"{place}: {told_least} a month: {raised}"
        return
    delay = max(made.late.values(), default=0)
    accepted = int((one.settings.accepted_delay or timedelta(0)).total_seconds())
    own_choice = max(plan(made.load, rhythm=made.rhythm).late.values(), default=0)
    if delay > max(accepted, own_choice):
        ages = ", ".join(f"{tier} tables {told(age)}" for tier, age in made.late.items())
        enough = ceil(cheapest_on_time(made.load, made.rhythm) * 100) / 100
        yield (
            f"{place}: {made.budget_usd:,.2f} USD cannot hold the freshness promise, a message may be late by: {ages}. "
            f"Raise it to {enough:,.2f}, or accept the delay: accepted_delay: {-(-delay // 60)}m"
        )


def _listed(source: SigningIn, clock: Clock) -> str:
    """Read what is free of one region; what went wrong, in a sentence."""
    try:
        for _ in islice(source.collect(None, clock.now()), 1):
            pass
    except SourceError as error:
        return str(error)
    return ""


def _plan(entry: Sequence[SigningIn]) -> Plan:
    """As all regions together have it; of nothing where no region could be asked."""
    opened = [source.source.budget.plan for source in entry if source.source is not None]
    return opened[0] if opened else plan(Load())
