from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.model import Span
from stillfit.store import schema
from stillfit.store.retention import Retention
from stillfit.store.store import Store
from tests.store.builders import (
    DAY,
    HOUR,
    NOON,
    NOON_S,
    advice,
    around_noon,
    batch,
    gap,
    message,
    series,
    settings,
    transition,
)

ALWAYS = Span(0, NOON_S + 2000 * DAY)


@pytest.mark.parametrize(
    ("period_s", "age", "stays"),
    [(60, timedelta(days=14), True), (60, timedelta(days=16), False), (300, timedelta(days=62), True),
     (300, timedelta(days=64), False), (HOUR, timedelta(days=392), True), (HOUR, timedelta(days=408), False)],
)  # fmt: skip
def test_samples_stay_as_long_as_their_period_says(store: Store, period_s: int, age: timedelta, stays: bool) -> None:
    store.write(batch(series({-1: 1.0}, [(-1, 0)], period_s=period_s)))

    store.prune(NOON + age)

    assert bool(store.series(around_noon(24))) is stays


def test_hours_stay_longer_than_their_minutes_and_go_at_last(store: Store, clock: FakeClock) -> None:
    clock.advance(DAY)
    store.write(batch(series({-60: 1.0}, [(-60, 0)])))

    store.prune(NOON + timedelta(days=100))
    assert len(store.hourly(around_noon(24))) == 1

    store.prune(NOON + timedelta(days=420))
    assert store.hourly(around_noon(24)) == ()


def test_old_records_go_and_what_stands_stays(store: Store) -> None:
    live, closed = advice("live", 1, AdviceState.OPEN), advice("closed", 1, AdviceState.RESOLVED)
    store.commit(
        [live, closed], [transition("live"), transition("closed")], [message("live"), message("closed")], epoch=None
    )
    row = store.outbox.claim(NOON, None)
    assert row is not None
    store.outbox.mark_sent(row.id, "ts", epoch=None)
    store.write(batch(attributes=(settings(mode="A"),), gaps=(gap(missing="stands"), gap(missing="ends"))))
    later = NOON + timedelta(hours=1)
    store.write(batch(attributes=(settings(at=later, mode="B", ends=1.0),), at=later))

    store.prune(NOON + timedelta(days=401))

    assert store.advice() == (live,)
    assert store.transitions() == (transition("live"),)
    assert len(store.outbox.queued()) == 1
    assert (store.changes(ALWAYS), store.gaps(), len(store.attributes())) == ((), (gap(missing="stands"),), 1)


def test_pruning_goes_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillfit.store.retention.CHUNKS_AT_ONCE", 2)
    store.write(batch(series({-60 * hour: 1.0 for hour in range(1, 8)}, [(-480, 0)])))

    store.prune(NOON + timedelta(days=30))

    with store._samples.read() as connection:
        left = connection.scalar(sa.select(sa.func.count()).where(schema.chunk.c.facet == 0))
    assert left == 0


def test_a_shorter_retention_can_be_set(store: Store) -> None:
    store.write(batch(series({-1: 1.0}, [(-1, 0)])))

    store.prune(NOON + timedelta(hours=3), replace(Retention(), minutes=timedelta(hours=1)))

    assert store.series(around_noon()) == ()
