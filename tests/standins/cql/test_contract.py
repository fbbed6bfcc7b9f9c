"""The stand-in through cassandra-driver: topology, schema, rows, pages and refusals."""

from collections.abc import Iterator

import pytest
from cassandra import InvalidRequest, Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable, Session
from cassandra.protocol import SyntaxException
from cassandra.query import SimpleStatement

from stillfit.standins.cql import CqlStandin, Node, Role, StillWorld
from tests.standins.cql.driver import SHOP, ask, session

NODES = (
    Node(name="a", rack="r1"),
    Node(name="b", rack="r2", generation=1_800_000_000),
    Node(name="c", rack="r3", release="4.1"),
)
TOMBSTONES = "system_views.tombstones_per_read"


@pytest.fixture
def world() -> StillWorld:
    return StillWorld([SHOP])


@pytest.fixture
def standin(world: StillWorld) -> Iterator[CqlStandin]:
    with CqlStandin(NODES, world) as started:
        yield started


@pytest.fixture
def client(standin: CqlStandin) -> Iterator[Session]:
    with session(standin) as opened:
        yield opened


def test_the_driver_finds_every_node_with_its_place_and_release(client: Session) -> None:
    hosts = client.cluster.metadata.all_hosts()

    assert {(host.rack, host.release_version) for host in hosts} == {
        ("r1", "5.0.9"),
        ("r2", "5.0.9"),
        ("r3", "4.1.10"),
    }


def test_one_contact_point_leads_to_all_ports(standin: CqlStandin) -> None:
    with Cluster(standin.contact_points[:1], protocol_version=4) as cluster:
        cluster.connect()
        found = sorted((host.endpoint.address, host.endpoint.port) for host in cluster.metadata.all_hosts())

    assert found == sorted(standin.contact_points)


def test_a_driver_left_to_negotiate_comes_down_to_version_4(standin: CqlStandin) -> None:
    with Cluster(standin.contact_points) as cluster:
        cluster.connect()

        assert cluster.protocol_version == 4


def test_the_driver_builds_its_schema_from_ours(client: Session) -> None:
    table = client.cluster.metadata.keyspaces["shop"].tables["jobs"]

    assert [column.name for column in table.primary_key] == ["queue", "at"]
    assert table.options["gc_grace_seconds"] == 3600
    assert client.cluster.metadata.keyspaces["system_views"].virtual


def test_each_node_tells_its_own_rows(standin: CqlStandin, world: StillWorld, client: Session) -> None:
    for count, node in enumerate(NODES):
        world.put(TOMBSTONES, {"keyspace_name": "shop", "table_name": "jobs", "count": count}, node=node.name)

    told = [ask(client, f"SELECT count FROM {TOMBSTONES}", port) for _, port in standin.contact_points]

    assert told == [[{"count": 0}], [{"count": 1}], [{"count": 2}]]


def test_the_world_is_asked_anew_by_every_query(world: StillWorld, client: Session) -> None:
    world.put(TOMBSTONES, {"keyspace_name": "shop", "table_name": "jobs", "p99th": 1.0})
    before = ask(client, f"SELECT p99th FROM {TOMBSTONES}")
    world.put(TOMBSTONES, {"keyspace_name": "shop", "table_name": "jobs", "p99th": 5722.0})

    assert (before, ask(client, f"SELECT p99th FROM {TOMBSTONES}")) == ([{"p99th": 1.0}], [{"p99th": 5722.0}])


def test_a_row_may_be_picked_by_its_key(world: StillWorld, client: Session) -> None:
    world.put("system_views.caches", {"name": "keys", "entry_count": 3}, {"name": "rows", "entry_count": 0})

    assert ask(client, "SELECT entry_count FROM system_views.caches WHERE name = 'keys'") == [{"entry_count": 3}]


@pytest.mark.parametrize("page", [1, 3, 7, 10, 11])
def test_pages_together_are_the_whole(world: StillWorld, client: Session, page: int) -> None:
    world.put("system_views.settings", *({"name": f"s{i}", "value": str(i)} for i in range(10)))

    rows = client.execute(SimpleStatement("SELECT value FROM system_views.settings", fetch_size=page))

    assert [row["value"] for row in rows] == [str(i) for i in range(10)]


