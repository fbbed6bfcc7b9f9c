"""The process that is killed: the real store, sender and Slack sink, driven by a fixed sequence of transitions.

    python -m tests.faults.child STORE_URL SLACK_URL SEED KILL_AT [blind]

KILL_AT is "" or POINT:N, and makes the process kill itself at the Nth time it passes that point. `blind` takes the
read-back away, to prove that the harness sees what goes wrong without it. It ends with 0 once everything was told.
What it commits follows from SEED and from what the store holds already, never from time.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from time import sleep

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.clock import SystemClock
from stillfit.notify import Pace, Sender
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.store.leases import EVALUATION
from stillfit.store.outbox import MessageRecord, OutboxRow, OutboxState
from stillfit.store.outbox_table import SqlOutbox
from stillfit.store.store import Store
from tests.notify.builders import advice

ADVICES = 4
STEPS = 6
PACE = Pace(between_s=0.002, grace_s=0.12, longest_s=0.2)
TTL = timedelta(seconds=30)
START = datetime(2026, 11, 2, tzinfo=UTC)
LIVE = (AdviceState.OPEN, AdviceState.ACKNOWLEDGED, AdviceState.SNOOZED, AdviceState.RESOLVED)
POINTS = ("committed", "claimed", "delivered", "marked")
"""In the child; the stand-in has its own: arrived, done, answered."""


def story(seed: int) -> tuple[tuple[Advice, Transition], ...]:
    """What happens, in order: every advice opens and then changes its state, in an order drawn from the seed."""
    random = Random(seed)
    order = [name for name in range(ADVICES) for _ in range(STEPS)]
    random.shuffle(order)
    states = {name: [AdviceState.PENDING, AdviceState.OPEN] for name in range(ADVICES)}
    for path in states.values():
        while len(path) < STEPS + 1:
            path.append(random.choice([state for state in LIVE if state is not path[-1]]))
    steps = {name: list(enumerate(pairwise(path), 1)) for name, path in states.items()}
    return tuple(_step(f"A-{seed}-{name}", *steps[name].pop(0), when) for when, name in enumerate(order))


def _step(id_: str, number: int, change: tuple[AdviceState, AdviceState], when: int) -> tuple[Advice, Transition]:
    before, after = change
    at = START + timedelta(minutes=when)
    step = Transition(
        advice_id=id_, number=number, before=before, after=after, at=at, reason=f"step {number}", by="stillfit"
    )
    return advice(id=id_, state=after, state_since=at, transitions=number), step


class DyingOutbox:
    """The real outbox; the process ends at one point of its life."""

    def __init__(self, inner: SqlOutbox, kill_at: str) -> None:
        self._inner = inner
        self._point, _, times = kill_at.partition(":")
        self._left = int(times or 0)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def claim(self, now: datetime, epoch: int | None) -> OutboxRow | None:
        row = self._inner.claim(now, epoch)
        if row is not None:
            self.passed("claimed")
        return row

    def mark_sent(self, row_id: str, receipt: str, *, epoch: int | None, record: MessageRecord | None = None) -> None:
        self.passed("delivered")
        self._inner.mark_sent(row_id, receipt, epoch=epoch, record=record)
        self.passed("marked")

    def passed(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class BlindSink(SlackSink):
    """Believes that what it does not know was not shown."""

    def find(self, row: OutboxRow, shown: MessageRecord | None, since: datetime) -> None:
        return None


def main(store_url: str, slack_url: str, seed: int, kill_at: str, sight: str = "") -> None:
    clock = SystemClock()
    store = Store.open(store_url, clock=clock, ballast_bytes=4096)
    outbox = DyingOutbox(store.outbox, kill_at)
    sink = (BlindSink if sight == "blind" else SlackSink)(Api("xoxb-stand-in", slack_url, timeout_s=60), "#stillfit")
    sender = Sender(outbox, (sink,), clock, "killed", pace=PACE)  # type: ignore[arg-type]  # forwards what it does not wrap
    lease = store.leases.acquire(EVALUATION, "child", TTL)
    assert lease is not None
    done = len(store.transitions())
    for record, step in story(seed)[done:]:
        store.commit([record], [step], sender.tell([record], [step]), epoch=lease.epoch)
        outbox.passed("committed")
        sender.send_due(lease.epoch)
    while any(store.outbox.counts()[state] for state in (OutboxState.QUEUED, OutboxState.SENDING)):
        sender.send_due(lease.epoch)
        sleep(0.005)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
