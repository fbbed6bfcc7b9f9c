"""GetMetricData through boto3 without its two costs: a walk over 500 query structures, and one datetime a point.

The fast lane sends the queries as bytes that were rendered once and takes the answer before boto3 parses it, through
two public events of botocore: `before-call` (before the body is compressed, checked and signed) and `before-parse` (its
`customized_response_dict` is merged into what the caller gets). Credentials, signing, retries, endpoints and error
parsing stay boto3's. Where a botocore has moved on (another protocol, another shape of body, no such event) the tuned
lane does the same through the ordinary call, and one log line says so.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from collector.aws.wire.failures import GarbledError, is_throttle, parsing
from stillfit.model import Span

log = structlog.get_logger(__name__)

OPERATION = "cloudwatch.GetMetricData"
EMPTY = b'"MetricDataQueries": []'
"""What botocore's JSON serializer writes for an empty list of queries."""
RAW = "_stillfit_raw_body"
MAX_PAGES = 1_000
"""No request of ours needs a second page; a service that cuts finely is followed this far, then given up (ours)."""

Page = dict[str, Any]


class _MovedError(Exception):
    """botocore no longer does what the fast lane builds on."""


class Lane:
    """One CloudWatch client, made for this and used for nothing else. Thread-safe.

    The client must not validate parameters, and its timestamps must come as the wire has them (connection.py).
    """

    def __init__(
        self,
        client: Any,
        *,
        fast: bool = True,
        on_throttle: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
        timed: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`timed` is entered around each call: what ends one that takes too long. What is throttled has failed too."""
        self._client = client
        self._timed = timed
        self._on_throttle, self._on_failure = on_throttle, on_failure
        self._call = threading.local()
        self.fast = fast and self._protocol_fits()
        events = client.meta.events
        events.register(f"before-call.{OPERATION}", self._inject)
        events.register(f"before-parse.{OPERATION}", self._take)

    def pages(self, queries: bytes, window: Span) -> Iterator[Page]:
        """All pages of one request; stops on a token that repeats. Raises what boto3 raises, and GarbledError."""
        token, tokens = "", set[str]()
        while len(tokens) < MAX_PAGES:
            page = self._page(queries, window, token)
            yield page
            token = page.get("NextToken") or ""
            if not token or token in tokens:
                return
            tokens.add(token)

    def _page(self, queries: bytes, window: Span, token: str) -> Page:
        asked = {
            "StartTime": datetime.fromtimestamp(window.start, UTC),
            "EndTime": datetime.fromtimestamp(window.end, UTC),
            "ScanBy": "TimestampAscending",
            **({"NextToken": token} if token else {}),
        }
        if self.fast:
            try:
                return _checked(self._fast_page(queries, asked))
            except _MovedError as error:
                self._fall_back(str(error))
        with parsing(), self._timed():
            return _checked(self._client.get_metric_data(MetricDataQueries=orjson.loads(queries), **asked))

    def _fast_page(self, queries: bytes, asked: dict[str, Any]) -> Any:
        self._call.queries = queries
        try:
            with self._timed():
                answer = self._client.get_metric_data(MetricDataQueries=[], **asked)
        finally:
            self._call.queries = None
        if RAW not in answer:
            raise _MovedError("no before-parse event")
        return _loaded(answer[RAW])

    def _inject(self, params: dict[str, Any], **_: object) -> None:
        """Before the call: the rendered queries instead of the empty list. Must return None, or nothing is sent."""
        queries = getattr(self._call, "queries", None)
        if queries is None:
            return
        body = params.get("body")
        head, found, tail = body.partition(EMPTY) if isinstance(body, bytes) else (b"", b"", b"")
        if not found:
            raise _MovedError("the body of a request has another shape")
        params["body"] = head + b'"MetricDataQueries":' + queries + tail

    def _take(self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
        """Before the parsing, once an attempt: keep a good answer's bytes; leave a refusal to botocore."""
        if response_dict["status_code"] != 200:
            self._on_failure()
            if is_throttle(response_dict["status_code"], response_dict["body"]):
                self._on_throttle()
        elif getattr(self._call, "queries", None) is not None:
            customized_response_dict[RAW] = response_dict["body"]
            response_dict["body"] = b"{}"

    def _protocol_fits(self) -> bool:
        protocol = getattr(self._client.meta.service_model, "resolved_protocol", "unknown")
        if protocol != "json":
            log.warning("cloudwatch fast lane off", why=f"botocore speaks {protocol} to CloudWatch")
        return bool(protocol == "json")

    def _fall_back(self, why: str) -> None:
        if self.fast:
            log.warning("cloudwatch fast lane off", why=why)
        self.fast = False


def _loaded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # orjson refuses bare NaN and Infinity, the json module reads them
    try:
        return json.loads(body)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise GarbledError(f"{len(body)} bytes that are no JSON: {body[:40]!r}") from error


def _checked(page: Any) -> Page:
    if not isinstance(page, dict) or not isinstance(page.get("MetricDataResults"), list):
        raise GarbledError("no MetricDataResults in it")
    if not isinstance(page.get("NextToken") or "", str):
        raise GarbledError("a NextToken that is no text")
    return page
