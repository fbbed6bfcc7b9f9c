"""Canonical metrics of DynamoDB beyond load and refusals: what exists only where a feature is on, and of the account.

Meanings follow "DynamoDB metrics and dimensions" of the developer guide (2025 text). Where that text does not say that
absent means none, a metric is no sparse counter: a delivery that stands still must not look like one without failures.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillfit.metric import Kind, Metric, Row, metrics_of
from stillfit.model import Engine, Level, Statistic

_SUM = frozenset({Statistic.SUM})
_RANGE = frozenset({Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.MINIMUM})
_SIZES = frozenset({Statistic.SUM, Statistic.COUNT, Statistic.MAXIMUM})
_LATENCY = frozenset({Statistic.AVERAGE, Statistic.P50, Statistic.P99, Statistic.MAXIMUM})
_MOST = frozenset({Statistic.MAXIMUM})

_TABLE = frozenset({Level.TABLE})
_INDEX = frozenset({Level.INDEX})
_TABLE_OR_INDEX = frozenset({Level.TABLE, Level.INDEX})
_SCOPE = frozenset({Level.SCOPE})

_SPARSE, _COUNTER, _GAUGE = Kind.SPARSE_COUNTER, Kind.COUNTER, Kind.GAUGE


def _by_direction(direction: str) -> tuple[Row, ...]:
    unit = "RCU" if direction == "read" else "WCU"
    most = f"own cap on on-demand {direction}s per second, every five minutes; only where one is set"
    return (
        (f"on_demand_max_{direction}_units", _GAUGE, f"{unit}/s", _RANGE, _TABLE_OR_INDEX, most),
        *_quotas(direction, unit),
        *_utilization(direction, unit),
    )


def _quotas(direction: str, unit: str) -> Iterator[Row]:
    account = f"{unit} per second that all provisioned tables of the account and region may have together"
    yield f"account_{direction}_quota_units", _GAUGE, f"{unit}/s", _MOST, _SCOPE, account
    table = f"{unit} per second that one table or index may have, on-demand ones too"
    yield f"table_{direction}_quota_units", _GAUGE, f"{unit}/s", _MOST, _SCOPE, table


def _utilization(direction: str, unit: str) -> Iterator[Row]:
    units = f"{unit} per second provisioned for all tables and indexes of the account and region"
    yield f"account_provisioned_{direction}_units", _GAUGE, f"{unit}/s", _RANGE, _SCOPE, units
    account = f"share of the account's {unit} quota that is provisioned; AWS advises to alarm above 80"
    yield f"account_provisioned_{direction}_utilization_percent", _GAUGE, "percent", _RANGE, _SCOPE, account
    largest = f"share of a table's {unit} quota that the most generously provisioned table or index has"
    yield f"largest_table_provisioned_{direction}_utilization_percent", _GAUGE, "percent", _RANGE, _SCOPE, largest


_REQUESTS: tuple[Row, ...] = (
    (
        "returned_items",
        _SPARSE,
        "items",
        _SIZES,
        _TABLE,
        "items that queries, scans and PartiQL selects returned, by operation; not those they evaluated",
    ),
    (
        "injected_errors",
        _SPARSE,
        "errors",
        _SUM,
        _TABLE,
        "HTTP 500 answers that an experiment of Fault Injection Service asked for, by operation",
    ),
    (
        "user_errors",
        _SPARSE,
        "errors",
        frozenset({Statistic.SUM, Statistic.COUNT}),
        _SCOPE,
        "HTTP 400 answers in the account and region, refusals for throughput and failed conditions left out",
    ),
)
_STREAMS: tuple[Row, ...] = (
    ("stream_requests", _SPARSE, "requests", _SUM, _TABLE, "GetRecords calls served, by stream"),
    ("stream_latency_ms", _GAUGE, "ms", _LATENCY, _TABLE, "server-side latency of GetRecords, by stream"),
    ("stream_records", _SPARSE, "records", _SIZES, _TABLE, "records that GetRecords returned, by stream"),
    ("stream_bytes", _SPARSE, "bytes", _SIZES, _TABLE, "bytes that GetRecords returned, by stream"),
)
_REPLICATION: tuple[Row, ...] = (
    (
        "replication_latency_ms",
        _GAUGE,
        "ms",
        _RANGE,
        _TABLE,
        "from an item in this region's stream to the same item in another region, by receiving region",
    ),
    (
        "pending_replications",
        _GAUGE,
        "items",
        frozenset({Statistic.AVERAGE}),
        _TABLE,
        "updates not yet written to another region, by receiving region; global tables of 2017 only",
    ),
    (
        "write_units_by_source",
        _COUNTER,
        "WCU",
        _SIZES,
        _TABLE_OR_INDEX,
        "WCU consumed, by source: Customer, who wrote here, or GlobalTable, what other regions sent",
    ),
)
_KINESIS: tuple[Row, ...] = (
    (
        "kinesis_oldest_record_age_ms",
        _GAUGE,
        "ms",
        _RANGE,
        _TABLE,
        "age of the oldest change that the Kinesis data stream does not have yet; milliseconds are normal",
    ),
    (
        "kinesis_capture_units",
        _GAUGE,
        "units",
        _RANGE,
        _TABLE,
        "change data capture units, in which delivery to Kinesis is billed",
    ),
    (
        "kinesis_failed_records",
        _COUNTER,
        "records",
        _SUM,
        _TABLE,
        "changes that will never reach the Kinesis data stream",
    ),
    (
        "kinesis_throttled_records",
        _GAUGE,
        "records",
        _RANGE | {Statistic.COUNT},
        _TABLE,
        "changes that the Kinesis data stream refused for want of capacity; they are tried again",
    ),
)
_BUILDS: tuple[Row, ...] = (
    ("index_build_percent", _GAUGE, "percent", _MOST, _INDEX, "how far an index under construction has come"),
    (
        "index_build_write_units",
        _COUNTER,
        "WCU",
        _SUM,
        _INDEX,
        "WCU that building the index consumed; nowadays documented to stay 0",
    ),
    (
        "index_build_throttle_events",
        _COUNTER,
        "events",
        _SUM,
        _INDEX,
        "write events refused while building the index; nowadays documented to stay 0",
    ),
)
_VECTORS: tuple[Row, ...] = (
    ("vector_write_bytes", _COUNTER, "bytes", _SUM, _TABLE, "bytes written to vector indexes, by index"),
    ("vector_search_bytes", _COUNTER, "bytes", _SUM, _TABLE, "bytes that vector searches read, by index"),
)
_INDEX_SIZES: tuple[Row, ...] = tuple(
    (f"{kind}_index_{what}", _GAUGE, unit, frozenset({Statistic.LAST}), _TABLE, meaning)
    for kind in ("local", "vector")
    for what, unit, meaning in (
        ("bytes", "bytes", f"size of each {kind} index by DescribeTable, by index; beside the table's own"),
        ("items", "items", f"items in each {kind} index by DescribeTable, by index"),
    )
)
_COUNTS: tuple[Row, ...] = (
    ("table_count", _GAUGE, "tables", _RANGE, _SCOPE, "active tables of the account and region, as the quota counts"),
)

FEATURES: tuple[Metric, ...] = metrics_of(
    Engine.DYNAMODB,
    *_REQUESTS,
    *_STREAMS,
    *_REPLICATION,
    *_KINESIS,
    *_BUILDS,
    *_VECTORS,
    *_INDEX_SIZES,
    *_by_direction("read"),
    *_by_direction("write"),
    *_COUNTS,
)
