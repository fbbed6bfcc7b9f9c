"""What is not known and why: gaps that stand, and when each began and ended.

A gap ends when its source delivers what was missing: the metric or setting itself, or, for a gap on everything, any
of that subject (of anything inside it, where the subject is a node or a whole scope). A gap of a stretch of time is not
ended by what is older than its end, as when the past is read after the newest hours were refused. A gap also ends when
its subject is gone, when its source is no longer configured, and when its source has gone on for a day without saying
it again: the slowest source speaks once a day (ours).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from stillfit.model import Batch, Gap, GapReason, Level, Span, Subject
from stillfit.sheets import named
from stillfit.store.database import pieces
from stillfit.store.schema import gap as _table
from stillfit.store.schema import subject as _subject

FORGET_AFTER = timedelta(hours=26)
_EVERYTHING = "*"
_NEVER = float("-inf")
_Key = tuple[str, str]
_CHANGE = (
    sa.update(_table)
    .where(_table.c.id == sa.bindparam("row_id"))
    .values({name: sa.bindparam(name) for name in ("detail", "span_start", "span_end")})
)


def write(connection: sa.Connection, batch: Batch) -> None:
    """Bring the gaps of a source up to date with one batch; what the batch itself says is missing stands."""
    standing = {(row.subject, row.missing): row for row in connection.execute(_standing(batch.source))}
    said = {(str(one.subject), one.missing): one for one in batch.gaps}
    delivered, scopes = (_delivered(batch, standing), _scopes(standing, batch)) if standing else ({}, set[_Key]())
    unsaid = {key: row for key, row in standing.items() if key not in said}
    over = [
        row
        for key, row in unsaid.items()
        if key in scopes or delivered.get(key, _NEVER) >= (row.span_end or 0) or _is_forgotten(row, batch)
    ]
    again = {key: (standing[key], one) for key, one in said.items() if key in standing}
    over += [row for row, one in again.values() if row.reason != one.reason]  # and begins anew
    same = {key: (row, one) for key, (row, one) in again.items() if row.reason == one.reason}
    _update(connection, [row.id for row in over], ended_at=batch.at)
    _begin(connection, [one for key, one in said.items() if key not in same], batch)
    _prolong(connection, same.values(), batch)


def retire(connection: sa.Connection, keep: Collection[str], at: datetime) -> None:
    """End the gaps of sources that are no longer configured."""
    stands = sa.and_(_table.c.told_by.not_in(keep), _table.c.ended_at.is_(None))
    connection.execute(sa.update(_table).where(stands).values(ended_at=at))


def read(connection: sa.Connection) -> tuple[Gap, ...]:
    """Gaps that stand, of subjects that exist."""
    gone = sa.select(_subject.c.subject).where(_subject.c.gone_at.is_not(None))
    query = sa.select(_table).where(_table.c.ended_at.is_(None), _table.c.subject.not_in(gone))
    return tuple(
        _gap(row) for row in connection.execute(query.order_by(_table.c.subject, _table.c.missing, _table.c.id))
    )


def read_past(connection: sa.Connection, span: Span) -> tuple[tuple[Gap, Span], ...]:
    """Every gap that stood at some time of `span`, from when to when (one that stands: until it was last said)."""
    ends = sa.func.coalesce(_table.c.ended_at, _table.c.last_said)
    begun = _table.c.first_said < span.ends_at
    query = sa.select(_table, ends.label("until")).where(begun, ends >= span.starts_at).order_by(_table.c.id)
    return tuple(
        (_gap(row), Span(int(row.first_said.timestamp()), int(row.until.timestamp())))
        for row in connection.execute(query)
    )


def _standing(source: str) -> sa.Select[Any]:
    return sa.select(_table).where(_table.c.told_by == source, _table.c.ended_at.is_(None))


def _delivered(batch: Batch, standing: Iterable[_Key]) -> dict[_Key, float]:
    """What the batch brings, as (subject, missing) pairs that it makes untrue, and of what time until when."""
    wanted = {missing for _, missing in standing}
    brought: dict[_Key, float] = {}
    for (subject, metric), end in named(batch.series, None if _EVERYTHING in wanted else wanted).items():
        for key in _proves(subject, metric):
            brought[key] = max(end, brought.get(key, _NEVER))
    for attributes in batch.attributes:
        for name, _ in attributes.values:
            brought |= dict.fromkeys(_proves(attributes.subject, name), float("inf"))
    return brought


def _scopes(standing: Iterable[_Key], batch: Batch) -> set[_Key]:
    """Gaps on everything of a whole scope, untrue as soon as their source says anything; its name may have changed."""
    if not (batch.series or batch.attributes or batch.subjects_seen):
        return set()
    return {key for key in standing if key[1] == _EVERYTHING and Subject.parse(key[0]).level is Level.SCOPE}


def _proves(subject: Subject, name: str) -> set[_Key]:
    """A replica speaks for its node too, and anything speaks for its scope and for its whole cluster."""
    scope = Subject(engine=subject.engine, scope=subject.scope)
    everywhere = Subject(engine=subject.engine, scope=(subject.scope[0], ""))
    node = Subject(engine=subject.engine, scope=subject.scope, node=subject.node)
    containing = {subject, scope, everywhere} | ({node} if subject.level is Level.REPLICA else set())
    return {(str(one), missing) for one in containing for missing in (name, _EVERYTHING)}


def _is_forgotten(row: Any, batch: Batch) -> bool:
    return bool(batch.at - row.last_said > FORGET_AFTER)


def _begin(connection: sa.Connection, gaps: Iterable[Gap], batch: Batch) -> None:
    """A denied permission is a gap of each table, so there may be thousands: one statement for all."""
    rows = [_row(one, batch) for one in gaps]
    if rows:
        connection.execute(sa.insert(_table), rows)


def _prolong(connection: sa.Connection, said: Iterable[tuple[Any, Gap]], batch: Batch) -> None:
    """Gaps that were said before, for the same reason. What hardly ever changes of them is written only then."""
    told = [(row, {"detail": one.detail, **_span(one)}) for row, one in said]
    changed = [{"row_id": row.id, **now} for row, now in told if any(getattr(row, key) != now[key] for key in now)]
    _update(connection, [row.id for row, _ in told if row.last_said < batch.at], last_said=batch.at)
    if changed:
        connection.execute(_CHANGE, changed)


def _update(connection: sa.Connection, ids: list[int], **values: datetime) -> None:
    for some in pieces(ids):
        connection.execute(sa.update(_table).where(_table.c.id.in_(some)).values(values))


def _row(one: Gap, batch: Batch) -> dict[str, Any]:
    return {
        "told_by": batch.source,
        "source": one.source,
        "subject": str(one.subject),
        "missing": one.missing,
        "reason": one.reason.value,
        "detail": one.detail,
        "first_said": batch.at,
        "last_said": batch.at,
        "ended_at": None,
        **_span(one),
    }


def _span(one: Gap) -> dict[str, int | None]:
    return {
        "span_start": one.span.start if one.span else None,
        "span_end": one.span.end if one.span else None,
    }


def _gap(row: Any) -> Gap:
    return Gap(
        subject=Subject.parse(row.subject),
        missing=row.missing,
        reason=GapReason(row.reason),
        detail=row.detail,
        source=row.source,
        span=None if row.span_start is None else Span(row.span_start, row.span_end),
    )
