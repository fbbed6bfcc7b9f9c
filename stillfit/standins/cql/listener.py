"""One node's port: it listens, refuses while the node is down, and serves each connection in a thread of its own."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from stillfit.standins.cql import wire
from stillfit.standins.cql.conversation import Conversation, Ending, Reply
from stillfit.standins.cql.wire import Header

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds: close() sends RST


class Listener:
    """The port is taken from start() to stop(), also while refusing: nobody else can get it."""

    def __init__(self, address: str, port: int, converse: Callable[[], Conversation]) -> None:
        self._address = address
        self._converse = converse
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._socket = self._bound(port)
        self.port = int(self._socket.getsockname()[1])
        self._accepting: threading.Thread | None = None
        self._ending = False

    def _bound(self, port: int) -> socket.socket:
        """A socket that holds the port; connecting to it is refused until it listens."""
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((self._address, port))
        return found

    def open(self) -> None:
        if self._accepting is None:
            self._ending = False
            self._socket.listen(128)
            self._accepting = threading.Thread(target=self._accept, name=f"cql {self.port}")
            self._accepting.start()

    def refuse(self) -> None:
        """Cut every connection and refuse new ones until open()."""
        self._end()
        self._socket = self._bound(self.port)

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._accepting is not None:
            self._ending = True
            socket.create_connection((self._address, self.port)).close()  # wakes accept(); close() would not
            self._accepting.join()
            self._accepting = None
        self._socket.close()
        with self._lock:
            cut = tuple(self._connections)
        for connection in cut:
            connection.cut()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            if self._ending:
                client.close()
                return
            connection = _Connection(client, self._converse(), self._forget)
            with self._lock:
                self._connections.add(connection)
            connection.start()

    def _forget(self, connection: "_Connection") -> None:
        with self._lock:
            self._connections.discard(connection)


class _Connection:
    def __init__(
        self, client: socket.socket, conversation: Conversation, forget: Callable[["_Connection"], None]
    ) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = client
        self._conversation = conversation
        self._forget = forget
        self._sending = threading.Lock()
        self._late: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._serve, name="cql connection")

    def start(self) -> None:
        self._thread.start()

    def cut(self) -> None:
        _shut(self._socket)
        self._thread.join()

    def _serve(self) -> None:
        try:
            with suppress(OSError):  # the client went away, or cut() was called: the conversation is over
                while self._answer_one():
                    pass
        finally:
            for timer in self._late:
                timer.cancel()
            self._socket.close()
            self._forget(self)

    def _answer_one(self) -> bool:
        """Read one frame and act on the reply; False at the end of the connection."""
        raw = self._receive(wire.HEADER.size)
        header = Header.parse(raw) if raw else None
        if header is None or not 0 <= header.length <= wire.MAX_BODY_BYTES:
            return False
        body = self._receive(header.length)
        if body is None:
            return False
        reply = self._conversation.answer(header, body)
        self._deliver(reply)
        return reply.ending is Ending.STAYS_OPEN

    def _receive(self, count: int) -> bytes | None:
        received = bytearray()
        while len(received) < count:
            chunk = self._socket.recv(count - len(received))
            if not chunk:
                return None
            received += chunk
        return bytes(received)

    def _deliver(self, reply: Reply) -> None:
        if reply.ending is Ending.IS_RESET:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        elif reply.seconds:
            self._send_later(reply)
        elif reply.payload:
            self._send(reply.payload)

    def _send_later(self, reply: Reply) -> None:
        """Other requests of this connection are answered meanwhile, as a server's threads would."""
        timer = threading.Timer(reply.seconds, self._send, args=(reply.payload,))
        timer.daemon = True
        self._late = [each for each in self._late if each.is_alive()] + [timer]
        timer.start()

    def _send(self, payload: bytes) -> None:
        with self._sending:
            try:
                self._socket.sendall(payload)
            except OSError:
                _shut(self._socket)  # the reading side notices the end of the connection


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # already gone
        connection.shutdown(socket.SHUT_RDWR)
