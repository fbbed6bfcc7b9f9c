"""What the stand-in knows about the cluster it plays: nodes, schema, roles, and rows asked for at query time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import NAMESPACE_DNS, UUID, uuid5

from stillfit.standins.cql.catalogue import Column, TableDefinition

Row = Mapping[str, Any]
Family = Literal["4.0", "4.1", "5.0"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One server of the cluster.

    Several nodes share one address on different ports (`system.peers_v2` names the port of each), or each has an
    address of its own.
    """

    name: str
    address: str = "127.0.0.1"
    port: int = 0
    """0: a free one, chosen at the start and kept until the stop"""
    datacenter: str = "dc1"
    rack: str = "rack1"
    release: Family = "5.0"
    tokens: tuple[str, ...] = ("0",)
    generation: int = 1_700_000_000
    """seconds since 1970 at which the server started: `system.local.gossip_generation`"""

    @property
    def host_id(self) -> UUID:
        return uuid5(NAMESPACE_DNS, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the user: its columns and those options that differ from the defaults."""

    name: str
    columns: tuple[Column, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """columns of `system_schema.tables`: compaction, gc_grace_seconds, default_time_to_live, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyspace:
    name: str
    replication: Mapping[str, str]
    tables: tuple[Table, ...] = ()

    def definitions(self) -> Iterable[TableDefinition]:
        for table in self.tables:
            yield TableDefinition(keyspace=self.name, name=table.name, columns=table.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A login. Without any role the server lets everybody in (AllowAllAuthenticator)."""

    name: str
    password: str = field(repr=False)
    grants: frozenset[str] = frozenset()
    """keyspaces (`system_views`) and tables (`system.top_partitions`) on which it has SELECT"""


class World(Protocol):
    """Asked anew by every query, so that a simulator may answer for its own present moment.

    `rows` of `system.local` need hold only what differs from the node's declaration (a restart changes
    `gossip_generation`); rows of any other table are given whole, absent columns being null.
    """

    def keyspaces(self) -> Sequence[Keyspace]: ...

    def rows(self, node: Node, table: str) -> Iterable[Row]:
        """The rows of `keyspace.table` as this node would tell them now."""
        ...


class StillWorld:
    """A world that changes only by hand, for tests."""

    def __init__(self, keyspaces: Sequence[Keyspace] = ()) -> None:
        self._keyspaces = tuple(keyspaces)
        self._rows: dict[tuple[str | None, str], tuple[Row, ...]] = {}

    def keyspaces(self) -> Sequence[Keyspace]:
        return self._keyspaces

    def declare(self, *keyspaces: Keyspace) -> None:
        self._keyspaces = keyspaces

    def put(self, table: str, *rows: Row, node: str | None = None) -> None:
        """Replace the rows of a table on one node, or on all that have none of their own."""
        self._rows[node, table] = rows

    def rows(self, node: Node, table: str) -> Iterable[Row]:
        return self._rows.get((node.name, table), self._rows.get((None, table), ()))
