"""Which system and virtual tables a release has, recorded from real servers.

The JSON files beside this module were written by `python -m tests.standins.cql.record_catalogue` from Apache
Cassandra 4.0.19, 4.1.10 and 5.0.9; nobody edits them by hand.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["partition_key", "clustering", "static", "regular"]
FAMILIES = ("4.0", "4.1", "5.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    type: str
    kind: Kind = "regular"
    position: int = -1
    clustering_order: Literal["none", "asc", "desc"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDefinition:
    """A table that can be asked: its columns in the order of `SELECT *`."""

    keyspace: str
    name: str
    columns: tuple[Column, ...]
    virtual: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.keyspace}.{self.name}"

    @property
    def partition_key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.kind == "partition_key")

    @property
    def clustering(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.kind == "clustering")

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One recorded server: its version numbers and its own tables, by full name."""

    release_version: str
    cql_version: str
    native_protocol_version: str
    tables: dict[str, TableDefinition]


@cache
def release(family: str) -> Release:
    """The recording of a release family: `4.0`, `4.1` or `5.0`."""
    if family not in FAMILIES:
        raise ValueError(f"no recording of Cassandra {family!r}: known are {', '.join(FAMILIES)}")
    recorded = json.loads(files(__name__).joinpath(f"{family}.json").read_text())
    return Release(
        release_version=recorded["release_version"],
        cql_version=recorded["cql_version"],
        native_protocol_version=recorded["native_protocol_version"],
        tables=_tables(recorded["stored"], virtual=False) | _tables(recorded["virtual"], virtual=True),
    )


def _tables(recorded: dict[str, dict[str, str]], *, virtual: bool) -> dict[str, TableDefinition]:
    return {full_name: _table(full_name, columns, virtual=virtual) for full_name, columns in recorded.items()}


def _table(full_name: str, columns: dict[str, str], *, virtual: bool) -> TableDefinition:
    keyspace, _, name = full_name.partition(".")
    parsed = tuple(_column(column, text) for column, text in columns.items())
    return TableDefinition(keyspace=keyspace, name=name, columns=parsed, virtual=virtual)


def _column(name: str, text: str) -> Column:
    kind, position, type_text = text.split(" ", 2)
    order: Literal["asc", "none"] = "asc" if kind == "clustering" else "none"
    # the text is one of ours: "kind position type", with the kinds of Kind
    return Column(name=name, type=type_text, kind=kind, position=int(position), clustering_order=order)  # type: ignore[arg-type]  # literal from JSON
