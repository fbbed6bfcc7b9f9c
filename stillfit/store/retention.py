"""How long what is kept, and its removal in small batches so that no writer waits long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from stillfit.advice import AdviceState
from stillfit.store import schema
from stillfit.store.chunk_table import Facet
from stillfit.store.database import Database
from stillfit.store.grid import HOUR_S, HOURS
from stillfit.store.outbox import OutboxState

ROWS_AT_ONCE = 5_000
CHUNKS_AT_ONCE = 200  # some 50 kB each: 10 MB in one transaction
_FREE_PAGES_AT_ONCE = 5_000  # SQLite pages given back to the disk after a prune: 20 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Ages after which rows go. None of them touches what still stands or is still to be sent."""

    minutes: timedelta = timedelta(days=15)
    """Samples of periods under five minutes: the cost models replay 14 days of them, and CloudWatch itself keeps 15."""
    samples: timedelta = timedelta(days=63)
    """Samples of longer periods; as long as CloudWatch keeps five-minute points."""
    hours: timedelta = timedelta(days=400)
    """Hourly sums and hourly samples: a year to compare with, and a month to notice."""
    records: timedelta = timedelta(days=400)
    """Changes, ended gaps, transitions, sent messages, closed advice."""

    def of_period(self, period_s: int) -> timedelta:
        if period_s >= HOUR_S:
            return self.hours
        return self.minutes if period_s < 300 else self.samples


def prune_records(database: Database, now: datetime, retention: Retention) -> int:
    """Remove old rows of the state. Returns how many went."""
    return sum(_delete(database, table, old, ROWS_AT_ONCE) for table, old in _old_records(now - retention.records))


def prune_chunks(database: Database, shards: Iterable[tuple[int, int]], now: datetime, retention: Retention) -> int:
    """Remove old chunks of the shards, given as (id, period). Returns how many went."""
    removed = 0
    for shard, period_s in shards:
        samples = _before(shard, Facet.SAMPLES, now - retention.of_period(period_s))
        removed += _delete(database, schema.chunk, samples, CHUNKS_AT_ONCE)
        for facet in (Facet.HOURLY, Facet.HOURLY_KNOWN):
            hours = _before(shard, facet, now - retention.hours - timedelta(seconds=HOURS.bucket_s))
            removed += _delete(database, schema.chunk, hours, CHUNKS_AT_ONCE)
    return removed


def give_back(database: Database) -> None:
    """Return freed pages of a SQLite file to the disk, and empty its write-ahead log if nobody reads."""
    if database.is_sqlite:
        database.maintain(f"PRAGMA incremental_vacuum({_FREE_PAGES_AT_ONCE}); PRAGMA wal_checkpoint(TRUNCATE);")


def _before(shard: int, facet: Facet, at: datetime) -> sa.ColumnElement[bool]:
    table = schema.chunk
    return sa.and_(table.c.shard == shard, table.c.facet == int(facet), table.c.bucket < int(at.timestamp()))


def _old_records(before: datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    advice, outbox = schema.advice, schema.outbox
    closed = advice.c.state.in_([AdviceState.RESOLVED, AdviceState.DISMISSED, AdviceState.PENDING])
    settled = outbox.c.state.in_([OutboxState.SENT, OutboxState.FAILED])
    live = sa.select(advice.c.id)
    yield schema.change, schema.change.c.at < before
    yield schema.gap, schema.gap.c.ended_at < before
    yield outbox, settled & (outbox.c.changed_at < before)
    yield advice, closed & (advice.c.last_seen < before)
    yield schema.transition, (schema.transition.c.at < before) & schema.transition.c.advice_id.not_in(live)
    yield schema.message, (schema.message.c.updated_at < before) & schema.message.c.advice_id.not_in(live)
    yield schema.channel_hold, schema.channel_hold.c.until < before
    yield schema.subject, schema.subject.c.gone_at < before
    yield schema.attribute, schema.attribute.c.subject.not_in(sa.select(schema.subject.c.subject))


def _delete(database: Database, table: sa.Table, old: sa.ColumnElement[bool], at_once: int) -> int:
    """Delete in transactions of at most `at_once` rows."""
    keys = list(table.primary_key.columns)
    removed = 0
    chosen = sa.tuple_(*keys).in_(sa.select(*keys).where(old).limit(at_once))
    while True:
        gone = database.run(lambda connection: connection.execute(sa.delete(table).where(chosen)).rowcount)
        removed += gone
        if gone < at_once:
            return removed
