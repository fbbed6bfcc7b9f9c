"""A small cluster on the stand-in, and what a collection of it told, ready to be asserted on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.cassandra.connection import Cql, Peer, connect
from collector.cassandra.source import CassandraSource
from collector.cassandra.visit import Patience
from stillfit.config import Cassandra
from stillfit.model import Attributes, Batch, Gap, GapReason, Series, Statistic
from stillfit.standins.cql import Column, CqlStandin, FaultKind, Keyspace, Node, StillWorld, Table
from tests.collector.cassandra.hurry import Hurried

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SECRET = "alice@example.org"
"""Stands for a partition key and a literal: must never leave the collector."""
JOBS = Table(
    name="jobs",
    columns=(
        Column(name="queue", type="text", kind="partition_key", position=0),
        Column(name="at", type="timeuuid", kind="clustering", position=0, clustering_order="desc"),
        Column(name="state", type="text"),
        Column(name="labels", type="set<text>"),
    ),
    options={"gc_grace_seconds": 3600},
)
NETWORK = "org.apache.cassandra.locator.NetworkTopologyStrategy"
SHOP = Keyspace(name="shop", replication={"class": NETWORK, "dc1": "2"}, tables=(JOBS,))
NODES = (Node(name="a", rack="r1"), Node(name="b", rack="r2"))


def fill(world: StillWorld, node: str, reads: int = 0, p99: float = 310.0) -> None:
    """What one node tells of shop.jobs, and of a system table that nobody watches."""
    figures: dict[str, dict[str, float]] = {
        "tombstones_per_read": {"p50th": 1.0, "p99th": p99, "max": p99},
        "rows_per_read": {"p50th": 1.0, "p99th": 12.0, "max": 12.0},
        "local_read_latency": {"count": reads, "p50th_ms": 0.0, "p99th_ms": 0.005, "max_ms": 0.017},
        "local_write_latency": {"count": 2 * reads, "p50th_ms": 0.0, "p99th_ms": 0.0, "max_ms": 0.001},
        "local_scan_latency": {"count": 0},
        "coordinator_read_latency": {"count": reads},
        "coordinator_write_latency": {"count": reads},
        "disk_usage": {"mebibytes": 3},
        "max_partition_size": {"mebibytes": 1},
    }
    keys = ({"keyspace_name": "shop", "table_name": "jobs"}, {"keyspace_name": "system", "table_name": "local"})
    for table, row in figures.items():
        world.put(f"system_views.{table}", *({**key, **row} for key in keys), node=node)


def settle(world: StillWorld) -> None:
    """What all nodes tell alike."""
    world.put("system_views.thread_pools", {"name": "ReadStage", "pending_tasks": 4, "blocked_tasks_all_time": 0})
    world.put("system_views.caches", {"name": "keys", "request_count": 10, "hit_count": 9})
    world.put("system_views.clients", {"address": "10.0.0.9", "port": 5000}, {"address": "10.0.0.9", "port": 5001})
    world.put("system_views.settings", {"name": "tombstone_warn_threshold", "value": "1000"})
    insert = f"INSERT INTO jobs (queue, at, state, labels) VALUES ('{SECRET}', ?, ?, ?)"
    world.put("system.prepared_statements", {"prepared_id": b"1", "logged_keyspace": "shop", "query_string": insert})
    top: dict[str, object] = {"top_type": "TOMBSTONES", "top": [(SECRET, 7000)]}
    world.put("system.top_partitions", {"keyspace_name": "shop", "table_name": "jobs"} | top)


def world_of(nodes: Iterable[Node]) -> StillWorld:
    world = StillWorld([SHOP])
    settle(world)
    for node in nodes:
        fill(world, node.name)
    return world


PATIENT = Patience(query_s=60.0, deadline_s=600.0)
"""A slow machine is no fault of a node: only what never answers is waited for shortly, see `source_of`."""


def source_of(standin: CqlStandin, *, is_hurried: bool = True, **settings: Any) -> CassandraSource:
    """A source that has time, but waits only a moment for what the stand-in was told never to answer."""
    points = tuple(f"{address}:{port}" for address, port in standin.contact_points)
    names = {port: node.name for node, (_, port) in zip(standin.nodes, standin.contact_points, strict=True)}

    def hangs(peer: Peer, statement: str) -> bool:
        table = statement.partition(" FROM ")[2].split()[0]
        return is_hurried and _hangs(standin, names[peer.host.endpoint.port], table)

    def connected(cassandra: Cassandra) -> Cql:
        timeout_s = 0.5 if any(_hangs(standin, name) for name in names.values()) else 60.0
        return Hurried(connect(cassandra, timeout_s=timeout_s), hangs)

    cassandra = Cassandra(cluster="prod", contact_points=points, **settings)
    return CassandraSource(cassandra, connect=connected, patience=PATIENT)


def _hangs(standin: CqlStandin, node: str, table: str | None = None) -> bool:
    return any(one.kind is FaultKind.HANG and one.table in {None, table} for one in standin.standing(node))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All batches of one collection; nodes are called by the stand-in's names."""

    batches: tuple[Batch, ...]
    ports: dict[str, str]

    def series(self) -> Iterator[Series]:
        return (one for batch in self.batches for one in batch.series)

    def values(self, metric: str, statistic: Statistic = Statistic.SUM, dimension: str = "") -> dict[str, list[float]]:
        """{node: values} of a metric."""
        found = (
            one for one in self.series() if (one.metric, one.statistic, one.dimension) == (metric, statistic, dimension)
        )
        return {self.called(one.subject.node): list(one.values) for one in found}

    def gaps(self, reason: GapReason, node: str = "") -> set[str]:
        """Names of what is missing for a reason, on one node or on the cluster as a whole."""
        return {
            gap.missing for gap in self.all_gaps() if gap.reason is reason and self.called(gap.subject.node) == node
        }

    def all_gaps(self) -> Iterator[Gap]:
        return (gap for batch in self.batches for gap in batch.gaps)

    def called(self, node: str) -> str:
        """The stand-in's name of a node; one that is alone on its address goes without a port."""
        return self.ports.get(node.rpartition(":")[2], "a") if node else ""

    def attributes(self) -> Iterator[Attributes]:
        return (one for batch in self.batches for one in batch.attributes)

    def table(self, name: str = "jobs") -> dict[str, object]:
        (found,) = [one for one in self.attributes() if one.subject.table == name]
        return dict(found.values)


def collect(source: CassandraSource, standin: CqlStandin, minute: float = 0) -> Told:
    names = [node.name for node in standin.nodes]
    ports = {str(port): name for name, (_, port) in zip(names, standin.contact_points, strict=True)}
    batches = tuple(source.collect(None, NOON + timedelta(minutes=minute)))
    return Told(batches=batches, ports=ports)
