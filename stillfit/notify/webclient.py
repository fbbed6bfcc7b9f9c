"""The Web API through slack_sdk, with our transport under it and its refusals as DeliveryError."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from stillfit.errors import DeliveryError
from stillfit.notify.transport import TIMEOUT_S, delivery_errors, exchange, retry_after

PAGE = 100
MAX_PAGES = 50

TOO_RICH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_too_long", "msg_blocks_too_long"}
    | {"too_many_attachments", "attachment_payload_limit_exceeded"}
)
"""Refusals of what a message looks like; a plain one will do."""
PASSING = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
IN_DOUBT = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Some part of the call may have succeeded (docs.slack.dev, errors of chat.postMessage)."""
HINTS = {
    "invalid_auth": "check slack.token",
    "not_authed": "check slack.token",
    "token_revoked": "install the app again and set slack.token",
    "token_expired": "install the app again and set slack.token",
    "account_inactive": "install the app again and set slack.token",
    "channel_not_found": "check slack.channel; a private channel must invite the app",
    "not_in_channel": "invite the app to the channel or grant chat:write.public",
    "is_archived": "unarchive the channel or name another in slack.channel",
}


class Refused(DeliveryError):  # noqa: N818  (it is a DeliveryError, named for what happened)
    """Slack answered with an error of its own, by name."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message, permanent=True, of_message=name in TOO_RICH)
        self.name = name


class _Client(WebClient):
    """No retries and no redirects, whatever the SDK's own transport does (its seam is held by a test)."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        del url  # the request has it
        answer = exchange(req, timeout_s=self.timeout)
        if answer.status == 200 and not _is_object(answer.body):
            raise HTTPException("no JSON object")
        return {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}


class Api:
    """Calls by name. `writes`: an answer that does not come leaves it open whether it was done."""

    def __init__(self, token: str, base_url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        silent = logging.getLogger("stillfit.slack_sdk")  # its errors are ours to tell, once
        silent.disabled = True
        self._client = _Client(
            token=token,
            base_url=base_url,
            timeout=timeout_s,  # type: ignore[arg-type]  # int by its annotation; only our transport reads it
            logger=silent,
            retry_handlers=[],
        )

    def write(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        return self._call(method, lambda: self._client.api_call(method, json=arguments).data)

    def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            return self._call(method, lambda: self._client.api_call(method, params=arguments).data)
        except DeliveryError as error:
            error.unknown_outcome = False  # nothing was to be done
            raise

    def pages(self, method: str, key: str, **arguments: Any) -> Iterator[list[dict[str, Any]]]:
        """Page after page of what a method lists."""
        cursor: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            answer = self.read(method, limit=PAGE, **arguments, **cursor)
            yield answer.get(key) or []
            following = (answer.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return
            cursor = {"cursor": following}

    def _call(self, method: str, call: Callable[[], Any]) -> Mapping[str, Any]:
        with delivery_errors(f"slack: {method}"):
            try:
                answer: Mapping[str, Any] = call()
            except SlackApiError as error:
                raise _refusal(method, error) from None
        return answer


def _refusal(method: str, error: SlackApiError) -> DeliveryError:
    """The error of an answer, as what the sender can act on."""
    response = error.response
    status, said = response.status_code, response.data if isinstance(response.data, dict) else {}
    name = str(said.get("error", ""))
    what = f"slack: {method}"
    if status == 429 or name in PASSING:
        return DeliveryError(
            f"{what}: asked to wait (429)", permanent=False, retry_after_s=retry_after(response.headers)
        )
    if 300 <= status < 400:
        return DeliveryError(
            f"{what}: redirected elsewhere, which is not followed: check slack.base_url", permanent=True
        )
    if status >= 500 or name in IN_DOUBT:
        return DeliveryError(f"{what}: failed on Slack's side ({status})", permanent=False, unknown_outcome=True)
    return Refused(f"{what}: refused with {_shown(name, status)}{_hint(name, said)}", name)


def _shown(name: str, status: int) -> str:
    return name if name.replace("_", "").isalnum() else f"status {status}"


def _hint(name: str, said: Mapping[str, Any]) -> str:
    if name == "missing_scope":
        return f": grant the scope {said.get('needed', 'it needs')} to the app and install it again"
    return f": {HINTS[name]}" if name in HINTS else ""


def _is_object(body: str) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
