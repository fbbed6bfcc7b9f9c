"""PostgreSQL itself: what the store's tests build on."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers.postgresql import PostgreSQLServer


def connect(url: str) -> Connection:
    return create_engine(url, poolclass=NullPool).connect()


def test_a_row_comes_back_as_it_was_written(postgresql_url: str) -> None:
    with connect(postgresql_url) as connection:
        connection.execute(text("CREATE TABLE chunk (body bytea)"))
        connection.execute(text("INSERT INTO chunk VALUES (:body)"), {"body": b"\x00\xff"})

        assert connection.scalar(text("SELECT body FROM chunk")) == b"\x00\xff"


def test_each_test_has_a_database_of_its_own(postgresql: PostgreSQLServer, postgresql_url: str) -> None:
    with postgresql.database() as other, connect(other) as connection:
        assert other != postgresql_url
        assert connection.scalar(text("SELECT count(*) FROM pg_stat_user_tables")) == 0


def crash(server: PostgreSQLServer) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("end", [PostgreSQLServer.restart, crash])
def test_what_was_committed_outlives_the_server(
    make_postgresql: Callable[..., PostgreSQLServer], end: Callable[[PostgreSQLServer], None]
) -> None:
    server = make_postgresql()
    with connect(server.url()) as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 7 AS seven"))
        connection.commit()

    end(server)

    with connect(server.url()) as connection:
        assert connection.scalar(text("SELECT seven FROM kept")) == 7


def test_a_paused_server_answers_only_when_it_goes_on(make_postgresql: Callable[..., PostgreSQLServer]) -> None:
    server = make_postgresql()

    server.sigstop()
    with pytest.raises(OperationalError, match="timeout"):
        connect(server.url().replace("connect_timeout=60", "connect_timeout=2"))
    server.sigcont()

    with connect(server.url()) as connection:
        assert connection.scalar(text("SELECT 1")) == 1
