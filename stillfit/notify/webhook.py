"""An incoming webhook: the degraded mode. Each transition is a message of its own; none can be edited or read back.

At least once: after an attempt whose outcome nobody knows the message is sent again and says that it may repeat.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from urllib.request import Request

import structlog

from stillfit.errors import DeliveryError
from stillfit.notify.message import Message, repeated
from stillfit.notify.sink import Delivered, may_repeat
from stillfit.notify.transport import TIMEOUT_S, Answer, delivery_errors, exchange, retry_after
from stillfit.store.outbox import MessageRecord, OutboxRow

log = structlog.get_logger(__name__)

TOO_RICH = ("invalid_payload", "invalid_blocks", "invalid_attachments", "msg_too_long", "too_many_attachments")


class WebhookSink:
    """The URL is a secret: it is in no name, error or log line."""

    def __init__(
        self, url: str, *, name: str = "slack", channel: str = "webhook", timeout_s: float = TIMEOUT_S
    ) -> None:
        self.name = name
        self.channel = channel
        self._url = url
        self._timeout_s = timeout_s

    def send(self, row: OutboxRow, _shown: MessageRecord | None) -> Delivered:
        said = Message.load(row.payload).root
        if may_repeat(row):
            said = repeated(said)
        answer = self._post(asdict(said))
        if answer.status == 400 and answer.body.strip() in TOO_RICH:
            log.warning("Slack refused how a message looks; its text goes alone", error=answer.body.strip())
            answer = self._post({"text": said.text})
        _check(answer)
        return Delivered(receipt="", channel=self.channel, ts="")

    def find(self, row: OutboxRow, _shown: MessageRecord | None, _since: datetime) -> Delivered | None:
        raise DeliveryError(f"slack webhook: advice {row.advice_id} cannot be read back", permanent=True)

    def _post(self, payload: object) -> Answer:
        body = json.dumps(payload).encode()
        with delivery_errors("slack webhook"):
            request = Request(self._url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310  (config)
            return exchange(request, timeout_s=self._timeout_s)


def _check(answer: Answer) -> None:
    """Errors by docs.slack.dev, "Sending messages using incoming webhooks": plain text beside a status."""
    said = answer.body.strip()
    name = said if said.replace("_", "").isalnum() and len(said) < 60 else ""
    if answer.status == 200 and said == "ok":
        return
    if answer.status == 429:
        wait = retry_after(answer.headers)
        raise DeliveryError("slack webhook: asked to wait (429)", permanent=False, retry_after_s=wait)
    if answer.status == 200 or answer.status >= 500:
        what = f"slack webhook: no clear answer (status {answer.status})"
        raise DeliveryError(what, permanent=False, unknown_outcome=True)
    message = f"slack webhook: refused with {name or answer.status}: make a new one and set slack.webhook_url"
    raise DeliveryError(message, permanent=True)
