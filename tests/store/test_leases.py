from __future__ import annotations

import time
from datetime import timedelta

import pytest

from stillfit.clock import FakeClock
from stillfit.errors import LeaseLostError
from stillfit.store.leases import Lease, collecting
from stillfit.store.store import Store
from tests.store.builders import batch, series

TTL = timedelta(seconds=30)


def take(store: Store, owner: str, ttl: timedelta = TTL) -> Lease:
    lease = store.leases.acquire("work", owner, ttl)
    assert lease is not None
    return lease


def test_one_holds_a_lease_until_it_is_released(store: Store) -> None:
    first = take(store, "one")
    assert store.leases.acquire("work", "two", TTL) is None

    store.leases.release(first)

    assert take(store, "two").epoch == first.epoch + 1


def test_an_expired_lease_goes_to_the_next_and_the_old_holder_learns_it(store: Store, clock: FakeClock) -> None:
    short = timedelta(milliseconds=50)
    first = take(store, "one", short)
    clock.advance(0.05)
    while store.leases.acquire("work", "two", TTL) is None:
        time.sleep(0.01)  # PostgreSQL goes by its own clock

    with pytest.raises(LeaseLostError, match="'work'"):
        store.leases.renew(first, TTL)


def test_a_renewed_lease_keeps_its_epoch(store: Store) -> None:
    first = take(store, "one")
    renewed = store.leases.renew(first, 2 * TTL)

    assert (renewed.epoch, renewed.owner) == (first.epoch, "one")
    assert renewed.expires_at > first.expires_at


def test_its_own_lease_is_taken_anew_under_a_new_epoch(store: Store) -> None:
    first = take(store, "one")

    assert take(store, "one").epoch == first.epoch + 1
    with pytest.raises(LeaseLostError):
        store.leases.renew(first, TTL)


def test_releasing_a_lost_lease_does_no_harm(store: Store) -> None:
    first = take(store, "one")
    store.leases.release(first)
    take(store, "two")
    store.leases.release(first)

    assert store.leases.acquire("work", "three", TTL) is None


def test_a_batch_of_a_lost_collector_is_refused_as_a_whole(store: Store) -> None:
    lease = store.leases.acquire(collecting("cloudwatch"), "one", TTL)
    assert lease is not None

    with pytest.raises(LeaseLostError, match="collecting cloudwatch"):
        store.write(batch(series({-1: 1.0}, [(-1, 0)])), epoch=lease.epoch + 1)

    assert (store.subjects(), store.last_end("cloudwatch")) == ((), None)
    store.write(batch(series({-1: 1.0}, [(-1, 0)])), epoch=lease.epoch)
    assert store.last_end("cloudwatch") is not None
