"""What `system.*` and `system_views.settings` say of one node. Pure.

`system.top_partitions` holds partition keys: only the largest count of each table is taken, never a key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collector.cassandra.virtual_tables import Sample
from stillfit.model import Statistic, Value

LOCAL: Final = "SELECT release_version, gossip_generation, schema_version FROM system.local WHERE key = 'local'"
VIRTUAL_COLUMNS: Final = (
    "SELECT table_name, column_name FROM system_virtual_schema.columns WHERE keyspace_name = 'system_views'"
)
STORED_COLUMNS: Final = "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = 'system'"
TOP_PARTITIONS: Final = "SELECT keyspace_name, table_name, top_type, top FROM system.top_partitions"
PREPARED_STATEMENTS: Final = "SELECT logged_keyspace, query_string FROM system.prepared_statements"

SETTINGS: Final = {  # name in system_views.settings of 4.0 to 5.0 -> (attribute, units of it in one of ours)
    "tombstone_warn_threshold": ("tombstone_warn_threshold", 1.0),
    "tombstone_failure_threshold": ("tombstone_failure_threshold", 1.0),
    "max_hint_window_in_ms": ("max_hint_window_s", 1000.0),  # 4.1 and 5.0 keep the old name beside max_hint_window
}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A node of itself. `generation` is when it started, in seconds since the epoch: a new one resets its counters."""

    release: str
    generation: int
    schema_version: str


def local(row: Row) -> Local:
    return Local(
        release=row["release_version"] or "",
        generation=row["gossip_generation"] or 0,
        schema_version=str(row["schema_version"] or ""),
    )


def columns_by_table(rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    """{table: its columns} of one keyspace: what this node's release can be asked for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["table_name"]].add(row["column_name"])
    return {table: frozenset(columns) for table, columns in found.items()}


def setting_statement(name: str) -> str:
    """One setting by name: the whole table would show the node's configuration, secrets' places included."""
    return f"SELECT value FROM system_views.settings WHERE name = '{name}'"  # noqa: S608  # names of SETTINGS only


def setting(name: str, rows: Iterable[Row]) -> dict[str, Value]:
    """The attribute that a setting stands for; empty when the node does not say it as a number."""
    attribute, unit = SETTINGS[name]
    values = [row["value"] for row in rows if (row["value"] or "").isdigit()]
    return {attribute: float(values[0]) / unit} if values else {}


def top_partitions(rows: Iterable[Row]) -> list[Sample]:
    """The most tombstones in one partition, by table."""
    return [
        Sample(
            keyspace=row["keyspace_name"],
            table=row["table_name"],
            metric="top_partition_tombstones",
            statistic=Statistic.LAST,
            value=float(max(count for _key, count in row["top"])),
        )
        for row in rows
        if row["top_type"] == "TOMBSTONES" and row["top"]
    ]
