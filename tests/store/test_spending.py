"""What looking has cost, by month and source, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from collector.aws.spending.purse import AHEAD, Purse
from stillfit.clock import FakeClock
from stillfit.store.store import Store

HERE, THERE = "aws/default/eu-west-1", "aws/default/us-east-1"


def test_sums_are_added_up_by_month_and_source(store: Store) -> None:
    for month, source, usd in (("2026-11", HERE, 2.0), ("2026-11", THERE, 1.0), ("2026-12", HERE, 4.0)):
        store.spending.add(month, source, usd)
    store.spending.add("2026-11", HERE, -0.5)

    assert store.spending.spent("2026-11") == {HERE: 1.5, THERE: 1.0}
    assert store.spending.spent("2026-12") == {HERE: 4.0}
    assert store.spending.spent("2027-01") == {}


def test_what_many_spend_at_once_is_all_there(store: Store) -> None:
    def spend(_: int) -> None:
        store.spending.add("2026-11", HERE, 0.25)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(80)))

    assert store.spending.spent("2026-11") == {HERE: 20.0}


@pytest.mark.server("postgresql")
def test_a_backfill_beside_a_daemon_that_is_killed_takes_nothing_back_of_it(
    postgresql_url: str, clock: FakeClock
) -> None:
    daemon, beside = (Store.open(postgresql_url, clock=clock, exclusive=exclusive) for exclusive in (True, False))
    killed, backfill = (Purse(clock, one.spending).till(HERE) for one in (daemon, beside))
    for till in (killed, backfill):
        for _ in range(40):
            till.take(0.001)
    backfill.settle()
    spent = daemon.spending.spent("2026-11")[HERE]
    beside.close()
    daemon.close()

    assert 0.08 <= spent <= 0.04 * (1 + AHEAD) + 0.04 + 1e-9