def test_a_paging_state_of_another_query_is_refused(world: StillWorld, client: Session) -> None:
    world.put("system_views.settings", *({"name": f"s{i}"} for i in range(10)))
    first = client.execute(SimpleStatement("SELECT name FROM system_views.settings", fetch_size=3))

    with pytest.raises(InvalidRequest, match="Invalid value for the paging state"):
        client.execute("SELECT value FROM system_views.settings", paging_state=first.paging_state)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("SELECT * FROM nowhere.t", InvalidRequest, "keyspace nowhere does not exist"),
        ("SELECT * FROM system_views.nope", InvalidRequest, "table nope does not exist"),
        ("SELECT nope FROM system.local", InvalidRequest, "Undefined column name nope in table system.local"),
        ("SELECT * FROM local", InvalidRequest, "No keyspace has been specified"),
        ("SELECT * FROM system_schema.tables WHERE table_name='t'", InvalidRequest, "use ALLOW FILTERING"),
        ("SELECT * FROM system_views.caches WHERE name=1", InvalidRequest, "Invalid INTEGER constant"),
        ("SELECT * FROM system_views.clients WHERE address='x'", InvalidRequest, "Unable to make inet from 'x'"),
        ("SELECT * FROM system_views.caches WHERE name='a' AND name='b'", InvalidRequest, "more than one relation"),
        ("USE nowhere", InvalidRequest, "Keyspace 'nowhere' does not exist"),
        ("SELEC", SyntaxException, "no viable alternative"),
        ("TRUNCATE shop.jobs", Unauthorized, "only SELECT is answered"),
    ],
)
def test_a_bad_query_gets_the_error_of_the_server(
    client: Session, query: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.execute(query)


def test_a_table_that_an_older_node_lacks_is_missing_there_alone(standin: CqlStandin, client: Session) -> None:
    query = "SELECT * FROM system_views.max_sstable_size"

    assert ask(client, query, standin.contact_points[0][1]) == []
    with pytest.raises(InvalidRequest, match="table max_sstable_size does not exist"):
        ask(client, query, standin.contact_points[2][1])


def test_a_restart_is_told_by_the_generation(standin: CqlStandin, world: StillWorld, client: Session) -> None:
    world.put("system.local", {"gossip_generation": 1_900_000_000}, node="a")

    told = [ask(client, "SELECT gossip_generation FROM system.local", port) for _, port in standin.contact_points[:2]]

    assert told == [[{"gossip_generation": 1_900_000_000}], [{"gossip_generation": 1_800_000_000}]]


@pytest.mark.parametrize(
    "row",
    [{"name": "keys", "colour": "red"}, {"name": "keys", "entry_count": "many"}],
    ids=["unknown column", "wrong type"],
)
def test_a_mistake_of_the_world_is_told_and_not_served(
    world: StillWorld, client: Session, row: dict[str, object]
) -> None:
    world.put("system_views.caches", row)

    with pytest.raises(Exception, match=r"the world gave system_views\.caches"):
        client.execute("SELECT * FROM system_views.caches")


def test_every_query_is_on_record(standin: CqlStandin, client: Session) -> None:
    ask(client, "SELECT name FROM system_views.caches", standin.contact_points[1][1])

    assert (standin.asked[-1].node, standin.asked[-1].text) == ("b", "SELECT name FROM system_views.caches")


def test_a_role_reads_what_it_was_granted_and_what_everybody_may(world: StillWorld) -> None:
    monitor = Role(name="monitor", password="secret", grants=frozenset({"system_views", "system.top_partitions"}))
    with (
        CqlStandin(NODES[:1], world, roles=[monitor]) as standin,
        session(standin, auth_provider=PlainTextAuthProvider("monitor", "secret")) as client,
    ):
        for readable in ("system.local", "system_schema.tables", "system_views.caches", "system.top_partitions"):
            client.execute(f"SELECT * FROM {readable}")
        for denied in ("system.compaction_history", "system.prepared_statements", "shop.jobs"):
            with pytest.raises(Unauthorized, match=f"User monitor has no SELECT permission on <table {denied}>"):
                client.execute(f"SELECT * FROM {denied}")


@pytest.mark.parametrize("auth", [None, PlainTextAuthProvider("monitor", "wrong")], ids=["none", "wrong"])
def test_nobody_comes_in_without_the_password(auth: PlainTextAuthProvider | None) -> None:
    roles = [Role(name="monitor", password="secret")]
    with (
        CqlStandin(NODES[:1], roles=roles) as standin,
        pytest.raises(NoHostAvailable),
        session(standin, auth_provider=auth),
    ):
        pass
