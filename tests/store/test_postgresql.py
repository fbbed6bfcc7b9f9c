"""What only PostgreSQL can do to us: go away, come back, and serve several replicas."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any, NoReturn

import psycopg
import pytest
import sqlalchemy as sa

from stillfit.clock import FakeClock
from stillfit.errors import StoreError
from stillfit.store.database import Database, postgresql_engine
from stillfit.store.leases import EVALUATION
from stillfit.store.store import Store
from tests.servers.postgresql import PostgreSQLServer
from tests.store.builders import CARTS, NOON, advice, around_noon, batch, message, series


def test_a_restarted_server_is_used_again(make_postgresql: Callable[..., PostgreSQLServer], clock: FakeClock) -> None:
    server = make_postgresql()
    with closing(Store.open(server.url(), clock=clock)) as store:
        store.commit([advice()], epoch=None)
        server.kill()
        with pytest.raises(StoreError, match="it is tried again") as refused:
            store.commit([advice("a2")], epoch=None)
        assert refused.value.retryable

        server.start()
        store.commit([advice("a2")], epoch=None)

        assert store.advice() == (advice(), advice("a2"))


@pytest.mark.server("postgresql")
def test_replicas_see_each_others_series_and_leases(postgresql_url: str) -> None:
    with (
        closing(Store.open(postgresql_url, clock=FakeClock())) as one,
        closing(Store.open(postgresql_url, clock=FakeClock())) as two,
    ):
        for store, subject in ((one, CARTS), (two, CARTS), (one, CARTS)):
            store.write(batch(series({-1: 1.0}, [(-1, 0)], subject=subject), source=str(id(store))))
        lease = one.leases.acquire(EVALUATION, "one", timedelta(minutes=1))
        assert lease is not None

        assert two.leases.acquire(EVALUATION, "two", timedelta(minutes=1)) is None
        assert one.series(around_noon()) == two.series(around_noon()) != ()
        one.commit([advice()], (), [message()], epoch=lease.epoch)
        assert two.outbox.claim(NOON, None) is not None
        assert one.outbox.claim(NOON, lease.epoch) is None


@pytest.mark.server("postgresql")
def test_a_skewed_clock_of_ours_does_not_move_a_lease(postgresql_url: str, clock: FakeClock) -> None:
    with closing(Store.open(postgresql_url, clock=clock)) as store:
        store.leases.acquire("work", "one", timedelta(minutes=1))
        clock.advance(10**6)

        assert store.leases.acquire("work", "two", timedelta(minutes=1)) is None


@pytest.mark.parametrize(("options", "seconds"), [("", "5"), ("?connect_timeout=30", "30")])
def test_a_server_that_does_not_answer_is_waited_for_some_seconds(options: str, seconds: str) -> None:
    engine = postgresql_engine(sa.make_url(f"postgresql://u@127.0.0.1/db{options}"))
    waits: list[str] = []

    @sa.event.listens_for(engine, "do_connect")
    def unanswered(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> NoReturn:
        waits.append(str(options["connect_timeout"]))
        raise psycopg.OperationalError("connection timeout expired")

    with pytest.raises(StoreError), Database(engine).read():
        pass
    assert waits == [seconds]


def test_a_command_says_what_to_do_as_nothing_is_tried_again_for_it() -> None:
    """Nothing listens on port 9, which is nobody's to listen on but root's."""
    with pytest.raises(StoreError) as refused:
        Store.open("postgresql://u@127.0.0.1:9/db?connect_timeout=30", clock=FakeClock(), exclusive=False)

    assert str(refused.value).endswith("check that it runs and can be reached, then try again")
    assert refused.value.retryable
