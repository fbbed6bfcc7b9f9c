"""One request in, one answer out: who calls, what goes wrong, what is done, and how it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from stillfit.standins.server import Delivery, Request, Response
from stillfit.standins.slack import page
from stillfit.standins.slack.blocks import attachment_mistakes, block_mistakes
from stillfit.standins.slack.calls import Call, RefusedError, read_call
from stillfit.standins.slack.faults import Fault, FaultKind, Faults
from stillfit.standins.slack.methods import METHODS, require
from stillfit.standins.slack.workspace import Content, Workspace

_HTML_PAGE = b"<html><head><title>Sign in</title></head><body>Please accept the terms of this network.</body></html>"


class Moment(StrEnum):
    """Points in the life of a call at which a test may act (kill the caller)."""

    ARRIVED = "arrived"  # read, nothing done yet
    DONE = "done"  # kept, not answered yet


Hook = Callable[[Moment, str], None]


@dataclass(slots=True)
class Access:
    """Who may call, and how fast."""

    token: str
    scopes: frozenset[str]
    webhooks: dict[str, str]
    """Path of an incoming webhook -> id of its channel."""
    per_second: float | None = None
    """Messages that one channel takes in a real second; None for no limit."""


class Service:
    """Thread-safe; `calls` and `hooks` are for tests."""

    def __init__(self, workspace: Workspace, access: Access) -> None:
        self.workspace = workspace
        self.access = access
        self.faults = Faults()
        self.hooks: list[Hook] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._posted_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._handling = threading.RLock()

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/api/"):
            return self._api(request.path.removeprefix("/api/"), request)
        if request.path.startswith("/services/"):
            return self._webhook(request)
        if request.method == "GET" and request.path in {"/", "/messages"}:
            content = page.page if request.path == "/" else page.messages
            return Response(headers={"Content-Type": "text/html; charset=utf-8"}, body=content(self.workspace).encode())
        return Response(status=404, body=b"not found")

    def _api(self, method: str, request: Request) -> Response:
        try:
            call = read_call(method, request)
        except RefusedError as refused:
            return _refusal(refused)
        fault = self._struck(method, str(call.arguments.get("channel", "")))
        self._tell(Moment.ARRIVED, method)
        if fault and (early := _instead(fault)):
            return early
        response = self._done(call)
        self._tell(Moment.DONE, method)
        return _afterwards(fault, response)

    def _done(self, call: Call) -> Response:
        with self._lock:
            self.calls.append((call.method, dict(call.arguments)))
        try:
            answer = self._run(call)
        except RefusedError as refused:
            return _refusal(refused)
        if call.warnings:
            answer |= {"warning": ",".join(call.warnings), "response_metadata": {"warnings": list(call.warnings)}}
        return _json({"ok": True, **answer})

    def _run(self, call: Call) -> dict[str, Any]:
        method = METHODS.get(call.method)
        if method is None:
            raise RefusedError("unknown_method", req_method=call.method)
        if call.token != self.access.token:
            raise RefusedError("invalid_auth" if call.token else "not_authed")
        require(method.scope, self.access.scopes)
        call.check(method.optional, method.required)
        with self._handling:
            if call.method == "chat.postMessage":
                self._limit(call.text("channel"))
            return method.run(self.workspace, call, self.access.scopes)

    def _limit(self, reference: str) -> None:
        """About one message a second and channel (docs.slack.dev/apis/web-api/rate-limits)."""
        channel = self.workspace.channel(reference)
        if self.access.per_second is None or channel is None:
            return
        now = time.monotonic()
        if now - self._posted_at.get(channel.id, float("-inf")) < 1 / self.access.per_second:
            raise RefusedError("ratelimited")
        self._posted_at[channel.id] = now

    def _webhook(self, request: Request) -> Response:
        channel = self.access.webhooks.get(request.path)
        if channel is None:
            return Response(status=404, body=b"no_service")
        fault = self._struck("webhook", channel)
        self._tell(Moment.ARRIVED, "webhook")
        if fault and (early := _instead(fault)):
            return early
        response = self._posted_by_webhook(channel, request.body)
        self._tell(Moment.DONE, "webhook")
        return _afterwards(fault, response)

    def _posted_by_webhook(self, channel: str, body: bytes) -> Response:
        try:
            said = json.loads(body)
        except ValueError:
            return Response(status=400, body=b"invalid_payload")
        known = {"text", "blocks", "attachments", "unfurl_links", "unfurl_media", "mrkdwn"}
        if not isinstance(said, dict) or set(said) - known:
            return Response(status=400, body=b"invalid_payload")
        blocks, attachments = said.get("blocks") or [], said.get("attachments") or []
        if not (said.get("text") or blocks or attachments):
            return Response(status=400, body=b"no_text")
        if [*block_mistakes(blocks), *attachment_mistakes(attachments)]:
            return Response(status=400, body=b"invalid_blocks")
        content = Content(text=said.get("text", ""), blocks=tuple(blocks), attachments=tuple(attachments))
        self.workspace.post(channel, content, webhook=True)
        return Response(headers={"Content-Type": "text/html"}, body=b"ok")

    def _struck(self, method: str, reference: str) -> Fault | None:
        channel = self.workspace.channel(reference)
        return self.faults.strike(method, channel.id if channel else reference)

    def _tell(self, moment: Moment, method: str) -> None:
        for hook in self.hooks:
            hook(moment, method)


def _instead(fault: Fault) -> Response | None:
    """The answer of a fault that keeps the call from being done."""
    match fault.kind:
        case FaultKind.RATE_LIMITED:
            return _refusal(RefusedError("ratelimited"), retry_after_s=fault.seconds)
        case FaultKind.SERVER_ERROR:
            return Response(status=500, body=b'{"ok":false,"error":"internal_error"}')
        case FaultKind.UNAVAILABLE:
            return Response(status=503, headers={"Content-Type": "text/html"}, body=_HTML_PAGE)
        case FaultKind.REFUSED:
            return _refusal(RefusedError(fault.error))
        case FaultKind.REDIRECT:
            return Response(status=302, headers={"Location": fault.location})
        case FaultKind.RESET:
            return Response(delivery=Delivery.RESET)
        case FaultKind.HANG:
            return Response(delivery=Delivery.HANG)
        case FaultKind.LATENCY:
            time.sleep(fault.seconds)
    return None


def _afterwards(fault: Fault | None, response: Response) -> Response:
    """The answer of a call that was done, as the fault lets it through."""
    match fault.kind if fault else None:
        case FaultKind.LOST_ANSWER:
            return replace(response, delivery=Delivery.RESET)
        case FaultKind.LATE_HANG:
            return replace(response, delivery=Delivery.HANG)
        case FaultKind.TRUNCATED:
            return replace(response, delivery=Delivery.TRUNCATED)
        case FaultKind.LATE_ERROR:
            return Response(status=500, body=b'{"ok":false,"error":"fatal_error"}')
        case FaultKind.HTML:
            return Response(headers={"Content-Type": "text/html"}, body=_HTML_PAGE)
    return response


def _refusal(refused: RefusedError, *, retry_after_s: float = 1) -> Response:
    response = _json({"ok": False, "error": refused.error, **refused.details})
    if refused.error != "ratelimited":
        return response
    return replace(response, status=429, headers={**response.headers, "Retry-After": str(max(1, round(retry_after_s)))})


def _json(value: dict[str, Any]) -> Response:
    return Response(headers={"Content-Type": "application/json; charset=utf-8"}, body=json.dumps(value).encode())
