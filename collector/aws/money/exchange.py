"""One HTTPS exchange with an end: httpx's read timeout is that of one read, so an answer that drips outlasts it.

Whoever takes too long, or is told to stop, has the socket shut under it; httpx's trace extension tells which one it is
(HTTPX, "Extensions": trace, network streams).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

PATIENCE = httpx.Timeout(20.0, connect=5.0)
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Exchanges:
    """One at a time; `stop` may come from any thread and ends the one under way and all that follow."""

    def __init__(self, whole_s: float) -> None:
        self._whole_s = whole_s
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._stopped = False

    @property
    def was_cut(self) -> bool:
        """Whether the last exchange was ended by us."""
        return self._over.is_set()

    @contextmanager
    def get(self, url: str) -> Iterator[httpx.Response]:
        """The answer, its body not read yet. No redirects. Raises httpx's errors, also where the socket was shut."""
        if not self._stopped:
            self._over.clear()
        timer = threading.Timer(self._whole_s, self._cut)
        timer.daemon = True
        timer.start()
        try:
            with (
                httpx.Client(timeout=PATIENCE, follow_redirects=False) as client,
                client.stream("GET", url, extensions={"trace": self._trace}) as answer,
            ):
                yield answer
        finally:
            timer.cancel()
            with self._lock:
                self._sock = None

    def stop(self) -> None:
        self._stopped = True
        self._cut()

    def _trace(self, event: str, details: dict[str, Any]) -> None:
        if event not in _CONNECTED:
            return
        with self._lock:
            self._sock = details["return_value"].get_extra_info("socket")
            if self._over.is_set():
                self._shut()

    def _cut(self) -> None:
        with self._lock:
            self._over.set()
            self._shut()

    def _shut(self) -> None:
        if self._sock is None:
            return
        try:
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not SSLSocket's own, which takes TLS away first
        except OSError:
            return  # it has ended by itself
