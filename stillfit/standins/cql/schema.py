"""The rows that a server writes about itself: topology, `system_schema` and `system_virtual_schema`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from stillfit.standins.cql.catalogue import Release, TableDefinition, release
from stillfit.standins.cql.faults import Fault, FaultKind
from stillfit.standins.cql.world import Keyspace, Node, Row, Table

LOCAL_STRATEGY = {"class": "org.apache.cassandra.locator.LocalStrategy"}
SIMPLE_STRATEGY = {"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "3"}
# Defaults of CREATE TABLE on Cassandra 5.0.9; options that an older release lacks are left out by its catalogue.
TABLE_OPTIONS: Mapping[str, Any] = {
    "additional_write_policy": "99p",
    "bloom_filter_fp_chance": 0.01,
    "caching": {"keys": "ALL", "rows_per_partition": "NONE"},
    "comment": "",
    "compaction": {
        "class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
        "max_threshold": "32",
        "min_threshold": "4",
    },
    "compression": {"chunk_length_in_kb": "16", "class": "org.apache.cassandra.io.compress.LZ4Compressor"},
    "crc_check_chance": 1.0,
    "dclocal_read_repair_chance": 0.0,
    "default_time_to_live": 0,
    "extensions": {},
    "flags": {"compound"},
    "gc_grace_seconds": 864_000,
    "max_index_interval": 2048,
    "memtable_flush_period_in_ms": 0,
    "min_index_interval": 128,
    "read_repair": "BLOCKING",
    "read_repair_chance": 0.0,
    "speculative_retry": "99p",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The cluster as one node sees it at the moment of a query."""

    node: Node
    cluster_name: str
    ports: Mapping[str, int]
    peers: Sequence[Node]
    keyspaces: Sequence[Keyspace]
    faults: Sequence[Fault]

    @property
    def release(self) -> Release:
        return release(self.node.release)

    def table(self, full_name: str) -> TableDefinition | None:
        found = self.release.tables.get(full_name) or self._of_user(full_name)
        return found and without_missing(found, self.faults)

    def _of_user(self, full_name: str) -> TableDefinition | None:
        definitions = (definition for keyspace in self.keyspaces for definition in keyspace.definitions())
        return next((definition for definition in definitions if definition.full_name == full_name), None)

    def tables(self) -> Iterable[TableDefinition]:
        every = [*self.release.tables.values(), *(each for ks in self.keyspaces for each in ks.definitions())]
        return (left for definition in every if (left := without_missing(definition, self.faults)))

    def has_keyspace(self, name: str) -> bool:
        return any(definition.keyspace == name for definition in self.tables()) or any(
            keyspace.name == name for keyspace in self.keyspaces
        )


def without_missing(table: TableDefinition, faults: Iterable[Fault]) -> TableDefinition | None:
    mine = [fault for fault in faults if fault.table == table.full_name]
    if any(fault.kind is FaultKind.MISSING_TABLE for fault in mine):
        return None
    gone = {fault.column for fault in mine if fault.kind is FaultKind.MISSING_COLUMN}
    left = tuple(column for column in table.columns if column.name not in gone)
    return TableDefinition(keyspace=table.keyspace, name=table.name, columns=left, virtual=table.virtual)


def schema_version(keyspaces: Sequence[Keyspace]) -> UUID:
    """The same schema has the same version; any change gives another."""
    return uuid5(NAMESPACE_DNS, repr(keyspaces))


def _local(view: View) -> Iterable[Row]:
    node, recorded = view.node, view.release
    yield {
        "key": "local",
        "bootstrapped": "COMPLETED",
        "broadcast_address": node.address,
        "broadcast_port": 7000,
        "cluster_name": view.cluster_name,
        "cql_version": recorded.cql_version,
        "data_center": node.datacenter,
        "gossip_generation": node.generation,
        "host_id": node.host_id,
        "listen_address": node.address,
        "listen_port": 7000,
        "native_protocol_version": recorded.native_protocol_version,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "rack": node.rack,
        "release_version": recorded.release_version,
        "rpc_address": node.address,
        "rpc_port": view.ports[node.name],
        "schema_version": schema_version(view.keyspaces),
        "tokens": node.tokens,
    }


