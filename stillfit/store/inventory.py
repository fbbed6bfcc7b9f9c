"""Which subjects there are, and since when one is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from stillfit.model import AttributeChange, Batch, Subject
from stillfit.sheets import subjects
from stillfit.store.database import pieces, upsert
from stillfit.store.schema import attribute
from stillfit.store.schema import subject as _table
from stillfit.store.settings import record_changes

EXISTS = "exists"
"""Name of the change that tells when a subject went (True to False), came back, or was added to a known table."""


def write(connection: sa.Connection, batch: Batch) -> None:
    """Add subjects; mark as gone what a complete inventory of its source lacks, with all that belongs to it."""
    listed = {_text(one) for one in batch.subjects_seen}
    spoken_of = {_text(one) for one in _subjects(batch)}
    known = _known(connection, None if batch.inventory else listed)
    fresh = [
        _row(text, batch.source if text in listed else "", batch.at)
        for text in sorted((listed | spoken_of) - known.keys() - _there(connection, spoken_of - known.keys()))
    ]
    upsert(connection, _table, fresh, update=False)
    adopted = [text for text in listed & known.keys() if known[text].source != batch.source]
    _set(connection, adopted, source=batch.source)
    _mark(connection, {text for text in listed & known.keys() if known[text].gone_at is not None}, None, batch.at)
    _mark(connection, _built(connection, listed - known.keys(), batch.source), None, batch.at)
    if batch.inventory:
        _mark(connection, _gone(known, listed, batch), batch.at, batch.at)


def retire(connection: sa.Connection, keep: Collection[str], at: datetime) -> None:
    """Mark as gone what only sources list that are no longer configured, with all that belongs to it.

    What another source lists or tells settings of is handed to that one. A source that comes back lists its own again.
    """
    known = _known(connection, None)
    strays = {text for text, row in known.items() if row.source and row.source not in keep and row.gone_at is None}
    for text, source in _told_elsewhere(connection, strays, keep).items():
        _set(connection, (text,), source=source)
        strays.discard(text)
    children = {text for text, row in known.items() if not row.source and row.gone_at is None}
    orphans = {text for text in children if str(Subject.parse(text).parent) in strays}
    _mark(connection, strays | orphans, at, at)


def _told_elsewhere(connection: sa.Connection, strays: set[str], keep: Collection[str]) -> dict[str, str]:
    """A source that stays, of each stray whose settings it tells."""
    rows = connection.execute(sa.select(attribute.c.subject, attribute.c.source))
    return {row.subject: row.source for row in rows if row.subject in strays and row.source in keep}


def read(connection: sa.Connection) -> tuple[Subject, ...]:
    """Those that exist as far as is known, in order of their text."""
    query = sa.select(_table.c.subject).where(_table.c.gone_at.is_(None)).order_by(_table.c.subject)
    return tuple(Subject.parse(text) for text in connection.scalars(query))


@lru_cache(maxsize=100_000)
def _text(subject: Subject) -> str:
    """The same few thousand subjects come with every batch, and encoding a name costs more than finding it."""
    return str(subject)


def _known(connection: sa.Connection, texts: Iterable[str] | None) -> dict[str, sa.Row[Any]]:
    """All subjects, or those among `texts`: a batch of metrics tells of a few of many thousand."""
    if texts is None:
        return {row.subject: row for row in connection.execute(sa.select(_table))}
    queries = (sa.select(_table).where(_table.c.subject.in_(some)) for some in pieces(sorted(texts)))
    return {row.subject: row for query in queries for row in connection.execute(query)}


def _there(connection: sa.Connection, texts: Iterable[str]) -> set[str]:
    """Which of them there are."""
    queries = (sa.select(_table.c.subject).where(_table.c.subject.in_(some)) for some in pieces(sorted(texts)))
    return {text for query in queries for text in connection.scalars(query)}


def _subjects(batch: Batch) -> set[Subject]:
    return subjects(batch.series) | {one.subject for one in batch.attributes}


def _gone(known: Mapping[str, Any], listed: set[str], batch: Batch) -> set[str]:
    """Living subjects that the inventory of their source lacks, and the living children of those."""
    missing = {text for text, row in known.items() if row.source == batch.source and text not in listed}
    if batch.undescribed:
        there = {_text(one) for one in batch.undescribed}
        missing = {text for text in missing if there.isdisjoint(_holders(text))}
    orphans = {text for text in known if text not in listed and str(Subject.parse(text).parent) in missing}
    return {text for text in missing | orphans if known[text].gone_at is None}


def _holders(text: str) -> Iterator[str]:
    """A subject and what it belongs to: the table of an index, the keyspace of a table, the cluster of a node."""
    yield text
    subject = Subject.parse(text)
    yield str(subject.parent)
    if subject.keyspace or subject.cluster:
        yield str(replace(subject, table="", index="", node=""))


def _built(connection: sa.Connection, fresh: Collection[str], source: str) -> set[str]:
    """New indexes of tables that the source has described before without them; a new table has a date of its own."""
    parents = {text: str(Subject.parse(text).parent) for text in fresh}
    named = {text for text, parent in parents.items() if text != parent}
    if not named:
        return set()
    described = set(connection.scalars(sa.select(attribute.c.subject).where(attribute.c.source == source)))
    return {text for text in named if parents[text] in described}


def _mark(connection: sa.Connection, texts: set[str], gone_at: datetime | None, at: datetime) -> None:
    _set(connection, sorted(texts), gone_at=gone_at)
    back = gone_at is None
    record_changes(
        connection,
        (
            AttributeChange(subject=Subject.parse(text), name=EXISTS, before=not back, after=back, at=at)
            for text in sorted(texts)
        ),
    )


def _set(connection: sa.Connection, texts: Iterable[str], **values: Any) -> None:
    for some in pieces(sorted(texts)):
        connection.execute(sa.update(_table).where(_table.c.subject.in_(some)).values(**values))


def _row(text: str, source: str, at: datetime) -> dict[str, Any]:
    return {"subject": text, "source": source, "first_seen": at, "gone_at": None}
