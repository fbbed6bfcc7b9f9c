"""Connections and transactions: one way in for both databases, and every refusal as a StoreError sentence.

SQLite: a write begins with BEGIN IMMEDIATE. A deferred transaction that reads before it writes fails at once with
SQLITE_BUSY_SNAPSHOT when another writer came between, and busy_timeout does not help there (SQLite documentation,
"Write-Ahead Logging", and result code 517).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from stillfit.errors import StoreError

BUSY_TIMEOUT_MS = 5_000  # ours: longer than any of our own transactions, shorter than a collecting interval
CONNECT_S = 5  # ours: as for the file; psycopg waits 130 s by itself. `?connect_timeout=` in the URL says otherwise
TRIED_AGAIN = "it is tried again"
TRY_AGAIN = "check that it runs and can be reached, then try again"
_WRITES = "stillfit_writes"  # execution option: how a transaction begins
_FILE = "stillfit_file"  # of a connection: which file it was opened on
_GONE = "the file was removed or replaced under the running stillfit: put it back, or start stillfit anew"
_T = TypeVar("_T")
AT_ONCE = 500
"""Names in one statement: below the least number of variables that SQLite allows (999, before 3.32)."""

_SQLITE_REFUSALS = (  # prefix of the SQLite result code, what it means and what next, heals by itself
    ("SQLITE_FULL", "the disk is full: free some space, work goes on by itself", True),
    ("SQLITE_BUSY", "the database stayed locked by another process: {again}", True),
    ("SQLITE_LOCKED", "the database stayed locked by another connection: {again}", True),
    ("SQLITE_IOERR", "the disk failed to read or write: check the disk and the kernel log", True),
    ("SQLITE_CORRUPT", "the file is damaged: stop stillfit and restore a backup", False),
    ("SQLITE_NOTADB", "the file is not a SQLite database: check the path, or restore a backup", False),
    ("SQLITE_READONLY", "the file is read-only: check its owner, its mode and the mount", False),
    ("SQLITE_CANTOPEN", "the file cannot be opened: check that its folder exists and is writable", False),
)
_RETRYABLE_SQLSTATES = ("08", "40", "53", "55", "57")  # connection, rollback, resources, lock, shutdown (PostgreSQL A)


class Database:
    """One database file, or one PostgreSQL database. Safe to share between threads."""

    def __init__(
        self, engine: sa.Engine, make_room: Callable[[], bool] = lambda: False, again: str = TRIED_AGAIN
    ) -> None:
        """`make_room` is called when the disk is full; True when it is worth a second try.

        `again`: what comes next of a refusal that may heal by itself. A command looks once: TRY_AGAIN.
        """
        self._again = again
        self._engine = engine
        self._make_room = make_room
        self._writing = engine.execution_options(**{_WRITES: True})
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite reads one moment by itself; PostgreSQL would see other commits from one statement to the next
        self._reading = engine if self.is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._one_writer = threading.Lock() if self.is_sqlite else nullcontext()
        self.name = str(engine.url.database) if self.is_sqlite else engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment."""
        with self._as_store_errors(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is kept as a whole or not at all."""
        with self._one_writer, self._as_store_errors(), self._writing.begin() as connection:
            yield connection

    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """`work` in a transaction; where the disk was full, once more after room was made."""
        try:
            with self.write() as connection:
                return work(connection)
        except FullError:
            if not self._make_room():
                raise
        with self.write() as connection:
            return work(connection)

    def maintain(self, script: str) -> None:
        """Run the few statements of upkeep that SQLite refuses inside a transaction, each to its end."""
        with self._one_writer, closing(self._engine.raw_connection()) as raw:
            try:
                cast("sqlite3.Connection", raw.dbapi_connection).executescript(script)
            except sqlite3.Error as error:
                raise _sqlite_refusal(self.name, error, self._again) from error

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise refusal(self.name, error, self._again) from error


class FullError(StoreError):
    """There is no room left on the disk of a SQLite file."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


def refusal(name: str, error: SQLAlchemyError, again: str = TRIED_AGAIN) -> StoreError:
    """What the database said, as a sentence with what next."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return _sqlite_refusal(name, cause, again)
    sqlstate = getattr(cause, "sqlstate", None)
    lost = isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
    )
    retryable = sqlstate[:2] in _RETRYABLE_SQLSTATES if sqlstate else lost
    what_next = again if retryable else "see the message of the database"
    first_line = str(cause or error).strip().partition("\n")[0]
    return StoreError(f"store {name}: {first_line}: {what_next}", retryable=retryable)


def _sqlite_refusal(name: str, cause: sqlite3.Error, again: str) -> StoreError:
    code = getattr(cause, "sqlite_errorname", "")
    for prefix, sentence, retryable in _SQLITE_REFUSALS:
        if code.startswith(prefix):
            message = f"store {name}: {sentence.format(again=again)}"
            return FullError(message) if prefix == "SQLITE_FULL" else StoreError(message, retryable=retryable)
    return StoreError(f"store {name}: {cause}: see the message of the database", retryable=False)


def sqlite_engine(path: str, *, synchronous: str) -> sa.Engine:
    """An engine on a file that exists. `synchronous`: FULL keeps every commit, NORMAL may lose some in a power cut."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=path), connect_args={"isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "wal_autocheckpoint=1000",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        record.info[_FILE] = _identity(path)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.info[_FILE] != _identity(path):
            raise StoreError(f"store {path}: {_GONE}", retryable=True)
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _identity(path: str) -> tuple[int, int] | None:
    """Which file a path leads to now. SQLite writes to a removed file without a word, until the process ends."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def postgresql_engine(url: sa.URL) -> sa.Engine:
    """An engine on a PostgreSQL database; a connection that a restart cut is replaced before it is used."""
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S}
    try:
        return sa.create_engine(url.set(drivername="postgresql+psycopg"), connect_args=patience, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        message = "store: PostgreSQL needs the driver psycopg: install it with pip install 'stillfit[postgres]'"
        raise StoreError(message, retryable=False) from error


def pieces(named: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many at once as one statement may name."""
    return (named[first : first + AT_ONCE] for first in range(0, len(named), AT_ONCE))


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], *, update: bool = True) -> None:
    """Insert rows; one whose primary key is there replaces its other columns, or is left out (`update=False`)."""
    if not rows:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    others = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    keys = list(table.primary_key.columns)
    statement = (
        insert.on_conflict_do_update(index_elements=keys, set_=others) if update else insert.on_conflict_do_nothing()
    )
    connection.execute(statement, rows)
