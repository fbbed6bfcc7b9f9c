"""The store: everything that stillfit remembers, behind one class.

`Store.open("sqlite:////var/lib/stillfit/stillfit.db", clock=...)` or `Store.open("postgresql://...", clock=...)`.
Safe to share between threads. Every refusal of the database is a StoreError; `retryable` ones may heal by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, Self

import sqlalchemy as sa
import structlog

from stillfit.advice import Advice, Transition
from stillfit.clock import Clock
from stillfit.model import AttributeChange, Attributes, Batch, Gap, Series, Span, Subject
from stillfit.store import gaps, inventory, ledger, settings
from stillfit.store.assemble import Wanted
from stillfit.store.database import FullError
from stillfit.store.history import History
from stillfit.store.leases import EVALUATION, Leases, check_epoch, collecting
from stillfit.store.ledger import Committed
from stillfit.store.opening import Databases, open_databases
from stillfit.store.outbox import OutboxMessage
from stillfit.store.outbox_table import SqlOutbox
from stillfit.store.reach import Cover, Name
from stillfit.store.retention import Retention, give_back, prune_chunks, prune_records
from stillfit.store.spending import Spendings
from stillfit.store.sqlite_files import BALLAST_BYTES

log = structlog.get_logger(__name__)


class Sample(NamedTuple):
    """One point with its names, for export."""

    subject: Subject
    metric: str
    statistic: str
    dimension: str
    period_s: int
    time: int
    value: float


class Store:
    """Made by `open`. `outbox`, `leases` and `spending` are their own small interfaces on the same database."""

    def __init__(self, databases: Databases, clock: Clock) -> None:
        self._databases, self._clock = databases, clock
        self._state, self._samples = databases.state, databases.history
        self._history = History()
        self._history_paused = False
        self.outbox = SqlOutbox(self._state, clock)
        self.leases = Leases(self._state, clock)
        self.spending = Spendings(self._state)

    @classmethod
    def open(cls, url: str, *, clock: Clock, exclusive: bool = True, ballast_bytes: int = BALLAST_BYTES) -> Self:
        """Open a store, making or migrating it. Raises StoreError, never retryable, with what to do about it.

        `exclusive=False` joins a store that a daemon keeps (command line): it neither locks nor migrates.
        """
        store = cls(open_databases(url, exclusive=exclusive, ballast_bytes=ballast_bytes), clock)
        if exclusive and store._state.is_sqlite:
            store.leases.expire_all()
        return store

    def close(self) -> None:
        """Let go of the files and connections; closing twice does nothing."""
        self._databases.close()

    @property
    def history_paused(self) -> bool:
        """Whether samples are refused because the disk is full; state and outbox go on."""
        return self._history_paused

    def write(self, batch: Batch, *, tier: str = "", epoch: int | None = None) -> None:
        """Keep what a source says. Twice the same changes nothing.

        One transaction on PostgreSQL. On SQLite one for the state, then one for the samples: `last_end` moves with the
        samples, so what a crash cuts off is collected again. `tier` keeps tables that are collected at one cadence
        in chunks of their own; `epoch` is that of the lease `collecting(batch.source)`.

        Raises FullError (a StoreError) when the disk is full: the state is kept all the same, the samples are not.
        """
        if self._samples is self._state:
            self._in_transaction(batch, lambda connection: self._write_all(connection, batch, tier, epoch))
            return
        self._state.run(partial(_write_state, batch=batch, epoch=epoch))
        if batch.series:
            self._require_room()
            self._in_transaction(batch, lambda connection: self._write_samples(connection, batch, tier))
            self._note_paused(paused=False)

    def retire_sources(self, keep: frozenset[str], at: datetime, *, epoch: int | None = None) -> None:
        """End what sources told that are not in `keep`, since nobody reads them: subjects, settings and gaps.

        Twice the same changes nothing. A source that comes back revives its subjects by its inventory. Samples and
        past changes stay. `epoch` is that of the lease EVALUATION.
        """

        def work(connection: sa.Connection) -> None:
            check_epoch(connection, EVALUATION, epoch)
            inventory.retire(connection, keep, at)
            settings.retire(connection, keep)
            gaps.retire(connection, keep, at)

        self._state.run(work)

    def commit(
        self,
        advice: Iterable[Advice],
        transitions: Iterable[Transition] = (),
        messages: Iterable[OutboxMessage] = (),
        *,
        epoch: int | None,
    ) -> Committed:
        """Keep records, transitions and messages as a whole. Raises LeaseLostError where `epoch` (EVALUATION) is past.

        A replay changes nothing. Advice that was moved on by somebody else meanwhile is left alone and named in the
        answer. `epoch=None` is for a person's act through the command line, which needs no lease.
        """
        records, steps, said = tuple(advice), tuple(transitions), tuple(messages)

        def work(connection: sa.Connection) -> Committed:
            check_epoch(connection, EVALUATION, epoch)
            return ledger.commit(connection, records, steps, said, self._clock.now())

        return self._state.run(work)

    def last_end(self, source_id: str) -> datetime | None:
        """Newest covered time of a source, to go on collecting from; None when it has no samples."""
        with self._samples.read() as connection:
            end = self._history.last_end(connection, source_id)
        return None if end is None else datetime.fromtimestamp(end, UTC)

    def reach(self, source_id: str) -> Mapping[Name, Span]:
        """By subject, metric and dimension: the first stretch of the last 15 days that is known without a hole.

        Its end, to the hour, is where reading goes on after a start. Of what was not heard of in 15 days: its newest
        hour, as long as its subject exists.
        """
        existing = frozenset(self.subjects())
        with self._samples.read() as connection:
            return self._history.reach(connection, source_id, int(self._clock.now().timestamp()), existing)

    def cover(self, source_id: str, span: Span, longest_s: int) -> Cover:
        """Which hours of `span` are known of a source from points of at most `longest_s` each."""
        with self._samples.read() as connection:
            return self._history.cover(connection, source_id, span, longest_s)

    def subjects(self) -> tuple[Subject, ...]:
        """Those that exist as far as is known."""
        with self._state.read() as connection:
            return inventory.read(connection)

    def series(
        self,
        span: Span,
        *,
        metrics: Iterable[str] | None = None,
        subjects: Iterable[Subject] | None = None,
        period_s: int | None = None,
    ) -> tuple[Series, ...]:
        """Samples inside `span` in their own periods. A garbled chunk reads as not known, and `gaps` tells of it."""
        with self._samples.read() as connection:
            return self._history.series(connection, span, _wanted(metrics, subjects, period_s))

    def hourly(
        self, span: Span, metrics: Iterable[str] | None = None, subjects: Iterable[Subject] | None = None
    ) -> tuple[Series, ...]:
        """The hours that touch `span`, from hourly sums: weeks cost no minutes. How hours are folded: rollup.py.

        `covered` is as long as the known part of each hour and begins with the hour.
        """
        with self._samples.read() as connection:
            return self._history.hourly(connection, span, _wanted(metrics, subjects, None))

    def samples(self, span: Span, metrics: Iterable[str] | None = None) -> Iterator[Sample]:
        """Every point inside `span`, series by series: to take the data elsewhere."""
        for one in self.series(span, metrics=metrics):
            names = (one.subject, one.metric, one.statistic.value, one.dimension, one.period_s)
            for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
                yield Sample(*names, time, value)

    def attributes(self) -> tuple[Attributes, ...]:
        """Each subject's settings as last read, of all sources together."""
        with self._state.read() as connection:
            return settings.read(connection)

    def changes(self, span: Span) -> tuple[AttributeChange, ...]:
        """Changed settings, and subjects that came and went (name `exists`), oldest first."""
        with self._state.read() as connection:
            return settings.read_changes(connection, span)

    def gaps(self) -> tuple[Gap, ...]:
        """What is not known now, and why; chunks found garbled since the start included."""
        with self._state.read() as connection:
            return gaps.read(connection) + self._history.chunks.garbled()

    def past_gaps(self, span: Span) -> tuple[tuple[Gap, Span], ...]:
        """Every gap that stood at some time of `span`, with from when to when."""
        with self._state.read() as connection:
            return gaps.read_past(connection, span)

    def advice(self) -> tuple[Advice, ...]:
        """All records in every state, in order of id."""
        with self._state.read() as connection:
            return ledger.read_advice(connection)

    def transitions(self, advice_id: str | None = None) -> tuple[Transition, ...]:
        """The log of one advice by number, or of all by time."""
        with self._state.read() as connection:
            return ledger.read_transitions(connection, advice_id)

    def prune(self, now: datetime, keep: Retention | None = None) -> int:
        """Remove what is too old, in small transactions, and give disk space back. Returns the rows that went."""
        keep = keep or Retention()
        self._samples.run(lambda connection: self._history.roll_closed(connection, int(now.timestamp())))
        with self._samples.read() as connection:
            shards = [(shard.id, shard.period_s) for shard in self._history.registry.shards(connection)]
        removed = prune_records(self._state, now, keep) + prune_chunks(self._samples, shards, now, keep)
        self._history.chunks.forget_garbled_before(now - keep.samples)
        for database in {self._state, self._samples}:
            give_back(database)
        return removed

    def _write_all(self, connection: sa.Connection, batch: Batch, tier: str, epoch: int | None) -> None:
        _write_state(connection, batch, epoch)
        self._write_samples(connection, batch, tier)

    def _write_samples(self, connection: sa.Connection, batch: Batch, tier: str) -> None:
        self._history.write(connection, batch, tier=tier, now=self._clock.now())

    def _in_transaction(self, batch: Batch, work: Callable[[sa.Connection], None]) -> None:
        """Run and commit; what a failed transaction registered is forgotten."""
        kept = False
        try:
            with self._samples.write() as connection:
                work(connection)
            kept = True
        except FullError:
            self._note_paused(paused=True)
            raise
        finally:
            if not kept:
                self._history.registry.forget(batch.source)

    def _require_room(self) -> None:
        ballast = self._databases.ballast
        if ballast is not None and not ballast.is_held():
            self._note_paused(paused=True)
            raise FullError(f"store {self._samples.name}: the disk is full, samples wait: free some space")

    def _note_paused(self, *, paused: bool) -> None:
        if paused is not self._history_paused:
            log.error("history paused, disk full") if paused else log.warning("history goes on")
        self._history_paused = paused


def _write_state(connection: sa.Connection, batch: Batch, epoch: int | None) -> None:
    check_epoch(connection, collecting(batch.source), epoch)
    inventory.write(connection, batch)
    settings.write(connection, batch)
    gaps.write(connection, batch)


def _wanted(metrics: Iterable[str] | None, subjects: Iterable[Subject] | None, period_s: int | None) -> Wanted:
    return Wanted(
        None if metrics is None else frozenset(metrics), None if subjects is None else frozenset(subjects), period_s
    )
