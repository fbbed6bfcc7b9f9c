"""The pages as one WSGI application: which path shows what, and with which headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from prometheus_client import make_wsgi_app

from stillfit.clock import Clock
from stillfit.export.findings import FindingsDocument, document
from stillfit.export.health import Health
from stillfit.export.prometheus import Fleet
from stillfit.export.status_page import STYLE_SOURCE, status_page
from stillfit.export.view import View

log = structlog.get_logger()

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
POLICY = f"default-src 'none'; style-src {STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SECURITY = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""The page needs its own style and nothing else; what a name smuggles in is neither run nor fetched."""


class Shown(Protocol):
    """What the pages need of a daemon."""

    health: Health
    clock: Clock

    @property
    def view(self) -> View: ...


@dataclass(frozen=True, slots=True)
class Page:
    status: HTTPStatus
    type: str
    body: bytes


class Pages:
    """Answers from the newest view. Safe for any number of threads."""

    def __init__(self, daemon: Shown, *, on_reload: Callable[[], None] | None) -> None:
        self._daemon = daemon
        self._on_reload = on_reload
        daemon.health.registry.register(Fleet(lambda: daemon.view, daemon.clock))
        self._metrics = make_wsgi_app(daemon.health.registry)
        self._pages: dict[str, Callable[[], Page]] = {
            "/": self._status,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            "/api/findings.json": self._findings,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        if path == "/metrics" and method in {"GET", "HEAD"}:
            answer: Iterable[bytes] = self._metrics({**environ, "QUERY_STRING": ""}, start_response)
            return answer
        page = self._page(method, path, from_browser="HTTP_ORIGIN" in environ)
        headers = [("Content-Type", page.type), ("Content-Length", str(len(page.body))), *SECURITY]
        start_response(f"{page.status.value} {page.status.phrase}", headers)
        return [b"" if method == "HEAD" else page.body]

    def _page(self, method: str, path: str, *, from_browser: bool) -> Page:
        if path == "/-/reload":
            return self._reload(method, from_browser=from_browser)
        draw = self._pages.get(path)
        if draw is None:
            return _text(HTTPStatus.NOT_FOUND, "there is no such page; / shows what there is to see")
        if method not in {"GET", "HEAD"}:
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "this page is only read: use GET")
        return draw()

    def _status(self) -> Page:
        daemon = self._daemon
        body = status_page(daemon.view, daemon.clock.now(), troubles=self._troubles())
        return Page(HTTPStatus.OK, HTML, body.encode())

    def _findings(self) -> Page:
        view = self._daemon.view
        if view.turn is None:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was judged yet; ask again after the first turn")
        shown: FindingsDocument = document(view.turn, view.gaps)
        return Page(HTTPStatus.OK, JSON, shown.model_dump_json(indent=2).encode())

    def _healthy(self) -> Page:
        hung = self._daemon.health.hung()
        if hung:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"hung: {', '.join(hung)}")
        return _text(HTTPStatus.OK, "healthy")

    def _ready(self) -> Page:
        troubles = [*(["nothing was judged yet"] if self._daemon.view.turn is None else []), *self._store_troubles()]
        if troubles:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"not ready: {'; '.join(troubles)}")
        return _text(HTTPStatus.OK, "ready")

    def _reload(self, method: str, *, from_browser: bool) -> Page:
        if self._on_reload is None:
            why = "reloading over HTTP is off: send SIGHUP, or set http.allow_reload"
            return _text(HTTPStatus.FORBIDDEN, why)
        if method != "POST":
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "use POST")
        if from_browser:  # a browser names its page here; no page of anybody's may reload us
            return _text(HTTPStatus.FORBIDDEN, "a web page may not reload the configuration")
        self._on_reload()
        log.info("asked to reload over HTTP")
        return _text(HTTPStatus.ACCEPTED, "reloading; stillfit_config_last_reload_successful tells how it went")

    def _troubles(self) -> tuple[str, ...]:
        hung = self._daemon.health.hung()
        return (*self._store_troubles(), *(f"the loop {job!r} has not run for too long" for job in hung))

    def _store_troubles(self) -> tuple[str, ...]:
        writable = self._daemon.health.store_writable
        return () if writable else ("the store takes no writes: what was decided waits, nothing is lost",)


def _text(status: HTTPStatus, sentence: str) -> Page:
    return Page(status, TEXT, f"{sentence}\n".encode())
