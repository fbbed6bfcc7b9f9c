"""The daemon's own pages over HTTP: status, /metrics, health. They show the frozen view and never touch the store.

Nothing in a request is used but its method and its path, and the path only to pick from a fixed list: no caller can
name a file, an address, a query. Requests are bounded in size, number and time. Inside a refusal there is one sentence,
never a trace.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from socketserver import TCPServer, ThreadingMixIn
from typing import IO, Any, Protocol, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

import structlog

from stillfit.clock import Clock
from stillfit.config import Http
from stillfit.errors import ListenError
from stillfit.export.health import Health
from stillfit.export.labels import clean
from stillfit.export.pages import Pages
from stillfit.export.view import View

log = structlog.get_logger()

HEAD_BYTES = 8 * 1024
BODY_BYTES = 64 * 1024
AT_ONCE = 20
REQUEST_S = 10.0
"""The four limits of a request; what needs more than these is not a browser, a scraper or a probe."""
WAITING = 64


class Shown(Protocol):
    """What the pages need of a daemon."""

    health: Health
    clock: Clock

    @property
    def view(self) -> View: ...


@dataclass(frozen=True, slots=True)
class Served:
    """Pages that are being served."""

    url: str


@contextmanager
def serve_pages(daemon: Shown, settings: Http, on_reload: Callable[[], None] | None = None) -> Iterator[Served]:
    """Serve the pages until the block ends. Raises ListenError when the address cannot be listened on.

    `on_reload` is called, from a thread of the server, for a POST to /-/reload where the settings allow it.
    """
    pages = Pages(daemon, on_reload=on_reload if settings.allow_reload else None)
    server = _listen(settings)
    server.set_app(pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="pages", daemon=True)
    thread.start()
    served = Served(_url(settings.host, server.server_port))
    log.info("pages are served", url=served.url)
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listen(settings: Http) -> _Server:
    try:
        return _Server((settings.host, settings.port), _Handler)
    except (OSError, OverflowError) as error:
        raise ListenError(
            f"http: cannot listen on {settings.host}:{settings.port} ({error}): "
            "stop what uses it, or set http.host and http.port (port 0 takes a free one)"
        ) from error


def _url(host: str, port: int) -> str:
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # named, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


class _Server(ThreadingMixIn, WSGIServer):
    """One thread per request, AT_ONCE of them; more wait in the kernel's queue."""

    daemon_threads = True
    block_on_close = False  # a slow reader must not hold up the end of the daemon
    request_queue_size = WAITING

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._room = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks DNS for the host's name, which may take seconds
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._room.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        deadline = threading.Timer(REQUEST_S, _cut, [request])  # a socket's own timeout starts anew with each byte
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base class's signature
        """A connection that broke or came too late: its caller knows already."""
        log.debug("a request ended early", error=str(sys.exception()))


def _cut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a late request had ended by itself")


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_S
    error_message_format = "%(code)d %(message)s: %(explain)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def version_string(self) -> str:
        """Without the version of Python, which is nobody's business."""
        return "stillfit"

    def handle(self) -> None:
        """Read the head within its limit, refuse what is wrong with it, and let the pages answer."""
        head = self._head()
        body, self.rfile = self.rfile, BytesIO(head)
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline.strip() or not self.parse_request():
            return
        self.rfile = body
        if len(head) >= HEAD_BYTES:
            self.send_error(431, explain=f"at most {HEAD_BYTES} bytes of headers are read")
        elif not self._body_is_small():
            self.send_error(413, explain=f"at most {BODY_BYTES} bytes are read")
        else:
            self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        log.debug("page asked", said=clean(format % args))

    def _head(self) -> bytes:
        """Everything up to the empty line, or HEAD_BYTES of it."""
        head = b""
        while len(head) < HEAD_BYTES and (line := self.rfile.readline(HEAD_BYTES - len(head))):
            head += line
            if line in {b"\r\n", b"\n"}:
                break
        return head

    def _body_is_small(self) -> bool:
        length = self.headers.get("Content-Length", "0")
        return length.isdecimal() and int(length) <= BODY_BYTES and "Transfer-Encoding" not in self.headers

    def _answer(self) -> None:
        body, answer = cast("IO[bytes]", self.rfile), cast("IO[bytes]", self.wfile)
        handler = _Answer(body, answer, self.get_stderr(), self.get_environ(), multithread=True)
        handler.request_handler = self  # type: ignore[attr-defined]  # as wsgiref.simple_server itself does
        handler.run(self.server.get_app())  # type: ignore[attr-defined]  # the server is always a _Server


class _Answer(ServerHandler):
    server_software = "stillfit"
    error_body = b"stillfit could not draw this page; its log says why\n"

    def log_exception(self, exc_info: Any) -> None:
        log.error("a page could not be drawn", exc_info=exc_info)
