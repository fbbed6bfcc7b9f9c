"""Arithmetic on series that collectors, the store and analyzers share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, Span, Statistic, merge_spans


def merge(pieces: Sequence[Series]) -> Series:
    """One series out of pieces of the same key; where pieces meet, the later one in the sequence wins.

    Raises ValueError when the pieces are not of one key or there is none.
    """
    if not pieces or any(piece.key != pieces[0].key for piece in pieces):
        raise ValueError("pieces of exactly one series are needed")
    if len(pieces) == 1:
        return pieces[0]
    times = np.concatenate([piece.times for piece in reversed(pieces)])
    values = np.concatenate([piece.values for piece in reversed(pieces)])
    unique, first = np.unique(times, return_index=True)
    covered = merge_spans(span for piece in pieces for span in piece.covered)
    return replace(pieces[0], times=unique, values=values[first], covered=covered)


def cut(series: Series, span: Span) -> Series:
    """The part of a series inside `span`."""
    keep = slice(*np.searchsorted(series.times, [span.start, span.end]))
    covered = merge_spans(span.overlap(part) for part in series.covered)
    return replace(series, times=series.times[keep], values=series.values[keep], covered=covered)


def covered_s(series: Series, span: Span) -> int:
    """Seconds of `span` for which the source vouches."""
    return sum(span.overlap(part).seconds for part in series.covered)


def dense(series: Series, span: Span, *, absent_is_zero: bool) -> NDArray[np.float64]:
    """Values on the regular grid of the period over `span`, NaN where not known.

    `absent_is_zero`: a covered bucket without a point is 0.0 (sparse counters); otherwise it is NaN as well.
    """
    grid = buckets(span, series.period_s)
    row = np.full(len(grid), np.nan)
    if absent_is_zero:
        for part in series.covered:
            row[(grid >= part.start) & (grid < part.end)] = 0.0
    inside = cut(series, span)
    place = np.searchsorted(grid, inside.times)
    row[place[place < len(grid)]] = inside.values[place < len(grid)]
    return row


def buckets(span: Span, period_s: int) -> NDArray[np.int64]:
    """The starts of all buckets of a period that begin inside `span`."""
    return np.arange(-(-span.start // period_s) * period_s, span.end, period_s, dtype=np.int64)


def common_period(parts: Sequence[Series]) -> int:
    """The one period on which parts of a metric can stand side by side: the longest of those that hold a point."""
    return max((one.period_s for one in parts if len(one.times)), default=max(one.period_s for one in parts))


def aligned(parts: Sequence[Series], span: Span, *, absent_is_zero: bool) -> NDArray[np.float64]:
    """One row per part on the grid of their common period over `span`, NaN where not known."""
    period = common_period(parts)
    rows = [_at_period(one, span, period, absent_is_zero=absent_is_zero) for one in parts]
    return np.vstack(rows)


def coarser(
    row: NDArray[np.float64], span: Span, periods: tuple[int, int], statistic: Statistic
) -> NDArray[np.float64]:
    """A row on the grid of the first period over `span`, told on the grid of the second, longer one.

    Sums add, extremes and percentiles stay extreme, averages are averaged and the last level stands; what is not known
    is left out, and a bucket of which nothing is known is NaN. What lies before the first long bucket counts to it, so
    that nothing is lost.
    """
    fine, long = (buckets(span, period) for period in periods)
    known = ~np.isnan(row) if len(long) else np.zeros(len(row), dtype=np.bool_)
    place = np.maximum(np.searchsorted(long, fine[known], side="right") - 1, 0)
    values, told = row[known], np.full(len(long), np.nan)
    match statistic:
        case Statistic.SUM | Statistic.COUNT | Statistic.AVERAGE:
            seen = np.bincount(place, minlength=len(long))
            total = np.bincount(place, weights=values, minlength=len(long))
            shared = seen if statistic is Statistic.AVERAGE else np.ones_like(seen)
            np.divide(total, shared, out=told, where=seen > 0)
        case Statistic.LAST:
            told[place] = values  # ascending, and of several values for one place the last is kept
        case Statistic.MINIMUM:
            np.fmin.at(told, place, values)
        case _:
            np.fmax.at(told, place, values)
    return told


def _at_period(series: Series, span: Span, period_s: int, *, absent_is_zero: bool) -> NDArray[np.float64]:
    if series.period_s == period_s or not len(series.times):  # without a point there is nothing to fold
        return dense(replace(series, period_s=period_s), span, absent_is_zero=absent_is_zero)
    row = dense(series, span, absent_is_zero=absent_is_zero)
    return coarser(row, span, (series.period_s, period_s), series.statistic)


def bucket_lower_edge(upper: float) -> float:
    """The lower edge of a Cassandra EstimatedHistogram bucket whose upper bound is `upper`.

    Bounds grow by x1.2 from 1, rounded, at least by one (org.apache.cassandra.utils.EstimatedHistogram, 4.0 to 5.0).
    A value shown as 5722 lies in (4768, 5722].
    """
    bound, below = 1.0, 0.0
    while bound < upper:
        below, bound = bound, max(bound + 1, float(round(bound * 1.2)))
    return below
