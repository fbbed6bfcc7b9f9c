"""What is talked about: a table, an index, a node, with a text form that is stable.

Everything that stillfit says is about a Subject, wherever it was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import quote, unquote


class Engine(StrEnum):
    DYNAMODB = "dynamodb"
    CASSANDRA = "cassandra"
    KEYSPACES = "keyspaces"
    DAX = "dax"


class Level(StrEnum):
    """What kind of thing a subject is; an analyzer judges one level."""

    SCOPE = "scope"
    CLUSTER = "cluster"  # a DAX cluster; a Cassandra cluster is a scope
    KEYSPACE = "keyspace"
    TABLE = "table"
    INDEX = "index"
    NODE = "node"
    REPLICA = "replica"  # one table on one Cassandra node


_NAMES = ("cluster", "keyspace", "table", "index", "node")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subject:
    """What is talked about. Its text form is stable, reversible and safe for any name."""

    engine: Engine
    scope: tuple[str, str]
    """(account, region) on AWS, (cluster, datacenter) on Cassandra."""
    cluster: str = ""
    keyspace: str = ""
    table: str = ""
    index: str = ""
    node: str = ""

    @property
    def level(self) -> Level:
        if self.index:
            return Level.INDEX
        if self.table:
            return Level.REPLICA if self.node else Level.TABLE
        if self.node:
            return Level.NODE
        if self.cluster:
            return Level.CLUSTER
        return Level.KEYSPACE if self.keyspace else Level.SCOPE

    @property
    def parent(self) -> Subject:
        """The table of an index or replica; anything else is its own parent."""
        if self.level not in {Level.INDEX, Level.REPLICA}:
            return self
        return Subject(engine=self.engine, scope=self.scope, keyspace=self.keyspace, table=self.table)

    @property
    def name(self) -> str:
        """What an operator calls it: orders, orders/by-status, shop.jobs, shop.jobs on 10.0.0.1."""
        table = f"{self.keyspace}.{self.table}" if self.keyspace and self.table else self.table or self.keyspace
        named = f"{table}/{self.index}" if self.index else table or self.cluster
        if self.node:
            return f"{named} on {self.node}" if named else self.node
        return named or "/".join(filter(None, self.scope))

    def __str__(self) -> str:
        """dynamodb/123456789012/eu-west-1/table=orders/index=by-status, each part percent-encoded."""
        parts = [self.engine.value, *(quote(part, safe="") for part in self.scope)]
        named = ((name, getattr(self, name)) for name in _NAMES)
        return "/".join(parts + [f"{key}={quote(value, safe='')}" for key, value in named if value])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form back. Raises ValueError on anything `str` would not have written."""
        engine, first, second, *rest = text.split("/") if text.count("/") >= 2 else ["", "", ""]
        names = dict(part.split("=", 1) for part in rest if "=" in part)
        if len(names) != len(rest) or not set(names) <= set(_NAMES):
            raise ValueError(f"{text!r} is not the text form of a subject")
        decoded = {key: unquote(value) for key, value in names.items()}
        return cls(engine=Engine(engine), scope=(unquote(first), unquote(second)), **decoded)
