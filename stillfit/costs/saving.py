"""What another option would save. The one function behind both the decision and the number that people read. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from stillfit.costs.dynamodb import CURRENT, THROUGHPUT, TOTAL
from stillfit.costs.estimate import joined
from stillfit.model import CostFigure, Money, Subject


def amount(figures: Iterable[CostFigure], table: Subject, option: str, component: str = TOTAL) -> Money | None:
    """One option's amount for a whole table; None where it could not be told."""
    wanted = (table, option, component)
    return next((one.money for one in figures if (one.subject, one.option, one.component) == wanted), None)


def saving(figures: Iterable[CostFigure], table: Subject, option: str) -> Money | None:
    """What `option` saves a month against now; below zero where it costs more. None where either is not known.

    Storage costs the same in both capacity modes, so throughput decides and no size needs to be known. low > 0 means
    cheaper over the whole of both intervals.
    """
    known = tuple(figures)
    now, then = (amount(known, table, one, THROUGHPUT) for one in (CURRENT, option))
    if now is None or then is None:
        return None
    mid = now.mid - then.mid
    return Money(
        low=now.low - then.high,
        mid=mid,
        high=now.high - then.low,
        price_date=min(now.price_date, then.price_date),
        arithmetic=f"{now.mid:,.2f} now - {then.mid:,.2f} {option} = {mid:,.2f} USD a month",
        price_lists=joined((now.price_lists, then.price_lists)),
    )
