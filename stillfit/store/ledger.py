"""Advice, its transitions, and what is to be told of them: kept together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.store import schema
from stillfit.store.codec import dump, load_advice
from stillfit.store.database import upsert
from stillfit.store.outbox import OutboxMessage
from stillfit.store.outbox_table import enqueue

_BATCH = 500  # ids in one query; SQLite and PostgreSQL take many more


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a commit. `superseded`: ids of advice that somebody else moved on meanwhile; judge them anew."""

    superseded: frozenset[str] = frozenset()


def commit(
    connection: sa.Connection,
    advice: Sequence[Advice],
    transitions: Sequence[Transition],
    messages: Sequence[OutboxMessage],
    now: datetime,
) -> Committed:
    """Write records, transitions and messages in the caller's transaction; a replay changes nothing.

    Advice that has more transitions in the store than in the record given (a person acknowledged it while a cycle was
    judging) is left alone with all that was to be said of it.
    """
    superseded = _superseded(connection, advice, transitions)
    upsert(connection, schema.advice, [_advice_row(one) for one in advice if one.id not in superseded])
    kept = [one for one in transitions if one.advice_id not in superseded]
    upsert(connection, schema.transition, [_transition_row(one) for one in kept], update=False)
    enqueue(connection, [one for one in messages if one.advice_id not in superseded], now)
    return Committed(superseded)


def read_advice(connection: sa.Connection) -> tuple[Advice, ...]:
    query = sa.select(schema.advice.c.record).order_by(schema.advice.c.id)
    return tuple(load_advice(text) for text in connection.scalars(query))


def read_transitions(connection: sa.Connection, advice_id: str | None) -> tuple[Transition, ...]:
    """Of one advice in order of number, or of all in order of time."""
    table = schema.transition
    query = sa.select(table).order_by(table.c.at, table.c.advice_id, table.c.number)
    if advice_id is not None:
        query = sa.select(table).where(table.c.advice_id == advice_id).order_by(table.c.number)
    return tuple(_transition(row) for row in connection.execute(query))


def _superseded(
    connection: sa.Connection, advice: Sequence[Advice], transitions: Sequence[Transition]
) -> frozenset[str]:
    """Advice of which the store knows a transition that these records do not."""
    given = {one.id: one.transitions for one in advice}
    new = {(one.advice_id, one.number): one for one in transitions}
    behind = {id_ for id_, count in _stored_counts(connection, sorted(given)) if count > given[id_]}
    stored = _stored_transitions(connection, sorted({one.advice_id for one in transitions}))
    return frozenset(behind | {one.advice_id for one in stored if new.get((one.advice_id, one.number), one) != one})


def _stored_counts(connection: sa.Connection, ids: Sequence[str]) -> list[tuple[str, int]]:
    table = schema.advice
    query = sa.select(table.c.id, table.c.transitions).order_by(table.c.id).with_for_update()
    return [
        (row[0], row[1])
        for start in range(0, len(ids), _BATCH)
        for row in connection.execute(query.where(table.c.id.in_(ids[start : start + _BATCH])))
    ]


def _stored_transitions(connection: sa.Connection, ids: Sequence[str]) -> list[Transition]:
    table = schema.transition
    return [
        _transition(row)
        for start in range(0, len(ids), _BATCH)
        for row in connection.execute(sa.select(table).where(table.c.advice_id.in_(ids[start : start + _BATCH])))
    ]


def _advice_row(one: Advice) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state.value,
        "transitions": one.transitions,
        "last_seen": one.last_seen,
        "record": dump(one),
    }


def _transition_row(one: Transition) -> dict[str, Any]:
    return {
        "advice_id": one.advice_id,
        "number": one.number,
        "before": one.before.value,
        "after": one.after.value,
        "at": one.at,
        "reason": one.reason,
        "changed_by": one.by,
    }


def _transition(row: sa.Row[Any]) -> Transition:
    return Transition(
        advice_id=row.advice_id,
        number=row.number,
        before=AdviceState(row.before),
        after=AdviceState(row.after),
        at=row.at,
        reason=row.reason,
        by=row.changed_by,
    )
