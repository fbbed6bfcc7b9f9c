"""One replica judges and sends; another takes over when it falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit.clock import FakeClock
from stillfit.store.store import Store
from stillfit.tenure import TTL, Tenure


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/s.db", clock=clock, ballast_bytes=0)
    yield opened
    opened.close()


@pytest.fixture
def ours(store: Store, clock: FakeClock) -> Tenure:
    return Tenure(store.leases, "a", clock)


@pytest.fixture
def theirs(store: Store, clock: FakeClock) -> Tenure:
    return Tenure(store.leases, "b", clock)


def test_the_epoch_stays_while_the_lease_is_renewed(ours: Tenure, clock: FakeClock) -> None:
    first = ours.epoch()
    clock.advance(TTL.total_seconds() - 1)

    assert ours.epoch() == first is not None


def test_another_replica_waits_while_the_holder_is_alive(ours: Tenure, theirs: Tenure) -> None:
    ours.epoch()

    assert theirs.epoch() is None


def test_a_silent_holder_is_replaced_under_a_higher_epoch(ours: Tenure, theirs: Tenure, clock: FakeClock) -> None:
    before = ours.epoch()
    clock.advance(TTL.total_seconds())

    after = theirs.epoch()

    assert before is not None
    assert after is not None
    assert after > before
    assert ours.epoch() is None


def test_a_clean_end_lets_another_take_over_at_once(ours: Tenure, theirs: Tenure) -> None:
    ours.epoch()
    ours.end()

    assert theirs.epoch() is not None
