"""One series of a file, written out into points and what is vouched for. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillfit.metrics import METRICS
from stillfit.model import Series, Span, Statistic, Subject, merge_spans
from stillfit.observations import patterns
from stillfit.observations.document import SeriesShape, instant
from stillfit.yamlfile import Place, did_you_mean

MAX_POINTS = 1_000_000
"""Points of one file (ours): two years of one metric by the minute; more is a short form that got out of hand."""
FORMS = ("values", "constant", "ramp", "steps", "daily_wave", "spike")
_DEFAULT_ORDER = (Statistic.SUM, Statistic.LAST, Statistic.AVERAGE, Statistic.P99)


class Wrong(NamedTuple):
    """Why a series cannot be written out; `place` is inside the series."""

    place: Place
    sentence: str


def expand(shape: SeriesShape, subject: Subject, window: Span, at: datetime) -> Series | Wrong:
    """The series, or what is wrong with it."""
    statistic = shape.statistic or default_statistic(shape.metric)
    stretch = _stretch(shape, window, at)
    wrong = _wrong(shape, statistic, stretch, window)
    if wrong is not None:
        return wrong
    first = stretch.start // shape.period * shape.period
    times = np.arange(first, stretch.end, shape.period, dtype=np.int64)
    numbers = _numbers(shape, times, at)
    known = ~np.isnan(numbers)
    scale = shape.period if shape.per == "second" else 1
    return Series(
        subject=subject,
        metric=shape.metric,
        statistic=statistic,
        period_s=shape.period,
        times=times[: len(numbers)][known],
        values=numbers[known] * scale,
        covered=_covered(times[: len(numbers)][known], shape.period, stretch),
        dimension=shape.dimension,
    )


def default_statistic(metric: str) -> Statistic:
    """Sum, last, average or p99: the first that the metric has."""
    return next(one for one in _DEFAULT_ORDER if one in METRICS[metric].statistics)


def _stretch(shape: SeriesShape, window: Span, at: datetime) -> Span:
    start = int(instant(shape.from_, at).timestamp()) if shape.from_ else window.start
    end = int(instant(shape.to, at).timestamp()) if shape.to else window.end
    return Span(start, end)


def _wrong(shape: SeriesShape, statistic: Statistic, stretch: Span, window: Span) -> Wrong | None:
    metric = METRICS[shape.metric]
    given = [form for form in FORMS if getattr(shape, form) is not None]
    if statistic not in metric.statistics:
        valid = sorted(metric.statistics)
        return Wrong(("statistic",), f"{metric.name} has no {statistic}{did_you_mean(statistic, valid)}")
    if shape.unit is not None and shape.unit != metric.unit:
        return Wrong(("unit",), f"{metric.name} is in {metric.unit}, not in {shape.unit!r}; convert the numbers")
    if len(given) != 1:
        said = f"{' and '.join(given)} are both given" if given else "no numbers are given"
        return Wrong((), f"{said}; say exactly one of {', '.join(FORMS)}")
    if shape.per == "second" and statistic not in {Statistic.SUM, Statistic.COUNT}:
        return Wrong(("per",), f"only a sum or a count is said per second, {statistic} is not")
    if stretch.start >= stretch.end or stretch.start < window.start or stretch.end > window.end:
        return Wrong(("from",) if shape.from_ else (), "lies outside the window of the file, or is empty")
    return _too_many(shape, stretch)


def _too_many(shape: SeriesShape, stretch: Span) -> Wrong | None:
    buckets = -(-(stretch.end - stretch.start // shape.period * shape.period) // shape.period)
    if buckets > MAX_POINTS:
        return Wrong(("period",), f"gives {buckets} points, {MAX_POINTS} are allowed; take a longer one")
    if shape.values is not None and len(shape.values) > buckets:
        return Wrong(("values",), f"{len(shape.values)} values for {buckets} buckets; widen the window or shorten it")
    return None


def _numbers(shape: SeriesShape, times: NDArray[np.int64], at: datetime) -> patterns.Numbers:
    def since(text: str) -> int:
        return int(instant(text, at).timestamp())

    if shape.values is not None:
        return np.array([np.nan if value is None else value for value in shape.values], np.float64)
    if shape.ramp is not None:
        return patterns.ramp(times, shape.ramp.from_, shape.ramp.to)
    if shape.steps is not None:
        levels = [(since(step.from_) if step.from_ else int(times[0]), step.value) for step in shape.steps]
        return patterns.steps(times, sorted(levels))
    if shape.daily_wave is not None:
        wave = shape.daily_wave
        return patterns.daily_wave(times, wave.low, wave.high, wave.peak_hour)
    if shape.spike is not None:
        where = patterns.Peak(
            start=since(shape.spike.from_), length_s=shape.spike.length, every_s=shape.spike.every or 0
        )
        return patterns.spike(times, shape.spike.base, shape.spike.peak, where)
    return patterns.constant(times, shape.constant or 0.0)


def _covered(times: NDArray[np.int64], period_s: int, stretch: Span) -> tuple[Span, ...]:
    """The buckets that have a number, joined; a null is not vouched for."""
    breaks = np.flatnonzero(np.diff(times) != period_s)
    starts = np.concatenate([times[:1], times[breaks + 1]])
    ends = np.concatenate([times[breaks], times[-1:]]) + period_s
    spans = [stretch.overlap(Span(int(start), int(end))) for start, end in zip(starts, ends, strict=True)]
    return merge_spans(spans)
