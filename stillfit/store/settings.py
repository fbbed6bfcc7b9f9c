"""Settings as last read, and every change between two reads.

Several sources may tell of one subject (DescribeTable and auto scaling): each is compared with what it said before
itself, and the newest value of a name is what counts. A name that could not be read this time, as a gap of the same
batch on its subject or on the whole scope says, keeps its last value: it has not been removed. A value that comes to be
known when such a gap ends is no change: nobody knows what it was before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stillfit.model import AttributeChange, Attributes, Batch, Span, Subject, Value
from stillfit.store.codec import dump, load_value, load_values
from stillfit.store.database import pieces, upsert
from stillfit.store.schema import attribute, change
from stillfit.store.schema import gap as _gap

_Before = tuple[datetime, dict[str, Value]]


def write(connection: sa.Connection, batch: Batch) -> None:
    """Keep the settings of a batch; an older read than the one stored is left out."""
    record_changes(connection, batch.changes)
    before = _last_said(connection, batch)
    unread = _unread(batch)
    told = (_with_unread(one, before, unread) for one in batch.attributes)
    newer = [one for one in told if str(one.subject) not in before or before[str(one.subject)][0] <= one.at]
    unknown = _unknown(connection, batch.source) if newer else set()
    again = [(before[str(one.subject)], one) for one in newer if str(one.subject) in before]
    differing = [change for said, one in again for change in _differences(said[1], one, unknown)]
    dated = _told_since(connection, {text: before[text][0] for text in {str(one.subject) for one in differing}})
    record_changes(connection, (one for one in differing if (str(one.subject), one.name, one.after) not in dated))
    upsert(connection, attribute, [_row(batch.source, one) for one in newer])


def retire(connection: sa.Connection, keep: Collection[str]) -> None:
    """Forget what sources said that are no longer configured; the changes that they saw stay."""
    connection.execute(sa.delete(attribute).where(attribute.c.source.not_in(keep)))


def record_changes(connection: sa.Connection, changes: Iterable[AttributeChange]) -> None:
    """Add changes; one of the same name and instant is there already and stays."""
    rows = [
        {
            "subject": str(one.subject),
            "name": one.name,
            "at": one.at,
            "before": dump(one.before),
            "after": dump(one.after),
        }
        for one in changes
    ]
    upsert(connection, change, rows, update=False)


def read(connection: sa.Connection) -> tuple[Attributes, ...]:
    """Each subject's settings, of all its sources together; `at` is the newest read."""
    merged: dict[str, tuple[datetime, dict[str, Value]]] = {}
    for row in connection.execute(sa.select(attribute).order_by(attribute.c.subject, attribute.c.at)):
        _, values = merged.get(row.subject, (row.at, {}))
        merged[row.subject] = (row.at, values | load_values(row.names))
    return tuple(Attributes.of(Subject.parse(text), at, values) for text, (at, values) in merged.items())


def read_changes(connection: sa.Connection, span: Span) -> tuple[AttributeChange, ...]:
    """Changes inside `span`, oldest first."""
    inside = sa.and_(change.c.at >= span.starts_at, change.c.at < span.ends_at)
    rows = connection.execute(sa.select(change).where(inside).order_by(change.c.at, change.c.id))
    return tuple(
        AttributeChange(
            subject=Subject.parse(row.subject),
            name=row.name,
            before=load_value(row.before),
            after=load_value(row.after),
            at=row.at,
        )
        for row in rows
    )


def _last_said(connection: sa.Connection, batch: Batch) -> Mapping[str, _Before]:
    """What this source said last of the subjects that it speaks of now."""
    if not batch.attributes:
        return {}
    spoken_of = {str(one.subject) for one in batch.attributes}
    rows = connection.execute(sa.select(attribute).where(attribute.c.source == batch.source))
    return {row.subject: (row.at, load_values(row.names)) for row in rows if row.subject in spoken_of}


def _unread(batch: Batch) -> Mapping[Subject, set[str]]:
    names: defaultdict[Subject, set[str]] = defaultdict(set)
    for one in batch.gaps:
        names[one.subject].add(one.missing)
    return names


def _with_unread(one: Attributes, before: Mapping[str, _Before], unread: Mapping[Subject, set[str]]) -> Attributes:
    """What is said now, with the last known of each name that a gap says could not be read."""
    _, old = before.get(str(one.subject), (one.at, {}))
    missing = unread.get(one.subject, set()) | unread.get(_scope(one.subject), set())
    kept = {name: value for name, value in old.items() if name in missing}
    return Attributes.of(one.subject, one.at, {**kept, **dict(one.values)}) if kept else one


def _unknown(connection: sa.Connection, source: str) -> set[tuple[str, str]]:
    """Subject and name of each gap of a source that stood until now."""
    stands = sa.and_(_gap.c.told_by == source, _gap.c.ended_at.is_(None))
    return {
        (row.subject, row.missing)
        for row in connection.execute(sa.select(_gap.c.subject, _gap.c.missing).where(stands))
    }


def _scope(subject: Subject) -> Subject:
    return Subject(engine=subject.engine, scope=subject.scope)


def _differences(
    old: dict[str, Value], now: Attributes, unknown: Collection[tuple[str, str]]
) -> Iterator[AttributeChange]:
    new = dict(now.values)
    learnt = _learnt(now.subject, new.keys() - old.keys(), unknown)
    for name in sorted((old.keys() | new.keys()) - learnt):
        if old.get(name) != new.get(name):
            yield AttributeChange(subject=now.subject, name=name, before=old.get(name), after=new.get(name), at=now.at)


def _learnt(subject: Subject, added: Collection[str], unknown: Collection[tuple[str, str]]) -> set[str]:
    """Names that are there now and were not known before."""
    holders = (str(subject), str(_scope(subject))) if added else ()
    return {name for name in added if any((holder, name) in unknown for holder in holders)}


def _told_since(connection: sa.Connection, read_at: Mapping[str, datetime]) -> set[tuple[str, str, Value | None]]:
    """Changes that the source itself dated since the last read: the difference must not count them twice."""
    subjects, told = sorted(read_at), set[tuple[str, str, Value | None]]()
    for some in pieces(subjects):
        since = sa.and_(change.c.subject.in_(some), change.c.at > min(read_at[text] for text in some))
        rows = connection.execute(sa.select(change).where(since))
        told |= {(row.subject, row.name, load_value(row.after)) for row in rows if row.at > read_at[row.subject]}
    return told


def _row(source: str, one: Attributes) -> dict[str, Any]:
    return {"subject": str(one.subject), "source": source, "at": one.at, "names": dump(dict(one.values))}
