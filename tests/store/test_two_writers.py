"""A backfill beside a daemon on one PostgreSQL store: both write the same source."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from stillfit.clock import FakeClock
from stillfit.store.store import Store
from tests.store.builders import CARTS, HOUR, NOON_S, ORDERS, around_noon, batch, series

pytestmark = pytest.mark.server("postgresql")
DAYS = 20


@pytest.fixture
def two(postgresql_url: str, clock: FakeClock) -> Iterator[tuple[Store, Store]]:
    daemon = Store.open(postgresql_url, clock=clock)
    beside = Store.open(postgresql_url, clock=clock, exclusive=False)
    yield daemon, beside
    beside.close()
    daemon.close()


def test_series_that_the_other_one_added_stay(two: tuple[Store, Store]) -> None:
    daemon, beside = two
    daemon.write(batch(series({-3: 1.0}, [(-3, -2)])))
    beside.write(batch(series({-3: 2.0}, [(-3, -2)], subject=CARTS)))
    daemon.write(batch(series({-2: 1.0}, [(-2, -1)])))
    found = {one.subject: one.values.tolist() for one in daemon.series(around_noon())}

    assert (found, daemon.gaps()) == ({ORDERS: [1.0, 1.0], CARTS: [2.0]}, ())


def test_hours_of_one_week_that_both_write_at_once_are_all_there(two: tuple[Store, Store]) -> None:
    def write(store: Store, first: int) -> None:
        for hour in range(first, 2 * DAYS, 2):
            minutes = range(-60 * (hour + 1), -60 * hour)
            store.write(batch(series(dict.fromkeys(minutes, 1.0), [(minutes[0], minutes[-1] + 1)])))

    with ThreadPoolExecutor(2) as pool:
        for task in [pool.submit(write, store, first) for first, store in enumerate(two)]:
            task.result()
    (hourly,) = two[0].hourly(around_noon(2 * DAYS))

    assert hourly.values.tolist() == [60.0] * 2 * DAYS
    assert hourly.times.tolist() == [NOON_S - HOUR * hour for hour in range(2 * DAYS, 0, -1)]
