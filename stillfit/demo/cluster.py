"""The fleet's Cassandra cluster as its nodes tell it over CQL: counters since the start, histograms by bucket bound.

Bounds are the server's own (EstimatedHistogram: steps of x1.2). A queue table is written, read from its head and
deleted, so each read passes over the tombstones of the rows that are gone, more of them every hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stillfit.demo.story import ClusterPlan, Story
from stillfit.standins.cql import Column, Keyspace, Node, Row, Table

STARTED_BEFORE = 9 * 86_400
"""Seconds for which the nodes had been up when the demo began."""
REPLICAS = 3
DISTRIBUTIONS = ("tombstones_per_read", "rows_per_read")
LATENCIES = {
    "local_read_latency": "reads",
    "local_write_latency": "writes",
    "local_scan_latency": "scans",
    "coordinator_read_latency": "reads",
    "coordinator_write_latency": "writes",
    "coordinator_scan_latency": "scans",
}
RATES = {"reads": 14.0, "writes": 9.0, "scans": 0.02}
"""Per second and table, over the cluster."""


def nodes(plan: ClusterPlan, zero: int) -> list[Node]:
    """The nodes, on free ports of this machine."""
    width = 2**64 // plan.nodes
    return [
        Node(
            name=f"{plan.name}-{number + 1}",
            datacenter=plan.datacenter,
            rack=f"r{number % 3 + 1}",
            release="5.0",
            tokens=(str(number * width - 2**63),),
            generation=zero - STARTED_BEFORE,
        )
        for number in range(plan.nodes)
    ]


class ClusterWorld:
    """Asked by every query of every node; answers for the present moment of the demo's clock."""

    def __init__(self, story: Story, zero: int, now: Callable[[], float]) -> None:
        self._plan = story.cluster
        self._zero = zero
        self._now = now
        self._tables = (self._plan.queue, *self._plan.tables)

    def keyspaces(self) -> list[Keyspace]:
        replication = {
            "class": "org.apache.cassandra.locator.NetworkTopologyStrategy",
            self._plan.datacenter: str(REPLICAS),
        }
        tables = tuple(_table(name, is_queue=name == self._plan.queue) for name in self._tables)
        return [Keyspace(name=self._plan.keyspace, replication=replication, tables=tables)]

    def rows(self, node: Node, table: str) -> Iterable[Row]:
        view = table.removeprefix("system_views.")
        if view in DISTRIBUTIONS:
            return self._distribution(view)
        if view in LATENCIES:
            return self._latency(view, node)
        if view in {"disk_usage", "max_partition_size"}:
            return self._sizes(view)
        return _node_rows(view, self._plan, self._elapsed())

    def _elapsed(self) -> float:
        return self._now() - self._zero

    def _named(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in self._tables:
            yield name, {"keyspace_name": self._plan.keyspace, "table_name": name}

    def _distribution(self, view: str) -> Iterator[Row]:
        for name, key in self._named():
            p50, p99, top = self._per_read(view, is_queue=name == self._plan.queue)
            bounds = {"p50th": bucket(p50), "p99th": bucket(p99), "max": bucket(top)}
            yield {**key, "count": int(self._count("reads")), **bounds}

    def _per_read(self, view: str, *, is_queue: bool) -> tuple[float, float, float]:
        """Median, 99th percentile and most; the queue is read with LIMIT 10 from a head full of tombstones."""
        if view == "rows_per_read":
            return (9, 10, 10) if is_queue else (4, 40, 60)
        if not is_queue or self._elapsed() > self._plan.queue_cleaned_at:
            return (1, 1, 1)
        hours = max(0.0, self._elapsed() / 3_600 + 30)
        scanned = 90 * hours
        return (scanned * 0.6, scanned, scanned * 1.4)

    def _latency(self, view: str, node: Node) -> Iterator[Row]:
        share = REPLICAS / self._plan.nodes if view.startswith("local") else 1 / self._plan.nodes
        lean = 1 + 0.02 * (sum(map(ord, node.name)) % 5 - 2)
        for _, key in self._named():
            count = int(self._count(LATENCIES[view]) * share * lean)
            # from 4.1 on the server shows seconds where it says milliseconds, rounded to three decimals
            yield {**key, "count": count, "p50th_ms": 0.001, "p99th_ms": 0.004, "max_ms": 0.021, "per_second": 0.0}

    def _sizes(self, view: str) -> Iterator[Row]:
        for name, key in self._named():
            mebibytes = (900 if name == self._plan.queue else 14_000) if view == "disk_usage" else 38
            yield {**key, "mebibytes": mebibytes}

    def _count(self, kind: str) -> float:
        return RATES[kind] * (self._elapsed() + STARTED_BEFORE)


def bucket(value: float) -> float:
    """The upper bound of the histogram bucket that a value falls into."""
    bound = 1.0
    while bound < value:
        bound = max(bound + 1, float(round(bound * 1.2)))
    return bound


def _node_rows(view: str, plan: ClusterPlan, elapsed: float) -> list[Row]:
    """What a node says of itself, and what its drivers have prepared."""
    pools = ("ReadStage", "MutationStage", "Native-Transport-Requests", "CompactionExecutor")
    found: dict[str, list[Row]] = {
        "thread_pools": [_pool(name, elapsed) for name in pools],
        "caches": [
            {"name": "keys", "request_count": int(elapsed * 40) + 10**7, "hit_count": int(elapsed * 37) + 9 * 10**6}
        ],
        "clients": [{"address": "10.0.0.9", "port": 50_000 + n, "driver_name": "Java"} for n in range(12)],
        "settings": [
            {"name": "tombstone_warn_threshold", "value": "1000"},
            {"name": "tombstone_failure_threshold", "value": "100000"},
            {"name": "max_hint_window_in_ms", "value": "10800000"},
        ],
        "system.prepared_statements": [_prepared(number, plan, text) for number, text in enumerate(_statements(plan))],
    }
    return found.get(view, [])


def _pool(name: str, elapsed: float) -> Row:
    done = int(elapsed * 30) + 10**7
    return {"name": name, "active_tasks": 1, "active_tasks_limit": 32, "pending_tasks": 0, "blocked_tasks": 0,
            "blocked_tasks_all_time": 0, "completed_tasks": done}  # fmt: skip


def _prepared(number: int, plan: ClusterPlan, text: str) -> Row:
    return {"prepared_id": number.to_bytes(16), "logged_keyspace": plan.keyspace, "query_string": text}


def _statements(plan: ClusterPlan) -> Iterator[str]:
    queue = f"{plan.keyspace}.{plan.queue}"
    yield f"INSERT INTO {queue} (shard, due, payload) VALUES (?, ?, ?)"  # noqa: S608  # text of a simulated client
    yield f"SELECT due, payload FROM {queue} WHERE shard = ? LIMIT 10"  # noqa: S608
    yield f"DELETE FROM {queue} WHERE shard = ? AND due = ?"  # noqa: S608
    for name in plan.tables:
        yield f"INSERT INTO {plan.keyspace}.{name} (id, at, body) VALUES (?, ?, ?)"  # noqa: S608
        yield f"SELECT body FROM {plan.keyspace}.{name} WHERE id = ? AND at > ?"  # noqa: S608


def _table(name: str, *, is_queue: bool) -> Table:
    partition, clustering, value = ("shard", "due", "payload") if is_queue else ("id", "at", "body")
    columns = (
        Column(name=partition, type="text", kind="partition_key", position=0),
        Column(name=clustering, type="timestamp", kind="clustering", position=0, clustering_order="asc"),
        Column(name=value, type="text"),
    )
    compaction = {"class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"}
    options = {"gc_grace_seconds": 864_000, "default_time_to_live": 0, "compaction": compaction}
    return Table(name=name, columns=columns, options=options)
