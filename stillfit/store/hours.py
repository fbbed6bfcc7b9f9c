"""The hourly facets of a shard: read with the open hours folded in, rewritten when an hour closes or is corrected."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from stillfit.model import Span
from stillfit.store.chunk_table import ChunkRow, ChunkTable, Facet, chunk_row
from stillfit.store.chunks import Block
from stillfit.store.grid import HOUR_S, HOURS
from stillfit.store.registry import Shard
from stillfit.store.rollup import Hours, roll


@dataclass(frozen=True, slots=True)
class HourTable:
    """Hours in and out of the chunk table."""

    chunks: ChunkTable

    def load(self, connection: sa.Connection, shard: Shard, whole: Span) -> Hours:
        """Hours of whole weeks, those not summed up yet folded from their samples."""
        hours = self._stored(connection, shard, whole)
        margin = shard.grid.bucket_s  # a chunk of samples may begin before the week or end after it
        for bucket in self.chunks.unrolled(connection, shard, Span(whole.start - margin, whole.end + margin)):
            part = Span(bucket, bucket + shard.grid.bucket_s).overlap(whole)
            if part.seconds:
                hours_of = _between(hours, part, whole.start)
                hours_of.improve(self._folded(connection, shard, bucket, part))
        return hours

    def summed_up(self, connection: sa.Connection, shard: Shard, samples: Block, start: int) -> list[ChunkRow]:
        """The hourly chunks with the hours of `samples`, which begin at `start`, brought up to date: to be saved."""
        new = roll(samples, shard.folds, shard.period_s)
        span = Span(start, start + new.folded.ticks * HOUR_S)
        whole = HOURS.whole(span)
        stored = self._stored(connection, shard, whole)
        _between(stored, span, whole.start).improve(new)
        chunks: list[ChunkRow] = []
        for bucket in HOURS.buckets(whole):
            week = _between(stored, Span(bucket, bucket + HOURS.bucket_s), whole.start)
            chunks.append(chunk_row(shard, Facet.HOURLY, bucket, week.folded))
            chunks.append(chunk_row(shard, Facet.HOURLY_KNOWN, bucket, week.known))
        return chunks

    def sum_up_closed(self, connection: sa.Connection, shard: Shard, before: int) -> None:
        """Sum up every chunk that ended by `before` and is not summed up."""
        if not shard.grid.makes_hours:
            return
        stale = self.chunks.unrolled(connection, shard, Span(0, before))
        for bucket in stale:
            span = Span(bucket, bucket + shard.grid.bucket_s)
            strip = self.chunks.load(connection, shard, Facet.SAMPLES, span)
            self.chunks.save(connection, self.summed_up(connection, shard, strip.block, bucket))
        self.chunks.mark_rolled(connection, shard, stale)

    def _stored(self, connection: sa.Connection, shard: Shard, whole: Span) -> Hours:
        hours = Hours(
            self.chunks.load(connection, shard, Facet.HOURLY, whole).block,
            self.chunks.load(connection, shard, Facet.HOURLY_KNOWN, whole).block,
        )
        hours.agree()
        return hours

    def _folded(self, connection: sa.Connection, shard: Shard, bucket: int, part: Span) -> Hours:
        span = Span(bucket, bucket + shard.grid.bucket_s)
        strip = self.chunks.load(connection, shard, Facet.SAMPLES, span)
        return _between(roll(strip.block, shard.folds, shard.period_s), part, bucket)


def _between(hours: Hours, span: Span, origin: int) -> Hours:
    return hours.part((span.start - origin) // HOUR_S, (span.end - origin) // HOUR_S)
