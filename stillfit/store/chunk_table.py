"""Blocks in and out of the chunk table. A chunk that cannot be read leaves its cells not known, and a Gap says so."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import sqlalchemy as sa
import structlog

from stillfit.model import Gap, GapReason, Span
from stillfit.store import schema
from stillfit.store.chunks import Block, ChunkError, checksum, decode, encode
from stillfit.store.database import upsert
from stillfit.store.grid import HOURS, Grid
from stillfit.store.registry import Shard

log = structlog.get_logger(__name__)


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


class ChunkTable:
    """The chunk table, with what was found garbled in it since the start of the process."""

    def __init__(self) -> None:
        self._garbled: dict[tuple[int, Facet, int], tuple[Gap, ...]] = {}
        self._lock = threading.Lock()

    def load(self, connection: sa.Connection, shard: Shard, facet: Facet, whole: Span) -> Strip:
        """Cells of `whole` (whole buckets); what has no chunk, or a garbled one, is not known."""
        table = schema.chunk
        inside = table.c.bucket.between(whole.start, whole.end - 1)
        query = sa.select(table).where(table.c.shard == shard.id, table.c.facet == facet, inside)
        grid = facet.grid(shard)
        block = Block.unknown(len(shard.keys), whole.seconds // grid.tick_s)
        rows = connection.execute(query).all()
        for row in rows:
            read = self._read(row, shard)
            if read is not None:
                block.paste(read, (row.bucket - whole.start) // grid.tick_s)
        return Strip(block, frozenset(row.bucket for row in rows if not row.rolled))

    def save(self, connection: sa.Connection, shard: Shard, facet: Facet, bucket: int, block: Block) -> None:
        """Write one chunk; its samples count as not summed up until `mark_rolled` says so."""
        data = encode(block)
        key = {"shard": shard.id, "facet": int(facet), "bucket": bucket}
        row = key | {"rolled": False, "checksum": checksum(data, *key.values()), "data": data}
        upsert(connection, schema.chunk, [row])
        with self._lock:
            self._garbled.pop((shard.id, facet, bucket), None)

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

    def garbled(self) -> tuple[Gap, ...]:
        """What cannot be read, one gap for each series."""
        with self._lock:
            return tuple(gap for gaps in self._garbled.values() for gap in gaps)

    def forget_garbled_before(self, at: datetime) -> None:
        """Chunks of that age are pruned; nobody misses what was garbled in them."""
        with self._lock:
            self._garbled = {key: gaps for key, gaps in self._garbled.items() if key[2] >= at.timestamp()}

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


def _opened(row: sa.Row[tuple[object, ...]], shard: Shard) -> Block:
    if checksum(row.data, row.shard, row.facet, row.bucket) != row.checksum:
        raise ChunkError("the checksum differs")
    block = decode(row.data)
    if block.rows > len(shard.keys) or block.ticks != Facet(row.facet).grid(shard).ticks:
        raise ChunkError(f"{block.rows} rows of {block.ticks} do not belong here")
    return block


def _gaps(shard: Shard, span: Span) -> tuple[Gap, ...]:
    detail = "stored samples are damaged and were left out: backfill the time again, or wait until it has passed"
    named = sorted({(key.subject, key.metric) for key in shard.keys})
    return tuple(
        Gap(subject=subject, missing=metric, reason=GapReason.GARBLED, detail=detail, source=shard.source, span=span)
        for subject, metric in named
    )
