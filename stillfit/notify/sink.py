"""The seam between the outbox and whoever takes messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stillfit.store.outbox import MessageRecord, OutboxRow

UNREADABLE = "outcome unknown and not to be read back"
"""How the error of a row begins that is sent once more although the sink may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What the sink said when it took a message. `ts` is the visible message to edit next time, empty without one."""

    receipt: str
    channel: str
    ts: str


class Sink(Protocol):
    """One place that takes messages. Raises DeliveryError, which says whether to try again, wait, or read back."""

    name: str
    channel: str

    def send(self, row: OutboxRow, shown: MessageRecord | None) -> Delivered:
        """Show a message: new, or as an edit of `shown`. Where `may_repeat(row)`, it says so."""
        ...

    def find(self, row: OutboxRow, shown: MessageRecord | None, since: datetime) -> Delivered | None:
        """Whether the sink already has this row, sent at or after `since`; None when it has not.

        A sink that cannot be read back raises DeliveryError(permanent=True): the row is then sent again and says so.
        """
        ...


def may_repeat(row: OutboxRow) -> bool:
    """Whether an earlier attempt may have been shown and nobody can tell."""
    return row.error.startswith(UNREADABLE)
