"""Canonical metrics of Amazon Keyspaces.

Meanings follow "Amazon Keyspaces metrics and dimensions" of its developer guide (2025 text) and, for the operations
that a metric is divided by, the service's own dashboard templates (aws-samples/amazon-keyspaces-cloudwatch-
cloudformation-templates). What is published only when something happened is not told apart there, so that what belongs
to the load is taken as published each minute: its absence is no data, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillfit.metric import Kind, Metric, Row, metrics_of
from stillfit.model import Engine, Level, Statistic

CAUSES = {
    "partition": "one storage partition (3,000 read, 1,000 write units a second)",
    "connection": "one connection (3,000 CQL requests a second)",
}
"""The limits that have a counter of their own, by operation; the generic throttle events count them too."""

_SUM = frozenset({Statistic.SUM})
_REQUEST_SIZES = frozenset({Statistic.SUM, Statistic.COUNT, Statistic.MAXIMUM})
_LATENCY = frozenset({Statistic.AVERAGE, Statistic.P50, Statistic.P99, Statistic.MAXIMUM})
_RANGE = frozenset({Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.MINIMUM})
_LEVEL = frozenset({Statistic.AVERAGE, Statistic.MAXIMUM})
_TABLE = frozenset({Level.TABLE})
_SCOPE = frozenset({Level.SCOPE})


def _sparse(name: str, unit: str, meaning: str) -> Row:
    return f"keyspaces_{name}", Kind.SPARSE_COUNTER, unit, _SUM, _TABLE, meaning


def _capacity(direction: str, unit: str) -> tuple[Row, ...]:
    consumed = f"{unit} consumed: sum / period is the rate; count is requests, also those that consumed nothing"
    provisioned = f"{unit} provisioned per second; absent when on-demand"
    refused = f"{direction}s refused for any reason (table, account, connection, partition), by operation"
    return (
        (f"keyspaces_consumed_{direction}_units", Kind.COUNTER, unit, _REQUEST_SIZES, _TABLE, consumed),
        (f"keyspaces_provisioned_{direction}_units", Kind.GAUGE, f"{unit}/s", _RANGE, _TABLE, provisioned),
        _sparse(f"{direction}_throttle_events", "requests", refused),
        *_quotas(direction, unit),
    )


def _quotas(direction: str, unit: str) -> Iterator[Row]:
    """What tables may have, and the share of it that they have, of the account and region."""
    most, peak = f"most {unit} a second that one table of the account may use", frozenset({Statistic.MAXIMUM})
    yield f"keyspaces_account_max_table_{direction}_units", Kind.GAUGE, f"{unit}/s", peak, _SCOPE, most
    account = f"share of the account's quota of {unit} that is provisioned"
    yield f"keyspaces_account_provisioned_{direction}_percent", Kind.GAUGE, "percent", _LEVEL, _SCOPE, account
    largest = f"share of the quota of a table that the largest provisioned table has in {unit}"
    yield f"keyspaces_max_table_provisioned_{direction}_percent", Kind.GAUGE, "percent", _LEVEL, _SCOPE, largest


KEYSPACES: tuple[Metric, ...] = metrics_of(
    Engine.KEYSPACES,
    *_capacity("read", "RCU"),
    *_capacity("write", "WCU"),
    *(
        _sparse(
            f"{cause}_throttle_events", "requests", f"requests refused because of the limit of {limit}, by operation"
        )
        for cause, limit in CAUSES.items()
    ),
    _sparse("requests", "requests", "requests served, by operation (the sample count of SuccessfulRequestLatency)"),
    (
        "keyspaces_request_latency_ms",
        Kind.GAUGE,
        "ms",
        _LATENCY,
        _TABLE,
        "server-side latency of served requests, by operation",
    ),
    (
        "keyspaces_rows_returned",
        Kind.GAUGE,
        "rows",
        frozenset({Statistic.SUM, Statistic.AVERAGE, Statistic.MAXIMUM}),
        _TABLE,
        "rows returned by SELECTs that may return several",
    ),
    _sparse("system_errors", "errors", "requests that ended in a server error, by operation"),
    _sparse("user_errors", "errors", "requests that ended in an InvalidRequest error, by operation"),
    _sparse("conditional_check_failures", "requests", "lightweight transactions whose condition did not hold"),
    _sparse("ttl_delete_units", "units", "units consumed to delete or update rows by time to live; billed apart"),
    _sparse(
        "reconciliation_delete_units",
        "units",
        "units consumed to remove tombstoned data of tables with client-side timestamps",
    ),
    (
        "keyspaces_size_bytes",
        Kind.GAUGE,
        "bytes",
        _LEVEL,
        _TABLE,
        "billable size: the encoded size of all rows of the table",
    ),
    (
        "keyspaces_replication_latency_ms",
        Kind.GAUGE,
        "ms",
        _RANGE,
        _TABLE,
        "how long changes took from this region to another, by receiving region",
    ),
)
"""Every canonical metric of Keyspaces."""
