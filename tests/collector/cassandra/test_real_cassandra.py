"""The collector on a real server: what it tells of tables that were really written, deleted and read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event

import pytest
from cassandra.cluster import Session

from collector.cassandra.connection import Peer, connect
from collector.cassandra.source import CassandraSource
from stillfit.config import Cassandra
from stillfit.errors import SourceError
from stillfit.model import Batch, GapReason, Series, Statistic
from stillfit.series import bucket_lower_edge
from tests.collector.cassandra.cluster import PATIENT
from tests.collector.cassandra.hurry import Hurried
from tests.servers.cassandra import CassandraServer
from tests.servers.fixtures import MakeCassandra

pytestmark = pytest.mark.server("cassandra")

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def session(cassandra: CassandraServer, keyspace: str) -> Iterator[Session]:
    with cassandra.session() as opened:
        opened.set_keyspace(keyspace)
        yield opened


@pytest.fixture
def source(cassandra: CassandraServer, keyspace: str) -> Iterator[CassandraSource]:
    opened = source_of(cassandra, keyspace)
    yield opened
    opened.close()


def source_of(server: CassandraServer, keyspace: str) -> CassandraSource:
    points = tuple(server.contact_points)
    settings = Cassandra(cluster="real", contact_points=points, port=server.port, include=(f"{keyspace}.*",))

    def hangs(peer: Peer, _statement: str) -> bool:
        return server.is_paused(peer.name)

    return CassandraSource(
        settings, connect=lambda cassandra: Hurried(connect(cassandra, timeout_s=60.0), hangs), patience=PATIENT
    )


class Collected:
    """The batches of one collection after the other, a minute apart."""

    def __init__(self, source: CassandraSource) -> None:
        self._source = source
        self._minutes = count()

    def again(self) -> list[Batch]:
        return list(self._source.collect(None, START + timedelta(minutes=next(self._minutes))))


def only(batches: list[Batch], metric: str, statistic: Statistic, table: str) -> Series:
    (found,) = [
        one
        for batch in batches
        for one in batch.series
        if (one.metric, one.statistic, one.subject.table) == (metric, statistic, table)
    ]
    return found


def write_delete_and_read(session: Session, rows: int, reads: int) -> None:
    session.execute("CREATE TABLE queue (shard int, id int, PRIMARY KEY (shard, id)) WITH gc_grace_seconds = 3600")
    insert = session.prepare("INSERT INTO queue (shard, id) VALUES (0, ?)")
    delete = session.prepare("DELETE FROM queue WHERE shard = 0 AND id = ?")
    for number in range(rows):
        session.execute(insert, [number])
        session.execute(delete, [number])
    for _ in range(reads):
        session.execute("SELECT * FROM queue WHERE shard = 0 LIMIT 10")


def test_tombstones_that_were_read_are_told_of_the_replica(
    cassandra: CassandraServer, keyspace: str, session: Session, source: CassandraSource
) -> None:
    write_delete_and_read(session, rows=500, reads=20)

    tombstones = only(Collected(source).again(), "tombstones_per_read", Statistic.P99, "queue")

    assert tombstones.subject.name == f"{keyspace}.queue on {cassandra.nodes[0].address}"
    (upper,) = tombstones.values
    assert bucket_lower_edge(upper) < 500 <= upper


def test_reads_and_writes_are_counted_between_two_collections(session: Session, source: CassandraSource) -> None:
    collected = Collected(source)
    session.execute("CREATE TABLE other (id int PRIMARY KEY)")
    collected.again()
    write_delete_and_read(session, rows=50, reads=7)
    collected.again()  # the table is new: its own first reading
    for number in range(30):
        session.execute("INSERT INTO queue (shard, id) VALUES (1, %s)", [number])
    session.execute("SELECT * FROM queue WHERE shard = 1")
    batches = collected.again()

    assert list(only(batches, "writes", Statistic.SUM, "queue").values) == [30.0]
    assert list(only(batches, "reads", Statistic.SUM, "queue").values) == [1.0]
    assert list(only(batches, "reads", Statistic.SUM, "other").values) == [0.0]


def test_a_quiet_table_has_no_tombstones_and_no_zero_either(session: Session, source: CassandraSource) -> None:
    session.execute("CREATE TABLE quiet (id int PRIMARY KEY)")

    tombstones = only(Collected(source).again(), "tombstones_per_read", Statistic.MAXIMUM, "quiet")

    assert (list(tombstones.values), len(tombstones.covered)) == ([], 1)


def test_a_table_is_described_as_it_was_made(session: Session, source: CassandraSource) -> None:
    session.execute(
        "CREATE TABLE events (day text, at timeuuid, labels set<text>, fixed frozen<list<int>>, PRIMARY KEY (day, at)) "
        "WITH CLUSTERING ORDER BY (at DESC) AND gc_grace_seconds = 7200 AND default_time_to_live = 86400 AND "
        "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', "
        "'compaction_window_size': 6, 'unchecked_tombstone_compaction': true}"
    )
    session.prepare("INSERT INTO events (day, at, labels) VALUES (?, ?, ?) USING TTL ?")
    session.prepare("DELETE FROM events WHERE day = ?")

    (events,) = [a for batch in Collected(source).again() for a in batch.attributes if a.subject.table == "events"]

    assert dict(events.values) == {
        "bloom_filter_fp_chance": 0.01,
        "clustering_columns": ("at",),
        "clustering_types": ("timeuuid",),
        "collections": ("labels",),
        "compaction": "TimeWindowCompactionStrategy",
        "compaction_window_s": 21_600.0,
        "default_ttl_s": 86_400.0,
        "gc_grace_s": 7200.0,
        "only_purge_repaired": False,
        "prepared_collection_overwrites": 1.0,
        "prepared_deletes": 1.0,
        "prepared_deletes_partition": 1.0,
        "prepared_insert_columns": 3.0,
        "prepared_inserts": 1.0,
        "prepared_ttl": 1.0,
        "regular_columns": 2.0,
        "replication_factor": 1.0,
        "unchecked_tombstone_compaction": True,
        "unsafe_aggressive_expiration": False,
    }


def test_a_node_is_described_with_its_thresholds(cassandra: CassandraServer, source: CassandraSource) -> None:
    (node,) = [a for batch in Collected(source).again() for a in batch.attributes if a.subject.node]

    assert (node.get("tombstone_warn_threshold"), node.get("max_hint_window_s")) == (1000.0, 10_800.0)
    assert node.get("version") == cassandra.options.version


def test_a_healthy_server_leaves_only_the_gaps_that_are_known(source: CassandraSource) -> None:
    collected = Collected(source)
    collected.again()
    gaps = [gap for batch in collected.again() for gap in batch.gaps if gap.reason is not GapReason.NOT_ASKED]

    assert {(gap.missing, gap.reason) for gap in gaps} == {
        ("local_read_latency_ms", GapReason.PARTIAL),
        ("local_write_latency_ms", GapReason.PARTIAL),
        ("droppable_tombstone_ratio", GapReason.NOT_CONFIGURED),
        ("oldest_sstable_age_s", GapReason.NOT_CONFIGURED),
        ("sstables_per_read", GapReason.NOT_CONFIGURED),
        ("percent_repaired", GapReason.NOT_CONFIGURED),
        ("pending_compactions", GapReason.NOT_CONFIGURED),
    }


def test_a_restart_resets_the_counters_and_is_told(make_cassandra: MakeCassandra) -> None:
    server = make_cassandra()
    collected = Collected(source := source_of(server, "shop"))
    collected.again()
    server.stop()
    server.nodes[0].start()

    gaps = [gap for batch in until_read(collected) for gap in batch.gaps if gap.missing == "reads"]
    source.close()

    assert [gap.reason for gap in gaps] == [GapReason.NO_DATA]
    assert "restarted" in gaps[0].detail


def until_read(collected: Collected) -> list[Batch]:
    """The first collection after the driver found its way back (it tries again after 1, 2, 4 ... s)."""
    for _ in range(1_800):
        try:
            return collected.again()
        except SourceError:
            Event().wait(0.1)
    raise AssertionError("the driver did not come back within three minutes")


def test_a_paused_node_is_a_gap_and_the_others_tell_each_its_own(make_cassandra: MakeCassandra) -> None:
    server = make_cassandra(nodes=3)
    with server.session() as session:
        session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE k.t (id int PRIMARY KEY)")
    collected = Collected(source := source_of(server, "k"))
    collected.again()
    with server.session() as session:
        for number in range(90):
            session.execute("INSERT INTO k.t (id) VALUES (%s)", [number])
    whole = collected.again()
    server.sigstop(2)
    partly = collected.again()
    server.sigcont(2)
    source.close()

    writes = [one.values.sum() for batch in whole for one in batch.series if one.metric == "writes"]
    assert (len(writes), sum(writes)) == (3, 90.0)
    assert [batch.gaps[0].missing for batch in partly if batch.gaps and not batch.series and not batch.inventory] == [
        "*"
    ]
    assert len({one.subject.node for batch in partly for one in batch.series}) == 2
