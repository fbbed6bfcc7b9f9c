"""One real server as a child process: free ports, a folder of its own, a log, and an end that always comes."""

from __future__ import annotations

import atexit
import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

LOG_LINES_SHOWN = 40
STOP_SECONDS = 90.0
POLL_SECONDS = 0.05
WORKERS_APART = 16


def _own_ports() -> tuple[int, int]:
    """Each worker of a parallel run has ports of its own: what is free stays so until the server listens there."""
    first, last = 20_000, 32_000
    share = (last - first) // WORKERS_APART
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_APART
    return first + worker * share, first + (worker + 1) * share


PORTS = _own_ports()
_random = random.SystemRandom()  # a seed that another test sets must not make two runs meet at a port


class ServerError(Exception):
    """A server could not be started, or died; the message ends with the last lines of its log."""


def free_ports(count: int, addresses: Sequence[str] = ("127.0.0.1",)) -> list[int]:
    """Ports that nobody holds at any of the addresses, below those that the kernel gives to outgoing connections."""
    ports: list[int] = []
    while len(ports) < count:
        port = _random.randrange(*PORTS)
        if port not in ports and all(_is_free(address, port) for address in addresses):
            ports.append(port)
    return ports


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind((address, port))
        except OSError:
            return False
    return True


def accepts(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((address, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def new_folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"stillfit-{name}-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: `folder` is removed when the server is closed; `user` drops root's rights where a server insists."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    close_signal: signal.Signals = signal.SIGKILL

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


class ServerProcess:
    """A child that leads its own process group, so that Ctrl-C reaches the tests first and they stop it in order."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._child: subprocess.Popen[bytes] | None = None
        self.is_paused = False

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ServerError(f"{self.command.name} has not been started")
        return self._child.pid

    def start(self, is_ready: Callable[[], bool], timeout: float) -> None:
        self.launch()
        self.await_ready(is_ready, timeout)

    def launch(self) -> None:
        with self.command.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.command.folder,
                start_new_session=True,
                user=self.command.user,
                group=self.command.user,
                extra_groups=None if self.command.user is None else [],
            )
        RUNNING[self.pid] = self
        _tell_reaper("watch", self.pid, self.command.folder)

    def await_ready(self, is_ready: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not is_ready():
            if not self.is_alive() or time.monotonic() > deadline:
                story = "was not ready" if self.is_alive() else "died"
                log = self.tail()  # before the folder may go
                self.kill()
                raise ServerError(f"{self.command.name} {story} within {timeout:.0f} s of its start:\n{log}")
            time.sleep(POLL_SECONDS)

    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def pause(self) -> None:
        """As a stalled disk does it: connections stay open and nothing answers."""
        self.is_paused = True
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.is_paused = False
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self, number: signal.Signals | None = None) -> None:
        """The orderly end; harmless when there is nothing to end. A child that does not heed it is killed."""
        if self._child is None:
            return
        if self.is_alive():
            self.resume()  # a paused process hears nothing else
            self.send(number or self.command.stop_signal)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """As a power cut does it: the whole group, at once."""
        if self._child is not None and self.is_alive():
            os.killpg(self.pid, signal.SIGKILL)
            self._child.wait(STOP_SECONDS)
        self._forget()

    def close(self) -> None:
        """The quick end for a server whose data goes too."""
        self.stop(self.command.close_signal)
        shutil.rmtree(self.command.folder, ignore_errors=True)

    def tail(self, lines: int = LOG_LINES_SHOWN) -> str:
        if not self.command.log.exists():
            return ""
        return "\n".join(self.command.log.read_text(errors="replace").splitlines()[-lines:])

    def _forget(self) -> None:
        if self._child is not None and self.pid in RUNNING:
            del RUNNING[self.pid]
            _tell_reaper("forget", self.pid, self.command.folder)


class Server(Protocol):
    """What a fixture can hand out."""

    def start(self) -> object: ...

    def close(self) -> None: ...


S = TypeVar("S", bound=Server)


@contextmanager
def running(server: S) -> Iterator[S]:
    """The server, started; closed at the end also when its start failed."""
    try:
        server.start()
        yield server
    finally:
        server.close()


RUNNING: dict[int, ServerProcess] = {}
"""Every server of this test process that runs now, by pid: whose logs a failing test shows."""


@functools.cache
def _reaper() -> IO[str]:
    script = Path(__file__).with_name("reaper.py")
    child = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, text=True, start_new_session=True)
    pipe = child.stdin
    assert pipe is not None
    atexit.register(child.wait, STOP_SECONDS)
    atexit.register(pipe.close)  # called first: the last registered goes first
    return pipe


def _tell_reaper(verb: str, pid: int, folder: Path) -> None:
    pipe = _reaper()
    pipe.write(f"{verb} {pid} {folder}\n")
    pipe.flush()
