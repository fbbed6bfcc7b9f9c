"""A real PostgreSQL in a temporary folder: initdb and postgres, as an unprivileged user when the tests run as root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg

from tests.servers.process import Command, ServerProcess, free_ports, new_folder

START_SECONDS = 180.0
USER = "stillfit"
UNPRIVILEGED = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this account
SETTINGS = (  # a killed server keeps what it wrote; only a power cut of the machine would not
    "fsync=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=32MB",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
)


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: on the path, or the newest that Debian keeps beside it."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


class PostgreSQLServer:
    """`start` makes the cluster at its first call; `stop`, `kill` and `restart` keep port and data."""

    def __init__(self, *settings: str) -> None:
        (self.port,) = free_ports(1)
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._folder = new_folder("postgresql")
        self._data = self._folder / "data"
        self._names = count(1)
        options = [part for setting in (*SETTINGS, f"port={self.port}", *settings) for part in ("-c", setting)]
        self.process = ServerProcess(
            Command(
                name="PostgreSQL",
                arguments=(self._binary("postgres"), "-D", str(self._data), *options),
                folder=self._folder,
                user=self._user,
                stop_signal=signal.SIGINT,  # "fast": ends sessions, finishes writing
                close_signal=signal.SIGQUIT,  # "immediate"; after a SIGKILL its children would linger
            )
        )

    def start(self) -> PostgreSQLServer:
        if not self._data.exists():
            self._initialise()
        self.process.start(self._answers, START_SECONDS)
        return self

    def stop(self) -> None:
        self.sigcont()
        self.process.stop()

    def kill(self) -> None:
        """As a crash does it: every session is cut, the next start recovers from the log."""
        self.sigcont()
        self.process.stop(signal.SIGQUIT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def sigstop(self) -> None:
        """Pause it with all its sessions; new connections are taken by the kernel and never answered."""
        self._signal_all(signal.SIGSTOP)

    def sigcont(self) -> None:
        self._signal_all(signal.SIGCONT)

    def close(self) -> None:
        self.sigcont()
        self.process.close()

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy; patient, as the machine may be busy."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}?connect_timeout=60"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database, dropped at the end whoever still holds a connection."""
        name = f"test_{next(self._names)}"
        self._administer(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _initialise(self) -> None:
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        subprocess.run(
            [
                self._binary("initdb"),
                "-D",
                self._data,
                "-U",
                USER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )

    def _binary(self, name: str) -> str:
        folder = binaries()
        return name if folder is None else str(folder / name)

    def _answers(self) -> bool:
        try:
            self._administer("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _administer(self, statement: str) -> None:
        dsn = f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres connect_timeout=60"
        with closing(psycopg.connect(dsn, autocommit=True)) as connection:
            connection.execute(statement.encode())

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._family():
            with suppress(ProcessLookupError):  # a session may just have ended
                os.kill(pid, number)

    def _family(self) -> list[int]:
        if not self.process.is_alive():
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]
