"""Each fault, as cassandra-driver meets it; the other nodes go on."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator

import pytest
from cassandra import InvalidRequest, OperationTimedOut, ReadTimeout, Unauthorized
from cassandra.cluster import NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.protocol import IsBootstrappingErrorMessage, OverloadedErrorMessage

from stillfit.standins.cql import CqlStandin, Fault, FaultKind, Node, Row, StillWorld
from tests.standins.cql.driver import ask, session

CACHES = "SELECT * FROM system_views.caches"
SETTINGS = "SELECT * FROM system_views.settings"


@pytest.fixture
def standin() -> Iterator[CqlStandin]:
    with CqlStandin([Node(name="a"), Node(name="b")], StillWorld()) as started:
        yield started


@pytest.fixture
def client(standin: CqlStandin) -> Iterator[Session]:
    with session(standin) as opened:
        yield opened


def port_of(standin: CqlStandin, name: str) -> int:
    return standin.contact_points["ab".index(name)][1]


@pytest.mark.parametrize(
    ("kind", "errors"),
    [
        (FaultKind.OVERLOADED, OverloadedErrorMessage),
        (FaultKind.BOOTSTRAPPING, IsBootstrappingErrorMessage),
        (FaultKind.READ_TIMEOUT, ReadTimeout),
        (FaultKind.UNAUTHORIZED, Unauthorized),
        (FaultKind.RESET, (ConnectionException, NoHostAvailable, OSError)),
        (FaultKind.GARBAGE, (ConnectionException, NoHostAvailable, OSError)),
        (FaultKind.HANG, OperationTimedOut),
    ],
)
def test_a_fault_on_a_table_hits_that_table_once(
    standin: CqlStandin, client: Session, kind: FaultKind, errors: type[Exception] | tuple[type[Exception], ...]
) -> None:
    standin.inject("a", Fault(kind=kind, table="system_views.caches", times=1))
    port = port_of(standin, "a")

    assert ask(client, SETTINGS, port) == []
    with pytest.raises(errors):
        client.execute(CACHES, host=host_on(client, port), timeout=0.3 if kind is FaultKind.HANG else 60)
    assert ask(client, CACHES, port_of(standin, "b")) == []


def host_on(client: Session, port: int) -> object:
    return next(host for host in client.cluster.metadata.all_hosts() if host.endpoint.port == port)


def test_a_missing_table_is_missing_from_the_virtual_schema_too(standin: CqlStandin, client: Session) -> None:
    standin.inject("a", Fault(kind=FaultKind.MISSING_TABLE, table="system_views.caches"))
    port = port_of(standin, "a")

    with pytest.raises(InvalidRequest, match="table caches does not exist"):
        ask(client, CACHES, port)
    tables = ask(client, "SELECT table_name FROM system_virtual_schema.tables", port)
    assert {"table_name": "caches"} not in tables
    assert {"table_name": "settings"} in tables


def test_a_missing_column_is_missing_from_the_virtual_schema_too(standin: CqlStandin, client: Session) -> None:
    standin.inject("a", Fault(kind=FaultKind.MISSING_COLUMN, table="system_views.caches", column="hit_ratio"))
    port = port_of(standin, "a")

    with pytest.raises(InvalidRequest, match="Undefined column name hit_ratio"):
        ask(client, "SELECT hit_ratio FROM system_views.caches", port)
    key = "keyspace_name = 'system_views' AND table_name = 'caches'"
    columns = ask(client, f"SELECT column_name FROM system_virtual_schema.columns WHERE {key}", port)
    assert {"column_name": "hit_ratio"} not in columns
    assert {"column_name": "hit_count"} in columns


def test_a_node_that_is_down_refuses_and_comes_back_on_its_port(standin: CqlStandin) -> None:
    address = standin.contact_points[0]
    standin.inject("a", Fault(kind=FaultKind.DOWN))

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    standin.clear("a")
    socket.create_connection(address).close()


def test_going_down_cuts_the_connections_that_are_open(standin: CqlStandin) -> None:
    with socket.create_connection(standin.contact_points[0], timeout=60) as open_one:
        open_one.sendall(b"\x04\x00\x00\x01\x05\x00\x00\x00\x00")
        assert open_one.recv(9)[4] == 6  # SUPPORTED: the connection is being served
        standin.inject("a", Fault(kind=FaultKind.DOWN))

        while open_one.recv(4096):
            pass  # ends with the connection


def test_a_hanging_node_does_not_even_shake_hands(standin: CqlStandin) -> None:
    standin.inject("a", Fault(kind=FaultKind.HANG))

    with socket.create_connection(standin.contact_points[0], timeout=60) as client:
        client.sendall(b"\x04\x00\x00\x01\x05\x00\x00\x00\x00")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_slow_table_does_not_hold_up_the_others_of_its_connection(standin: CqlStandin, client: Session) -> None:
    standin.inject("a", Fault(kind=FaultKind.SLOW, table="system_views.caches", seconds=600.0))
    host = host_on(client, port_of(standin, "a"))

    client.execute_async(CACHES, host=host)

    assert list(client.execute(SETTINGS, host=host)) == []


def test_a_slow_table_answers_after_its_time(standin: CqlStandin, client: Session) -> None:
    standin.inject("a", Fault(kind=FaultKind.SLOW, table="system_views.caches", seconds=0.2))
    started = time.monotonic()

    assert ask(client, CACHES, port_of(standin, "a")) == []
    assert time.monotonic() - started >= 0.2


def test_stopping_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with CqlStandin([Node(name="a")]) as standin:
        client = socket.create_connection(standin.contact_points[0])
        client.sendall(b"\x04")

    client.close()
    assert {thread for thread in set(threading.enumerate()) - before if thread.name.startswith("cql")} == set()


class Holding(StillWorld):
    """A world of which node b's caches are not told before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def rows(self, node: Node, table: str) -> Iterable[Row]:
        if (node.name, table) == ("b", "system_views.caches"):
            self.is_asked.set()
            assert self.may_answer.wait(600)
        return super().rows(node, table)


def test_while_one_node_stops_the_others_still_name_its_port() -> None:
    world = Holding()
    standin = CqlStandin([Node(name="a"), Node(name="b")], world).start()
    with session(standin) as client:
        ports = [port for _, port in standin.contact_points]
        client.execute_async(CACHES, host=host_on(client, ports[1]))
        assert world.is_asked.wait(60)
        stopping = threading.Thread(target=standin.stop)
        stopping.start()
        try:
            wait_until_refused(standin.nodes[1].address, ports[1])
            peers = ask(client, "SELECT native_port FROM system.peers_v2", ports[0])
        finally:
            world.may_answer.set()
            stopping.join()

    assert peers == [{"native_port": ports[1]}]


def wait_until_refused(address: str, port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            socket.create_connection((address, port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)
    pytest.fail("the node went on listening")
