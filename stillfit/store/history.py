"""Samples: written as batches come, read as series, summed up by the hour.

A cell once known stays known: a later value replaces an earlier one, a later "nothing published" does not erase a
value (a source that answers short must not take back what it said), as in `series.merge`. Times are floored to the
period; of covered spans only periods inside them as a whole count; a stored point vouches for its own period.

An hour is summed up in the transaction that closes or corrects it. What is not yet summed up (the hour that is still
open) is folded from its samples when it is read, so that `hourly` is never behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

import sqlalchemy as sa

from stillfit.model import Batch, Series, SeriesKey, Span, Subject
from stillfit.series import cut, merge
from stillfit.sheets import in_sheets
from stillfit.store import schema
from stillfit.store.assemble import Part, Wanted, divided, hourly_series, joined, lay, sample_series
from stillfit.store.chunk_table import ChunkRow, ChunkTable, Facet, Strip, chunk_row
from stillfit.store.chunks import Block
from stillfit.store.grid import HOUR_S, HOURS, Grid
from stillfit.store.hourly import best_hours
from stillfit.store.hours import HourTable
from stillfit.store.reach import Cover, Name, Rows, cover, reach
from stillfit.store.registry import Registry, Shard, note_progress

_WINDOW_BUCKETS = 24  # a backfill is written in stretches of so many chunks per shard: bounds memory to some 20 MB
_WRITING = 0x5F18  # first key of the PostgreSQL advisory locks of sources
_CHUNKS_AT_ONCE = 48  # read and written with one statement: 1 to 2 MB of them (ours; more gains nothing)


class History:
    """The samples of one database. Transactions are the caller's."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.chunks = ChunkTable()
        self._hours = HourTable(self.chunks)

    def write(self, connection: sa.Connection, batch: Batch, *, tier: str, now: datetime) -> None:
        """Upsert the series of a batch: the same batch twice changes nothing."""
        self._alone(connection, [batch.source])
        sheets = in_sheets(batch.series)
        places = self.registry.places(connection, batch.source, tier, [one.roster for one in sheets])
        parts: dict[int, list[Part]] = defaultdict(list)
        for points in joined(sheets, places):
            for shard, part in divided(points):
                parts[shard].append(part)
        for window, shards in self._together(parts):
            self._write_shards(connection, window, {shard: parts[shard.id] for shard in shards}, int(now.timestamp()))
        ends = [span.end for one in sheets for span in one.covered]
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
        return _one_per_key((cut(one, hours) for one in found), best_hours)

    def roll_closed(self, connection: sa.Connection, before: int) -> None:
        """Sum up what ended before `before` and no write has summed up since."""
        self._alone(connection, sorted({shard.source for shard in self.registry.shards(connection)}))
        for shard in self.registry.shards(connection):
            self._hours.sum_up_closed(connection, shard, before)

    def last_end(self, connection: sa.Connection, source: str) -> int | None:
        table = schema.progress
        return connection.scalar(sa.select(table.c.last_end).where(table.c.source == source))

    def cover(self, connection: sa.Connection, source: str, span: Span, longest_s: int) -> Cover:
        """Which hours of a source are known from points of at most `longest_s` each, and these can still be read."""
        shards = [(shard, keys) for shard, keys in self._of(connection, source) if shard.period_s <= longest_s]
        return cover(connection, self._hours, shards, span, verified=True)

    def reach(
        self, connection: sa.Connection, source: str, now: int, existing: Collection[Subject]
    ) -> Mapping[Name, Span]:
        """See `stillfit.store.reach`."""
        return reach(connection, self._hours, self._of(connection, source), now, existing)

    def _of(self, connection: sa.Connection, source: str) -> list[Rows]:
        return [(shard, keys) for shard, keys in self._chosen(connection, Wanted()) if shard.source == source]

    def _chosen(self, connection: sa.Connection, wanted: Wanted) -> Iterable[tuple[Shard, dict[int, SeriesKey]]]:
        for shard in self.registry.shards(connection):
            keys = {row: key for row, key in enumerate(shard.keys) if wanted.takes(key)}
            if keys:
                yield shard, keys

    def _alone(self, connection: sa.Connection, sources: Iterable[str]) -> None:
        """Nobody else writes these sources until the transaction ends.

        A chunk is read, changed and written back, and a backfill may run beside a daemon on PostgreSQL; on SQLite there
        is one writer anyway.
        """
        if connection.dialect.name != "sqlite":
            for source in sources:
                key = crc32(source.encode()) - 2**31  # PostgreSQL's integers have a sign
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING, key)))
            self.registry.shards(connection)  # the other one may have added series

    def _together(self, parts: Mapping[int, Sequence[Part]]) -> Iterator[tuple[Span, Sequence[Shard]]]:
        """Which shards are read and written with one statement each, stretch by stretch."""
        alike: defaultdict[tuple[Grid, Span], list[Shard]] = defaultdict(list)
        for shard in map(self.registry.shard, sorted(parts)):
            starts, ends = zip(*(part.extent for part in parts[shard.id]), strict=True)
            alike[shard.grid, Span(min(starts), max(ends))].append(shard)
        for (grid, span), shards in alike.items():
            for window in grid.windows(span, _WINDOW_BUCKETS):
                at_once = max(1, _CHUNKS_AT_ONCE // len(grid.buckets(window)))
                for first in range(0, len(shards), at_once):
                    yield window, shards[first : first + at_once]

    def _write_shards(
        self, connection: sa.Connection, window: Span, parts: Mapping[Shard, Sequence[Part]], now_s: int
    ) -> None:
        strips = self.chunks.load_each(connection, tuple(parts), Facet.SAMPLES, window)
        chunks: list[ChunkRow] = []
        for (shard, its_parts), strip in zip(parts.items(), strips, strict=True):
            updated = strip.block.copy()
            for part in its_parts:
                lay(updated, part, window)
            chunks += self._changed(connection, shard, _Update(window, strip, updated, now_s))
        self.chunks.save(connection, chunks)

    def _changed(self, connection: sa.Connection, shard: Shard, update: _Update) -> list[ChunkRow]:
        """The chunks that differ, and the hours of those that are over."""
        chunks: list[ChunkRow] = []
        stale: list[int] = []
        same: list[int] = []
        for bucket in shard.grid.buckets(update.window):
            over = shard.grid.makes_hours and bucket + shard.grid.bucket_s <= update.now_s
            part = update.of_bucket(update.after, bucket, shard.grid)
            changed = not part.same_as(update.of_bucket(update.strip.block, bucket, shard.grid))
            if changed:
                chunks.append(chunk_row(shard, Facet.SAMPLES, bucket, part, rolled=over))
            elif over and bucket in update.strip.unrolled:
                same.append(bucket)
            if over and (changed or bucket in update.strip.unrolled):
                stale.append(bucket)
        if stale:
            first = (stale[0] - update.window.start) // shard.period_s
            block = update.after.ticks_of(first, first + (stale[-1] - stale[0]) // shard.period_s + shard.grid.ticks)
            chunks += self._hours.summed_up(connection, shard, block, stale[0])
        if same:
            self.chunks.mark_rolled(connection, shard, same)
        return chunks


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


def _one_per_key(found: Iterable[Series], joined: Callable[[Sequence[Series]], Series] = merge) -> tuple[Series, ...]:
    by_key: dict[SeriesKey, list[Series]] = defaultdict(list)
    for one in found:
        if one.covered:
            by_key[one.key].append(one)
    return tuple(joined(pieces) for pieces in by_key.values())
