"""The files of a SQLite store: made private, locked against a second daemon, checked, backed up, with disk in reserve.

stillfit.db           state: advice, outbox, settings
stillfit-history.db   samples
stillfit.db.lock      held by the one process that may run on them
stillfit.db.ballast   space that is given up when the disk is full, so that state and outbox stay alive
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from stillfit.errors import StoreError

BALLAST_BYTES = 16 * 2**20  # ours: the write-ahead log takes 4 MB at most, the rest holds some thousand advices
APPLICATION_ID = 0x5F17  # tells `file` and other tools whose database it is
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700

log = structlog.get_logger(__name__)


class InUseError(StoreError):
    """Another process holds the lock of the store."""


@dataclass(frozen=True, slots=True)
class Files:
    """The paths of one store."""

    state: Path

    @property
    def history(self) -> Path:
        return self.state.with_name(f"{self.state.stem}-history{self.state.suffix}")

    @property
    def lock(self) -> Path:
        return self.state.with_name(f"{self.state.name}.lock")

    @property
    def ballast(self) -> Path:
        return self.state.with_name(f"{self.state.name}.ballast")


class ProcessLock:
    """Held until closed; the kernel frees it when the process dies, however it dies."""

    def __init__(self, files: Files) -> None:
        try:
            files.state.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            files.lock.touch(mode=_PRIVATE_FILE)
            self._file = files.lock.open("a+")
        except OSError as error:
            raise cannot_be_made(files, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._owner()
            self._file.close()
            message = (
                f"store: {files.state} is in use by another stillfit (process {owner}): "
                "stop that one, or give this one a store of its own"
            )
            raise InUseError(message, retryable=False) from error
        self._sign()

    def close(self) -> None:
        self._file.close()

    def _owner(self) -> str:
        self._file.seek(0)
        return self._file.read(20).strip() or "unknown"

    def _sign(self) -> None:
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()


class Ballast:
    """A file that holds disk space in reserve. Once dropped, it comes back when there is room for it twice."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path, self._size = path, size

    def drop(self) -> bool:
        """Give the space up. False when there was none to give."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        log.error("disk full, ballast dropped", path=str(self._path), freed_bytes=self._size)
        return True

    def is_held(self) -> bool:
        """Whether the reserve stands, taking it again where the disk allows. Without it nobody may write history."""
        if self._size == 0 or self._path.exists():
            return True
        if shutil.disk_usage(self._path.parent).free < 2 * self._size:
            return False
        return self._take()

    def _take(self) -> bool:
        try:
            self._path.touch(mode=_PRIVATE_FILE)
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        return True


def prepare(files: Files) -> None:
    """Make the files where missing, readable by their owner only. Raises StoreError where the system refuses."""
    try:
        for path in (files.state, files.history):
            if not path.exists():
                _create(path)
    except (OSError, sqlite3.Error) as error:
        raise cannot_be_made(files, error) from error


def cannot_be_made(files: Files, error: Exception) -> StoreError:
    message = f"store: {files.state} cannot be made: {error}: check the path, its owner and the mount"
    return StoreError(message, retryable=False)


def check(path: Path) -> None:
    """Refuse a damaged file before anything is built on it; it is never recreated silently."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        message = f"store: {path} cannot be opened: {error}: check its owner, its mode and the mount"
        raise StoreError(message, retryable=False) from error
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        message = (
            f"store: {path} is damaged ({found}): put a backup ({path.name}.before-*) in its place, or move it away"
        )
        raise StoreError(message, retryable=False)


def back_up(path: Path, label: str) -> Path:
    """A consistent copy beside the file, complete or absent. Returns where it is."""
    target = path.with_name(f"{path.name}.before-{label}")
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=_PRIVATE_FILE)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    return target


def _create(path: Path) -> None:
    path.touch(mode=_PRIVATE_FILE)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # has to come before the first table
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode=WAL")
