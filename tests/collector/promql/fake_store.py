"""A store on this machine that answers as told, and remembers what it was asked."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

TABLE = {"account_id": "123456789012", "region": "eu-west-1", "dimension_TableName": "orders"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Promise more than is sent."""


Asked = Mapping[str, str]
Answering = Callable[[Asked], Reply]


def success(data: Any, **more: Any) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": data, **more}).encode())


def refusal(status: int, kind: str, words: str) -> Reply:
    return Reply(status=status, body=json.dumps({"status": "error", "errorType": kind, "error": words}).encode())


def steady(asked: Asked, value: str = "5", labels: Mapping[str, str] = TABLE) -> Reply:
    """The same value at each step."""
    times = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
    series = {"metric": dict(labels), "values": [[time, value] for time in times]}
    return success({"resultType": "matrix", "result": [series]})


@dataclass(slots=True)
class FakeStore:
    """`names` are the series it has; `range` answers a range query."""

    names: tuple[str, ...] = ()
    range: Answering = steady
    always: Reply | None = None
    asked: list[Asked] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, asked: Asked, headers: Mapping[str, str]) -> Reply:
        self.headers.append(headers)
        if self.always is not None:
            return self.always
        if path.endswith("/api/v1/label/__name__/values"):
            return success(list(self.names))
        self.asked.append(asked)
        return self.range(asked)

    @contextmanager
    def serving(self) -> Iterator[FakeStore]:
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                reply = store.answer(parts.path, asked, dict(self.headers))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + 10 * reply.cut))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
