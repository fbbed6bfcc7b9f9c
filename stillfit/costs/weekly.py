"""What a DynamoDB table cost in each of the last weeks, and into which factors a rise falls apart. Pure.

    cost = requests x units per request x new indexes x capacity paid per unit used x list price

The logarithms of the factors add up exactly to the logarithm of the cost, so no part of a rise is left unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillfit.case import MIN_COVERAGE, Case
from stillfit.costs.demand import Direction, rate_of
from stillfit.costs.dynamodb import GB, ITEM_OVERHEAD_BYTES, MODES, ON_DEMAND, PROVISIONED, local_bytes
from stillfit.costs.estimate import HOURS_A_MONTH, SECONDS_A_MONTH
from stillfit.model import Level, Rate, Series, Span, Statistic, Subject, Unknown
from stillfit.series import aligned, buckets, common_period, covered_s, cut, dense

WEEK_S = 7 * 86400
MIN_WEEKS = 2
"""The newest and one to compare it with."""
_TINY = 1e-6  # USD or requests a month: nothing, in logarithms

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week, or the mean of several, in USD a month."""

    throughput: float
    at_list: float
    """The same capacity and requests at today's unit prices."""
    used: float
    """The units really used, at today's on-demand prices: one measure for reads and writes together."""
    used_by_reads: float
    used_by_new: float
    """The part of `used` that belongs to indexes without any use in the weeks before."""
    requests: float | None
    """A month; None where requests were not counted."""
    storage: float | None
    item_bytes: float | None
    """Mean size of an item."""

    @property
    def cost(self) -> float:
        return self.throughput + (self.storage or 0.0)

    def without_storage(self) -> Week:
        return replace(self, storage=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """How often a cost multiplied, by cause, as natural logarithms. They add up to the whole."""

    requests: float | None
    units_per_request: float | None
    """None, like requests, where requests were not counted; `used` then holds both."""
    used: float
    new_indexes: float
    settings: float
    price: float

    @property
    def whole(self) -> float:
        return self.used + self.new_indexes + self.settings + self.price


def factors(before: Week, after: Week) -> Factors:
    """Take the rise of the throughput cost apart."""
    old = _ln(after.used - after.used_by_new, before.used)
    used, listed = _ln(after.used, before.used), _ln(after.at_list, before.at_list)
    counted = after.requests is not None and before.requests is not None
    requests = _ln(after.requests or 0.0, before.requests or 0.0) if counted else None
    return Factors(
        requests=requests,
        units_per_request=old - requests if requests is not None else None,
        used=old,
        new_indexes=used - old,
        settings=listed - used,
        price=_ln(after.throughput, before.throughput) - listed,
    )


def mean(weeks: Sequence[Week]) -> Week:
    """Several weeks as one; what one of them does not know is not known."""
    return Week(
        throughput=_mean([week.throughput for week in weeks]) or 0.0,
        at_list=_mean([week.at_list for week in weeks]) or 0.0,
        used=_mean([week.used for week in weeks]) or 0.0,
        used_by_reads=_mean([week.used_by_reads for week in weeks]) or 0.0,
        used_by_new=_mean([week.used_by_new for week in weeks]) or 0.0,
        requests=_mean([week.requests for week in weeks]),
        storage=_mean([week.storage for week in weeks]),
        item_bytes=_mean([week.item_bytes for week in weeks]),
    )


def weeks_of(case: Case) -> tuple[Week, ...] | Unknown:
    """The weeks covered without a break, newest first, at the unit prices of the case's own cost figures."""
    spans = [Span(case.window.end - (n + 1) * WEEK_S, case.window.end - n * WEEK_S) for n in range(4)]
    table = _Table.of(case)
    if unpriced := table.unpriced():
        return Unknown(f"{case.subject.name}: no unit price for {', '.join(unpriced)}", unpriced)
    missing = [table.missing(span) for span in spans]
    covered = next((n for n, names in enumerate(missing) if names), len(spans))
    if covered < MIN_WEEKS:
        names = missing[covered]
        seen = f"{covered} of the last {MIN_WEEKS} weeks are covered"
        return Unknown(f"{case.subject.name}: {seen}; missing {', '.join(names)}", names)
    new = table.new_indexes(spans[1:covered])
    return tuple(table.week(span, new) for span in spans[:covered])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table and its indexes with what their units cost and cost before."""

    case: Case
    holders: tuple[Case, ...]
    rates: Mapping[tuple[Subject, str, str], tuple[Rate, ...]]

    @classmethod
    def of(cls, case: Case) -> _Table:
        return cls(
            case=case,
            holders=(case, *(one for one in case.related if one.subject.level is Level.INDEX)),
            rates={(one.subject, one.option, one.component): one.rates for one in case.costs if one.rates},
        )

    def unpriced(self) -> tuple[str, ...]:
        lines = ((one, mode, way) for one in self.holders for mode in (ON_DEMAND, PROVISIONED) for way in Direction)
        return tuple(
            f"{mode} {way}s of {one.subject.name}" for one, mode, way in lines if not self.priced(one, mode, way)
        )

    def priced(self, holder: Case, mode: str, way: Direction) -> tuple[Rate, ...]:
        return self.rates.get((holder.subject, mode, f"{way}s"), ())

    def missing(self, span: Span) -> tuple[str, ...]:
        """What is not covered in a week; an index that was not there yet misses nothing."""
        needed = [f"consumed_{way}_units" for way in Direction]
        if not self.on_demand(np.arange(span.start, span.end, 3600)).all():
            needed += [f"provisioned_{way}_units" for way in Direction]
        there = [one for one in self.holders if _appeared(one) < span.end]
        return tuple(
            f"{name} of {one.subject.name}" for one in there for name in needed if not _covered(one, name, span)
        )

    def new_indexes(self, before: Sequence[Span]) -> frozenset[Subject]:
        """Indexes without any use in the weeks before."""
        indexes = self.holders[1:]
        spent = [sum(self.line(one, way, span).used for span in before for way in Direction) for one in indexes]
        return frozenset(one.subject for one, usd in zip(indexes, spent, strict=True) if not usd)

    def week(self, span: Span, new: frozenset[Subject]) -> Week:
        lines = [(one.subject, way, self.line(one, way, span)) for one in self.holders for way in Direction]
        return Week(
            throughput=sum(line.paid for _, _, line in lines),
            at_list=sum(line.at_list for _, _, line in lines),
            used=sum(line.used for _, _, line in lines),
            used_by_reads=sum(line.used for _, way, line in lines if way is Direction.READ),
            used_by_new=sum(line.used for subject, _, line in lines if subject in new),
            requests=_requests(self.case, span),
            storage=self.storage(span),
            item_bytes=_item_bytes(self.case, span),
        )

    def line(self, holder: Case, way: Direction, span: Span) -> _Line:
        """One direction of the table or one index."""
        times, used = _points(holder, f"consumed_{way}_units", Statistic.SUM, span)
        held_at, held = _points(holder, f"provisioned_{way}_units", Statistic.AVERAGE, span)
        per_request, per_hour = (self.priced(holder, mode, way) for mode in (ON_DEMAND, PROVISIONED))
        now = np.array([self.case.window.end])
        on_demand, off = self.on_demand(times), ~self.on_demand(held_at)
        request_usd, hour_usd = _price_at(per_request, now)[0], _price_at(per_hour, now)[0]
        requests, capacity = np.where(on_demand, used, 0.0), np.where(off, held, 0.0)
        return _Line(
            paid=_month(requests * _price_at(per_request, times), SECONDS_A_MONTH)
            + _month(capacity * _price_at(per_hour, held_at), HOURS_A_MONTH),
            at_list=_month(requests, SECONDS_A_MONTH) * request_usd + _month(capacity, HOURS_A_MONTH) * hour_usd,
            used=_month(used, SECONDS_A_MONTH) * request_usd,
        )

    def on_demand(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the table was on-demand at each time, by its mode now and the switches before."""
        row = np.full(len(times), MODES.get(str(self.case.attribute("billing_mode"))) == ON_DEMAND)
        switches = [one for one in self.case.changes if one.name == "billing_mode"]
        for switch in sorted(switches, key=lambda one: one.at, reverse=True):
            row[times < switch.at.timestamp()] = MODES.get(str(switch.before)) == ON_DEMAND
        return row

    def storage(self, span: Span) -> float | None:
        """USD a month for all bytes kept, at today's price; None where a size or the price is not known."""
        sizes = [_level(one, "table_size_bytes", span) for one in self.holders]
        items = [_level(one, "item_count", span) or 0.0 for one in self.holders]
        rates = [self.rates.get((one.subject, ON_DEMAND, "storage"), ()) for one in self.holders]
        local = local_bytes(self.case, span)
        if any(size is None for size in sizes) or local is None or not all(rates):
            return None
        bytes_kept = sum(size or 0.0 for size in sizes) + ITEM_OVERHEAD_BYTES * sum(items) + local
        return bytes_kept / GB * rates[0][-1].usd


class _Line(NamedTuple):
    """USD a month: as paid, as the same would be paid today, and what was used of it at on-demand prices."""

    paid: float
    at_list: float
    used: float


def _points(case: Case, metric: str, statistic: Statistic, span: Span) -> tuple[NDArray[np.int64], Numbers]:
    """All dimensions of a metric on their common grid: units per second, NaN where not known."""
    parts = case.parts(metric, statistic)
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    inside = [cut(one, span) for one in parts]
    if statistic is Statistic.SUM:
        rates = rate_of(inside, span)
    else:
        rates = np.fmax.reduce(aligned(inside, span, absent_is_zero=False), axis=0)
    return buckets(span, common_period(inside)), rates


def _month(rate: Numbers, factor: float) -> float:
    return float(np.nanmean(rate)) * factor if len(rate) and not np.isnan(rate).all() else 0.0


def _price_at(rates: Sequence[Rate], times: NDArray[np.int64]) -> Numbers:
    """The unit price in force at each time; before the first known one, the first."""
    since = np.array([rate.since.timestamp() for rate in rates])
    place = np.maximum(np.searchsorted(since, times, side="right") - 1, 0)
    found: Numbers = np.array([rate.usd for rate in rates])[place]
    return found


def _appeared(case: Case) -> float:
    """When a subject is known to have come into being; minus infinity where nobody saw it come."""
    seen = [one.at.timestamp() for one in case.changes if one.name == "exists" and one.after is True]
    return max(seen, default=float("-inf"))


def _covered(case: Case, metric: str, span: Span) -> bool:
    """Whether a week is vouched for, from the time on at which the subject came into being."""
    alive = Span(max(span.start, int(max(_appeared(case), span.start))), span.end)
    best = max((covered_s(one, alive) for one in case.series if one.metric == metric), default=0)
    return best >= MIN_COVERAGE * alive.seconds


def _requests(case: Case, span: Span) -> float | None:
    """Requests to the table in a month: those it served, else those that consumed units."""
    if _covered(case, "successful_requests", span) and case.parts("successful_requests", Statistic.SUM):
        return _month(_points(case, "successful_requests", Statistic.SUM, span)[1], SECONDS_A_MONTH)
    counts = [case.parts(f"consumed_{way}_units", Statistic.COUNT) for way in Direction]
    if not all(any(_vouched(one, span) for one in parts) for parts in counts):
        return None
    rows = [dense(one, span, absent_is_zero=True) / one.period_s for parts in counts for one in parts]
    return sum(_month(row, SECONDS_A_MONTH) for row in rows)


def _vouched(series: Series, span: Span) -> bool:
    return covered_s(series, span) >= MIN_COVERAGE * span.seconds


def _level(case: Case, metric: str, span: Span) -> float | None:
    parts = case.parts(metric, Statistic.LAST)
    values = [value for one in parts for value in cut(one, span).values]
    return float(np.mean(values)) if values else None


def _item_bytes(case: Case, span: Span) -> float | None:
    size, items = (_level(case, name, span) for name in ("table_size_bytes", "item_count"))
    return size / items if size is not None and items else None


def _mean(values: Iterable[float | None]) -> float | None:
    numbers = list(values)
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if known and len(known) == len(numbers) else None


def _ln(after: float, before: float) -> float:
    return log(max(after, _TINY) / max(before, _TINY))
