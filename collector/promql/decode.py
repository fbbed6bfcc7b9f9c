"""Range queries as canonical series, keeping only what samples vouch for. Pure.

A value at time t speaks of the minute that ends `lag_s` before t. A minute without a value is not known. One value says
more than its number: YACE writes NaN where it asked CloudWatch and nothing was published (pkg/promutil/migrate.go, 0.62
on), which for a sparse counter is a proven zero, as an empty complete answer of CloudWatch itself is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.promql.names import MINUTE, Defaults, Exporter, Kind, Query, Row, subject
from stillfit.metrics import METRICS
from stillfit.model import Series, SeriesKey, Span, Subject, merge_spans

Spoken = tuple[Subject, Exporter, Row]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """What one answer brought, and by whom each subject was told of."""

    series: tuple[Series, ...]
    spoken: tuple[Spoken, ...]


def decode(query: Query, answer: Iterable[Mapping[str, Any]], defaults: Defaults) -> Decoded:
    """All series of an answer. Raises ValueError, KeyError or TypeError on another shape than the API promises."""
    found: dict[SeriesKey, Series] = {}
    spoken: dict[tuple[Subject, str, str], Spoken] = {}
    for told in answer:
        labels = {str(name): str(value) for name, value in told["metric"].items()}
        who = _speaker(query, labels, defaults)
        if who is None:
            continue
        about, exporter, row = who
        spoken[about, exporter.name, row.metric] = who
        if row.kind is Kind.WINDOW and exporter.has_holes:
            continue
        series = _series(who, exporter.part("dimension", labels), told["values"])
        found[series.key] = _joined(found[series.key], series) if series.key in found else series
    return Decoded(series=tuple(found.values()), spoken=tuple(spoken.values()))


def joined(pieces: Iterable[Series]) -> tuple[Series, ...]:
    """Pieces of several answers, one series for each key."""
    found: dict[SeriesKey, Series] = {}
    for piece in pieces:
        found[piece.key] = _joined(found[piece.key], piece) if piece.key in found else piece
    return tuple(found.values())


def _speaker(query: Query, labels: Mapping[str, str], defaults: Defaults) -> Spoken | None:
    """Whom a series speaks of, and by which exporter: the first that knows its labels."""
    for exporter, row in query.readers:
        about = subject(exporter, row, labels, defaults)
        if about is not None and about.level in METRICS[row.metric].levels:
            return about, exporter, row
    return None


def _series(who: Spoken, dimension: str, points: Sequence[Sequence[Any]]) -> Series:
    about, exporter, row = who
    times = np.array([point[0] for point in points], np.float64)
    values = np.array([point[1] for point in points], np.float64) * _factor(exporter, row)
    starts = (times.astype(np.int64) // MINUTE) * MINUTE - exporter.lag_s - MINUTE
    true = np.isfinite(values) & (values >= 0.0)
    empty = np.isnan(values) if METRICS[row.metric].absent_is_zero else np.zeros(len(values), np.bool_)
    return Series(
        subject=about,
        metric=row.metric,
        statistic=row.statistic,
        period_s=MINUTE,
        times=starts[true],
        values=values[true],
        covered=_covered(starts[true | empty]),
        dimension=dimension,
    )


def _factor(exporter: Exporter, row: Row) -> float:
    """Per minute, and in the canonical unit: the total of a window is spread evenly over its minutes."""
    return row.scale * (MINUTE / exporter.window_s if row.kind is Kind.WINDOW else 1.0)


def _covered(starts: NDArray[np.int64]) -> tuple[Span, ...]:
    """The minutes as stretches, those that touch joined."""
    if not len(starts):
        return ()
    breaks = np.flatnonzero(np.diff(starts) != MINUTE)
    first, last = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(starts) - 1]])
    return merge_spans(Span(int(starts[a]), int(starts[b]) + MINUTE) for a, b in zip(first, last, strict=True))


def _joined(one: Series, other: Series) -> Series:
    """Two tellings of the same: of one minute the larger counts, since two scrapers tell of the same thing twice."""
    times, values = np.concatenate([one.times, other.times]), np.concatenate([one.values, other.values])
    order = np.lexsort((-values, times))
    unique, first = np.unique(times[order], return_index=True)
    return replace(one, times=unique, values=values[order][first], covered=merge_spans((*one.covered, *other.covered)))
