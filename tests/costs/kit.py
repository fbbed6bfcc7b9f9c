"""Tables with a traffic that is easy to price by hand: hourly series of whole days up to noon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from stillfit.case import Case
from stillfit.costs.pricebook import PriceBook
from stillfit.model import CostFigure, Series, Statistic, Subject, Unknown, Value
from stillfit.prices import packaged_prices
from tests.builders import ORDERS, case, series

BOOK: PriceBook = packaged_prices()
NOW_PRICES = BOOK.at(datetime(2026, 11, 2, tzinfo=UTC))
ON_DEMAND: dict[str, Value] = {"billing_mode": "PAY_PER_REQUEST", "table_class": "STANDARD"}
PROVISIONED: dict[str, Value] = {"billing_mode": "PROVISIONED", "table_class": "STANDARD"}
HOURS = 14 * 24
MONTH_S = 730 * 3600

PerSecond = float | Sequence[float]


def hourly(metric: str, values: PerSecond, of: Subject, *, hours: int = HOURS) -> Series:
    """A counter in units per second, or a level, one value an hour."""
    row = [float(values)] * hours if isinstance(values, (int, float)) else [float(value) for value in values]
    window = case(of, hours=len(row)).window
    is_level = metric.startswith(("provisioned", "table_size", "item_count"))
    numbers = row if is_level else [value * 3600 for value in row]
    statistic = Statistic.AVERAGE if metric.startswith("provisioned") else None
    return series(metric, numbers, of=of, period_s=3600, window=window, statistic=statistic)


def table(
    of: Subject = ORDERS,
    *,
    settings: Mapping[str, Value] | None = None,
    related: Sequence[Case] = (),
    hours: int = HOURS,
    **metrics: PerSecond,
) -> Case:
    """A table on-demand unless told otherwise, with reads and writes of nothing unless given."""
    given = {"consumed_read_units": 0.0, "consumed_write_units": 0.0} | metrics
    extra = [hourly(metric, values, of, hours=hours) for metric, values in given.items()]
    return case(of, hours=hours, extra=extra, settings=ON_DEMAND if settings is None else settings, related=related)


def in_region(about: Case, region: str) -> Case:
    return replace(about, subject=replace(about.subject, scope=(about.subject.scope[0], region)))


def cents(
    figures: tuple[CostFigure, ...] | Unknown, option: str, component: str, of: Subject = ORDERS
) -> tuple[float, float, float]:
    """low, mid, high of one figure, to the cent."""
    assert not isinstance(figures, Unknown), figures.reason
    found = [one.money for one in figures if (one.subject, one.option, one.component) == (of, option, component)]
    assert len(found) == 1
    return round(found[0].low, 2), round(found[0].mid, 2), round(found[0].high, 2)
