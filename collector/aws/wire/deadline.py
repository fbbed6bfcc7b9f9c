"""An end for every call: botocore's read timeout is that of one recv, so an answer that drips outlasts it for ever.

A call that takes too long, or is under way when we are being stopped, has its socket shut under it: whoever reads there
wakes at once. That needs the connections of a client to tell which socket they use; botocore lets the classes of its
connection pools be replaced, though not by a public name. Where a botocore has moved that, one log line says so and
calls are bounded by the read timeout alone. A test holds the names to the botocore that is installed.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import structlog
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

from collector.aws.wire.failures import OutOfTimeError
from collector.aws.wire.limiter import StoppedError

log = structlog.get_logger(__name__)

_in_this_thread = threading.local()


@dataclass(slots=True, eq=False)
class _Running:
    """One call under way. `sock` is the one it reads from at the moment."""

    ends: float
    sock: socket.socket | None = None
    cut: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reads(self, sock: socket.socket | None) -> None:
        with self.lock:
            self.sock = sock
            if self.cut:
                self._shut()

    def end_it(self) -> None:
        with self.lock:
            self.cut = True
            self._shut()

    def _shut(self) -> None:
        if self.sock is None:
            return
        try:
            socket.socket.shutdown(
                self.sock, socket.SHUT_RDWR
            )  # not SSLSocket's own, which takes its reader's TLS away
        except OSError:
            return  # it has ended by itself


class Deadlines:
    """The calls of one connection. Thread-safe; `close` ends the thread that watches."""

    def __init__(self, whole_s: float) -> None:
        self._whole_s = whole_s
        self._running: dict[_Running, None] = {}
        self._changed = threading.Condition()
        self._idle = False
        self._over = False
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    def watch(self, client: Any) -> None:
        """Let the calls of a boto3 client be ended."""
        client.meta.events.register("request-created", self._attempt)
        try:
            client._endpoint.http_session._pool_classes_by_scheme.update(_POOLS)  # noqa: SLF001  (see above)
        except AttributeError as error:
            log.warning("aws calls have no deadline but the read timeout", why=str(error))

    def call(self) -> _Timed:
        """Around one call and all its attempts. Raises OutOfTimeError when it took too long, StoppedError on a stop."""
        return _Timed(self, _Running(time.monotonic() + self._whole_s))

    def stop(self) -> None:
        """End what is under way; no attempt begins any more."""
        self._stopped.set()
        with self._changed:
            running = tuple(self._running)
        for one in running:
            one.end_it()

    def close(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
            watcher, self._watcher = self._watcher, None
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join()

    def begin(self, running: _Running) -> None:
        self.check(running)
        with self._changed:
            self._running[running] = None
            if self._watcher is None:
                self._over, self._idle = False, False
                self._watcher = threading.Thread(target=self._watch, name="aws deadlines", daemon=True)
                self._watcher.start()
            elif self._idle:
                self._changed.notify()
        _in_this_thread.running = running

    def end(self, running: _Running) -> None:
        _in_this_thread.running = None
        with self._changed:
            self._running.pop(running, None)

    def check(self, running: _Running) -> None:
        if self._stopped.is_set():
            raise StoppedError
        if running.cut:
            raise OutOfTimeError(f"no whole answer in {self._whole_s:g} s")

    def _attempt(self, **_: object) -> None:
        """Before each attempt, so that nothing is tried again in vain."""
        running: _Running | None = getattr(_in_this_thread, "running", None)
        if running is not None:
            self.check(running)

    def _watch(self) -> None:
        """All calls may last equally long: the oldest ends first, and a newer one never has to wake this thread."""
        with self._changed:
            while not self._over:
                oldest = next(iter(self._running), None)
                left = None if oldest is None else oldest.ends - time.monotonic()
                if oldest is not None and left is not None and left <= 0.0:
                    del self._running[oldest]
                    oldest.end_it()
                    continue
                self._idle = oldest is None
                self._changed.wait(left)


def hang_up(client: Any) -> None:
    """Close a boto3 client with its connections.

    Its own `close` only lets go of the pools. Frames in the tracebacks of failed calls hold them too, so that the
    connections would stay open until a garbage collection, and the service waits for a caller who is gone.
    """
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    managers = (getattr(http, "_manager", None), *getattr(http, "_proxy_managers", {}).values())
    for pools in (manager.pools for manager in managers if manager is not None):
        for key in pools.keys():  # noqa: SIM118  (no dict: urllib3's container forbids iteration)
            pool = pools.get(key)
            if pool is not None:
                pool.close()
    client.close()


class _Timed:
    """The context of one call."""

    def __init__(self, deadlines: Deadlines, running: _Running) -> None:
        self._deadlines = deadlines
        self._running = running

    def __enter__(self) -> None:
        self._deadlines.begin(self._running)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What a cut connection looks like to botocore, an answer of half a page included, is no matter."""
        self._deadlines.end(self._running)
        if self._running.cut:
            self._deadlines.check(self._running)


class _Watched:
    """A connection that tells whose answer it is about to read."""

    sock: socket.socket | None

    def getresponse(self) -> Any:
        running: _Running | None = getattr(_in_this_thread, "running", None)
        if running is not None:
            running.reads(self.sock)
        return super().getresponse()  # type: ignore[misc]  # of the connection that this is mixed into


class _Connection(_Watched, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    pass


class _TlsConnection(_Watched, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}
