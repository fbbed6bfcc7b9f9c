"""The degraded mode: each transition a message of its own, at least once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stillfit.clock import FakeClock
from stillfit.errors import DeliveryError
from stillfit.notify.sender import Sender
from stillfit.notify.webhook import WebhookSink
from stillfit.standins.slack import Fault, FaultKind, SlackStandIn
from stillfit.store.outbox import OutboxState
from tests.notify.builders import MemoryOutbox, queued
from tests.notify.test_slack import patience_s, row


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as server:
        yield server


def test_each_transition_is_a_message_of_its_own(slack: SlackStandIn) -> None:
    sink = WebhookSink(slack.webhook_url())
    sink.send(row(1), None)
    sink.send(row(2), None)

    assert [(post.webhook, post.thread_ts, bool(post.content.blocks)) for post in slack.workspace.posts()] == [
        (True, "", True)
    ] * 2


def test_after_a_lost_answer_it_is_sent_again_and_says_that_it_may_repeat(
    slack: SlackStandIn, clock: FakeClock
) -> None:
    slack.faults.add(Fault(kind=FaultKind.LOST_ANSWER, count=1))
    outbox = MemoryOutbox(clock)
    outbox.add(queued(channel="webhook"))
    sender = Sender(outbox, (WebhookSink(slack.webhook_url()),), clock, "test")
    for _ in range(2):
        sender.send_due(None)
        clock.advance(60)
    sender.send_due(None)

    assert outbox.counts()[OutboxState.SENT] == 1
    assert ["May repeat" in post.content.text for post in slack.workspace.posts()] == [False, True]


@pytest.mark.parametrize(
    ("kind", "unknown", "wait"),
    [
        (FaultKind.HTML, True, None),
        (FaultKind.SERVER_ERROR, True, None),
        (FaultKind.HANG, True, None),
        (FaultKind.RATE_LIMITED, False, 5),
    ],
)
def test_what_goes_wrong_says_whether_it_may_have_been_shown(
    slack: SlackStandIn, kind: FaultKind, unknown: bool, wait: float | None
) -> None:
    slack.faults.add(Fault(kind=kind, seconds=5))
    with pytest.raises(DeliveryError) as caught:
        WebhookSink(slack.webhook_url(), timeout_s=patience_s(kind)).send(row(), None)

    assert (caught.value.permanent, caught.value.unknown_outcome, caught.value.retry_after_s) == (False, unknown, wait)


def test_a_webhook_that_was_removed_is_permanent_and_keeps_its_secret(slack: SlackStandIn) -> None:
    with pytest.raises(DeliveryError) as caught:
        WebhookSink(slack.webhook_url().replace("secret", "other")).send(row(), None)

    assert caught.value.permanent
    assert str(caught.value) == "slack webhook: refused with no_service: make a new one and set slack.webhook_url"
