"""Series from and into blocks of cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, SeriesKey, Span, Subject
from stillfit.store.chunks import UNKNOWN, VALUE, Block
from stillfit.store.grid import HOUR_S
from stillfit.store.rollup import Hours


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which series are asked for; None is any."""

    metrics: frozenset[str] | None = None
    subjects: frozenset[Subject] | None = None
    period_s: int | None = None

    def takes(self, key: SeriesKey) -> bool:
        return (
            (self.metrics is None or key.metric in self.metrics)
            and (self.subjects is None or key.subject in self.subjects)
            and (self.period_s is None or key.period_s == self.period_s)
        )


def lay(block: Block, row: int, series: Series, window: Span) -> None:
    """Put what a series says of `window` into its row. A value that is not finite leaves its period as it was."""
    ticks, values = _inside((series.times - window.start) // series.period_s, series.values, block.ticks)
    finite = np.isfinite(values)
    holes = ticks[~finite]
    kept = block.states[row, holes]
    for part in series.covered:
        first = max(0, -((window.start - part.start) // series.period_s))  # floor of a negative is the ceiling
        block.cover(row, first, max(first, min(block.ticks, (part.end - window.start) // series.period_s)))
    if len(holes):
        block.states[row, holes] = kept
        ticks, values = ticks[finite], values[finite]
    block.put(row, ticks, values)


def sample_series(keys: dict[int, SeriesKey], block: Block, start: int) -> Iterator[Series]:
    """The series of the named rows; one of which nothing is known is left out."""
    for row, key in keys.items():
        states = block.states[row]
        if states.any():
            valued = np.flatnonzero(states == VALUE)
            yield _series(
                key, start + valued * key.period_s, block.values[row, valued], _runs(states, start, key.period_s)
            )


def hourly_series(keys: dict[int, SeriesKey], hours: Hours, start: int) -> Iterator[Series]:
    """Hours of the named rows. `covered` begins with the hour and is as long as the part of it that is known."""
    for row, key in keys.items():
        known = np.flatnonzero(hours.known.states[row] == VALUE)
        if len(known):
            valued = np.flatnonzero(hours.folded.states[row] == VALUE)
            begins = start + known * HOUR_S
            ends = begins + hours.known.values[row, known].astype(np.int64)
            breaks = np.flatnonzero(begins[1:] != ends[:-1])
            covered = tuple(map(Span, begins[[0, *(breaks + 1)]].tolist(), ends[[*breaks, -1]].tolist()))
            hourly = key._replace(period_s=HOUR_S)
            yield _series(hourly, start + valued * HOUR_S, hours.folded.values[row, valued], covered)


def extent(series: Iterable[Series]) -> Span:
    """From the first to the last that any of them says; empty when they say nothing."""
    starts: list[int] = []
    ends: list[int] = []
    for one in series:
        if len(one.times):
            starts.append(int(one.times[0]))
            ends.append(int(one.times[-1]) + one.period_s)
        starts += [part.start for part in one.covered]
        ends += [part.end for part in one.covered]
    return Span(min(starts), max(ends)) if starts else Span(0, 0)


def _series(key: SeriesKey, times: NDArray[np.int64], values: NDArray[np.float64], covered: tuple[Span, ...]) -> Series:
    return Series(
        subject=key.subject,
        metric=key.metric,
        statistic=key.statistic,
        period_s=key.period_s,
        dimension=key.dimension,
        times=times,
        values=values,
        covered=covered,
    )


def _runs(states: NDArray[np.uint8], start: int, period_s: int) -> tuple[Span, ...]:
    """Stretches without a tick that is not known."""
    edges = np.flatnonzero(np.diff(states != UNKNOWN, prepend=False, append=False))
    borders = (start + edges * period_s).tolist()
    return tuple(map(Span, borders[::2], borders[1::2]))


def _inside(
    ticks: NDArray[np.int64], values: NDArray[np.float64], last: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if not len(ticks) or (ticks[0] >= 0 and ticks[-1] < last):
        return ticks, values
    inside = slice(*np.searchsorted(ticks, [0, last]))
    return ticks[inside], values[inside]
