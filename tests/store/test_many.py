"""Thousands of tables that go, come back, change hands or change at once: a handful of statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from stillfit.model import AttributeChange, Span
from stillfit.store.store import Store
from tests.store.builders import NOON, NOON_S, ORDERS, around_noon, batch, settings

LATER = NOON + timedelta(minutes=5)
MANY = tuple(replace(ORDERS, table=f"table{number:04}") for number in range(1_201))
ENOUGH = 40


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What is sent to any database."""
    sent: list[str] = []

    def note(*told: object) -> None:
        sent.append(str(told[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_tables_that_go_and_come_back(store: Store, statements: list[str]) -> None:
    store.write(batch(subjects_seen=MANY, inventory=True))
    statements.clear()
    store.write(batch(inventory=True, at=LATER))
    assert (len(statements) < ENOUGH, store.subjects()) == (True, ())
    statements.clear()
    store.write(batch(subjects_seen=MANY, inventory=True, at=LATER + timedelta(minutes=5)))

    assert (len(statements) < ENOUGH, store.subjects()) == (True, MANY)
    assert len(store.changes(around_noon())) == 2 * len(MANY)


def test_tables_that_another_source_lists_now(store: Store, statements: list[str]) -> None:
    store.write(batch(subjects_seen=MANY, inventory=True))
    statements.clear()
    store.write(batch(subjects_seen=MANY, inventory=True, source="another", at=LATER))
    assert len(statements) < ENOUGH
    store.write(batch(inventory=True, at=LATER))

    assert store.subjects() == MANY


def test_tables_that_change(store: Store, statements: list[str]) -> None:
    store.write(batch(attributes=tuple(settings(one, mode="A", size=1.0) for one in MANY)))
    dated = AttributeChange(subject=MANY[700], name="mode", before="A", after="B", at=NOON + timedelta(minutes=2))
    changed = tuple(settings(one, LATER, mode="B", size=1.0) for one in MANY)
    statements.clear()
    store.write(batch(attributes=changed, changes=(dated,), at=LATER))

    assert len(statements) < ENOUGH
    told = store.changes(Span(NOON_S, NOON_S + 600))
    assert {one.subject: one.at for one in told} == dict.fromkeys(MANY, LATER) | {MANY[700]: dated.at}
    assert len(told) == len(MANY)
