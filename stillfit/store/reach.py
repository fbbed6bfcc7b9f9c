"""How far each series of a source is known, worked out from the hourly sums: a week of 500 series is one small chunk.

A name is a metric of a subject with its dimension, whatever the period and the statistic: an hour is known as well as
the period that knows it best knows it, and as badly as the statistic of which least is known. A statistic that has no
hours (the average of a distribution, see rollup.py) does not count; its metric has others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from stillfit.model import SeriesKey, Span, Statistic, Subject
from stillfit.store.chunk_table import Facet
from stillfit.store.chunks import UNKNOWN, VALUE
from stillfit.store.grid import HOUR_S, HOURS, Grid
from stillfit.store.hours import HourTable
from stillfit.store.registry import Shard
from stillfit.store.rollup import Fold, fold_of

DAY_S = 24 * HOUR_S
EXACT_S = 15 * DAY_S
"""How far back holes are looked for: as long as CloudWatch keeps the minutes that could fill them."""
_OLDER_S = (63 * DAY_S, 455 * DAY_S)
"""Where the end of what was not heard of since is looked for, step by step (how long CloudWatch keeps its points)."""

Name = tuple[Subject, str, str]
"""Subject, metric, dimension."""
Rows = tuple[Shard, Mapping[int, SeriesKey]]
"""A shard with those of its rows that count."""
_Seconds = NDArray[np.int32]  # known of each hour


@dataclass(frozen=True, slots=True)
class Cover:
    """Seconds known of each hour of `span` (whole hours), by name; a name of which nothing is known may be left out."""

    span: Span
    known: Mapping[Name, _Seconds]

    def holes(self, names: Iterable[Name]) -> tuple[Span, ...]:
        """Stretches of whole hours of which not all of these names are known whole."""
        whole = np.ones(self.span.seconds // HOUR_S, np.bool_)
        for name in names:
            seconds = self.known.get(name)
            whole &= False if seconds is None else seconds >= HOUR_S
        return _runs(~whole, self.span.start)


def cover(
    connection: sa.Connection, hours: HourTable, shards: Iterable[Rows], span: Span, *, verified: bool = False
) -> Cover:
    """What `shards` know of the hours that touch `span`.

    An hour outlives its samples. `verified`: it counts only where those are gone by age or can still be read.
    """
    whole = Grid(HOUR_S, HOUR_S).whole(span)
    best: dict[Name, dict[Statistic, _Seconds]] = defaultdict(dict)
    for shard, keys in shards:
        seconds = _known(connection, hours, shard, whole)
        if seconds is None:
            continue
        if verified and shard.grid.makes_hours:
            _forget_damaged(seconds, hours.chunks.damaged(connection, shard, shard.grid.whole(whole)), shard, whole)
        for row, key in keys.items():
            if fold_of(key.metric, key.statistic) is not Fold.NONE and seconds[row].any():
                told = best[_name(key)]
                told[key.statistic] = np.maximum(seconds[row], told.get(key.statistic, 0))
    return Cover(whole, {name: np.minimum.reduce(list(told.values())) for name, told in best.items()})


def reach(
    connection: sa.Connection, hours: HourTable, shards: Collection[Rows], now: int, existing: Collection[Subject]
) -> dict[Name, Span]:
    """The first stretch without a hole of each name within 15 days; of what was not heard of in them, its newest hour.

    To the hour, never later than it is. `existing` are the subjects whose old names are worth looking for.
    """
    until = now // HOUR_S * HOUR_S + HOUR_S
    recent = Span(until - EXACT_S, until)
    found = dict(_first_runs(cover(connection, hours, shards, recent)))
    for back in _OLDER_S:
        silent = [(shard, keys) for shard, keys in shards if _is_silent(keys.values(), found, existing)]
        older = Span(until - back, recent.start)
        recent = Span(older.start, recent.end)
        found = {**dict(_newest(cover(connection, hours, silent, older))), **found}
    return found


def _is_silent(keys: Iterable[SeriesKey], found: Collection[Name], existing: Collection[Subject]) -> bool:
    return any(key.subject in existing and _name(key) not in found for key in keys)


def _known(connection: sa.Connection, hours: HourTable, shard: Shard, span: Span) -> _Seconds | None:
    """[row, hour] seconds known; None of a period that neither divides an hour nor is whole hours."""
    if shard.grid.makes_hours:
        weeks = HOURS.whole(span)
        known = hours.load(connection, shard, weeks).known
        seconds = np.where(known.states == VALUE, known.values, 0.0).astype(np.int32)
    elif shard.period_s % HOUR_S == 0:
        weeks = shard.grid.whole(span)
        states = hours.chunks.load(connection, shard, Facet.SAMPLES, weeks).block.states
        seconds = np.repeat(np.where(states == UNKNOWN, 0, HOUR_S), shard.period_s // HOUR_S, axis=1).astype(np.int32)
    else:
        return None
    first = (span.start - weeks.start) // HOUR_S
    return seconds[:, first : first + span.seconds // HOUR_S]


def _forget_damaged(seconds: _Seconds, buckets: Iterable[int], shard: Shard, span: Span) -> None:
    """Know nothing of the hours of `span` that lie in these buckets of samples."""
    for bucket in buckets:
        lost = Span(bucket, bucket + shard.grid.bucket_s).overlap(span)
        seconds[:, (lost.start - span.start) // HOUR_S : (lost.end - span.start) // HOUR_S] = 0


def _first_runs(known: Cover) -> Iterable[tuple[Name, Span]]:
    """An hour that is known in part ends a stretch, unless the stretch begins in it."""
    for name, seconds in known.known.items():
        first = int(np.argmax(seconds > 0))
        begun = first + 1 if len(seconds) > first + 1 and seconds[first + 1] >= HOUR_S else first
        ends = np.flatnonzero(seconds[begun:] < HOUR_S)
        end = begun + (int(ends[0]) if len(ends) else len(seconds) - begun)
        yield name, Span(known.span.start + first * HOUR_S, known.span.start + end * HOUR_S)


def _newest(known: Cover) -> Iterable[tuple[Name, Span]]:
    for name, seconds in known.known.items():
        newest = int(np.flatnonzero(seconds > 0)[-1])
        end = known.span.start + (newest + int(seconds[newest] >= HOUR_S)) * HOUR_S
        yield name, Span(end - HOUR_S, end)


def _runs(chosen: NDArray[np.bool_], start: int) -> tuple[Span, ...]:
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
    borders = (start + edges * HOUR_S).tolist()
    return tuple(map(Span, borders[::2], borders[1::2]))


def _name(key: SeriesKey) -> Name:
    return key.subject, key.metric, key.dimension
