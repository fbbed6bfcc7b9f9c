"""Which columns of `system_views` become which canonical metrics, and how. Pure.

Units and traps, seen on Apache Cassandra 4.0.19, 4.1.0, 4.1.10, 5.0.0, 5.0.9 and 6.0-alpha2:

- `*_ms` columns are right in 4.0. From 4.1 on they are 1000 times too small, and rounded to three decimals after that,
  so the number times 1000 is milliseconds at a resolution of one.
- Distributions are upper bounds of histogram buckets (steps of x1.2) that decay within minutes; 0 means that nothing
  was recorded lately, which is no measurement. In tombstones_per_read 1 may mean none.
- `count` is exact since the node's start. Rates (`per_second`, `recent_*`) are averages of the server's: not used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from stillfit.model import Statistic

MEBIBYTE: Final = 1024.0 * 1024.0
LATENCIES: Final = frozenset({"local_read_latency_ms", "local_write_latency_ms"})
BY_TABLE: Final = ("keyspace_name", "table_name")
BY_NAME: Final = ("name",)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number that a node told now. Counters are still cumulative. `table` is empty for the node itself."""

    keyspace: str = ""
    table: str = ""
    metric: str
    statistic: Statistic
    dimension: str = ""
    value: float | None
    """None: asked and answered, and nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    metric: str
    statistic: Statistic
    scale: float = 1.0
    zero_is_nothing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One virtual table: its key (of table names, or one name that becomes the dimension) and its columns."""

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset(column.metric for column in self.columns)

    def within(self, available: AbstractSet[str]) -> View:
        """The view with only the columns that a node has; empty when it lacks the key."""
        has_key = set(self.key) <= available
        left = tuple(column for column in self.columns if has_key and column.name in available)
        return replace(self, columns=left)

    @property
    def statement(self) -> str:
        names = ", ".join((*self.key, *(column.name for column in self.columns)))
        return f"SELECT {names} FROM system_views.{self.table}"  # noqa: S608  # constants of this module


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A virtual table of which one number of the whole node is wanted."""

    table: str
    selected: tuple[str, ...]
    metric: str
    count: Callable[[Sequence[Row]], float]

    @property
    def statement(self) -> str:
        return f"SELECT {', '.join(self.selected)} FROM system_views.{self.table}"  # noqa: S608  # constants


def _distribution(metric: str, suffix: str = "") -> tuple[Column, ...]:
    names = (("p50th", Statistic.P50), ("p99th", Statistic.P99), ("max", Statistic.MAXIMUM))
    return tuple(
        Column(name=name + suffix, metric=metric, statistic=statistic, zero_is_nothing=True)
        for name, statistic in names
    )


def _counter(name: str, metric: str) -> Column:
    return Column(name=name, metric=metric, statistic=Statistic.SUM)


def _mebibytes(metric: str) -> tuple[Column]:
    return (Column(name="mebibytes", metric=metric, statistic=Statistic.LAST, scale=MEBIBYTE),)


def _of_tables(table: str, *columns: Column) -> View:
    return View(table=table, key=BY_TABLE, columns=columns)


VIEWS: Final = (
    _of_tables("tombstones_per_read", *_distribution("tombstones_per_read")),
    _of_tables("rows_per_read", *_distribution("live_rows_per_read")),
    _of_tables("local_read_latency", _counter("count", "reads"), *_distribution("local_read_latency_ms", "_ms")),
    _of_tables("local_write_latency", _counter("count", "writes"), *_distribution("local_write_latency_ms", "_ms")),
    _of_tables("local_scan_latency", _counter("count", "scans")),
    _of_tables("coordinator_read_latency", _counter("count", "coordinator_reads")),
    _of_tables("coordinator_write_latency", _counter("count", "coordinator_writes")),
    _of_tables("disk_usage", *_mebibytes("disk_used_bytes")),
    _of_tables("max_partition_size", *_mebibytes("max_partition_bytes")),
    View(
        table="thread_pools",
        key=BY_NAME,
        columns=(
            Column(name="pending_tasks", metric="thread_pool_pending", statistic=Statistic.LAST),
            _counter("blocked_tasks_all_time", "thread_pool_blocked"),
        ),
    ),
    View(
        table="caches",
        key=BY_NAME,
        columns=(_counter("request_count", "cache_requests"), _counter("hit_count", "cache_hits")),
    ),
)
TALLIES: Final = (
    Tally(table="clients", selected=("address", "port"), metric="clients", count=len),
    Tally(
        table="pending_hints",
        selected=("host_id", "files"),
        metric="pending_hints",
        count=lambda rows: float(sum(row["files"] or 0 for row in rows)),
    ),
)
NOT_TOLD_BY_CQL: Final = (
    "droppable_tombstone_ratio",
    "oldest_sstable_age_s",
    "sstables_per_read",
    "percent_repaired",
    "pending_compactions",
)
"""What only JMX, an exporter or nodetool tells in 4.0 to 5.0."""


def release(text: str) -> tuple[int, int]:
    """Major and minor of `5.0.9` or `6.0-alpha2`; (0, 0) when it cannot be read."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def latency_scale(of: tuple[int, int]) -> float | None:
    """Milliseconds per unit of a `*_ms` column; None for releases nobody has measured."""
    if of > (6, 0):
        return None
    return 1000.0 if of >= (4, 1) else 1.0


def samples(view: View, rows: Iterable[Row], latency_ms: float | None) -> list[Sample]:
    """Every cell of the view's columns as a sample. An index's own figures (`table.index`) are left out."""
    if view.key == BY_NAME:
        return [_sample(column, row, dimension=row["name"]) for row in rows for column in view.columns]
    columns = [_in_ms(column, latency_ms) for column in view.columns if latency_ms or column.metric not in LATENCIES]
    return [
        _sample(column, row, keyspace=row["keyspace_name"], table=row["table_name"])
        for row in rows
        if "." not in row["table_name"]
        for column in columns
    ]


def _in_ms(column: Column, latency_ms: float | None) -> Column:
    return replace(column, scale=latency_ms or 1.0) if column.metric in LATENCIES else column


def _sample(column: Column, row: Row, *, keyspace: str = "", table: str = "", dimension: str = "") -> Sample:
    raw = row[column.name]
    is_nothing = raw is None or not math.isfinite(raw) or (column.zero_is_nothing and raw == 0)
    return Sample(
        keyspace=keyspace,
        table=table,
        metric=column.metric,
        statistic=column.statistic,
        dimension=dimension,
        value=None if is_nothing else float(raw) * column.scale,
    )


def tally(of: Tally, rows: Sequence[Row]) -> Sample:
    return Sample(metric=of.metric, statistic=Statistic.LAST, value=float(of.count(rows)))
