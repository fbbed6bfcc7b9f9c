"""The recent past of what shown advice rests on, thin enough to draw as a line of two centimetres. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillfit.advice import LIVE_STATES, Advice
from stillfit.metrics import METRICS, Kind
from stillfit.model import Series, Span, Statistic, Subject
from stillfit.series import dense
from stillfit.signals import SIGNALS, Origin
from stillfit.snapshot import HOUR, Snapshot

SECONDS = 6 * HOUR
"""Ours: long enough to see what is usual, short enough to see it begin."""
POINTS = 72


class Trend(NamedTuple):
    """One signal of one subject up to `span.end`; None where nothing is known. Counters are rates per second."""

    subject: Subject
    signal: str
    span: Span
    values: tuple[float | None, ...]


def trends(advice: Iterable[Advice], snapshot: Snapshot) -> tuple[Trend, ...]:
    """A trend for each metric that live advice names as evidence; one that was never seen is left out."""
    wanted = {
        (record.subject, one.signal): metric
        for record in advice
        if record.state in LIVE_STATES and record.subject.engine in snapshot.spans
        for one in record.evidence
        if (metric := metric_of(one.signal)) is not None
    }
    by_metric: defaultdict[tuple[str, Statistic], list[Series]] = defaultdict(list)
    for one in snapshot.series:
        if one.period_s < HOUR:
            by_metric[one.metric, one.statistic].append(one)
    drawn = (
        _trend(subject, signal, by_metric[metric], snapshot.spans[subject.engine].end)
        for (subject, signal), metric in wanted.items()
    )
    return tuple(one for one in drawn if one is not None)


def metric_of(signal: str) -> tuple[str, Statistic] | None:
    """The metric and statistic behind a signal's name; None for settings, money and declared facts."""
    known = SIGNALS.get(signal)
    if known is not None and known.origin is Origin.METRIC and known.of in METRICS and not known.of_table:
        return known.of, known.statistic
    return (signal, Statistic.SUM) if signal in METRICS else None


def _trend(subject: Subject, signal: str, series: Sequence[Series], end: int) -> Trend | None:
    span = Span(end - SECONDS, end)
    own = [one for one in series if _belongs(one.subject, subject)]
    rows = [_buckets(one, span) for one in own]
    if not rows or np.isnan(rows).all():
        return None
    adds = METRICS[own[0].metric].kind is not Kind.GAUGE
    values = _ignoring_unknown(np.nansum if adds else np.nanmax, np.vstack(rows))
    return Trend(subject, signal, span, tuple(None if np.isnan(v) else round(float(v), 6) for v in values))


def _belongs(one: Subject, of: Subject) -> bool:
    """A table's replicas are drawn with it; its indexes are not, since the service counts them apart."""
    return one == of or (bool(one.node) and one.parent == of)


def _buckets(series: Series, span: Span) -> NDArray[np.float64]:
    """The series in POINTS equal steps: rates of what is counted, peaks of levels, NaN where not known."""
    metric = METRICS[series.metric]
    values = dense(series, span, absent_is_zero=metric.absent_is_zero)
    counts = metric.kind is not Kind.GAUGE
    steps = [part / series.period_s if counts else part for part in np.array_split(values, POINTS)]
    fold = np.nanmean if counts else np.nanmax
    return np.array([fold(part) if len(part) and not np.isnan(part).all() else np.nan for part in steps])


def _ignoring_unknown(fold: object, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(rows).all(axis=0)
    filled = np.where(known, rows, 0.0)
    assert callable(fold)
    return np.where(known, fold(filled, axis=0), np.nan)
