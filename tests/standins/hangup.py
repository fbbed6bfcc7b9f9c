"""Whoever is left without an answer by a stand-in of this process hangs up at once, as at the deadline of the call.

So what is healthy can be given minutes, on however slow a machine, and what never ends costs a test no time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from collector.aws.wire.deadline import _Running
from collector.aws.wire.target import Patience
from stillfit.standins.server import Delivery, Response, _Connection

PATIENT = Patience(connect_s=60.0, read_s=120.0, attempts=1, whole_s=600.0, slow_s=600.0, waited_s=6_000.0)
"""For tests of what is healthy: a slow machine is no slow service."""
ENDLESS = frozenset({Delivery.HANG, Delivery.DRIP, Delivery.DRIP_HEAD})
Key = tuple[Any, Any, int]
"""Address of the client, address of the server, how many requests that connection had carried."""


class _Lines:
    """Who reads where, and where nothing will come; whichever is known last ends the call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: WeakKeyDictionary[socket.socket, int] = WeakKeyDictionary()
        self._reading: dict[Key, _Running] = {}
        self._endless: set[Key] = set()

    def reads(self, running: _Running, sock: socket.socket) -> None:
        with self._lock:
            number = self._asked[sock] = self._asked.get(sock, 0) + 1
            key = (sock.getsockname(), sock.getpeername(), number)
            is_endless = key in self._endless
            self._endless.discard(key)
            self._reading.pop((*key[:2], number - 1), None)
            if not is_endless:
                self._reading[key] = running
        if is_endless:
            running.end_it()

    def is_endless(self, key: Key) -> None:
        with self._lock:
            running = self._reading.pop(key, None)
            if running is None:
                self._endless.add(key)
        if running is not None:
            running.end_it()


@contextmanager
def hanging_up() -> Iterator[None]:
    """Inside, a call of the AWS collector that a stand-in hangs or drips at ends as if its time were over."""
    lines, reads, deliver = _Lines(), _Running.reads, _Connection._deliver
    served: WeakKeyDictionary[_Connection, int] = WeakKeyDictionary()

    def told_reads(running: _Running, sock: socket.socket | None) -> None:
        reads(running, sock)
        if sock is not None:
            lines.reads(running, sock)

    def told_deliver(connection: _Connection, response: Response) -> None:
        served[connection] = number = served.get(connection, 0) + 1
        if response.delivery in ENDLESS:
            lines.is_endless((connection.client_address, connection.connection.getsockname(), number))
        deliver(connection, response)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Running, "reads", told_reads)
        patch.setattr(_Connection, "_deliver", told_deliver)
        yield
