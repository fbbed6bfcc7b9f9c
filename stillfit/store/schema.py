"""Every table of the store. The migrations under migrations/versions build the same; a test compares the two.

Two groups, because their loss weighs differently: STATE holds what people were told and what is still to be told,
HISTORY holds samples that a source can mostly give again. On SQLite they are two files, on PostgreSQL one database.
Instants are whole microseconds since the epoch, so that both databases keep and compare them exactly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime kept as integer microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  (interface)
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  (interface)
        return None if value is None else _EPOCH + value * _MICROSECOND


STATE = MetaData()
HISTORY = MetaData()

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up an INTEGER PRIMARY KEY only

subject = Table(
    "subject",
    STATE,
    Column("subject", Text, primary_key=True),
    Column("source", Text, nullable=False, doc="whose inventory lists it; empty when only data told of it"),
    Column("first_seen", Instant, nullable=False),
    Column("gone_at", Instant, doc="since when an inventory lacks it"),
)

attribute = Table(
    "attribute",
    STATE,
    Column("subject", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("names", Text, nullable=False, doc="JSON: name to value, what this source said last"),
)

change = Table(
    "change",
    STATE,
    Column("id", Serial, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("before", Text, nullable=False, doc="JSON"),
    Column("after", Text, nullable=False, doc="JSON"),
    Column("at", Instant, nullable=False),
    Index("change_once", "subject", "name", "at", unique=True),
    Index("change_at", "at"),
)

gap = Table(
    "gap",
    STATE,
    Column("id", Serial, primary_key=True),
    Column("told_by", Text, nullable=False, doc="source of the batch that said it"),
    Column("source", Text, nullable=False, doc="what it names as its source itself"),
    Column("subject", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("span_start", BigInteger),
    Column("span_end", BigInteger),
    Column("first_said", Instant, nullable=False),
    Column("last_said", Instant, nullable=False),
    Column("ended_at", Instant, doc="NULL: it still stands"),
    Index("gap_told_by", "told_by", "ended_at"),
    Index("gap_ended", "ended_at"),
)

advice = Table(
    "advice",
    STATE,
    Column("id", Text, primary_key=True),
    Column("state", String(32), nullable=False),
    Column("transitions", Integer, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("record", Text, nullable=False, doc="JSON of stillfit.advice.Advice"),
    Index("advice_last_seen", "last_seen"),
)

transition = Table(
    "transition",
    STATE,
    Column("advice_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("before", String(32), nullable=False),
    Column("after", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Index("transition_at", "at"),
)

outbox = Table(
    "outbox",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("advice_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("sink", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("error", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Index("outbox_due", "state", "due_at"),
    Index("outbox_order", "advice_id", "sink", "number"),
)

channel_hold = Table(
    "channel_hold",
    STATE,
    Column("channel", Text, primary_key=True),
    Column("until", Instant, nullable=False),
)

message = Table(
    "message",
    STATE,
    Column("advice_id", Text, primary_key=True),
    Column("sink", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

lease = Table(
    "lease",
    STATE,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

spending = Table(
    "spending",
    STATE,
    Column("month", String(7), primary_key=True, doc="2026-11, of UTC"),
    Column("source", Text, primary_key=True),
    Column("usd", Float(53), nullable=False, doc="spent in it at most"),
)

shard = Table(
    "shard",
    HISTORY,
    Column("id", Serial, primary_key=True),
    Column("source", Text, nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Index("shard_group", "source", "period_s", "tier"),
)

series = Table(
    "series",
    HISTORY,
    Column("shard", BigInteger, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False, doc="row in the blocks of its shard"),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("statistic", String(16), nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("dimension", Text, nullable=False),
    Index("series_once", "source", "subject", "metric", "statistic", "period_s", "dimension", unique=True),
)

chunk = Table(
    "chunk",
    HISTORY,
    Column("shard", BigInteger, primary_key=True),
    Column("facet", Integer, primary_key=True, autoincrement=False, doc="0 samples, 1 hourly, 2 seconds of it known"),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False, doc="start, seconds since the epoch"),
    Column("rolled", Boolean, nullable=False, doc="samples are summed up in the hourly facets"),
    Column("checksum", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("chunk_age", "facet", "bucket"),
)

progress = Table(
    "progress",
    HISTORY,
    Column("source", Text, primary_key=True),
    Column("last_end", BigInteger, nullable=False, doc="newest covered second"),
)
