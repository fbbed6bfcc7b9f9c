"""The stand-in beside a real Cassandra 5.0: the same questions, the same refusals, the same columns and types."""

from collections.abc import Iterator
from typing import Any

import pytest
from cassandra import DriverException
from cassandra.cluster import Session
from cassandra.protocol import ErrorMessage

from stillfit.standins.cql import CqlStandin, Node
from stillfit.standins.cql.catalogue import release
from tests.servers.cassandra import CassandraServer
from tests.standins.cql import record_catalogue
from tests.standins.cql.driver import session as session_of

pytestmark = pytest.mark.server("cassandra")

SAME_WORDS = (
    "SELECT * FROM nowhere.t",
    "SELECT * FROM system_views.nope",
    "SELECT nope FROM system_views.caches",
    'SELECT "Name" FROM system_views.caches',
    "SELECT * FROM caches",
    "SELECT * FROM system_views.caches LIMIT 0",
    "SELECT * FROM system_views.caches WHERE name = 1",
    "SELECT * FROM system_views.caches WHERE name = 'a' AND name = 'b'",
    "SELECT * FROM system_views.caches WHERE name = ?",
    "SELECT nope FROM system.local WHERE key = 'local'",
    "SELECT * FROM system.local WHERE nope = 'x'",
    "SELECT * FROM system_schema.tables WHERE table_name = 'local'",
    "USE nowhere",
)
SAME_CODE = (
    "SELEC",
    "",
    "SELECT * FROM",
    "SELECT schema FROM system_views.gossip_info",
    "SELECT * FROM system_views.caches EXTRA",
    "SELECT * FROM system_views.caches LIMIT 'a'",
    "SELECT * FROM system_views.clients WHERE address = 'x'",
    "DROP TABLE system_views.caches",
)
ANSWERED = (
    "SELECT * FROM system.local WHERE key = 'local'",
    "SELECT * FROM system.peers_v2",
    "select NAME from System_Views.Caches where name = 'nothing like it';",
    "SELECT * FROM system_views.disk_usage WHERE keyspace_name = 'nowhere'",
    "SELECT * FROM system_views.disk_usage WHERE table_name = 'nothing' ALLOW FILTERING",
    "SELECT * FROM system_views.caches WHERE hit_ratio = 7",
    'SELECT "schema" FROM system_views.gossip_info LIMIT 1',
    "SELECT * FROM system.top_partitions",
)


@pytest.fixture(scope="module")
def real(cassandra: CassandraServer) -> Iterator[Session]:
    with cassandra.session(protocol_version=4) as opened:
        yield opened


@pytest.fixture(scope="module")
def standin() -> Iterator[Session]:
    with CqlStandin([Node(name="a")]) as started, session_of(started) as opened:
        yield opened


def refusal(session: Session, query: str) -> tuple[str, str]:
    with pytest.raises((DriverException, ErrorMessage)) as refused:
        session.execute(query)
    return type(refused.value).__name__, str(refused.value)


@pytest.mark.parametrize("query", SAME_WORDS)
def test_it_refuses_in_the_same_words(real: Session, standin: Session, query: str) -> None:
    assert refusal(standin, query) == refusal(real, query)


@pytest.mark.parametrize("query", SAME_CODE)
def test_it_refuses_with_the_same_error(real: Session, standin: Session, query: str) -> None:
    assert refusal(standin, query)[0] == refusal(real, query)[0]


@pytest.mark.parametrize("query", ANSWERED)
def test_it_answers_with_the_same_columns_and_types(real: Session, standin: Session, query: str) -> None:
    assert shape(standin, query) == shape(real, query)


def shape(session: Session, query: str) -> list[tuple[str, str]]:
    found: Any = session.execute(query)
    return [
        (name, kind.cql_parameterized_type()) for name, kind in zip(found.column_names, found.column_types, strict=True)
    ]


def test_the_recording_is_what_a_server_says_today(cassandra: CassandraServer) -> None:
    recorded = record_catalogue.record_from(cassandra.nodes[0].address, cassandra.port)
    known = release("5.0")

    assert {*recorded["stored"], *recorded["virtual"]} == set(known.tables)
    for name, columns in (recorded["stored"] | recorded["virtual"]).items():
        assert {c.name: f"{c.kind} {c.position} {c.type}" for c in known.tables[name].columns} == columns
