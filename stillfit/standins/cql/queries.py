"""One QUERY message: what it asks, whether it may, and the page of rows that answers it."""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from stillfit.standins.cql import schema, selection, statements, wire
from stillfit.standins.cql.catalogue import TableDefinition, release
from stillfit.standins.cql.errors import (
    BootstrappingError,
    CqlError,
    InvalidError,
    OverloadedError,
    ReadTimeoutError,
    ServerError,
    UnauthorizedError,
)
from stillfit.standins.cql.faults import Fault, FaultKind
from stillfit.standins.cql.schema import View
from stillfit.standins.cql.statements import Select, Use
from stillfit.standins.cql.wire import Reader
from stillfit.standins.cql.world import Role, Row

READABLE_BY_ALL = frozenset(
    {
        "system.local",
        "system.peers",
        "system.peers_v2",
        "system.size_estimates",
        "system.table_estimates",
        "system_schema",
        "system_virtual_schema",
    }
)
"""What every login may read: recorded from Cassandra 5.0.9 with CassandraAuthorizer and a role without grants."""

RESULT_SET_KEYSPACE = 0x0003
VALUES, SKIP_METADATA, PAGE_SIZE, PAGING_STATE = 0x01, 0x02, 0x04, 0x08
RowsOf = Callable[[View, TableDefinition], Sequence[Row]]
PAGE_MARK = struct.Struct(">II")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The body of a QUERY message (native_protocol_v4.spec, section 4.1.4)."""

    text: str
    page_size: int = 0
    """0: everything on one page"""
    paging_state: bytes | None = None
    skip_metadata: bool = False

    @classmethod
    def parse(cls, body: bytes) -> "Query":
        reader = Reader(body)
        text, _consistency, flags = reader.long_string(), reader.short(), reader.byte()
        if flags & VALUES:
            raise InvalidError("Invalid amount of bind variables")
        return cls(
            text=text,
            skip_metadata=bool(flags & SKIP_METADATA),
            page_size=max(0, reader.integer()) if flags & PAGE_SIZE else 0,
            paging_state=reader.nullable_bytes() if flags & PAGING_STATE else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, in which keyspace. `role` is None on a server without authentication."""

    role: Role | None = None
    keyspace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body of a RESULT, and the keyspace that holds from now on."""

    body: bytes
    keyspace: str | None


def statement_of(query: Query, asker: Asker) -> Select | Use:
    """The parsed statement, with the keyspace of the connection filled in."""
    statement = statements.parse(query.text)
    if isinstance(statement, Use) or statement.keyspace:
        return statement
    if asker.keyspace is None:
        raise InvalidError("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
    return replace(statement, keyspace=asker.keyspace)


def full_name(statement: Select | Use) -> str | None:
    return f"{statement.keyspace}.{statement.table}" if isinstance(statement, Select) else None


def answer(view: View, query: Query, statement: Select | Use, *, asker: Asker, rows: RowsOf) -> Answer:
    if isinstance(statement, Use):
        return _use(view, statement)
    table = _table(view, statement)
    selected = selection.columns(statement, table)
    selection.check_restrictions(statement, table)
    _check_permission(asker, table)
    found = selection.matching(statement, table, _checked(table, rows(view, table)))
    page, state = _page(query, found)
    body = selection.rows_body(table, selected, page, paging_state=state, skip_metadata=query.skip_metadata)
    return Answer(body=body, keyspace=asker.keyspace)


def _use(view: View, statement: Use) -> Answer:
    if not view.has_keyspace(statement.keyspace):
        raise InvalidError(f"Keyspace '{statement.keyspace}' does not exist")
    body = wire.integer(RESULT_SET_KEYSPACE) + wire.string(statement.keyspace)
    return Answer(body=body, keyspace=statement.keyspace)


def _table(view: View, statement: Select) -> TableDefinition:
    assert statement.keyspace is not None
    table = view.table(f"{statement.keyspace}.{statement.table}")
    if table is not None:
        return table
    if view.has_keyspace(statement.keyspace):
        raise InvalidError(f"table {statement.table} does not exist")
    raise InvalidError(f"keyspace {statement.keyspace} does not exist")


def _check_permission(asker: Asker, table: TableDefinition) -> None:
    if asker.role is None or {table.keyspace, table.full_name} & (asker.role.grants | READABLE_BY_ALL):
        return
    raise unauthorized(asker.role.name, table.full_name)


def unauthorized(role: str, table: str) -> UnauthorizedError:
    return UnauthorizedError(f"User {role} has no SELECT permission on <table {table}> or any of its parents")


def _checked(table: TableDefinition, rows: Iterable[Row]) -> list[Row]:
    """The world's rows, unless one has a column that no release knows: that is a mistake, and it is told so."""
    known = _columns_of_any_release(table)
    found = list(rows)
    for row in found:
        if unknown := sorted(set(row) - known):
            raise ServerError(f"the world gave {table.full_name} the unknown column {unknown[0]!r}")
    return found


def _columns_of_any_release(table: TableDefinition) -> set[str]:
    recorded = [release(family).tables.get(table.full_name) for family in ("4.0", "4.1", "5.0")]
    return {column.name for each in [table, *recorded] if each for column in each.columns}


def _page(query: Query, rows: Sequence[Row]) -> tuple[Sequence[Row], bytes | None]:
    """This page of the rows and, where more follow, the state that asks for the next."""
    mark = zlib.crc32(query.text.encode())
    start = _start(query.paging_state, mark)
    end = start + query.page_size if query.page_size else len(rows)
    return rows[start:end], PAGE_MARK.pack(mark, end) if end < len(rows) else None


def _start(paging_state: bytes | None, mark: int) -> int:
    if paging_state is None:
        return 0
    if len(paging_state) != PAGE_MARK.size:
        raise InvalidError("Invalid value for the paging state")
    found, start = PAGE_MARK.unpack(paging_state)
    if found != mark:
        raise InvalidError("Invalid value for the paging state")
    return int(start)


def refusal(fault: Fault, *, asker: Asker, table: str | None) -> CqlError:
    """The error response that a fault of `faults.ERRORS` stands for."""
    match fault.kind:
        case FaultKind.OVERLOADED:
            return OverloadedError()
        case FaultKind.BOOTSTRAPPING:
            return BootstrappingError()
        case FaultKind.READ_TIMEOUT:
            return ReadTimeoutError()
        case _:
            return unauthorized(asker.role.name if asker.role else "anonymous", table or "")


def rows_of(world_rows: Callable[[str], Iterable[Row]], view: View, table: TableDefinition) -> Sequence[Row]:
    """A node's own rows for the tables it writes itself, the world's for the rest."""
    own = schema.OWN_ROWS.get(table.full_name)
    if own is None:
        return list(world_rows(table.full_name))
    if table.full_name == "system.local":
        overlay = next(iter(world_rows(table.full_name)), {})
        return [{**row, **overlay} for row in own(view)]
    return list(own(view))
