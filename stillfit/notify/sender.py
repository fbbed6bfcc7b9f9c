"""Empties the outbox: settles what is in doubt, then delivers in order until nothing is due.

Before anything is sent its row is committed as SENDING. Whatever then happens, the row is settled by an answer, or by
reading the sink back once nothing of that attempt can still be under way. So a kill at any instruction loses nothing
and shows nothing twice, wherever the sink can be read back. (Measured with kill -9: marking before sending loses,
marking after sending doubles; only an intent row with read-back does neither.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from stillfit.advice import Advice, Transition
from stillfit.clock import Clock
from stillfit.cycle import Turn
from stillfit.errors import DeliveryError
from stillfit.notify.compose import compose
from stillfit.notify.message import Message
from stillfit.notify.sink import UNREADABLE, Delivered, Sink, may_repeat
from stillfit.store.outbox import MessageRecord, Outbox, OutboxMessage, OutboxRow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Lengths in real seconds; a compressed clock is accounted for."""

    between_s: float = 1.2
    """Between two messages of a channel. Slack: about one message a second and channel, and 50 edits a minute
    (docs.slack.dev, rate limits, tier 3)."""
    grace_s: float = 30.0
    """After which an attempt without an answer is over: two calls of ten seconds and what their answers may dawdle."""
    longest_s: float = 300.0
    """The longest wait between two attempts."""


