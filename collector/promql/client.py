"""The Prometheus HTTP API, two calls of it: which series names there are, and a range query. The only network here.

As Prometheus, VictoriaMetrics, Mimir and Thanos serve it (Prometheus documentation, "HTTP API", 2.42).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from collector.promql import failures
from stillfit.model import Span

STEP_S: Final = 60
MAX_POINTS: Final = 11_000  # of one series in one answer; Prometheus refuses more (web/api/v1, 2.42)
MAX_BYTES: Final = 256 << 20  # ours: a larger answer is asked for in pieces
CONNECT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a store answers and how to sign in. Its text form tells no secret."""

    url: str
    token: str = ""
    username: str = ""
    password: str = ""
    tenant: str = ""
    """Sent as X-Scope-OrgID, which Mimir and others ask for."""
    tls_ca_file: Path | None = None
    timeout_s: float = 30.0

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"

    @property
    def headers(self) -> dict[str, str]:
        said = {"Accept": "application/json"}
        if self.token:
            said["Authorization"] = f"Bearer {self.token}"
        if self.tenant:
            said["X-Scope-OrgID"] = self.tenant
        return said


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The series of one range query as they came: {"metric": {...}, "values": [[time, "value"], ...]}."""

    series: tuple[dict[str, Any], ...]
    doubts: tuple[str, ...] = ()
    """What the store itself says is lacking: then nothing in the answer is vouched for."""


class PromClient:
    """Keeps one connection. `store` is what its sentences call it."""

    def __init__(self, endpoint: Endpoint, store: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._store = store
        self._monotonic = monotonic
        self._http: httpx.Client | None = None

    def names(self, span: Span) -> tuple[str, ...]:
        """Names of all series that had a sample in the span. Raises SourceError."""
        said = self._get("label/__name__/values", {"start": str(span.start), "end": str(span.end)})
        with self._reading():
            return tuple(str(name) for name in said["data"] or ())

    def range(self, expression: str, span: Span) -> Answer:
        """A value at each minute of the span, both ends included. Raises SourceError; TooMuchError: ask for less."""
        bounds = {"start": str(span.start), "end": str(span.end), "step": str(STEP_S)}
        said = self._get("query_range", {"query": expression, **bounds, "timeout": f"{self._endpoint.timeout_s:.0f}s"})
        with self._reading():
            if said["data"]["resultType"] != "matrix":
                raise ValueError(f"a {said['data']['resultType']}, not a matrix")
            return Answer(series=tuple(said["data"]["result"]), doubts=tuple(_doubts(said)))

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        deadline = self._monotonic() + self._endpoint.timeout_s + CONNECT_S
        body = bytearray()
        try:
            with self._client().stream("GET", path, params=parameters) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise failures.too_large(self._store, MAX_BYTES)
                    if self._monotonic() > deadline:
                        raise failures.timed_out(self._store, self._endpoint.timeout_s)
        except httpx.TimeoutException as error:
            raise failures.timed_out(self._store, self._endpoint.timeout_s) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise failures.unreachable(self._store, error) from error
        return failures.payload(self._store, response.status_code, bytes(body))

    def _client(self) -> httpx.Client:
        if self._http is None:
            one = self._endpoint
            self._http = httpx.Client(
                base_url=f"{one.url.rstrip('/').removesuffix('/api/v1')}/api/v1/",
                headers=one.headers,
                auth=httpx.BasicAuth(one.username, one.password) if one.username else None,
                timeout=httpx.Timeout(one.timeout_s, connect=CONNECT_S),
                verify=ssl.create_default_context(cafile=one.tls_ca_file) if one.tls_ca_file else True,
            )
        return self._http

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, TypeError, ValueError) as error:
            raise failures.garbled(self._store, error) from error


def _doubts(said: dict[str, Any]) -> Iterator[str]:
    """Thanos and Prometheus list warnings, VictoriaMetrics says isPartial."""
    yield from (str(one) for one in said.get("warnings") or ())
    if said.get("isPartial"):
        yield "a part of the cluster did not answer"
