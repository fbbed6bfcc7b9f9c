"""Gaps by the thousand: as many rows as before, in a handful of statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from stillfit.model import Gap, GapReason, Span, Statistic
from stillfit.store.store import Store
from tests.store.builders import NOON, NOON_S, ORDERS, around_noon, batch, gap, series, settings

LATER = NOON + timedelta(minutes=5)
MANY = 1_201  # more than two statements' worth of rows


def many(**others: object) -> tuple[Gap, ...]:
    found = (replace(gap(missing=f"metric{number:04}"), **others) for number in range(MANY))  # type: ignore[arg-type]
    return tuple(found)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What is sent to any database that tells of gaps."""
    sent: list[str] = []

    def note(*told: object) -> None:
        if str(told[2]).split(" ", 1)[0] in {"INSERT", "UPDATE"} and " gap " in str(told[2]):
            sent.append(str(told[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_thousands_of_gaps_take_a_handful_of_statements(store: Store, statements: list[str]) -> None:
    store.write(batch(gaps=many()))
    store.write(batch(gaps=many(detail="ask again"), at=LATER))
    store.write(batch(gaps=many(reason=GapReason.TIMEOUT), at=LATER))

    assert 0 < len(statements) <= 12
    assert len(store.past_gaps(around_noon())) == 2 * MANY


def test_a_gap_said_again_is_prolonged_with_its_new_detail_and_span(store: Store) -> None:
    store.write(batch(gaps=many()))
    again = many(detail="ask again", span=Span(60, 120))
    store.write(batch(gaps=again, at=LATER))

    assert store.past_gaps(around_noon()) == tuple((one, Span(NOON_S, NOON_S + 300)) for one in again)


def test_a_batch_that_comes_late_shortens_no_gap(store: Store) -> None:
    store.write(batch(gaps=(gap(),), at=LATER))
    store.write(batch(gaps=(gap(),), at=NOON))

    assert store.past_gaps(around_noon()) == ((gap(), Span(NOON_S + 300, NOON_S + 300)),)


def test_each_of_thousands_ends_with_what_is_delivered(store: Store) -> None:
    store.write(batch(gaps=many()))
    told = {one.missing: 1.0 for one in many()[1:]}
    store.write(batch(attributes=(settings(ORDERS, LATER, **told),), at=LATER))

    assert store.gaps() == (gap(missing="metric0000"),)


def test_a_gap_of_another_reason_stands_among_those_said_again(store: Store) -> None:
    first, second, third = many()[:3]
    store.write(batch(gaps=(first, second)))
    worse = replace(second, reason=GapReason.TIMEOUT)
    store.write(batch(gaps=(first, worse, third), at=LATER))

    assert store.gaps() == (first, worse, third)


@pytest.mark.parametrize(("end", "stands"), [(-1, True), (0, False), (1, False)])
def test_a_gap_of_a_stretch_is_not_ended_by_what_is_older(store: Store, end: int, stands: bool) -> None:
    """As when the newest hours were refused, and a slice of the past is read in the same look."""
    refused = replace(gap(), span=Span(NOON_S - 600, NOON_S))
    store.write(batch(gaps=(refused,)))
    store.write(batch(series({}, [(end - 60, end)]), at=LATER))

    assert (store.gaps() == (refused,)) is stands


def test_of_many_series_the_newest_ends_a_gap(store: Store) -> None:
    store.write(batch(gaps=(replace(gap(), span=Span(NOON_S - 600, NOON_S)),)))
    store.write(batch(series({}, [(-9, 0)]), series({}, [(-90, -60)], statistic=Statistic.MAXIMUM), at=LATER))

    assert store.gaps() == ()
