"""The Slack sink against the stand-in: one message, edited, its history in its thread; read back by metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stillfit.clock import FakeClock
from stillfit.errors import DeliveryError
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.standins.slack import CHANNEL, SCOPES, TOKEN, Channel, Fault, FaultKind, SlackStandIn
from stillfit.store.outbox import MessageRecord, OutboxRow
from tests.notify.builders import NOON, MemoryOutbox, queued

CHANNELS = (
    CHANNEL,
    Channel(id="G0DBATEAM", name="dba", private=True),
    Channel(id="C0OLDNEWS", name="old", archived=True),
    Channel(id="C0STRANGE", name="strangers", joined=False),
)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn(CHANNELS, now=NOON.timestamp) as server:
        yield server


@pytest.fixture
def sink(slack: SlackStandIn) -> SlackSink:
    return to(slack)


def to(slack: SlackStandIn, channel: str = "#stillfit", token: str = TOKEN, timeout_s: float = 60) -> SlackSink:
    """Patient, since a slow machine is no fault: who is about to be left hanging is given less, see `patience_s`."""
    return SlackSink(Api(token, slack.url, timeout_s=timeout_s), channel)


def patience_s(kind: FaultKind) -> float:
    """Short only where no answer ever comes, so that a slow machine sees nothing else."""
    return 0.3 if kind in {FaultKind.HANG, FaultKind.LATE_HANG} else 60


def row(number: int = 1, **changes: object) -> OutboxRow:
    outbox = MemoryOutbox(FakeClock())
    outbox.add(queued(number))
    return replace(next(iter(outbox.rows.values())), **changes)  # type: ignore[arg-type]  # fields by name


def record(ts: str, channel: str = CHANNEL.id) -> MessageRecord:
    return MessageRecord(
        advice_id="A-1", sink="slack", channel=channel, ts=ts, content_hash="", number=1, updated_at=NOON
    )


def test_the_first_transition_is_posted_with_its_id(slack: SlackStandIn, sink: SlackSink) -> None:
    sent = sink.send(row(), None)

    (post,) = slack.workspace.posts()
    assert (sent.ts, sent.channel, post.thread_ts) == (post.ts, CHANNEL.id, "")
    assert post.content.metadata == {
        "event_type": "stillfit_advice",
        "event_payload": {"notification": row().id, "advice": "A-1", "number": 1},
    }


def test_a_later_one_edits_the_message_and_adds_one_reply(slack: SlackStandIn, sink: SlackSink) -> None:
    first = sink.send(row(1), None)
    second = sink.send(row(2), record(first.ts))

    root, reply = slack.workspace.posts()
    assert (second.ts, second.receipt) == (root.ts, reply.ts)
    assert root.edited
    assert (reply.thread_ts, reply.content.metadata["event_payload"]["number"]) == (root.ts, 2)  # type: ignore[index]
    assert root.content.metadata["event_payload"]["number"] == 1  # type: ignore[index]


def test_a_message_that_somebody_deleted_is_posted_anew(slack: SlackStandIn, sink: SlackSink) -> None:
    first = sink.send(row(1), None)
    slack.workspace.delete(CHANNEL.id, first.ts)

    second = sink.send(row(2), record(first.ts))

    assert [post.ts for post in slack.workspace.posts()] == [second.ts]


def test_after_a_change_of_channel_it_is_posted_in_the_new_one(slack: SlackStandIn) -> None:
    first = to(slack).send(row(1), None)
    second = to(slack, "dba").send(row(2), record(first.ts))

    assert [post.channel for post in slack.workspace.posts()] == [CHANNEL.id, "G0DBATEAM"]
    assert second.channel == "G0DBATEAM"


def test_read_back_finds_message_and_reply_on_any_page(slack: SlackStandIn, sink: SlackSink) -> None:
    first = sink.send(row(1), None)
    second = sink.send(row(2), record(first.ts))
    for number in range(150):
        sink.send(row(3, id=f"other {number}"), None)
        sink.send(row(3, id=f"reply {number}"), record(first.ts)) if number < 120 else None

    assert sink.find(row(1), None, NOON) == first
    assert sink.find(row(2), record(first.ts), NOON) == second
    assert sink.find(row(3), record(first.ts), NOON) is None
    assert sink.find(row(3), None, NOON) is None


def test_read_back_of_a_deleted_thread_looks_for_the_message_that_took_its_place(
    slack: SlackStandIn, sink: SlackSink
) -> None:
    anew = sink.send(row(2), None)

    assert sink.find(row(2), record("1.000000"), NOON) == anew


@pytest.mark.parametrize(
    ("kind", "unknown", "permanent", "wait"),
    [
        (FaultKind.LOST_ANSWER, True, False, None),
        (FaultKind.LATE_ERROR, True, False, None),
        (FaultKind.LATE_HANG, True, False, None),
        (FaultKind.TRUNCATED, True, False, None),
        (FaultKind.HTML, True, False, None),
        (FaultKind.RESET, True, False, None),
        (FaultKind.HANG, True, False, None),
        (FaultKind.SERVER_ERROR, True, False, None),
        (FaultKind.UNAVAILABLE, True, False, None),
        (FaultKind.RATE_LIMITED, False, False, 7),
        (FaultKind.REDIRECT, False, True, None),
    ],
)
def test_what_goes_wrong_says_whether_it_may_have_been_shown(
    slack: SlackStandIn, kind: FaultKind, unknown: bool, permanent: bool, wait: float | None
) -> None:
    slack.faults.add(Fault(kind=kind, method="chat.postMessage", seconds=7, location=slack.page_url))

    error = failure(to(slack, CHANNEL.id, timeout_s=patience_s(kind)))  # by its id: its only exchange is the faulty one

    assert (error.unknown_outcome, error.permanent, error.retry_after_s) == (unknown, permanent, wait)
    assert kind is not FaultKind.REDIRECT or not slack.workspace.posts()


def test_slack_not_running_is_known_to_have_shown_nothing() -> None:
    error = failure(SlackSink(Api(TOKEN, "http://127.0.0.1:1/api/"), CHANNEL.id))

    assert (error.unknown_outcome, error.permanent) == (False, False)


@pytest.mark.parametrize(
    ("channel", "token", "message"),
    [
        ("stillfit", "xoxb-wrong", "refused with invalid_auth: check slack.token"),
        ("nowhere", TOKEN, "no channel #nowhere: check slack.channel"),
        ("C0OLDNEWS", TOKEN, "refused with is_archived: unarchive the channel"),
        ("C0NOWHERE", TOKEN, "refused with channel_not_found: check slack.channel"),
    ],
)
def test_what_only_a_person_can_mend_names_what_to_do(
    slack: SlackStandIn, channel: str, token: str, message: str
) -> None:
    error = failure(to(slack, channel, token))

    assert error.permanent
    assert message in str(error)


@pytest.mark.parametrize(
    ("missing", "channel", "message"),
    [
        ("chat:write", "C0STILLFIT", "grant the scope chat:write to the app"),
        ("channels:read", "stillfit", "grant the scope channels:read to the app and install it again; or write the id"),
        ("groups:read", "dba", "grant the scope groups:read to the app and install it again; or write the id"),
        ("chat:write.public", "C0STRANGE", "refused with not_in_channel: invite the app"),
    ],
)
def test_a_missing_scope_is_named(missing: str, channel: str, message: str) -> None:
    with SlackStandIn(CHANNELS, scopes=SCOPES - {missing}) as slack:
        error = failure(to(slack, channel))

    assert error.permanent
    assert message in str(error)


def test_a_public_channel_is_found_without_the_scope_for_private_ones() -> None:
    with SlackStandIn(CHANNELS, scopes=SCOPES - {"groups:read"}) as slack:
        assert to(slack, "stillfit").send(row(), None).channel == CHANNEL.id


def test_history_that_may_not_be_read_cannot_be_read_back() -> None:
    with SlackStandIn(CHANNELS, scopes=SCOPES - {"channels:history"}) as slack, pytest.raises(DeliveryError) as caught:
        to(slack).find(row(), None, NOON)

    assert caught.value.permanent
    assert "channels:history" in str(caught.value)


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
def test_what_slack_does_not_take_rich_it_gets_plain_once(slack: SlackStandIn, sink: SlackSink, error: str) -> None:
    slack.faults.add(Fault(kind=FaultKind.REFUSED, error=error, method="chat.postMessage", count=1))

    sink.send(row(), None)

    (post,) = slack.workspace.posts()
    assert (post.content.blocks, post.content.attachments) == ((), ())
    assert post.content.text.startswith("CRITICAL - orders")
    assert post.content.metadata


def test_a_message_that_may_repeat_says_so_in_slack(slack: SlackStandIn, sink: SlackSink) -> None:
    sink.send(row(error="outcome unknown and not to be read back: why"), None)

    assert "May repeat" in slack.workspace.posts()[0].content.text


def test_a_failed_look_for_the_channel_leaves_nothing_in_doubt(slack: SlackStandIn, sink: SlackSink) -> None:
    slack.faults.add(Fault(kind=FaultKind.SERVER_ERROR, method="conversations.list"))

    assert not failure(sink).unknown_outcome


def failure(sink: SlackSink) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sink.send(row(), None)
    return caught.value
