"""The collector against the stand-in: what it tells of a healthy cluster, and that it tells nothing it should not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from collector.cassandra.source import CassandraSource
from collector.source import Source
from stillfit.attributes import ATTRIBUTES
from stillfit.metrics import METRICS
from stillfit.model import GapReason, Statistic, Subject
from stillfit.standins.cql import CqlStandin, Family, Keyspace, Node, Role, StillWorld
from tests.collector.cassandra.cluster import (
    JOBS,
    NETWORK,
    NODES,
    NOON,
    SECRET,
    SHOP,
    collect,
    fill,
    source_of,
    world_of,
)


@pytest.fixture
def world() -> StillWorld:
    return world_of(NODES)


@pytest.fixture
def standin(world: StillWorld) -> Iterator[CqlStandin]:
    with CqlStandin(NODES, world) as started:
        yield started


@pytest.fixture
def source(standin: CqlStandin) -> Iterator[CassandraSource]:
    opened = source_of(standin)
    yield opened
    opened.close()


def test_each_node_is_asked_for_its_own_figures(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    fill(world, "b", p99=924.0)

    told = collect(source, standin)

    assert told.values("tombstones_per_read", Statistic.P99) == {"a": [310.0], "b": [924.0]}


def test_counters_become_growth_with_the_second_reading(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    first = collect(source, standin)
    fill(world, "a", reads=60)
    second = collect(source, standin, minute=1)

    assert first.values("reads") == {}
    assert "reads" in first.gaps(GapReason.NO_DATA, "a")
    assert second.values("reads") == {"a": [60.0], "b": [0.0]}
    assert second.gaps(GapReason.NO_DATA, "a") == set()


def test_pools_caches_and_clients_are_told_of_the_node(source: CassandraSource, standin: CqlStandin) -> None:
    collect(source, standin)
    told = collect(source, standin, minute=1)

    assert told.values("thread_pool_pending", Statistic.LAST, "ReadStage") == {"a": [4.0], "b": [4.0]}
    assert told.values("cache_hits", Statistic.SUM, "keys") == {"a": [0.0], "b": [0.0]}
    assert told.values("clients", Statistic.LAST) == {"a": [2.0], "b": [2.0]}
    assert told.values("pending_hints", Statistic.LAST) == {"a": [0.0], "b": [0.0]}
    assert told.values("top_partition_tombstones", Statistic.LAST) == {"a": [7000.0], "b": [7000.0]}


def test_a_table_comes_with_its_settings_replicas_and_prepared_statements(
    source: CassandraSource, standin: CqlStandin
) -> None:
    table = collect(source, standin).table()

    assert (table["compaction"], table["gc_grace_s"], table["replication_factor"]) == (
        "SizeTieredCompactionStrategy",
        3600.0,
        2.0,
    )
    assert (table["prepared_inserts"], table["prepared_insert_columns"], table["prepared_ttl"]) == (1.0, 4.0, 0.0)
    assert table["prepared_collection_overwrites"] == 1.0


def test_a_node_comes_with_its_release_rack_and_thresholds(source: CassandraSource, standin: CqlStandin) -> None:
    nodes = [dict(one.values) for one in collect(source, standin).attributes() if one.subject.node]

    assert sorted(node["rack"] for node in nodes) == ["r1", "r2"]
    assert {(node["version"], node["tombstone_warn_threshold"]) for node in nodes} == {("5.0.9", 1000.0)}


def test_the_inventory_is_nodes_tables_and_replicas(source: CassandraSource, standin: CqlStandin) -> None:
    last = collect(source, standin).batches[-1]

    assert last.inventory
    assert sorted(subject.level.value for subject in last.subjects_seen) == [
        "node",
        "node",
        "replica",
        "replica",
        "table",
    ]
    assert {subject.scope for subject in last.subjects_seen} == {("prod", "dc1")}


@pytest.mark.parametrize("release", ["4.0", "4.1", "5.0"])
def test_all_that_is_told_is_canonical(release: Family) -> None:
    nodes = [replace(node, release=release) for node in NODES]
    with CqlStandin(nodes, world_of(nodes)) as standin:
        source = source_of(standin)
        collect(source, standin)
        told = collect(source, standin, minute=1)
        source.close()

    for one in told.series():
        metric = METRICS[one.metric]
        assert (one.statistic in metric.statistics, one.subject.level in metric.levels) == (True, True)
    settings = [(name, value) for one in told.attributes() for name, value in one.values]
    assert {name for name, value in settings if not ATTRIBUTES[name].accepts(value)} == set()
    assert {gap.missing for gap in told.all_gaps()} <= {*METRICS, *ATTRIBUTES, "*"}


@pytest.mark.parametrize(("release", "p99", "maximum"), [("4.0", 0.005, 0.017), ("4.1", 5.0, 17.0), ("5.0", 5.0, 17.0)])
def test_latency_is_in_milliseconds_on_every_release(release: Family, p99: float, maximum: float) -> None:
    nodes = [replace(NODES[0], release=release)]
    with CqlStandin(nodes, world_of(nodes)) as standin:
        source = source_of(standin)
        told = collect(source, standin)
        source.close()

    assert told.values("local_read_latency_ms", Statistic.P99) == {"a": [p99]}
    assert told.values("local_read_latency_ms", Statistic.MAXIMUM) == {"a": [pytest.approx(maximum)]}
    assert told.values("local_read_latency_ms", Statistic.P50) == {"a": []}
    is_coarse = "local_read_latency_ms" in told.gaps(GapReason.PARTIAL, "a")
    assert is_coarse is (release != "4.0")


def test_what_an_older_release_lacks_is_a_gap_of_that_node_alone() -> None:
    nodes = [NODES[0], replace(NODES[1], release="4.0")]
    with CqlStandin(nodes, world_of(nodes)) as standin:
        source = source_of(standin)
        told = collect(source, standin)
        source.close()

    assert told.gaps(GapReason.UNSUPPORTED, "b") >= {"pending_hints", "top_partition_tombstones"}
    assert told.values("pending_hints", Statistic.LAST) == {"a": [0.0]}
    assert set(told.values("tombstones_per_read", Statistic.P99)) == {"a", "b"}


def test_what_cql_never_tells_is_said_once_for_the_cluster(source: CassandraSource, standin: CqlStandin) -> None:
    told = collect(source, standin)

    assert told.gaps(GapReason.NOT_CONFIGURED) >= {"droppable_tombstone_ratio", "pending_compactions"}


def test_nothing_is_asked_of_a_users_table_and_no_key_or_literal_leaves(
    source: CassandraSource, standin: CqlStandin
) -> None:
    told = collect(source, standin)

    assert all(" FROM system" in asked.text for asked in standin.asked)
    assert SECRET not in repr(told.batches)


def test_system_tables_are_not_watched(source: CassandraSource, standin: CqlStandin) -> None:
    assert {one.subject.keyspace for one in collect(source, standin).series()} == {"", "shop"}


def test_a_table_left_out_is_said_to_be_left_out(standin: CqlStandin) -> None:
    source = source_of(standin, exclude=("system*.*", "shop.j*"))
    told = collect(source, standin)
    source.close()

    (gap,) = [gap for gap in told.all_gaps() if gap.reason is GapReason.NOT_ASKED]
    assert (gap.subject.name, gap.missing) == ("shop.jobs", "*")
    assert not any(one.subject.table for one in told.series())


def test_a_table_is_told_in_each_datacenter_that_holds_it(world: StillWorld) -> None:
    nodes = (NODES[0], Node(name="z", datacenter="dc2"), Node(name="y", datacenter="dc3"))
    world.declare(Keyspace(name="shop", replication={"class": NETWORK, "dc1": "3", "dc2": "1"}, tables=(JOBS,)))
    with CqlStandin(nodes, world) as standin:
        source = source_of(standin)
        tables = [one for one in collect(source, standin).attributes() if one.subject.table]
        source.close()

    assert {one.subject.scope[1]: one.get("replication_factor") for one in tables} == {"dc1": 3.0, "dc2": 1.0}


def test_nodes_with_addresses_of_their_own_go_by_address() -> None:
    nodes = (Node(name="a", address="127.0.0.1"), Node(name="b", address="127.0.0.2"))
    with CqlStandin(nodes, world_of(nodes)) as standin:
        source = source_of(standin)
        last = tuple(source.collect(None, NOON))[-1]
        source.close()

    assert {subject.node for subject in last.subjects_seen if subject.node} == {"127.0.0.1", "127.0.0.2"}


def test_the_schema_is_read_again_only_when_it_changed(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    for minute in range(3):
        collect(source, standin, minute)
    assert asked_for(standin, "system_schema.tables") == 1

    changed = replace(SHOP, tables=(replace(JOBS, options={"gc_grace_seconds": 60}),))
    world.declare(changed)

    assert collect(source, standin, minute=3).table()["gc_grace_s"] == 60.0
    assert asked_for(standin, "system_schema.tables") == 2


def asked_for(standin: CqlStandin, table: str) -> int:
    return sum(f" FROM {table}" in asked.text for asked in standin.asked)


def test_what_changes_seldom_is_asked_every_ten_minutes(source: CassandraSource, standin: CqlStandin) -> None:
    asked = []
    for minute in (0, 1, 9.9, 10):
        told = collect(source, standin, minute)
        asked.append(asked_for(standin, "system.prepared_statements"))

    assert asked == [2, 2, 2, 4]  # two nodes
    assert told.table()["prepared_inserts"] == 1.0


def test_features_are_probed_once_until_a_node_restarts(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    collect(source, standin)
    collect(source, standin, minute=1)
    assert asked_for(standin, "system_virtual_schema.columns") == 2

    world.put("system.local", {"gossip_generation": 1_800_000_000}, node="a")
    collect(source, standin, minute=2)

    assert asked_for(standin, "system_virtual_schema.columns") == 3


def test_nodes_that_disagree_on_the_schema_are_named(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    world.put("system.local", {"schema_version": UUID(int=7)}, node="b")

    (gap,) = [gap for gap in collect(source, standin).all_gaps() if gap.missing == "schema_version"]

    assert gap.reason is GapReason.PARTIAL
    assert str(UUID(int=7)) in gap.detail


def test_a_password_may_stand_in_a_file(world: StillWorld, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    grants = frozenset({"system_views", "system.prepared_statements", "system.top_partitions"})
    with CqlStandin(NODES, world, roles=[Role(name="stillfit", password="secret", grants=grants)]) as standin:
        source = source_of(standin, username="stillfit", password_file=tmp_path / "password")
        told = collect(source, standin)
        source.close()

    assert list(told.gaps(GapReason.DENIED, "a")) == []
    assert set(told.values("tombstones_per_read", Statistic.P99)) == {"a", "b"}


def test_a_source_is_called_by_its_cluster(source: CassandraSource) -> None:
    assert (source.id, str(source.scope), source.settle_s) == ("cassandra/prod", "cassandra/prod/", 120)


def test_it_is_a_source(source: CassandraSource) -> None:
    as_source: Source = source

    assert as_source.settle_s % 60 == 0


def test_subjects_read_back(source: CassandraSource, standin: CqlStandin) -> None:
    for subject in collect(source, standin).batches[-1].subjects_seen:
        assert Subject.parse(str(subject)) == subject
