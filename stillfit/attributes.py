"""Canonical attributes: the settings of a subject that collectors read and analyzers and rules may name.

Flat on purpose: what belongs to an index is an attribute of the index's own Subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stillfit.model import Engine, Level, Value

Type = Literal["text", "number", "bool", "names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One canonical attribute. `choices` closes the set of a text."""

    name: str
    engine: Engine
    type: Type
    levels: frozenset[Level]
    meaning: str
    choices: tuple[str, ...] = ()

    def accepts(self, value: Value) -> bool:
        python = {"text": str, "number": float, "bool": bool, "names": tuple}[self.type]
        numeric = self.type == "number" and isinstance(value, int) and not isinstance(value, bool)
        return (isinstance(value, python) or numeric) and (not self.choices or value in self.choices)


def _attributes(
    engine: Engine, levels: set[Level], *rows: tuple[str, Type, str] | tuple[str, Type, str, tuple[str, ...]]
) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(
            name=row[0],
            engine=engine,
            type=row[1],
            levels=frozenset(levels),
            meaning=row[2],
            choices=row[3] if len(row) > 3 else (),
        )
        for row in rows
    )


_DYNAMODB_TABLE = _attributes(
    Engine.DYNAMODB,
    {Level.TABLE},
    ("billing_mode", "text", "how throughput is paid", ("PROVISIONED", "PAY_PER_REQUEST")),
    ("table_class", "text", "storage class", ("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
    ("created", "text", "ISO time at which the table was created"),
    ("on_demand_since", "text", "ISO time of the last switch to on-demand"),
    ("deletion_protection", "bool", "whether DeleteTable is refused"),
    ("ttl_attribute", "text", "attribute that expires items; empty when off"),
    ("point_in_time_recovery", "bool", "whether PITR is on"),
    ("stream_enabled", "bool", "whether a stream is on"),
    ("replica_regions", "names", "other regions of a global table"),
    ("local_indexes", "names", "names of local secondary indexes"),
    ("contributor_insights", "text", "mode of Contributor Insights; empty when off"),
)
_DYNAMODB_TABLE_OR_INDEX = _attributes(
    Engine.DYNAMODB,
    {Level.TABLE, Level.INDEX},
    ("status", "text", "ACTIVE, CREATING, UPDATING, DELETING, ..."),
    ("partition_key", "text", "name of the partition key attribute"),
    ("sort_key", "text", "name of the sort key attribute; empty when there is none"),
    ("projection", "text", "what an index copies", ("ALL", "KEYS_ONLY", "INCLUDE")),
    ("provisioned_read_units", "number", "RCU per second now provisioned"),
    ("provisioned_write_units", "number", "WCU per second now provisioned"),
    ("on_demand_max_read_units", "number", "own cap on on-demand reads per second; absent without one"),
    ("on_demand_max_write_units", "number", "own cap on on-demand writes per second; absent without one"),
    ("warm_read_units", "number", "reads per second it can take at once"),
    ("warm_write_units", "number", "writes per second it can take at once"),
    ("autoscaling_read_min", "number", "least RCU auto scaling may set; absent without a target"),
    ("autoscaling_read_max", "number", "most RCU auto scaling may set"),
    ("autoscaling_read_target", "number", "utilisation in percent that auto scaling aims at"),
    ("autoscaling_write_min", "number", "least WCU auto scaling may set; absent without a target"),
    ("autoscaling_write_max", "number", "most WCU auto scaling may set"),
    ("autoscaling_write_target", "number", "utilisation in percent that auto scaling aims at"),
    ("distinct_partition_keys", "number", "how many partition key values there are, where somebody counted"),
)
_CASSANDRA_TABLE = _attributes(
    Engine.CASSANDRA,
    {Level.TABLE},
    ("compaction", "text", "compaction strategy class, short name"),
    ("compaction_window_s", "number", "TWCS window in seconds"),
    ("gc_grace_s", "number", "gc_grace_seconds"),
    ("default_ttl_s", "number", "default_time_to_live; 0 is none"),
    ("clustering_columns", "names", "clustering columns, in order"),
    ("clustering_types", "names", "their CQL types"),
    ("regular_columns", "number", "how many regular columns"),
    ("collections", "names", "non-frozen collection and UDT columns"),
    ("only_purge_repaired", "bool", "only_purge_repaired_tombstones"),
    ("unchecked_tombstone_compaction", "bool", "sub-option of compaction"),
    ("unsafe_aggressive_expiration", "bool", "sub-option of TWCS"),
    ("bloom_filter_fp_chance", "number", "wanted false-positive chance of the bloom filters"),
    ("prepared_inserts", "number", "prepared INSERT statements known to the nodes"),
    ("prepared_insert_columns", "number", "columns named by the widest prepared INSERT"),
    ("prepared_deletes", "number", "prepared DELETE statements"),
    ("prepared_deletes_partition", "number", "prepared DELETEs that name no full primary key: range or partition"),
    ("prepared_ttl", "number", "prepared statements with USING TTL"),
    ("prepared_collection_overwrites", "number", "prepared statements that assign a whole collection"),
    ("repaired_at", "text", "ISO time of the last finished repair of the whole table"),
    ("replication_factor", "number", "replicas in this datacenter"),
)
_CASSANDRA_NODE = _attributes(
    Engine.CASSANDRA,
    {Level.NODE},
    ("version", "text", "release_version"),
    ("rack", "text", "rack"),
    ("schema_version", "text", "the node's own schema version"),
    ("state", "text", "as the cluster sees it", ("UN", "DN", "UJ", "UL", "UM", "DJ", "DL", "DM")),
    ("tombstone_warn_threshold", "number", "tombstones per read at which the server warns"),
    ("tombstone_failure_threshold", "number", "tombstones per read at which the server aborts"),
    ("max_hint_window_s", "number", "how long hints are kept for a dead node"),
)

ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in (*_DYNAMODB_TABLE, *_DYNAMODB_TABLE_OR_INDEX, *_CASSANDRA_TABLE, *_CASSANDRA_NODE)
}
"""Every canonical attribute by name. Names are unique over all engines."""