class Sender:
    """One per configuration. `send_due` is called by one thread at a time; `compose` by any."""

    def __init__(  # noqa: PLR0913  (pace and notified are for harnesses and for the daemon's health)
        self,
        outbox: Outbox,
        sinks: Iterable[Sink],
        clock: Clock,
        instance: str,
        *,
        pace: Pace = Pace(),
        notified: Callable[[str, str], None] = lambda _sink, _outcome: None,
    ) -> None:
        """`notified` is told of each attempt: name of the sink, and "sent", "retried", "unknown" or "failed"."""
        self._outbox = outbox
        self._sinks = {sink.name: sink for sink in sinks}
        self._clock = clock
        self._instance = instance
        self._pace = pace
        self._notified = notified

    def compose(self, turn: Turn) -> tuple[OutboxMessage, ...]:
        """What is to be told of a turn; kept by the store in the transaction of its transitions."""
        return self.tell(turn.advice, turn.transitions)

    def tell(self, advice: Iterable[Advice], transitions: Iterable[Transition]) -> tuple[OutboxMessage, ...]:
        """The same for a person's act through the command line."""
        return compose(advice, transitions, self._sinks.values(), instance=self._instance)

    def send_due(self, epoch: int | None) -> None:
        """Settle, then deliver until nothing is due. Raises StoreError (LeaseLostError: stop, another one sends)."""
        if not self._sinks:
            return
        self._settle(epoch)
        while row := self._outbox.claim(self._clock.now(), epoch):
            self._deliver(row, epoch)

    def _settle(self, epoch: int | None) -> None:
        """Ask the sinks about attempts whose end nobody saw."""
        now = self._clock.now()
        held = self._outbox.held(now)
        for row in self._outbox.sending():
            if now - row.changed_at >= self._real(self._pace.grace_s) and row.channel not in held:
                self._read_back(row, epoch)

    def _read_back(self, row: OutboxRow, epoch: int | None) -> None:
        sink = self._sinks.get(row.sink)
        if sink is None:
            self._give_up(row, f"no sink {row.sink!r} is configured any more", epoch)
            return
        shown = self._outbox.message(row.advice_id, row.sink)
        try:
            found = sink.find(row, shown, row.created_at)
        except DeliveryError as error:
            self._not_readable(row, error, epoch)
            return
        if found is not None:
            log.info("read back: the message is there", advice=row.advice_id, number=row.number, sink=row.sink)
            self._sent(row, found, epoch)
        else:
            self._outbox.retry_at(row.id, self._again(row, of=row.attempts - 1), "read back: not there", epoch=epoch)

    def _not_readable(self, row: OutboxRow, error: DeliveryError, epoch: int | None) -> None:
        if error.permanent:
            self._outbox.retry_at(row.id, self._clock.now(), f"{UNREADABLE}: {error}", epoch=epoch)
        else:
            self._hold(row, error)
        log.warning("a message could not be read back", advice=row.advice_id, sink=row.sink, error=str(error))

    def _deliver(self, row: OutboxRow, epoch: int | None) -> None:
        sink = self._sinks.get(row.sink)
        if sink is None:
            self._give_up(row, f"no sink {row.sink!r} is configured any more", epoch)
            return
        shown = self._outbox.message(row.advice_id, row.sink)
        try:
            delivered = sink.send(row, shown)
        except DeliveryError as error:
            self._not_delivered(row, error, epoch)
        else:
            self._sent(row, delivered, epoch)
            self._outbox.hold(row.channel, self._clock.now() + self._real(self._pace.between_s))

    def _sent(self, row: OutboxRow, delivered: Delivered, epoch: int | None) -> None:
        record = None
        if delivered.ts:
            record = MessageRecord(
                advice_id=row.advice_id,
                sink=row.sink,
                channel=delivered.channel,
                ts=delivered.ts,
                content_hash=sha256(row.payload.encode()).hexdigest(),
                number=row.number,
                updated_at=self._clock.now(),
            )
        self._outbox.mark_sent(row.id, delivered.receipt, epoch=epoch, record=record)
        self._notified(row.sink, "sent")
        log.debug("told", advice=row.advice_id, number=row.number, sink=row.sink)

    def _not_delivered(self, row: OutboxRow, error: DeliveryError, epoch: int | None) -> None:
        if error.permanent and error.of_message:
            self._give_up(row, str(error), epoch)
            return
        until = self._hold(row, error)
        if error.unknown_outcome:
            outcome = "unknown"  # stays SENDING: read back before it is sent again
        else:
            outcome = "retried"
            kept = f"{UNREADABLE}; now: " if may_repeat(row) else ""
            self._outbox.retry_at(row.id, until, f"{kept}{error}", epoch=epoch)
        self._notified(row.sink, outcome)
        say = log.error if error.permanent else log.warning
        say("a message was not delivered", advice=row.advice_id, sink=row.sink, outcome=outcome, error=str(error))

    def _give_up(self, row: OutboxRow, why: str, epoch: int | None) -> None:
        """The log is the last sink: what could not be told anywhere is said there."""
        self._outbox.fail(row.id, why, epoch=epoch)
        self._notified(row.sink, "failed")
        said = Message.load(row.payload).root.text
        log.error("a message can never be delivered", advice=row.advice_id, sink=row.sink, error=why, message=said)

    def _hold(self, row: OutboxRow, error: DeliveryError) -> datetime:
        """Leave this channel in peace; the others go on."""
        until = self._again(row, of=row.attempts)
        if error.permanent:  # a token that was revoked, a channel that is gone: kept until somebody mends it
            until = self._clock.now() + self._real(self._pace.longest_s)
        if error.retry_after_s is not None:
            until = self._clock.now() + self._real(error.retry_after_s)
        self._outbox.hold(row.channel, until)
        return until

    def _again(self, row: OutboxRow, of: int) -> datetime:
        """When to try again after `of` attempts: doubling, with a jitter that is the same after a restart."""
        if of <= 0:
            return self._clock.now()
        part = int.from_bytes(sha256(f"{row.id} {of}".encode()).digest()[:4]) / 2**32
        wait = min(self._pace.longest_s, 2.0 ** min(of, 20))
        return self._clock.now() + self._real(wait * (0.5 + part / 2))

    def _real(self, seconds: float) -> timedelta:
        """Real seconds in this clock's time."""
        return timedelta(seconds=seconds * self._clock.scale)
