"""Blocks in and out of the chunk table. A chunk that cannot be read leaves its cells not known, and a Gap says so."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, TypedDict

import sqlalchemy as sa
import structlog

from stillfit.model import Gap, GapReason, Span
from stillfit.store import schema
from stillfit.store.chunks import Block, ChunkError, checksum, decode, encode
from stillfit.store.database import upsert
from stillfit.store.grid import HOURS, Grid
from stillfit.store.registry import Shard

log = structlog.get_logger(__name__)


DIFFERS = "the checksum differs"

_SELECT = sa.select(schema.chunk).where(
    schema.chunk.c.shard.in_(sa.bindparam("shards", expanding=True)),
    schema.chunk.c.facet == sa.bindparam("facet"),
    schema.chunk.c.bucket >= sa.bindparam("first"),
    schema.chunk.c.bucket < sa.bindparam("end"),
)
"""Made once: to build a statement costs more than to run it."""


class Facet(IntEnum):
    """What the chunks of a shard hold."""

    SAMPLES = 0
    HOURLY = 1
    HOURLY_KNOWN = 2

    def grid(self, shard: Shard) -> Grid:
        return shard.grid if self is Facet.SAMPLES else HOURS


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A shard's cells over a stretch of whole buckets."""

    block: Block
    unrolled: frozenset[int]
    """Buckets whose samples are not summed up in the hourly facets."""


class ChunkRow(TypedDict):
    """A row of the chunk table."""

    shard: int
    facet: int
    bucket: int
    rolled: bool
    checksum: int
    data: bytes


class ChunkTable:
    """The chunk table, with what was found garbled in it since the start of the process."""

    def __init__(self) -> None:
        self._garbled: dict[tuple[int, Facet, int], tuple[Gap, ...]] = {}
        self._lock = threading.Lock()

    def load(self, connection: sa.Connection, shard: Shard, facet: Facet, whole: Span) -> Strip:
        """Cells of `whole` (whole buckets); what has no chunk, or a garbled one, is not known."""
        (strip,) = self.load_each(connection, [shard], facet, whole)
        return strip

    def load_each(
        self, connection: sa.Connection, shards: Sequence[Shard], facet: Facet, whole: Span
    ) -> Iterator[Strip]:
        """The strips of several shards, each read out of its chunks when it is its turn."""
        asked = {"shards": [shard.id for shard in shards], "facet": facet, "first": whole.start, "end": whole.end}
        found: defaultdict[int, list[sa.Row[Any]]] = defaultdict(list)
        for row in connection.execute(_SELECT, asked):
            found[row.shard].append(row)
        return (self._strip(shard, facet, whole, found[shard.id]) for shard in shards)

    def save(self, connection: sa.Connection, chunks: Sequence[ChunkRow]) -> None:
        upsert(connection, schema.chunk, [dict(one) for one in chunks])
        with self._lock:
            for one in chunks:
                self._garbled.pop((one["shard"], Facet(one["facet"]), one["bucket"]), None)

    def mark_rolled(self, connection: sa.Connection, shard: Shard, buckets: Sequence[int]) -> None:
        table = schema.chunk
        chosen = sa.and_(table.c.shard == shard.id, table.c.facet == Facet.SAMPLES, table.c.bucket.in_(buckets))
        connection.execute(sa.update(table).where(chosen).values(rolled=True))

    def unrolled(self, connection: sa.Connection, shard: Shard, within: Span) -> Sequence[int]:
        """Buckets inside `within` whose samples are not summed up."""
        table = schema.chunk
        query = sa.select(table.c.bucket).where(table.c.shard == shard.id, table.c.facet == Facet.SAMPLES)
        inside = table.c.bucket.between(within.start, within.end - shard.grid.bucket_s)
        return connection.scalars(query.where(inside, ~table.c.rolled).order_by(table.c.bucket)).all()

    def damaged(self, connection: sa.Connection, shard: Shard, whole: Span) -> Iterator[int]:
        """Buckets of samples in `whole` whose chunk is not what was written. Reads each of them, and decodes none."""
        asked = {"shards": [shard.id], "facet": Facet.SAMPLES, "first": whole.start, "end": whole.end}
        for row in connection.execute(_SELECT, asked):
            if checksum(row.data, row.shard, row.facet, row.bucket) != row.checksum:
                self._note(shard, Facet.SAMPLES, row.bucket, DIFFERS)
                yield row.bucket

    def garbled(self) -> tuple[Gap, ...]:
        """What cannot be read, one gap for each series."""
        with self._lock:
            return tuple(gap for gaps in self._garbled.values() for gap in gaps)

    def forget_garbled_before(self, at: datetime) -> None:
        """Chunks of that age are pruned; nobody misses what was garbled in them."""
        with self._lock:
            self._garbled = {key: gaps for key, gaps in self._garbled.items() if key[2] >= at.timestamp()}

    def _strip(self, shard: Shard, facet: Facet, whole: Span, rows: Sequence[sa.Row[Any]]) -> Strip:
        grid = facet.grid(shard)
        block = Block.unknown(shard.rows, whole.seconds // grid.tick_s)
        for row in rows:
            read = self._read(row, shard)
            if read is not None:
                block.paste(read, (row.bucket - whole.start) // grid.tick_s)
        return Strip(block, frozenset(row.bucket for row in rows if not row.rolled))

    def _read(self, row: sa.Row[tuple[object, ...]], shard: Shard) -> Block | None:
        try:
            return _opened(row, shard)
        except ChunkError as error:
            self._note(shard, Facet(row.facet), row.bucket, str(error))
            return None

    def _note(self, shard: Shard, facet: Facet, bucket: int, error: str) -> None:
        key = (shard.id, facet, bucket)
        with self._lock:
            if key in self._garbled:
                return
            self._garbled[key] = _gaps(shard, Span(bucket, bucket + facet.grid(shard).bucket_s))
        log.error("chunk garbled", shard=shard.id, facet=facet.name, bucket=bucket, source=shard.source, error=error)


def chunk_row(shard: Shard, facet: Facet, bucket: int, block: Block, *, rolled: bool = False) -> ChunkRow:
    """One chunk as it is written. Samples count as not summed up until they are written, or marked, as `rolled`."""
    data = encode(block)
    crc = checksum(data, shard.id, int(facet), bucket)
    return ChunkRow(shard=shard.id, facet=int(facet), bucket=bucket, rolled=rolled, checksum=crc, data=data)


def _opened(row: sa.Row[tuple[object, ...]], shard: Shard) -> Block:
    if checksum(row.data, row.shard, row.facet, row.bucket) != row.checksum:
        raise ChunkError(DIFFERS)
    block = decode(row.data)
    if block.rows > shard.rows or block.ticks != Facet(row.facet).grid(shard).ticks:
        raise ChunkError(f"{block.rows} rows of {block.ticks} do not belong here")
    return block


def _gaps(shard: Shard, span: Span) -> tuple[Gap, ...]:
    detail = "stored samples are damaged and were left out: backfill the time again, or wait until it has passed"
    roster = shard.roster
    named = sorted({(subject, one.metric) for subject, one in zip(roster.subjects, roster.signals, strict=True)})
    return tuple(
        Gap(subject=subject, missing=metric, reason=GapReason.GARBLED, detail=detail, source=shard.source, span=span)
        for subject, metric in named
    )
