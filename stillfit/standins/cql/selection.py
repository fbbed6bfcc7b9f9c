"""Answer one SELECT from typed rows, refusing what a server refuses. Pure.

A stored table wants its whole partition key, or `ALLOW FILTERING`; a virtual table may be filtered by any column, as
Cassandra 5.0 does (older releases want ALLOW FILTERING there too, so a client had better not rely on it).
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from stillfit.standins.cql import types, wire
from stillfit.standins.cql.catalogue import Column, TableDefinition
from stillfit.standins.cql.errors import InvalidError, ServerError
from stillfit.standins.cql.statements import Literal, Select
from stillfit.standins.cql.world import Row

GLOBAL_TABLE_SPEC = 0x0001
HAS_MORE_PAGES = 0x0002
NO_METADATA = 0x0004
RESULT_ROWS = 0x0002
FITTING = {
    "string": frozenset({"text", "ascii", "inet"}),
    "integer": frozenset({"bigint", "int", "smallint", "tinyint", "counter", "double", "float"}),
    "uuid": frozenset({"uuid", "timeuuid"}),
    "boolean": frozenset({"boolean"}),
}


def columns(select: Select, table: TableDefinition) -> tuple[Column, ...]:
    """The selected columns, in order."""
    if not select.columns:
        return table.columns
    return tuple(_column(table, name) for name in select.columns)


def _column(table: TableDefinition, name: str) -> Column:
    found = table.column(name)
    if found is None:
        shown = name if name == name.lower() else f'"{name}"'
        raise InvalidError(f"Undefined column name {shown} in table {table.full_name}")
    return found


def check_restrictions(select: Select, table: TableDefinition) -> None:
    names = [name for name, _ in select.where]
    for name, literal in select.where:
        _check_literal(_column(table, name), literal)
        if names.count(name) > 1:
            raise InvalidError(f"{name} cannot be restricted by more than one relation if it includes an Equal")
    if not (table.virtual or select.allow_filtering or _is_key_prefix(table, set(names))):
        raise InvalidError(
            "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. "
            "If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"
        )


def _check_literal(column: Column, literal: Literal) -> None:
    if types.parse(column.type).name not in FITTING[literal.kind]:
        raise InvalidError(
            f'Invalid {literal.kind.upper()} constant ({literal.text}) for "{column.name}" of type {column.type}'
        )


def _is_key_prefix(table: TableDefinition, restricted: set[str]) -> bool:
    if not restricted:
        return True
    left = restricted - set(table.partition_key)
    whole_key = restricted >= set(table.partition_key)
    return whole_key and left == set(table.clustering[: len(left)])


def matching(select: Select, table: TableDefinition, rows: Iterable[Row]) -> list[Row]:
    """The rows that the statement asks for, up to its limit."""
    wanted = [(_column(table, name), literal) for name, literal in select.where]
    sought = [(column, _constant(column, literal)) for column, literal in wanted]
    found = (row for row in rows if all(_encoded(table, column, row) == constant for column, constant in sought))
    return list(islice(found, select.limit))


def _constant(column: Column, literal: Literal) -> bytes | None:
    try:
        return types.encode(types.parse(column.type), literal.value)
    except types.UnfitValueError as error:
        raise InvalidError(f"Unable to make {column.type} from '{literal.text}'") from error


def rows_body(
    table: TableDefinition,
    selected: Sequence[Column],
    rows: Sequence[Row],
    *,
    paging_state: bytes | None,
    skip_metadata: bool,
) -> bytes:
    """The body of a RESULT of kind Rows (native_protocol_v4.spec, section 4.2.5.2)."""
    metadata = _metadata(table, selected, paging_state=paging_state, skip_metadata=skip_metadata)
    cells = b"".join(wire.nullable_bytes(_encoded(table, column, row)) for row in rows for column in selected)
    return wire.integer(RESULT_ROWS) + metadata + wire.integer(len(rows)) + cells


def _metadata(
    table: TableDefinition, selected: Sequence[Column], *, paging_state: bytes | None, skip_metadata: bool
) -> bytes:
    flags = NO_METADATA if skip_metadata else GLOBAL_TABLE_SPEC
    state = b""
    if paging_state is not None:
        flags |= HAS_MORE_PAGES
        state = wire.nullable_bytes(paging_state)
    head = wire.integer(flags) + wire.integer(len(selected)) + state
    if skip_metadata:
        return head
    names = b"".join(wire.string(column.name) + types.option(types.parse(column.type)) for column in selected)
    return head + wire.string(table.keyspace) + wire.string(table.name) + names


def _encoded(table: TableDefinition, column: Column, row: Row) -> bytes | None:
    try:
        return types.encode(types.parse(column.type), row.get(column.name))
    except types.UnfitValueError as error:
        raise ServerError(
            f"the world gave {table.full_name}.{column.name} a value that does not fit: {error}"
        ) from error
