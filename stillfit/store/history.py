"""Samples: written as batches come, read as series, summed up by the hour.

A cell once known stays known: a later value replaces an earlier one, a later "nothing published" does not erase a
value (a source that answers short must not take back what it said), as in `series.merge`. Times are floored to the
period; of covered spans only periods inside them as a whole count; a stored point vouches for its own period.

An hour is summed up in the transaction that closes or corrects it. What is not yet summed up (the hour that is still
open) is folded from its samples when it is read, so that `hourly` is never behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from stillfit.model import Batch, Series, SeriesKey, Span
from stillfit.series import cut, merge
from stillfit.store import schema
from stillfit.store.assemble import Wanted, extent, hourly_series, lay, sample_series
from stillfit.store.chunk_table import ChunkTable, Facet, Strip
from stillfit.store.chunks import Block
from stillfit.store.grid import HOUR_S, HOURS, Grid
from stillfit.store.hours import HourTable
from stillfit.store.registry import Registry, Shard, note_progress

_WINDOW_BUCKETS = 24  # a backfill is written in stretches of so many chunks per shard: bounds memory to some 20 MB


class History:
    """The samples of one database. Transactions are the caller's."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.chunks = ChunkTable()
        self._hours = HourTable(self.chunks)

    def write(self, connection: sa.Connection, batch: Batch, *, tier: str, now: datetime) -> None:
        """Upsert the series of a batch: the same batch twice changes nothing."""
        places = self.registry.register(connection, batch.source, tier, batch.series)
        members: dict[int, list[tuple[int, Series]]] = defaultdict(list)
        for one in batch.series:
            place = places[one.key]
            members[place.shard].append((place.row, one))
        for shard in self.registry.shards(connection):
            if shard.id in members:
                self._write_shard(connection, shard, members[shard.id], now)
        ends = [part.end for one in batch.series for part in one.covered]
        if ends:
            note_progress(connection, batch.source, max(ends))

    def series(self, connection: sa.Connection, span: Span, wanted: Wanted) -> tuple[Series, ...]:
        """Samples inside `span`, one series for each key; where several sources have a key, they are merged."""
        found: list[Series] = []
        for shard, keys in self._chosen(connection, wanted):
            whole = shard.grid.whole(span)
            strip = self.chunks.load(connection, shard, Facet.SAMPLES, whole)
            found += sample_series(keys, strip.block, whole.start)
        return _one_per_key(cut(one, span) for one in found)

    def hourly(self, connection: sa.Connection, span: Span, wanted: Wanted) -> tuple[Series, ...]:
        """The hours that touch `span`, of every series whose period divides an hour, and those that come hourly."""
        hours = Grid(HOUR_S, HOUR_S).whole(span)
        whole = HOURS.whole(hours)
        found = list(self.series(connection, hours, replace(wanted, period_s=HOUR_S)))
        for shard, keys in self._chosen(connection, wanted):
            if shard.grid.makes_hours:
                found += hourly_series(keys, self._hours.load(connection, shard, whole), whole.start)
        return _one_per_key(cut(one, hours) for one in found)

    def roll_closed(self, connection: sa.Connection, before: int) -> None:
        """Sum up what ended before `before` and no write has summed up since."""
        for shard in self.registry.shards(connection):
            self._hours.sum_up_closed(connection, shard, before)

    def last_end(self, connection: sa.Connection, source: str) -> int | None:
        table = schema.progress
        return connection.scalar(sa.select(table.c.last_end).where(table.c.source == source))

    def _chosen(self, connection: sa.Connection, wanted: Wanted) -> Iterable[tuple[Shard, dict[int, SeriesKey]]]:
        for shard in self.registry.shards(connection):
            keys = {row: key for row, key in enumerate(shard.keys) if wanted.takes(key)}
            if keys:
                yield shard, keys

    def _write_shard(
        self, connection: sa.Connection, shard: Shard, members: Sequence[tuple[int, Series]], now: datetime
    ) -> None:
        for window in shard.grid.windows(extent(one for _, one in members), _WINDOW_BUCKETS):
            strip = self.chunks.load(connection, shard, Facet.SAMPLES, window)
            updated = strip.block.copy()
            for row, one in members:
                lay(updated, row, one, window)
            self._save(connection, shard, _Update(window, strip, updated, int(now.timestamp())))

    def _save(self, connection: sa.Connection, shard: Shard, update: _Update) -> None:
        """Write the chunks that differ; sum up the hours of those that are over."""
        stale: list[int] = []
        for bucket in shard.grid.buckets(update.window):
            over = shard.grid.makes_hours and bucket + shard.grid.bucket_s <= update.now_s
            part = update.of_bucket(update.after, bucket, shard.grid)
            changed = not part.same_as(update.of_bucket(update.strip.block, bucket, shard.grid))
            if changed:
                self.chunks.save(connection, shard, Facet.SAMPLES, bucket, part)
            if over and (changed or bucket in update.strip.unrolled):
                stale.append(bucket)
        if stale:
            first = (stale[0] - update.window.start) // shard.period_s
            block = update.after.ticks_of(first, first + (stale[-1] - stale[0]) // shard.period_s + shard.grid.ticks)
            self._hours.sum_up(connection, shard, block, stale[0])
            self.chunks.mark_rolled(connection, shard, stale)


@dataclass(frozen=True, slots=True, eq=False)
class _Update:
    """A stretch of a shard before (`strip`) and after what a batch says of it."""

    window: Span
    strip: Strip
    after: Block
    now_s: int

    def of_bucket(self, block: Block, bucket: int, grid: Grid) -> Block:
        first = (bucket - self.window.start) // grid.tick_s
        return block.ticks_of(first, first + grid.ticks)


def _one_per_key(found: Iterable[Series]) -> tuple[Series, ...]:
    by_key: dict[SeriesKey, list[Series]] = defaultdict(list)
    for one in found:
        if one.covered:
            by_key[one.key].append(one)
    return tuple(merge(pieces) for pieces in by_key.values())
