"""Series from and into blocks of cells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, SeriesKey, Span, Subject
from stillfit.sheets import Sheet
from stillfit.store.chunks import UNKNOWN, VALUE, Block
from stillfit.store.grid import HOUR_S
from stillfit.store.registry import PLACES
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


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Series that are covered alike, with the place where each lives."""

    period_s: int
    covered: tuple[Span, ...]
    places: NDArray[np.int64]
    borders: NDArray[np.int64]
    """Series i has the points from `borders[i]` to `borders[i + 1]`."""
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def extent(self) -> Span:
        """From the first to the last that any of them says; empty when they say nothing."""
        ends = [end for span in self.covered for end in span]
        if len(self.times):
            ends += [int(self.times.min()), int(self.times.max()) + self.period_s]
        return Span(min(ends), max(ends)) if ends else Span(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of these series, in which rows of a block they live, and from when to when they speak."""

    points: Points
    chosen: NDArray[np.int64]
    rows: NDArray[np.int64]
    extent: Span


def joined(sheets: Sequence[Sheet], places: Sequence[NDArray[np.int64]]) -> Iterator[Points]:
    """Sheets side by side that are covered alike as one."""
    both = zip(sheets, places, strict=True)
    for (period_s, covered), alike in groupby(both, key=lambda one: (one[0].roster.period_s, one[0].covered)):
        members, its_places = zip(*alike, strict=True)
        yield Points(
            period_s,
            covered,
            np.concatenate(its_places),
            np.concatenate([[0], np.cumsum(np.concatenate([np.diff(one.borders) for one in members]))]),
            np.concatenate([one.times for one in members]),
            np.concatenate([one.values for one in members]),
        )


def divided(points: Points) -> Iterator[tuple[int, Part]]:
    """The shards that these series live in, each with its part; nothing where they say nothing."""
    extent = points.extent
    if not extent.seconds:
        return
    order = np.argsort(points.places, kind="stable")
    shards = points.places[order] // PLACES
    for chosen in np.split(order, np.flatnonzero(np.diff(shards)) + 1):
        places = points.places[chosen]
        yield int(places[0]) // PLACES, Part(points, chosen, places % PLACES, extent)


def lay(block: Block, part: Part, window: Span) -> None:
    """Put what the series of a part say of `window` into their rows.

    A value that is not finite leaves its period as it was.
    """
    points, period_s = part.points, part.points.period_s
    taken, rows = _taken(part)
    ticks, values = (points.times[taken] - window.start) // period_s, points.values[taken]
    inside = (ticks >= 0) & (ticks < block.ticks)
    if not inside.all():
        rows, ticks, values = rows[inside], ticks[inside], values[inside]
    cells = rows * block.ticks + ticks
    finite = np.isfinite(values)
    holes = cells[~finite]
    kept = block.states.reshape(-1)[holes]
    for span in points.covered:
        first = max(0, -((window.start - span.start) // period_s))  # floor of a negative is the ceiling
        block.cover(part.rows, first, max(first, min(block.ticks, (span.end - window.start) // period_s)))
    if len(holes):
        block.states.reshape(-1)[holes] = kept
        cells, values = cells[finite], values[finite]
    block.put(cells, values)


def _taken(part: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of the chosen series, and for each its row in the block."""
    starts = part.points.borders[part.chosen]
    lengths = part.points.borders[part.chosen + 1] - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum()), np.repeat(part.rows, lengths)


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
