"""From what a node tells at one moment to series on a one-minute grid. Pure.

A counter is cumulative: the difference of two readings is spread evenly over the time between them and cut at the
minutes, so that irregular readings neither lose nor double anything. A restart (a new generation) or a falling value
begins anew, and the time in between stays unknown. A gauge stands for the time since the reading before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from collector.cassandra.virtual_tables import Sample
from stillfit.metrics import METRICS, Kind
from stillfit.model import Series, Span, Statistic, Subject

PERIOD_S: Final = 60
GAUGE_STANDS_S: Final = 300  # read statistics decay over about five minutes: an older reading says nothing more
COUNTER_SPREADS_S: Final = 900  # ours: over a longer pause an even spread would invent the shape of the load

Key = tuple[str, str, str, Statistic, str]


class Mark(NamedTuple):
    """Where a counter stood at the last reading, and at the last full minute before it where that is known."""

    at: float
    value: float
    at_minute: float | None


class Step(NamedTuple):
    """How much a counter grew within the minute that starts at `start`."""

    start: int
    growth: float


def advance(mark: Mark | None, at: float, value: float) -> tuple[Mark, tuple[Step, ...]]:
    """The new mark, and the full minutes that this reading completes."""
    if mark is not None and at == mark.at:  # the same reading once more
        return mark, ()
    fresh = Mark(at, value, value if at % PERIOD_S == 0 else None)
    if mark is None or value < mark.value or not 0 < at - mark.at <= COUNTER_SPREADS_S:
        return fresh, ()
    slope = (value - mark.value) / (at - mark.at)
    first = (int(mark.at) // PERIOD_S + 1) * PERIOD_S
    steps, at_minute = [], mark.at_minute
    for minute in range(first, int(at) + 1, PERIOD_S):
        reached = float(round(mark.value + slope * (minute - mark.at)))  # events are whole; the total is kept
        if at_minute is not None:
            steps.append(Step(minute - PERIOD_S, reached - at_minute))
        at_minute = reached
    return Mark(at, value, at_minute), tuple(steps)


def standing_for(previous: float | None, at: float) -> range:
    """Starts of the full minutes that a gauge stands for: those that ended since the previous reading, at least one."""
    last = int(at) // PERIOD_S * PERIOD_S - PERIOD_S
    if previous is None or not 0 < at - previous <= GAUGE_STANDS_S:
        return range(last, last + PERIOD_S, PERIOD_S)
    return range(min(last, int(previous) // PERIOD_S * PERIOD_S), last + PERIOD_S, PERIOD_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHistory:
    """What must be remembered of a node between two readings."""

    at: float
    generation: int
    marks: dict[Key, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All samples of one node at one time."""

    at: float
    generation: int
    samples: Iterable[Sample]


def series(
    readings: Readings, history: NodeHistory | None, subject_of: Callable[[Sample], Subject]
) -> tuple[tuple[Series, ...], NodeHistory]:
    """The series that the readings complete, and what to remember for the next."""
    known = history if history and history.generation == readings.generation else None
    minutes = standing_for(history.at if history else None, readings.at)
    marks: dict[Key, Mark] = {}
    found: list[Series] = []
    for sample in readings.samples:
        if METRICS[sample.metric].kind is Kind.GAUGE:
            found.append(_gauge(sample, subject_of(sample), minutes))
        elif sample.value is not None:
            key = (sample.keyspace, sample.table, sample.metric, sample.statistic, sample.dimension)
            marks[key], steps = advance(known.marks.get(key) if known else None, readings.at, sample.value)
            found += _counter(sample, subject_of(sample), steps)
    return tuple(found), NodeHistory(at=readings.at, generation=readings.generation, marks=marks)


def _gauge(sample: Sample, subject: Subject, minutes: range) -> Series:
    """Covered even where there is no value: the node was asked, and nothing had been recorded."""
    starts = minutes if sample.value is not None else ()
    return Series(
        subject=subject,
        metric=sample.metric,
        statistic=sample.statistic,
        dimension=sample.dimension,
        period_s=PERIOD_S,
        times=np.array(starts, dtype=np.int64),
        values=np.full(len(starts), sample.value or 0.0),
        covered=(Span(minutes.start, minutes.stop),),
    )


def _counter(sample: Sample, subject: Subject, steps: tuple[Step, ...]) -> list[Series]:
    if not steps:
        return []
    return [
        Series(
            subject=subject,
            metric=sample.metric,
            statistic=sample.statistic,
            dimension=sample.dimension,
            period_s=PERIOD_S,
            times=np.array([step.start for step in steps], dtype=np.int64),
            values=np.array([step.growth for step in steps]),
            covered=(Span(steps[0].start, steps[-1].start + PERIOD_S),),
        )
    ]
