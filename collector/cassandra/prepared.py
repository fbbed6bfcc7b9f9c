"""What the prepared statements of a table do, without their text. Pure.

A statement becomes a Shape (verb, table, columns named, whether it sets a TTL) and its text is dropped here: prepared
text may hold literals of users. Statements that are not understood are left out; the figures are then lower bounds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collector.cassandra.schema import TableName, TableSchema
from stillfit.model import Value

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_TABLE = rf"(?:(?P<keyspace>{_NAME})\s*\.\s*)?(?P<table>{_NAME})"
_FLAGS = re.IGNORECASE | re.DOTALL
INSERT: Final = re.compile(rf"\s*INSERT\s+INTO\s+{_TABLE}\s*\((?P<columns>[^)]*)\)\s*VALUES\b(?P<rest>.*)", _FLAGS)
UPDATE: Final = re.compile(
    rf"\s*UPDATE\s+{_TABLE}\s+(?P<using>USING\b.*?)?\bSET\b(?P<set>.*?)\bWHERE\b(?P<where>.*)", _FLAGS
)
DELETE: Final = re.compile(rf"\s*DELETE\b(?P<cells>.*?)\bFROM\s+{_TABLE}\b(?P<using>.*?)\bWHERE\b(?P<where>.*)", _FLAGS)
BATCH: Final = re.compile(r"\s*BEGIN\s+(?:(?:UN)?LOGGED\s+|COUNTER\s+)?BATCH\b(?P<body>.*)\bAPPLY\s+BATCH", _FLAGS)
BATCH_USING: Final = re.compile(r"\s*USING\s+TIMESTAMP\s+\S+", _FLAGS)
TTL: Final = re.compile(r"\bUSING\b.*\bTTL\b", _FLAGS)
LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
EQUALS: Final = re.compile(rf"({_NAME})\s*(?:=|\bIN\b)", re.IGNORECASE)
ASSIGNED: Final = re.compile(rf"(?:^|,)\s*({_NAME})\s*=\s*(?!\s*{_NAME}\s*[+-])([^,]*)", re.DOTALL)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """One statement without its text. Equal statements of several nodes are equal shapes."""

    keyspace: str
    table: str
    verb: str
    columns: frozenset[str]
    """INSERT: columns named. UPDATE: columns assigned as a whole. DELETE: columns restricted."""
    sets_ttl: bool = False
    deletes_cells: bool = False


def shapes(rows: Iterable[Row]) -> frozenset[Shape]:
    """The shapes of the rows of system.prepared_statements."""
    return frozenset(
        shape
        for row in rows
        for text in _statements(row["query_string"] or "")
        for shape in _shape(text, row["logged_keyspace"] or "")
    )


def _statements(text: str) -> list[str]:
    """The statement, or those of a batch; literals are emptied first, so that none can mislead or stay."""
    bare = LITERAL.sub("''", text)
    batch = BATCH.match(bare)
    return BATCH_USING.sub("", batch["body"], count=1).split(";") if batch else [bare]


def _shape(text: str, logged_keyspace: str) -> list[Shape]:
    for understand in (_insert, _update, _delete):
        shape = understand(text, logged_keyspace)
        if shape is not None:
            return [shape]
    return []


def _insert(text: str, keyspace: str) -> Shape | None:
    found = INSERT.match(text)
    if found is None:
        return None
    columns = frozenset(_name(column) for column in found["columns"].split(",") if column.strip())
    return Shape(*_table(found, keyspace), "INSERT", columns, sets_ttl=TTL.search(found["rest"]) is not None)


def _update(text: str, keyspace: str) -> Shape | None:
    found = UPDATE.match(text)
    if found is None:
        return None
    assigned = frozenset(_name(column) for column, _value in ASSIGNED.findall(found["set"]))
    return Shape(*_table(found, keyspace), "UPDATE", assigned, sets_ttl=TTL.search(found["using"] or "") is not None)


def _delete(text: str, keyspace: str) -> Shape | None:
    found = DELETE.match(text)
    if found is None:
        return None
    restricted = frozenset(_name(column) for column in EQUALS.findall(found["where"]))
    return Shape(*_table(found, keyspace), "DELETE", restricted, deletes_cells=bool(found["cells"].strip()))


def _table(found: re.Match[str], logged_keyspace: str) -> tuple[str, str]:
    return _name(found["keyspace"]) if found["keyspace"] else logged_keyspace, _name(found["table"])


def _name(text: str) -> str:
    """An identifier as the schema spells it: quoted keeps its case, unquoted is lower case."""
    text = text.strip()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def attributes(found: Iterable[Shape], tables: Mapping[TableName, TableSchema]) -> dict[TableName, dict[str, Value]]:
    """The canonical `prepared_*` attributes of every table in `tables`, zeros included."""
    by_table: defaultdict[TableName, list[Shape]] = defaultdict(list)
    for shape in found:
        by_table[shape.keyspace, shape.table].append(shape)
    return {name: _attributes(by_table[name], table) for name, table in tables.items()}


def _attributes(found: list[Shape], table: TableSchema) -> dict[str, Value]:
    inserts = [shape for shape in found if shape.verb == "INSERT"]
    deletes = [shape for shape in found if shape.verb == "DELETE"]
    wide_deletes = [shape for shape in deletes if not (table.primary_key <= shape.columns or shape.deletes_cells)]
    overwrites = [shape for shape in found if shape.verb != "DELETE" and shape.columns & table.collections]
    return {
        "prepared_inserts": float(len(inserts)),
        "prepared_insert_columns": float(max((len(shape.columns) for shape in inserts), default=0)),
        "prepared_deletes": float(len(deletes)),
        "prepared_deletes_partition": float(len(wide_deletes)),
        "prepared_ttl": float(sum(shape.sets_ttl for shape in found)),
        "prepared_collection_overwrites": float(len(overwrites)),
    }