def _peers(view: View) -> Iterable[Row]:
    """Keyed by address alone: nodes that share one address are a single row here, as on a server."""
    return {peer.address: _peer(view, peer) | {"rpc_address": peer.address} for peer in view.peers}.values()


def _peers_v2(view: View) -> Iterable[Row]:
    for peer in view.peers:
        port = view.ports[peer.name]
        yield _peer(view, peer) | {"peer_port": port, "native_address": peer.address, "native_port": port}


def _peer(view: View, peer: Node) -> dict[str, Any]:
    return {
        "peer": peer.address,
        "data_center": peer.datacenter,
        "host_id": peer.host_id,
        "rack": peer.rack,
        "release_version": release(peer.release).release_version,
        "schema_version": schema_version(view.keyspaces),
        "tokens": peer.tokens,
    }


def _keyspaces(view: View) -> Iterable[Row]:
    for name in sorted({table.keyspace for table in view.release.tables.values() if not table.virtual}):
        replication = SIMPLE_STRATEGY if name == "system_distributed" else LOCAL_STRATEGY
        yield {"keyspace_name": name, "durable_writes": True, "replication": replication}
    for keyspace in view.keyspaces:
        yield {"keyspace_name": keyspace.name, "durable_writes": True, "replication": keyspace.replication}


def _tables(view: View) -> Iterable[Row]:
    declared = {(keyspace.name, table.name): table for keyspace in view.keyspaces for table in keyspace.tables}
    known = {column.name for column in view.release.tables["system_schema.tables"].columns}
    defaults = {name: value for name, value in TABLE_OPTIONS.items() if name in known}
    for definition in view.tables():
        if not definition.virtual:
            yield _table(definition, defaults, declared.get((definition.keyspace, definition.name)))


def _table(definition: TableDefinition, defaults: Mapping[str, Any], declared: Table | None) -> Row:
    identity = {
        "keyspace_name": definition.keyspace,
        "table_name": definition.name,
        "id": uuid5(NAMESPACE_DNS, definition.full_name),
    }
    return {**identity, **defaults, **(declared.options if declared else {})}


def _columns(view: View) -> Iterable[Row]:
    return _columns_of(table for table in view.tables() if not table.virtual)


def _virtual_keyspaces(view: View) -> Iterable[Row]:
    return [{"keyspace_name": name} for name in sorted({t.keyspace for t in view.tables() if t.virtual})]


def _virtual_tables(view: View) -> Iterable[Row]:
    for table in view.tables():
        if table.virtual:
            yield {"keyspace_name": table.keyspace, "table_name": table.name, "comment": ""}


def _virtual_columns(view: View) -> Iterable[Row]:
    return _columns_of(table for table in view.tables() if table.virtual)


def _columns_of(tables: Iterable[TableDefinition]) -> Iterable[Row]:
    for table in tables:
        for column in table.columns:
            yield {
                "keyspace_name": table.keyspace,
                "table_name": table.name,
                "column_name": column.name,
                "clustering_order": column.clustering_order,
                "column_name_bytes": column.name.encode(),
                "kind": column.kind,
                "position": column.position,
                "type": column.type,
            }


OWN_ROWS: Mapping[str, Callable[[View], Iterable[Row]]] = {
    "system.local": _local,
    "system.peers": _peers,
    "system.peers_v2": _peers_v2,
    "system_schema.keyspaces": _keyspaces,
    "system_schema.tables": _tables,
    "system_schema.columns": _columns,
    "system_virtual_schema.keyspaces": _virtual_keyspaces,
    "system_virtual_schema.tables": _virtual_tables,
    "system_virtual_schema.columns": _virtual_columns,
}
