"""The real servers as fixtures. What is asked for is started at its first use and ended with the tests.

`cassandra` and `postgresql` are shared by all tests: take a `keyspace` or a `postgresql_url` of your own in them, and
never stop, pause or reconfigure them. The `make_*` fixtures start one that is yours alone, to break as you like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from stillfit.clock import FakeClock
from tests.servers.cassandra import CassandraServer
from tests.servers.cassandra_files import CassandraOptions
from tests.servers.postgresql import PostgreSQLServer
from tests.servers.process import running
from tests.servers.prometheus import PrometheusServer
from tests.servers.victoriametrics import VictoriaMetricsServer

_keyspace_numbers = count(1)


class MakeCassandra(Protocol):
    def __call__(
        self, *, nodes: int = 1, settings: Mapping[str, object] | None = None, heap: str = "256M"
    ) -> CassandraServer: ...


class MakePrometheus(Protocol):
    def __call__(
        self, *targets: str, job: str = "stillfit", rule_files: Sequence[Path] = (), history: str = ""
    ) -> PrometheusServer: ...


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves only when told, from Monday 2026-11-02 12:00 UTC on."""
    return FakeClock()


@pytest.fixture(scope="session")
def cassandra() -> Iterator[CassandraServer]:
    """One node of Cassandra 5.0 as it comes, without authentication, shared by all tests."""
    with running(CassandraServer()) as server:
        yield server


@pytest.fixture
def keyspace(cassandra: CassandraServer) -> Iterator[str]:
    """The name of an empty keyspace in the shared Cassandra, dropped with all its tables after the test."""
    name = f"test_{next(_keyspace_numbers)}"
    with cassandra.session() as session:
        session.execute(
            f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        )
        yield name
        session.execute(f"DROP KEYSPACE {name}")


@pytest.fixture
def make_cassandra() -> Iterator[MakeCassandra]:
    """`make_cassandra(nodes=3, settings={"tombstone_warn_threshold": 100})`: a started cluster for this test alone."""
    with ExitStack() as servers:

        def make(
            *, nodes: int = 1, settings: Mapping[str, object] | None = None, heap: str = "256M"
        ) -> CassandraServer:
            options = CassandraOptions(nodes=nodes, settings=settings or {}, heap=heap)
            return servers.enter_context(running(CassandraServer(options)))

        yield make


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL shared by all tests."""
    with running(PostgreSQLServer()) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQLServer) -> Iterator[str]:
    """`postgresql+psycopg://...` of an empty database in the shared server, dropped after the test."""
    with postgresql.database() as url:
        yield url


@pytest.fixture
def make_postgresql() -> Iterator[Callable[..., PostgreSQLServer]]:
    """`make_postgresql("max_connections=5")`: a started server for this test alone."""
    with ExitStack() as servers:
        yield lambda *settings: servers.enter_context(running(PostgreSQLServer(*settings)))


@pytest.fixture
def make_prometheus() -> Iterator[MakePrometheus]:
    """`make_prometheus("127.0.0.1:9115")`: a started Prometheus that scrapes these targets every second."""
    with ExitStack() as servers:

        def make(
            *targets: str, job: str = "stillfit", rule_files: Sequence[Path] = (), history: str = ""
        ) -> PrometheusServer:
            server = PrometheusServer(*targets, job=job, rule_files=rule_files, history=history)
            return servers.enter_context(running(server))

        yield make


@pytest.fixture
def make_victoriametrics() -> Iterator[Callable[[str], VictoriaMetricsServer]]:
    """`make_victoriametrics(text)`: a started VictoriaMetrics that holds the OpenMetrics text, with its timestamps."""
    with ExitStack() as servers:
        yield lambda history: servers.enter_context(running(VictoriaMetricsServer(history)))
