"""What is still to be told to people: records and interface of the outbox. The tables behind it: outbox_table.py.

For the sender (stillfit/notify), these signatures are the contract:

    row = store.outbox.claim(now, epoch)       # commits state SENDING before anything is sent: the intent row
    ... send ...
    store.outbox.mark_sent(row.id, receipt, epoch=epoch, record=MessageRecord(...))   # the sink took it
    store.outbox.retry_at(row.id, when, error, epoch=epoch)                           # not taken, or read back: absent
    store.outbox.fail(row.id, error, epoch=epoch)                                     # will never be taken
    store.outbox.hold(row.channel, until)                                             # 429: only this channel waits
    for row in store.outbox.sending(): ...     # after a restart or takeover: outcome unknown, read the sink back

Rules: rows enter only through `Store.commit`, in the transaction of the transition they tell of. Of one advice and sink
at most one row is claimed at a time, in the order of transition numbers: a later state never overtakes an earlier one.
A row in SENDING is never claimed again: whoever takes over settles it by `mark_sent` or `retry_at` first. Every write
carries the epoch of the lease EVALUATION (leases.py) and raises LeaseLostError when another replica took over; None
says that there is no lease (one-shot commands). A call that names no row in SENDING raises StoreError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Protocol


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


def notification_id(advice_id: str, number: int, sink: str) -> str:
    """The same transition and sink give the same id for ever: a replay makes no second message."""
    return sha256(json.dumps([advice_id, number, sink]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One transition to be told to one sink."""

    advice_id: str
    number: int
    """Of the transition it tells of; with `advice_id` and `sink` it makes the id."""
    sink: str
    """Name of the sink as configured."""
    channel: str
    """Where in the sink; a hold stops one channel only."""
    payload: str
    """JSON text made by the sender; the store never looks into it."""
    not_before: datetime | None = None

    @property
    def id(self) -> str:
        return notification_id(self.advice_id, self.number, self.sink)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message with what has become of it so far."""

    id: str
    advice_id: str
    number: int
    sink: str
    channel: str
    payload: str
    state: OutboxState
    attempts: int
    """Times it was claimed, this one included."""
    due_at: datetime
    created_at: datetime
    changed_at: datetime
    error: str = ""
    """Why the last attempt did not end in SENT."""
    receipt: str = ""
    """What the sink gave back (Slack: the ts of the message)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """The one visible message of an advice in a sink: what to edit, and whether it still says the same."""

    advice_id: str
    sink: str
    channel: str
    ts: str
    content_hash: str
    number: int
    """The newest transition that it shows."""
    updated_at: datetime


class Outbox(Protocol):
    """Implemented on SQL by the store; a dict is enough for a test of the sender."""

    def claim(self, now: datetime, epoch: int | None) -> OutboxRow | None:
        """The next row that is due, now committed as SENDING; None when nothing is due."""
        ...

    def mark_sent(self, row_id: str, receipt: str, *, epoch: int | None, record: MessageRecord | None = None) -> None:
        """The sink has it. `record`, where given, is stored in the same transaction."""
        ...

    def retry_at(self, row_id: str, when: datetime, error: str, *, epoch: int | None) -> None:
        """Back to QUEUED, due at `when`. Also for a row whose read-back shows that the sink does not have it."""
        ...

    def fail(self, row_id: str, error: str, *, epoch: int | None) -> None:
        """Given up for good; stays readable for `doctor` and the status page."""
        ...

    def sending(self) -> tuple[OutboxRow, ...]:
        """Rows claimed and not settled, oldest first."""
        ...

    def queued(self, channel: str | None = None, limit: int = 100) -> tuple[OutboxRow, ...]:
        """Rows that wait, oldest first, due or not: to see how long the queue is before a digest is made."""
        ...

    def hold(self, channel: str, until: datetime) -> None:
        """No row of this channel is claimed before `until`; a longer hold is never shortened."""
        ...

    def held(self, now: datetime) -> Mapping[str, datetime]:
        """Channels on hold and until when."""
        ...

    def message(self, advice_id: str, sink: str) -> MessageRecord | None:
        """The visible message of an advice, if one was ever sent."""
        ...

    def remember(self, record: MessageRecord, *, epoch: int | None) -> None:
        """Store or replace the record of the visible message (an edit outside the outbox, a removed double)."""
        ...

    def counts(self) -> Mapping[OutboxState, int]:
        """Rows per state; a state without rows is 0."""
        ...
