"""The whole way: a transition committed to a real store, told to Slack by the real sink."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.errors import LeaseLostError
from stillfit.notify import Sender
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.standins.slack import TOKEN, Fault, FaultKind, SlackStandIn
from stillfit.store.leases import EVALUATION
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.notify.builders import advice, transition


class House:
    """A store, a sender and a Slack; the clock stands."""

    def __init__(self, folder: Path, clock: FakeClock, slack: SlackStandIn) -> None:
        self.clock, self.slack = clock, slack
        self.store = Store.open(f"sqlite:///{folder}/stillfit.db", clock=clock, ballast_bytes=4096)
        self.sender = Sender(self.store.outbox, (SlackSink(Api(TOKEN, slack.url), "stillfit"),), clock, "test")
        self.epoch = self.take_over("one")

    def take_over(self, owner: str) -> int:
        lease = self.store.leases.acquire(EVALUATION, owner, timedelta(days=1))
        assert lease is not None
        return lease.epoch

    def happens(self, state: AdviceState, number: int, before: AdviceState) -> None:
        record, step = advice(state=state, transitions=number), transition(state, number, before=before)
        self.store.commit([record], [step], self.sender.tell([record], [step]), epoch=self.epoch)

    def pass_time(self, seconds: int, every: int = 10) -> None:
        for _ in range(seconds // every):
            self.sender.send_due(self.epoch)
            self.clock.advance(every)

    @property
    def shown(self) -> list[str]:
        return [post.content.text.split(" at ")[0][:12] for post in self.slack.workspace.posts()]


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[House]:
    with SlackStandIn(now=lambda: clock.now().timestamp()) as slack:
        made = House(tmp_path, clock, slack)
        yield made
        made.store.close()


def test_what_opens_and_ends_while_slack_asks_to_wait_is_told_both_in_order(house: House) -> None:
    house.slack.faults.add(Fault(kind=FaultKind.RATE_LIMITED, method="chat.postMessage", seconds=60, count=10))
    house.happens(AdviceState.OPEN, 1, AdviceState.PENDING)
    house.pass_time(300)
    house.happens(AdviceState.RESOLVED, 2, AdviceState.OPEN)
    house.pass_time(600)

    assert house.shown == ["RESOLVED - o", "Resolved aft"]
    assert house.slack.faults.struck[FaultKind.RATE_LIMITED] == 10
    assert house.store.outbox.counts()[OutboxState.SENT] == 2


def test_a_lost_answer_is_read_back_and_shown_once(house: House) -> None:
    house.slack.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="chat.postMessage", count=2))
    house.happens(AdviceState.OPEN, 1, AdviceState.PENDING)
    house.happens(AdviceState.ACKNOWLEDGED, 2, AdviceState.OPEN)
    house.pass_time(200)

    assert house.shown == ["ACKNOWLEDGED", "Acknowledged"]


def test_a_holder_that_was_replaced_sends_nothing_more(house: House) -> None:
    house.happens(AdviceState.OPEN, 1, AdviceState.PENDING)
    house.store.leases.expire_all()
    house.take_over("two")

    with pytest.raises(LeaseLostError):
        house.sender.send_due(house.epoch)
    assert house.shown == []
