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
    ("table_class_since", "text", "ISO time of the last change of the storage class; absent without one"),
    ("table_id", "text", "the service's id of this table: another one under the same name is another table"),
    ("created", "text", "ISO time at which the table was created"),
    ("on_demand_since", "text", "ISO time of the last switch to on-demand"),
    ("deletion_protection", "bool", "whether DeleteTable is refused"),
    ("ttl_attribute", "text", "attribute that expires items; empty when off"),
    ("ttl_status", "text", "ENABLED, ENABLING, DISABLING or DISABLED"),
    ("point_in_time_recovery", "bool", "whether PITR is on"),
    ("recovery_period_days", "number", "how many days back PITR can restore; absent when it is off"),
    ("stream_enabled", "bool", "whether a stream is on"),
    ("stream_view_type", "text", "what a stream record holds; absent when it is off"),
    ("stream_arn", "text", "ARN of the stream, which ends in its label; absent when it is off"),
    ("kinesis_destinations", "names", "Kinesis streams fed, each as ARN=STATUS,PRECISION"),
    ("replica_regions", "names", "other regions of a global table"),
    ("replica_statuses", "names", "other regions of a global table, each as REGION=STATUS"),
    ("replica_overrides", "names", "what a replica has of its own, each as REGION[/INDEX] SETTING=VALUE"),
    ("multi_region_consistency", "text", "absent where the table is not global", ("EVENTUAL", "STRONG")),
    ("global_table_version", "text", "absent where the table is not global"),
    ("witness_regions", "names", "witnesses of a strongly consistent global table, each as REGION=STATUS"),
    ("local_indexes", "names", "names of local secondary indexes"),
    ("local_index_projections", "names", "each as NAME=ALL, NAME=KEYS_ONLY or NAME=INCLUDE(ATTRIBUTE,...)"),
    ("vector_indexes", "names", "names of vector indexes"),
    ("vector_index_settings", "names", "each as NAME=DIMENSIONS,DISTANCE,STATUS"),
    (
        "encryption",
        "text",
        "AWS_OWNED: a key of DynamoDB's own, free; KMS: a key of KMS, of AWS or the customer (encryption_key)",
        ("AWS_OWNED", "KMS", "AES256"),
    ),
    (
        "encryption_key",
        "text",
        "who manages the KMS key; absent with a key of DynamoDB's own",
        ("AWS_MANAGED", "CUSTOMER_MANAGED"),
    ),
    ("encryption_status", "text", "ENABLED, ENABLING, UPDATING or DISABLING; absent with a key of DynamoDB's own"),
    ("encryption_key_account", "text", "account that holds the KMS key; absent with a key of DynamoDB's own"),
    ("encryption_inaccessible_since", "text", "ISO time since which the KMS key cannot be used; absent when it can"),
    ("archived", "text", "ISO time at which the table was archived; absent when it is not"),
    ("archival_reason", "text", "why the table was archived; absent when it is not"),
    ("tags", "names", "each as KEY=VALUE"),
    ("backups", "number", "on-demand backups that DynamoDB lists, without those of AWS Backup"),
    ("newest_backup", "text", "ISO time of the newest of them; absent without one"),
    ("backups_bytes", "number", "size of all of them"),
    ("exports", "number", "exports of the last 90 days"),
    ("newest_export", "text", "ISO time of the state that the newest of them holds; absent without one"),
    ("exports_billed_bytes", "number", "what all of them were billed for"),
)
_DYNAMODB_SCOPE = _attributes(
    Engine.DYNAMODB,
    {Level.SCOPE},
    ("account_max_read_units", "number", "RCU per second that all provisioned tables of the region may have together"),
    ("account_max_write_units", "number", "WCU per second that all provisioned tables of the region may have together"),
    ("table_max_read_units", "number", "RCU per second that one table or index may have"),
    ("table_max_write_units", "number", "WCU per second that one table or index may have"),
    ("cloudwatch_calls_per_second", "number", "live quota of GetMetricData, at which metrics are read"),
)
_DYNAMODB_TABLE_OR_INDEX = _attributes(
    Engine.DYNAMODB,
    {Level.TABLE, Level.INDEX},
    ("status", "text", "ACTIVE, CREATING, UPDATING, DELETING, ..."),
    ("backfilling", "bool", "whether an index is still being filled from its table; of indexes only"),
    ("partition_key", "text", "name of the partition key attribute"),
    ("sort_key", "text", "name of the sort key attribute; empty when there is none"),
    ("projection", "text", "what an index copies", ("ALL", "KEYS_ONLY", "INCLUDE")),
    ("projected_attributes", "names", "what an index copies besides the keys; absent unless it is INCLUDE"),
    ("contributor_insights", "text", "mode of Contributor Insights; empty when off, FAILED when it could not begin"),
    (
        "contributor_insights_status",
        "text",
        "whether Contributor Insights is in force",
        ("ENABLED", "ENABLING", "DISABLING", "DISABLED", "FAILED"),
    ),
    ("provisioned_read_units", "number", "RCU per second now provisioned"),
    ("provisioned_write_units", "number", "WCU per second now provisioned"),
    ("last_increase", "text", "ISO time at which provisioned throughput was last raised"),
    ("last_decrease", "text", "ISO time at which provisioned throughput was last lowered"),
    ("decreases_today", "number", "how often provisioned throughput was lowered this UTC day"),
    ("on_demand_max_read_units", "number", "own cap on on-demand reads per second; absent without one"),
    ("on_demand_max_write_units", "number", "own cap on on-demand writes per second; absent without one"),
    ("warm_read_units", "number", "reads per second it can take at once"),
    ("warm_write_units", "number", "writes per second it can take at once"),
    ("warm_status", "text", "ACTIVE, or UPDATING while warm throughput is being raised"),
    ("autoscaling_read_min", "number", "least RCU auto scaling may set; absent without a target"),
    ("autoscaling_read_max", "number", "most RCU auto scaling may set"),
    ("autoscaling_read_target", "number", "utilisation in percent that auto scaling aims at"),
    ("autoscaling_read_schedule", "names", "scheduled actions, each as NAME: SCHEDULE [ZONE] [min=N] [max=N]"),
    ("autoscaling_read_held_back", "text", "why a change did not happen; told as dated changes only"),
    ("autoscaling_write_min", "number", "least WCU auto scaling may set; absent without a target"),
    ("autoscaling_write_max", "number", "most WCU auto scaling may set"),
    ("autoscaling_write_target", "number", "utilisation in percent that auto scaling aims at"),
    ("autoscaling_write_schedule", "names", "scheduled actions, each as NAME: SCHEDULE [ZONE] [min=N] [max=N]"),
    ("autoscaling_write_held_back", "text", "why a change did not happen; told as dated changes only"),
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
_KEYSPACES_KEYSPACE = _attributes(
    Engine.KEYSPACES,
    {Level.KEYSPACE},
    ("keyspaces_replication", "text", "where it is replicated", ("SINGLE_REGION", "MULTI_REGION")),
    ("keyspaces_regions", "names", "all regions of a keyspace that is in several"),
)
_KEYSPACES_TABLE = _attributes(
    Engine.KEYSPACES,
    {Level.TABLE},
    ("keyspaces_status", "text", "ACTIVE, CREATING, UPDATING, INACCESSIBLE_ENCRYPTION_CREDENTIALS, ..."),
    ("keyspaces_created", "text", "ISO time at which the table was created"),
    ("keyspaces_capacity_mode", "text", "how throughput is paid", ("PROVISIONED", "PAY_PER_REQUEST")),
    ("keyspaces_on_demand_since", "text", "ISO time of the last switch to on-demand"),
    ("keyspaces_provisioned_read_units", "number", "RCU per second now provisioned"),
    ("keyspaces_provisioned_write_units", "number", "WCU per second now provisioned"),
    ("keyspaces_warm_read_units", "number", "reads per second it can take at once"),
    ("keyspaces_warm_write_units", "number", "writes per second it can take at once"),
    ("keyspaces_autoscaling_read_min", "number", "least RCU auto scaling may set; absent without a target"),
    ("keyspaces_autoscaling_read_max", "number", "most RCU auto scaling may set"),
    ("keyspaces_autoscaling_read_target", "number", "utilisation in percent that auto scaling aims at"),
    ("keyspaces_autoscaling_write_min", "number", "least WCU auto scaling may set; absent without a target"),
    ("keyspaces_autoscaling_write_max", "number", "most WCU auto scaling may set"),
    ("keyspaces_autoscaling_write_target", "number", "utilisation in percent that auto scaling aims at"),
    ("keyspaces_point_in_time_recovery", "bool", "whether PITR is on"),
    ("keyspaces_ttl", "bool", "whether rows may expire; once on it stays on"),
    ("keyspaces_default_ttl_s", "number", "default time to live; 0 is none"),
    ("keyspaces_client_timestamps", "bool", "whether clients' timestamps decide; once on it stays on"),
    ("keyspaces_cdc", "text", "what the change stream shows (NEW_IMAGE, ...); empty when off"),
    ("keyspaces_encryption", "text", "whose key", ("AWS_OWNED_KMS_KEY", "CUSTOMER_MANAGED_KMS_KEY")),
    ("keyspaces_replica_regions", "names", "other regions of the table"),
    ("keyspaces_partition_key", "names", "columns of the partition key, in order"),
    ("keyspaces_clustering_key", "names", "clustering columns, in order, with ASC or DESC"),
    ("keyspaces_static_columns", "names", "static columns"),
    ("keyspaces_columns", "names", "all columns with their CQL types"),
)
_KEYSPACES_TAGGED = _attributes(
    Engine.KEYSPACES,
    {Level.KEYSPACE, Level.TABLE},
    ("keyspaces_tags", "names", "tags as key=value"),
)
_DAX_CLUSTER = _attributes(
    Engine.DAX,
    {Level.CLUSTER},
    ("dax_status", "text", "available, creating, modifying, deleting, ..."),
    ("dax_node_type", "text", "node type, the same for all nodes"),
    ("dax_nodes", "number", "nodes it is to have"),
    ("dax_active_nodes", "number", "nodes that can serve requests"),
    ("dax_zones", "names", "availability zones of its nodes"),
    ("dax_subnet_group", "text", "subnet group"),
    ("dax_parameter_group", "text", "parameter group"),
    ("dax_parameters_applied", "text", "in-sync, or what is left to be done"),
    ("dax_item_ttl_s", "number", "how long the item cache keeps an item; 0: until it is evicted"),
    ("dax_query_ttl_s", "number", "how long the query cache keeps a result; 0: until it is evicted"),
    ("dax_encrypted", "bool", "whether its data are encrypted at rest"),
    ("dax_endpoint_encryption", "text", "encryption on the way", ("NONE", "TLS")),
    ("dax_network", "text", "ipv4, ipv6 or dual_stack"),
    ("dax_maintenance_window", "text", "when it may be worked on, as ddd:hh:mm-ddd:hh:mm in UTC"),
    ("dax_tags", "names", "tags as key=value"),
)
_DAX_NODE = _attributes(
    Engine.DAX,
    {Level.NODE},
    ("dax_node_status", "text", "available, creating, rebooting, ..."),
    ("dax_node_zone", "text", "availability zone"),
    ("dax_node_created", "text", "ISO time at which the node was launched"),
    ("dax_node_parameters", "text", "in-sync, or pending-reboot"),
)
_MONEY = _attributes(
    Engine.DYNAMODB,
    {Level.SCOPE},
    ("price_lists", "names", "lists of AWS that unit prices were read from, with their versions"),
    ("price_date", "text", "ISO date on which they were last read"),
)

ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        *_DYNAMODB_SCOPE,
        *_DYNAMODB_TABLE,
        *_DYNAMODB_TABLE_OR_INDEX,
        *_CASSANDRA_TABLE,
        *_CASSANDRA_NODE,
        *_KEYSPACES_KEYSPACE,
        *_KEYSPACES_TABLE,
        *_KEYSPACES_TAGGED,
        *_DAX_CLUSTER,
        *_DAX_NODE,
        *_MONEY,
    )
}
"""Every canonical attribute by name. Names are unique over all engines."""
