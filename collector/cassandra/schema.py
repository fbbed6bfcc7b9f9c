"""What system_schema says of tables: how they compact, how long they keep tombstones, what rows look like. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stillfit.model import Value

KEYSPACES: Final = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
_OPTIONS: Final = "bloom_filter_fp_chance, compaction, default_time_to_live, gc_grace_seconds"
TABLES: Final = f"SELECT keyspace_name, table_name, {_OPTIONS} FROM system_schema.tables"  # noqa: S608  # constants
VIEWS: Final = f"SELECT keyspace_name, view_name, {_OPTIONS} FROM system_schema.views"  # noqa: S608  # constants
COLUMNS: Final = "SELECT keyspace_name, table_name, column_name, kind, position, type FROM system_schema.columns"

WINDOW_UNIT_S: Final = {"MINUTES": 60.0, "HOURS": 3600.0, "DAYS": 86_400.0}
NATIVE_TYPES: Final = frozenset(
    {
        "ascii",
        "bigint",
        "blob",
        "boolean",
        "counter",
        "date",
        "decimal",
        "double",
        "duration",
        "float",
        "inet",
        "int",
        "smallint",
        "text",
        "time",
        "timestamp",
        "timeuuid",
        "tinyint",
        "uuid",
        "varchar",
        "varint",
    }
)
ALWAYS_FROZEN: Final = ("frozen<", "tuple<", "vector<")

Row = Mapping[str, Any]
TableName = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table or materialized view."""

    keyspace: str
    table: str
    settings: Mapping[str, Value]
    """By canonical attribute name."""
    primary_key: frozenset[str]
    collections: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSchema:
    version: str
    replication: Mapping[str, Mapping[str, str]]
    tables: Mapping[TableName, TableSchema]

    def replicas(self, keyspace: str, datacenter: str) -> int:
        """How many copies a datacenter holds: 0 where it holds none or every node keeps its own."""
        replication = self.replication.get(keyspace, {})
        strategy = replication.get("class", "").rpartition(".")[2]
        if strategy == "SimpleStrategy":
            return _replicas(replication.get("replication_factor", "0"))
        return _replicas(replication.get(datacenter, "0")) if strategy == "NetworkTopologyStrategy" else 0


def _replicas(text: str) -> int:
    """`3`, or `3/1` where one of the three is transient."""
    count = text.partition("/")[0]
    return int(count) if count.isdigit() else 0


def cluster_schema(
    version: str, keyspaces: Iterable[Row], tables: Iterable[Row], columns: Iterable[Row]
) -> ClusterSchema:
    """`tables` may hold rows of system_schema.views as well."""
    by_table: defaultdict[TableName, list[Row]] = defaultdict(list)
    for column in columns:
        by_table[column["keyspace_name"], column["table_name"]].append(column)
    parsed = [_table(row, by_table) for row in tables]
    return ClusterSchema(
        version=version,
        replication={row["keyspace_name"]: dict(row["replication"] or {}) for row in keyspaces},
        tables={(table.keyspace, table.table): table for table in parsed},
    )


def _table(row: Row, columns_of: Mapping[TableName, list[Row]]) -> TableSchema:
    keyspace, table = row["keyspace_name"], row.get("table_name") or row["view_name"]
    columns = columns_of.get((keyspace, table), [])
    collections = [column["column_name"] for column in columns if is_collection(column["type"])]
    return TableSchema(
        keyspace=keyspace,
        table=table,
        settings=_compaction(row["compaction"] or {}) | _options(row) | _columns(columns, collections),
        primary_key=frozenset(c["column_name"] for c in columns if c["kind"] in {"partition_key", "clustering"}),
        collections=frozenset(collections),
    )


def _compaction(options: Mapping[str, str]) -> dict[str, Value]:
    strategy = options.get("class", "").rpartition(".")[2]
    settings: dict[str, Value] = {
        "compaction": strategy,
        "only_purge_repaired": options.get("only_purge_repaired_tombstones") == "true",
        "unchecked_tombstone_compaction": options.get("unchecked_tombstone_compaction") == "true",
        "unsafe_aggressive_expiration": options.get("unsafe_aggressive_sstable_expiration") == "true",
    }
    if strategy == "TimeWindowCompactionStrategy":
        settings["compaction_window_s"] = _window_s(options)
    return settings


def _window_s(options: Mapping[str, str]) -> float:
    """One day unless told otherwise (Cassandra documentation, TimeWindowCompactionStrategy)."""
    unit = WINDOW_UNIT_S.get(options.get("compaction_window_unit", "DAYS").upper(), WINDOW_UNIT_S["DAYS"])
    return unit * float(options.get("compaction_window_size", "1"))


def _options(row: Row) -> dict[str, Value]:
    numbers = {
        "gc_grace_s": row["gc_grace_seconds"],
        "default_ttl_s": row["default_time_to_live"],
        "bloom_filter_fp_chance": row["bloom_filter_fp_chance"],
    }
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _columns(columns: Iterable[Row], collections: Iterable[str]) -> dict[str, Value]:
    known = sorted(columns, key=lambda column: (column["position"], column["column_name"]))
    clustering = [column for column in known if column["kind"] == "clustering"]
    return {
        "clustering_columns": tuple(column["column_name"] for column in clustering),
        "clustering_types": tuple(column["type"] for column in clustering),
        "regular_columns": float(sum(column["kind"] == "regular" for column in known)),
        "collections": tuple(sorted(collections)),
    }


def is_collection(type_text: str) -> bool:
    """Whether a column of this type is several cells: a non-frozen collection or user-defined type."""
    return type_text not in NATIVE_TYPES and not type_text.startswith(ALWAYS_FROZEN) and not type_text.startswith("'")
