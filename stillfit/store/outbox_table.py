"""The outbox on SQL. The contract is in outbox.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stillfit.clock import Clock
from stillfit.errors import StoreError
from stillfit.store.database import Database, upsert
from stillfit.store.leases import EVALUATION, check_epoch
from stillfit.store.outbox import MessageRecord, OutboxMessage, OutboxRow, OutboxState
from stillfit.store.schema import channel_hold, message
from stillfit.store.schema import outbox as _table

_OPEN = (OutboxState.QUEUED, OutboxState.SENDING)


def enqueue(connection: sa.Connection, messages: Sequence[OutboxMessage], now: datetime) -> None:
    """Add messages in the caller's transaction; one whose id is there already was said before and is left as it is."""
    upsert(connection, _table, [_row(one, now) for one in messages], update=False)


class SqlOutbox:
    """The Outbox of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def claim(self, now: datetime, epoch: int | None) -> OutboxRow | None:
        def claim_next(connection: sa.Connection) -> OutboxRow | None:
            check_epoch(connection, EVALUATION, epoch)
            found = connection.scalar(_next_due(now))
            if found is None:
                return None
            claimed = {"state": OutboxState.SENDING, "attempts": _table.c.attempts + 1, "changed_at": now}
            update = sa.update(_table).where(_table.c.id == found).values(claimed).returning(_table)
            return _record(connection.execute(update).mappings().one())

        return self._database.run(claim_next)

    def mark_sent(self, row_id: str, receipt: str, *, epoch: int | None, record: MessageRecord | None = None) -> None:
        def mark(connection: sa.Connection) -> None:
            self._settle(connection, row_id, epoch, state=OutboxState.SENT, receipt=receipt, error="")
            upsert(connection, message, [asdict(record)] if record else [])

        self._database.run(mark)

    def retry_at(self, row_id: str, when: datetime, error: str, *, epoch: int | None) -> None:
        values = {"state": OutboxState.QUEUED, "due_at": when, "error": error}
        self._database.run(lambda connection: self._settle(connection, row_id, epoch, **values))

    def fail(self, row_id: str, error: str, *, epoch: int | None) -> None:
        values = {"state": OutboxState.FAILED, "error": error}
        self._database.run(lambda connection: self._settle(connection, row_id, epoch, **values))

    def sending(self) -> tuple[OutboxRow, ...]:
        return self._rows(_table.c.state == OutboxState.SENDING)

    def queued(self, channel: str | None = None, limit: int = 100) -> tuple[OutboxRow, ...]:
        where = _table.c.state == OutboxState.QUEUED
        return self._rows(where if channel is None else where & (_table.c.channel == channel), limit)

    def hold(self, channel: str, until: datetime) -> None:
        def prolong(connection: sa.Connection) -> None:
            before = connection.scalar(sa.select(channel_hold.c.until).where(channel_hold.c.channel == channel))
            upsert(connection, channel_hold, [{"channel": channel, "until": max(until, before or until)}])

        self._database.run(prolong)

    def held(self, now: datetime) -> Mapping[str, datetime]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(channel_hold).where(channel_hold.c.until > now)).all()
        return {row.channel: row.until for row in rows}

    def message(self, advice_id: str, sink: str) -> MessageRecord | None:
        query = sa.select(message).where(message.c.advice_id == advice_id, message.c.sink == sink)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else MessageRecord(**row)

    def remember(self, record: MessageRecord, *, epoch: int | None) -> None:
        def replace_record(connection: sa.Connection) -> None:
            check_epoch(connection, EVALUATION, epoch)
            upsert(connection, message, [asdict(record)])

        self._database.run(replace_record)

    def counts(self) -> Mapping[OutboxState, int]:
        query = sa.select(_table.c.state, sa.func.count()).group_by(_table.c.state)
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {state: found.get(state.value, 0) for state in OutboxState}

    def _rows(self, where: sa.ColumnElement[bool], limit: int | None = None) -> tuple[OutboxRow, ...]:
        query = sa.select(_table).where(where).order_by(_table.c.created_at, _table.c.number, _table.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple(_record(row) for row in connection.execute(query).mappings())

    def _settle(self, connection: sa.Connection, row_id: str, epoch: int | None, **values: Any) -> None:
        check_epoch(connection, EVALUATION, epoch)
        claimed = sa.and_(_table.c.id == row_id, _table.c.state == OutboxState.SENDING)
        update = sa.update(_table).where(claimed).values(changed_at=self._clock.now(), **values)
        if connection.execute(update).rowcount != 1:
            raise StoreError(f"outbox row {row_id!r} is not being sent: claim it first", retryable=False)


def _next_due(now: datetime) -> sa.Select[tuple[str]]:
    """The oldest due row whose channel is free and before which nothing of its advice and sink is left to be told."""
    earlier = _table.alias()
    same = sa.and_(earlier.c.advice_id == _table.c.advice_id, earlier.c.sink == _table.c.sink)
    unsettled = sa.and_(same, earlier.c.state.in_(_OPEN), earlier.c.number < _table.c.number)
    on_hold = sa.and_(channel_hold.c.channel == _table.c.channel, channel_hold.c.until > now)
    return (
        sa.select(_table.c.id)
        .where(_table.c.state == OutboxState.QUEUED, _table.c.due_at <= now)
        .where(~sa.exists().where(unsettled), ~sa.exists().where(on_hold))
        .order_by(_table.c.created_at, _table.c.number, _table.c.id)
        .limit(1)
        .with_for_update(of=_table, skip_locked=True)
    )


def _row(one: OutboxMessage, now: datetime) -> dict[str, Any]:
    fields = asdict(one)
    due_at = fields.pop("not_before") or now
    empty = {"attempts": 0, "error": "", "receipt": ""}
    return (
        fields
        | empty
        | {"id": one.id, "state": OutboxState.QUEUED, "due_at": due_at, "created_at": now, "changed_at": now}
    )


def _record(row: sa.RowMapping) -> OutboxRow:
    return OutboxRow(**{**row, "state": OutboxState(row["state"])})
