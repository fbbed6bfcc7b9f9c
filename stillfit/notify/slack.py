"""Slack with a bot token: one message per advice, edited in place, its history in its thread.

The first transition posts the message; a later one edits it (which may be repeated safely) and then adds one reply.
The message or the reply that a transition made carries our notification id as metadata: that is what read-back looks
for. The edit comes before the reply, so a reply that is there proves that the edit was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from stillfit.errors import DeliveryError
from stillfit.notify.message import Message, Said, repeated
from stillfit.notify.sink import Delivered, may_repeat
from stillfit.notify.webclient import TOO_RICH, Api, Refused
from stillfit.store.outbox import MessageRecord, OutboxRow

log = structlog.get_logger(__name__)

EVENT = "stillfit_advice"
SKEW = timedelta(hours=1)
"""How far Slack's clock and ours may be apart."""
VANISHED = frozenset(
    {"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "cannot_reply_to_message"}
)
"""The message cannot be edited or answered any more: it is posted anew."""
_ID = re.compile(r"[CGD][A-Z0-9]{8,}")


class SlackSink:
    """Used by one thread. The channel's id is looked up at the first message and kept."""

    def __init__(self, api: Api, channel: str, *, name: str = "slack") -> None:
        self.name = name
        self.channel = channel
        self._api = api
        self._id = channel if _ID.fullmatch(channel) else ""

    def send(self, row: OutboxRow, shown: MessageRecord | None) -> Delivered:
        said, channel = _message(row), self._channel_id()
        if shown is not None and shown.channel == channel:
            try:
                return self._continue(row, said, shown)
            except Refused as error:
                if error.name not in VANISHED:
                    raise
                log.info("the message is gone, it is posted anew", advice=row.advice_id, reason=error.name)
        ts = self._write("chat.postMessage", said.root, channel=channel, metadata=_metadata(row), **_NO_PREVIEWS)
        return Delivered(receipt=ts, channel=channel, ts=ts)

    def find(self, row: OutboxRow, shown: MessageRecord | None, since: datetime) -> Delivered | None:
        channel = self._channel_id()
        if shown is not None and shown.channel == channel:
            ts = self._find_reply(row, shown)
            if ts:
                return Delivered(receipt=ts, channel=channel, ts=shown.ts)
        ts = self._find_message(row, channel, since - SKEW)
        return Delivered(receipt=ts, channel=channel, ts=ts) if ts else None

    def _continue(self, row: OutboxRow, said: Message, shown: MessageRecord) -> Delivered:
        """Edit the message, then tell in its thread what happened."""
        self._write("chat.update", said.root, channel=shown.channel, ts=shown.ts)
        ts = self._write(
            "chat.postMessage",
            said.reply,
            channel=shown.channel,
            thread_ts=shown.ts,
            metadata=_metadata(row),
            **_NO_PREVIEWS,
        )
        return Delivered(receipt=ts, channel=shown.channel, ts=shown.ts)

    def _write(self, method: str, said: Said, **where: Any) -> str:
        """The ts of what was written; where Slack does not take how it looks, its text goes alone."""
        try:
            answer = self._api.write(method, text=said.text, blocks=said.blocks, attachments=said.attachments, **where)
        except Refused as error:
            if error.name not in TOO_RICH:
                raise
            log.warning("Slack refused how a message looks; its text goes alone", method=method, error=error.name)
            answer = self._api.write(method, text=said.text, blocks=[], attachments=[], **where)
        return str(answer["ts"])

    def _find_reply(self, row: OutboxRow, shown: MessageRecord) -> str:
        arguments = {"channel": shown.channel, "ts": shown.ts, "include_all_metadata": True}
        try:
            for page in self._api.pages("conversations.replies", "messages", **arguments):
                ts = _carrier(page, row)
                if ts:
                    return ts
        except Refused as error:
            if error.name not in VANISHED:
                raise
        return ""

    def _find_message(self, row: OutboxRow, channel: str, since: datetime) -> str:
        """Newest first. The first page is read whatever its times say: clocks differ, and most rows are young."""
        for page in self._api.pages("conversations.history", "messages", channel=channel, include_all_metadata=True):
            ts = _carrier(page, row)
            if ts or (page and float(page[-1]["ts"]) < since.timestamp()):
                return ts
        return ""

    def _channel_id(self) -> str:
        if not self._id:
            self._id = self._look_up(self.channel.removeprefix("#"))
        return self._id

    def _look_up(self, name: str) -> str:
        """By name, public channels first: for private ones another scope is needed."""
        for kind in ("public_channel", "private_channel"):
            try:
                pages = self._api.pages("conversations.list", "channels", types=kind, exclude_archived=True)
                found = next((str(one["id"]) for page in pages for one in page if one["name"] == name), "")
            except Refused as error:
                if error.name == "missing_scope":
                    raise Refused(f"{error}; or write the id of the channel in slack.channel", error.name) from None
                raise
            if found:
                return found
        raise DeliveryError(
            f"slack: no channel #{name}: check slack.channel; a private channel must invite the app", permanent=True
        )


_NO_PREVIEWS: Mapping[str, bool] = {"unfurl_links": False, "unfurl_media": False}


def _message(row: OutboxRow) -> Message:
    said = Message.load(row.payload)
    return replace(said, root=repeated(said.root), reply=repeated(said.reply)) if may_repeat(row) else said


def _metadata(row: OutboxRow) -> dict[str, Any]:
    payload = {"notification": row.id, "advice": row.advice_id, "number": row.number}
    return {"event_type": EVENT, "event_payload": payload}


def _carrier(page: list[dict[str, Any]], row: OutboxRow) -> str:
    """The ts of the message on this page that a row made."""
    wanted = _metadata(row)
    return next((str(one["ts"]) for one in page if _same(one.get("metadata"), wanted)), "")


def _same(found: Any, wanted: dict[str, Any]) -> bool:
    if not isinstance(found, dict) or found.get("event_type") != EVENT:
        return False
    payload = found.get("event_payload")
    return isinstance(payload, dict) and payload.get("notification") == wanted["event_payload"]["notification"]
