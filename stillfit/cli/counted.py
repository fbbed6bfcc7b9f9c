"""What a command spends counts in the month of the store that its configuration names (docs/decisions/0044)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from collector.aws.spending.month import Month
from collector.aws.spending.purse import Purse
from stillfit.cli.aws_terms import dollars
from stillfit.cli.consent import say
from stillfit.clock import Clock
from stillfit.configaws import Aws
from stillfit.configfile import load
from stillfit.errors import StoreError
from stillfit.purses import purses_of
from stillfit.store.store import Store


@contextmanager
def counted(config: Path | None, entries: Sequence[Aws], clock: Clock) -> Iterator[tuple[Purse, ...]]:
    """The purse of each entry; none at all where no store is at hand, which is said where one of them has a budget.

    Afterwards what was spent is written down, and told beside each budget.
    """
    store = None if config is None else _store(config, entries, clock)
    if store is None:
        yield ()
        return
    with closing(store):
        purses = purses_of(entries, clock, store.spending)
        try:
            yield purses
        finally:
            settle(entries, purses)


def settle(entries: Sequence[Aws], purses: Sequence[Purse]) -> None:
    """Write down what was spent. What was read counts in the month that the daemon goes by."""
    for one, purse in zip(entries, purses, strict=True):
        purse.settle()
        if purse.unwritten_usd > 0:
            say(f"{dollars(purse.unwritten_usd)} could not be counted in the month: the store did not take it")
        if one.monthly_budget is None:
            continue
        try:
            say(month_line(purse.month(), one.monthly_budget))
        except StoreError as error:
            say(f"what the month has come to is not known: {error}")


def month_line(month: Month, budget_usd: float) -> str:
    """What the month has come to, against the budget that the daemon keeps to."""
    return f"{month.name} (UTC): {dollars(month.spent_usd)} spent of a budget of {dollars(budget_usd)}"


def _store(config: Path, entries: Sequence[Aws], clock: Clock) -> Store | None:
    try:
        return Store.open(load(config).store, clock=clock, exclusive=False)
    except StoreError as error:
        if any(one.monthly_budget is not None for one in entries):
            say(f"what this look spends does not count in the month of a budget: {error}")
        return None
