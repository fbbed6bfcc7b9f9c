"""The HTTP server under every stand-in: threaded, keep-alive, told per answer how to misbehave, and gone after stop().

A stand-in gives one function, `answer(Request) -> Response`. It runs in the thread of its connection, so it must be
thread-safe. stop() cuts open connections (a client that hangs included) and joins every thread: no socket outlives it.
Inside a `with`, an exception of `answer` is raised at the end of the block.
"""

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

MAX_BODY_BYTES = 16 * 1024 * 1024
_ENDLESS = 10**9  # bytes that are announced and never sent
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds: close() sends RST


class Delivery(StrEnum):
    """How an answer travels. Everything but WHOLE is a fault the stand-in was told to make."""

    WHOLE = "whole"
    TRUNCATED = "truncated"  # the announced length, half the body, then the end of the connection
    RESET = "reset"  # no answer, TCP reset
    RESET_MIDWAY = "reset_midway"  # the head and half the body, TCP reset
    DRIP = "drip"  # the head, then a byte each `pause_s`, for ever
    DRIP_HEAD = "drip_head"  # a byte of the head each `pause_s`, and the head has no end
    HANG = "hang"  # no answer until the server stops or the client gives up


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names are lower case, `query` is the raw text after the question mark."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str]
    body: bytes = b""
    client_port: int = 0
    """Of the connection that it came on: what is asked on one that is kept has the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery.WHOLE
    pause_s: float = 0.05
    """Between two bytes of an answer that drips: shorter than any client's patience with one read."""


class StandInDefectError(Exception):
    """The stand-in raised where it should have answered."""


class StandInServer:
    """Serves `answer` on a local port (0: any free one) between start() and stop(), or inside a `with`."""

    def __init__(self, answer: Callable[[Request], Response], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._http = _Listener((host, port), answer)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self._http.server_address[0]!s}:{self.port}"

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name=f"stand-in {self.url}")
        self._thread.start()
        return self

    def stop(self) -> None:
        self._http.stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.cut_connections()
        self._http.server_close()

    def settle(self, within_s: float = 60.0) -> None:
        """Return when all that clients sent before they went has been done; one that stays connected is waited for.

        For whoever kills a client: what that one had sent may still wait to be read, and is not seen by the next client
        in time. Raises TimeoutError where a client is still there after `within_s`.
        """
        with socket.create_connection(
            (str(self._http.server_address[0]), self.port), timeout=60
        ) as last:  # accepted after all that came before
            last.shutdown(socket.SHUT_WR)
            while last.recv(1024):
                pass
        if not self._http.wait_until_left(within_s):
            raise TimeoutError(f"a client is still connected after {within_s:g} s")

    def raise_defects(self) -> None:
        """Fail loudly if `answer` itself broke: to its client that only looks like a lost connection."""
        if self._http.defects:
            first = self._http.defects.pop(0)
            self._http.defects.clear()
            raise StandInDefectError(f"The stand-in itself failed: {first!r}") from first

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None:
            self.raise_defects()
        elif self._http.defects:
            error.add_note(f"The stand-in itself failed first: {self._http.defects[0]!r}")


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # joined by server_close()
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self.defects: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In the accepting thread, so that connections are known in the order in which they came."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._changed:
            connections = tuple(self._open)
        for connection in connections:
            _shut(connection)

    def wait_until_left(self, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, within_s)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  (socketserver's signature)
        """A client that leaves in the middle is its own affair; a stand-in that fails is a defect, told by stop()."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.defects.append(error)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the peer was faster


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener
    connection: socket.socket
    wbufsize = -1  # head and body leave in one segment
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815  (the names http.server looks up)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's own parameter name)
        """Silent: what happened is in the stand-in's own records."""

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command,
            path=url.path,
            query=url.query,
            headers=headers,
            body=body,
            client_port=self.client_address[1],
        )
        self._deliver(self.server.answer(request))

    def _read_body(self) -> bytes | None:
        """The announced body, or None after a refusal: what cannot be measured ends the connection."""
        announced = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
            self._refuse(413 if announced.isdecimal() else 400)
            return None
        return self.rfile.read(int(announced))

    def _read_chunks(self) -> bytes | None:
        parts: list[bytes] = []
        while size := int(self.rfile.readline(66).split(b";")[0] or b"0", 16):
            if sum(map(len, parts)) + size > MAX_BODY_BYTES:
                self._refuse(413)
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline(2)
        while self.rfile.readline(1024).strip():
            pass
        return b"".join(parts)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._write(Response(status=status), length=0)

    def _deliver(self, response: Response) -> None:
        match response.delivery:
            case Delivery.WHOLE:
                self._write(response, length=len(response.body))
            case Delivery.TRUNCATED:
                self.close_connection = True
                self._write(response, length=len(response.body) + 1, body=response.body[: len(response.body) // 2])
            case Delivery.RESET:
                self._reset()
            case Delivery.RESET_MIDWAY:
                self._write(response, length=len(response.body) + 1, body=response.body[: len(response.body) // 2])
                self._reset()
            case Delivery.DRIP:
                self.close_connection = True
                self._write(response, length=_ENDLESS, body=b"")
                self._drip(chain(response.body, repeat(ord(" "))), response.pause_s)
            case Delivery.DRIP_HEAD:
                self.close_connection = True
                self._drip(chain(b"HTTP/1.1 200 OK\r\nX-Pad: ", repeat(ord("x"))), response.pause_s)
            case Delivery.HANG:
                self.close_connection = True
                self.server.stopping.wait()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()

    def _drip(self, endless: Iterator[int], pause_s: float) -> None:
        """Until the server stops or the client has gone (an OSError, which nobody minds)."""
        for byte in endless:
            if self.server.stopping.wait(pause_s):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def _write(self, response: Response, *, length: int, body: bytes | None = None) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body if body is None else body)
        self.wfile.flush()
