"""Canonical metrics: the one vocabulary of collectors, analyzers, rules and observation files.

A collector maps its source's names to these; an analyzer knows only these. Meanings and traps follow the CloudWatch
metrics page of the DynamoDB developer guide (2025 text, with the throttle-reason metrics) and, for Cassandra, the
virtual tables of 4.0 to 5.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillfit.metric import Kind, Metric
from stillfit.metric import Row as _Row
from stillfit.metric import metrics_of as _metrics
from stillfit.metrics_dax import DAX
from stillfit.metrics_dynamodb import FEATURES
from stillfit.metrics_keyspaces import KEYSPACES
from stillfit.metrics_money import MONEY
from stillfit.model import Engine, Level, Statistic

__all__ = ["METRICS", "THROTTLE_REASONS", "Kind", "Metric"]

_SUM = frozenset({Statistic.SUM})
_REQUEST_SIZES = frozenset({Statistic.SUM, Statistic.COUNT, Statistic.MAXIMUM})
_LATENCY = frozenset({Statistic.AVERAGE, Statistic.P50, Statistic.P99, Statistic.MAXIMUM})
_DISTRIBUTION = frozenset({Statistic.P50, Statistic.P99, Statistic.MAXIMUM})
_LAST = frozenset({Statistic.LAST})

_PEAK = frozenset({Statistic.MAXIMUM})

_TABLE = frozenset({Level.TABLE})
_TABLE_OR_INDEX = frozenset({Level.TABLE, Level.INDEX})
_REPLICA = frozenset({Level.REPLICA})
_NODE = frozenset({Level.NODE})

THROTTLE_REASONS = ("provisioned", "key_range", "on_demand_max", "account_limit")
"""The four limits that can refuse a request, for each of read and write (developer guide, diagnosing throttling)."""


def _capacity(direction: str) -> tuple[_Row, ...]:
    unit, both = "RCU" if direction == "read" else "WCU", _TABLE_OR_INDEX
    levels = frozenset({Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.MINIMUM})
    consumed = (
        f"{unit} consumed: sum / period is the rate; count is requests; maximum is the largest single request. "
        "The table's own series excludes its indexes"
    )
    provisioned = f"{unit} provisioned per second, as published every five minutes; 0 or absent when on-demand"
    refused = f"{direction} events refused for any reason; a batch of ten counts ten"
    return (
        (f"consumed_{direction}_units", Kind.COUNTER, unit, _REQUEST_SIZES, both, consumed),
        (f"provisioned_{direction}_units", Kind.GAUGE, f"{unit}/s", levels, both, provisioned),
        (f"{direction}_throttle_events", Kind.SPARSE_COUNTER, "events", _SUM, both, refused),
        *_causes(direction),
    )


def _causes(direction: str) -> Iterator[_Row]:
    for reason in THROTTLE_REASONS:
        meaning = f"{direction} events refused because of the limit {reason!r} (cause-specific metrics of 2025)"
        yield f"{direction}_{reason}_throttle_events", Kind.SPARSE_COUNTER, "events", _SUM, _TABLE_OR_INDEX, meaning


_HOT_KEYS: tuple[_Row, ...] = (
    (
        "hottest_partition_key_units",
        Kind.SPARSE_COUNTER,
        "units/min",
        _PEAK,
        _TABLE_OR_INDEX,
        (
            "what the hottest partition key of a minute consumed, 3 x write + read units; 180,000 is one key at the "
            "ceiling of a partition (Contributor Insights, where it is on)"
        ),
    ),
    (
        "partition_key_units",
        Kind.GAUGE,
        "units/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "the same of each of the hottest partition keys, by tag of the key; only the minutes in which it was hot",
    ),
    (
        "hottest_item_units",
        Kind.SPARSE_COUNTER,
        "units/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "what the hottest item of a minute (partition and sort key) consumed, 3 x write + read units",
    ),
    (
        "item_units",
        Kind.GAUGE,
        "units/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "the same of each of the hottest items, by tag of its keys; only the minutes in which it was hot",
    ),
    (
        "hottest_partition_key_throttles",
        Kind.SPARSE_COUNTER,
        "events/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "refusals that the most throttled partition key of a minute met (Contributor Insights, where it is on)",
    ),
    (
        "partition_key_throttles",
        Kind.GAUGE,
        "events/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "the same of each of the most throttled partition keys, by tag of the key",
    ),
    (
        "hottest_item_throttles",
        Kind.SPARSE_COUNTER,
        "events/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "refusals that the most throttled item of a minute (partition and sort key) met",
    ),
    (
        "item_throttles",
        Kind.GAUGE,
        "events/min",
        _PEAK,
        _TABLE_OR_INDEX,
        "the same of each of the most throttled items, by tag of its keys",
    ),
)

_DYNAMODB = _metrics(
    Engine.DYNAMODB,
    *_capacity("read"),
    *_capacity("write"),
    *_HOT_KEYS,
    (
        "throttled_requests",
        Kind.SPARSE_COUNTER,
        "requests",
        _SUM,
        _TABLE,
        "requests refused, by operation; a batch counts only when all of it was refused: a lower bound",
    ),
    (
        "successful_requests",
        Kind.SPARSE_COUNTER,
        "requests",
        _SUM,
        _TABLE,
        "requests served, by operation (the sample count of SuccessfulRequestLatency)",
    ),
    (
        "request_latency_ms",
        Kind.GAUGE,
        "ms",
        _LATENCY,
        _TABLE,
        "server-side latency of served requests, by operation; throttled ones are not in it",
    ),
    ("system_errors", Kind.SPARSE_COUNTER, "errors", _SUM, _TABLE, "HTTP 500 answers, by operation"),
    (
        "conditional_check_failures",
        Kind.SPARSE_COUNTER,
        "requests",
        _SUM,
        _TABLE,
        "conditional writes that failed; they consume write units all the same",
    ),
    ("transaction_conflicts", Kind.SPARSE_COUNTER, "requests", _SUM, _TABLE, "requests rejected by a transaction"),
    (
        "ttl_deleted_items",
        Kind.SPARSE_COUNTER,
        "items",
        _SUM,
        _TABLE,
        "items deleted by time to live; they consume no write units",
    ),
    (
        "table_size_bytes",
        Kind.GAUGE,
        "bytes",
        _LAST,
        _TABLE_OR_INDEX,
        "size by DescribeTable, refreshed by the service about every six hours",
    ),
    (
        "item_count",
        Kind.GAUGE,
        "items",
        _LAST,
        _TABLE_OR_INDEX,
        "items by DescribeTable, refreshed by the service about every six hours",
    ),
)

_BUCKETS = "a bucket's upper bound (steps of x1.2), decaying over minutes; 1 also means none"

_CASSANDRA = _metrics(
    Engine.CASSANDRA,
    (
        "tombstones_per_read",
        Kind.GAUGE,
        "tombstones",
        _DISTRIBUTION,
        _REPLICA,
        f"tombstones scanned per read at this replica: {_BUCKETS}",
    ),
    (
        "live_rows_per_read",
        Kind.GAUGE,
        "rows",
        _DISTRIBUTION,
        _REPLICA,
        f"live rows returned per read at this replica: {_BUCKETS}",
    ),
    ("reads", Kind.COUNTER, "reads", _SUM, _REPLICA, "local reads served by this replica in the period"),
    ("writes", Kind.COUNTER, "writes", _SUM, _REPLICA, "local writes (deletes included) in the period"),
    ("scans", Kind.COUNTER, "scans", _SUM, _REPLICA, "local range reads in the period"),
    ("coordinator_reads", Kind.COUNTER, "reads", _SUM, _REPLICA, "reads this node coordinated for the table"),
    ("coordinator_writes", Kind.COUNTER, "writes", _SUM, _REPLICA, "writes this node coordinated for the table"),
    (
        "local_read_latency_ms",
        Kind.GAUGE,
        "ms",
        _DISTRIBUTION,
        _REPLICA,
        "replica-side read latency; at 1 ms resolution only from 4.1 on (the virtual table's unit is off by 1000)",
    ),
    (
        "local_write_latency_ms",
        Kind.GAUGE,
        "ms",
        _DISTRIBUTION,
        _REPLICA,
        "replica-side write latency; at 1 ms resolution only from 4.1 on",
    ),
    ("disk_used_bytes", Kind.GAUGE, "bytes", _LAST, _REPLICA, "live size on disk, rounded up to a MiB"),
    (
        "max_partition_bytes",
        Kind.GAUGE,
        "bytes",
        _LAST,
        _REPLICA,
        "largest partition written to an SSTable: a bucket's upper bound, rounded up to a MiB",
    ),
    (
        "droppable_tombstone_ratio",
        Kind.GAUGE,
        "ratio",
        _LAST,
        _REPLICA,
        "estimated share of cells that are tombstones older than gc_grace (JMX or nodetool; not over CQL)",
    ),
    ("oldest_sstable_age_s", Kind.GAUGE, "s", _LAST, _REPLICA, "age of the newest cell of the oldest live SSTable"),
    ("sstables_per_read", Kind.GAUGE, "SSTables", _DISTRIBUTION, _REPLICA, f"SSTables touched per read: {_BUCKETS}"),
    ("percent_repaired", Kind.GAUGE, "percent", _LAST, _REPLICA, "share of bytes marked repaired"),
    ("pending_compactions", Kind.GAUGE, "tasks", _LAST, _NODE, "estimated compactions to do (JMX/nodetool)"),
    ("thread_pool_pending", Kind.GAUGE, "tasks", _LAST, _NODE, "queued tasks, by thread pool"),
    ("thread_pool_blocked", Kind.COUNTER, "tasks", _SUM, _NODE, "tasks blocked in the period, by thread pool"),
    (
        "top_partition_tombstones",
        Kind.GAUGE,
        "tombstones",
        _LAST,
        _REPLICA,
        "tombstones of the partition with most of them, as the last full repair or validation counted (4.1 on)",
    ),
    ("cache_requests", Kind.COUNTER, "requests", _SUM, _NODE, "lookups in the period, by cache"),
    ("cache_hits", Kind.COUNTER, "requests", _SUM, _NODE, "lookups that were found in the period, by cache"),
    ("pending_hints", Kind.GAUGE, "files", _LAST, _NODE, "hint files waiting for other nodes"),
    ("clients", Kind.GAUGE, "connections", _LAST, _NODE, "native-protocol connections"),
    ("cpu_ratio", Kind.GAUGE, "ratio", _LAST, _NODE, "share of the node's CPU in use, 0 to 1"),
    ("scrape_duration_s", Kind.GAUGE, "s", _LAST, _NODE, "how long one scrape of the node's metrics took"),
    ("scrape_interval_s", Kind.GAUGE, "s", _LAST, _NODE, "how often the node's metrics are scraped"),
)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*_DYNAMODB, *FEATURES, *_CASSANDRA, *KEYSPACES, *MONEY, *DAX)
}
"""Every canonical metric by name. Names are unique over all engines."""
