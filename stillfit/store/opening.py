"""From a URL to open databases: made, locked, checked and migrated, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from stillfit.errors import StoreError
from stillfit.store.database import TRIED_AGAIN, TRY_AGAIN, Database, postgresql_engine, sqlite_engine
from stillfit.store.migrate import HEADS, migrate, require_current
from stillfit.store.sqlite_files import Ballast, Files, ProcessLock, back_up, check, prepare


@dataclass(frozen=True, slots=True)
class Databases:
    """What one store stands on. On PostgreSQL, `state` and `history` are the same."""

    state: Database
    history: Database
    lock: ProcessLock | None = None
    ballast: Ballast | None = None

    def close(self) -> None:
        self.state.close()
        self.history.close()
        if self.lock is not None:
            self.lock.close()


def open_databases(url: str, *, exclusive: bool, ballast_bytes: int) -> Databases:
    """`exclusive`: the daemon, which migrates and holds the lock of a SQLite store; others join what is there."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed, exclusive=exclusive)
    files = Files(Path(parsed.database or ""))
    return _open_sqlite(files, ballast_bytes) if exclusive else _join_sqlite(files, ballast_bytes)


def is_sqlite(url: str) -> bool:
    """Whether a store's URL names files, which one process holds. Raises StoreError where it cannot be read."""
    return _parsed(url).get_backend_name() == "sqlite"


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        message = (
            "store: the URL cannot be read: write sqlite:////folder/stillfit.db or postgresql://user@host/database"
        )
        raise StoreError(message, retryable=False) from error
    known = parsed.get_backend_name() in {"sqlite", "postgresql"}
    if not known or parsed.database in {None, "", ":memory:"}:
        shown = parsed.render_as_string(hide_password=True)
        message = (
            f"store: {shown} is not supported: write sqlite:////folder/stillfit.db or postgresql://user@host/database"
        )
        raise StoreError(message, retryable=False)
    return parsed


def _open_postgresql(url: sa.URL, *, exclusive: bool) -> Databases:
    database = Database(postgresql_engine(url), again=TRIED_AGAIN if exclusive else TRY_AGAIN)
    databases = Databases(database, database)
    with _closed_on_refusal(databases):
        if exclusive:
            migrate(database, tuple(HEADS))
        else:
            require_current(database, tuple(HEADS))
    return databases


def _open_sqlite(files: Files, ballast_bytes: int) -> Databases:
    ballast = Ballast(files.ballast, ballast_bytes)
    databases = Databases(*_sqlite_databases(files, ballast, TRIED_AGAIN), ProcessLock(files), ballast)
    with _closed_on_refusal(databases):
        prepare(files)
        check(files.state)
        check(files.history)
        migrate(databases.state, ("state",), partial(back_up, files.state))
        migrate(databases.history, ("history",), partial(back_up, files.history))
        ballast.is_held()
    return databases


def _join_sqlite(files: Files, ballast_bytes: int) -> Databases:
    if not files.state.exists() or not files.history.exists():
        message = f"store: there is none at {files.state}: start the daemon once, or check the path"
        raise StoreError(message, retryable=False)
    ballast = Ballast(files.ballast, ballast_bytes)
    databases = Databases(*_sqlite_databases(files, ballast, TRY_AGAIN), None, ballast)
    with _closed_on_refusal(databases):
        require_current(databases.state, ("state",))
        require_current(databases.history, ("history",))
    return databases


@contextmanager
def _closed_on_refusal(databases: Databases) -> Iterator[None]:
    try:
        yield
    except StoreError:
        databases.close()
        raise


def _sqlite_databases(files: Files, ballast: Ballast, again: str) -> tuple[Database, Database]:
    state = Database(sqlite_engine(str(files.state), synchronous="FULL"), make_room=ballast.drop, again=again)
    return state, Database(sqlite_engine(str(files.history), synchronous="NORMAL"), again=again)
