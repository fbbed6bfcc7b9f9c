"""Arithmetic on series that collectors, the store and analyzers share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, Span, merge_spans


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
    period = series.period_s
    grid = np.arange(-(-span.start // period) * period, span.end, period, dtype=np.int64)
    row = np.full(len(grid), np.nan)
    if absent_is_zero:
        for part in series.covered:
            row[(grid >= part.start) & (grid < part.end)] = 0.0
    inside = cut(series, span)
    place = np.searchsorted(grid, inside.times)
    row[place[place < len(grid)]] = inside.values[place < len(grid)]
    return row


def bucket_lower_edge(upper: float) -> float:
    """The lower edge of a Cassandra EstimatedHistogram bucket whose upper bound is `upper`.

    Bounds grow by x1.2 from 1, rounded, at least by one (org.apache.cassandra.utils.EstimatedHistogram, 4.0 to 5.0).
    A value shown as 5722 lies in (4768, 5722].
    """
    bound, below = 1.0, 0.0
    while bound < upper:
        below, bound = bound, max(bound + 1, float(round(bound * 1.2)))
    return below
