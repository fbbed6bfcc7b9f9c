"""The stand-in held to docs.slack.dev, by slack_sdk and by raw HTTP: neither is our own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from stillfit.standins.slack import CHANNEL, SCOPES, TOKEN, Channel, Fault, FaultKind, Moment, SlackStandIn
from tests import patient

METADATA = {"event_type": "test", "event_payload": {"id": "7"}}


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    channels = (CHANNEL, Channel(id="G0SECRET1", name="secret", private=True, joined=False))
    with SlackStandIn(channels) as server:
        yield server


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient(token=TOKEN, base_url=slack.url, timeout=60)


def call(slack: SlackStandIn, method: str, *, token: str = TOKEN, **arguments: Any) -> dict[str, Any]:
    """A JSON call by a client that is not slack_sdk."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
    answer = patient.post(slack.url + method, content=json.dumps(arguments), headers=headers)
    return dict(answer.json())


def error(slack: SlackStandIn, method: str, **arguments: Any) -> str:
    return str(call(slack, method, **arguments)["error"])


def test_the_sdk_posts_edits_answers_and_reads_back(client: WebClient) -> None:
    assert client.auth_test()["bot_id"] == "B0STANDIN"
    root = client.chat_postMessage(channel="#stillfit", text="first", metadata=METADATA)
    channel, ts = root["channel"], root["ts"]
    client.chat_update(channel=channel, ts=ts, text="second")
    reply = client.chat_postMessage(channel=channel, thread_ts=ts, text="why", metadata=METADATA)

    (message,) = client.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    thread = client.conversations_replies(channel=channel, ts=ts)["messages"]
    assert (message["text"], message["metadata"], message["reply_count"]) == ("second", METADATA, 1)
    assert [one["ts"] for one in thread] == [ts, reply["ts"]]
    assert "metadata" not in thread[0]


def test_a_form_says_the_same_as_json(slack: SlackStandIn) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "H"}}]
    form = {"token": TOKEN, "channel": CHANNEL.id, "text": "x", "blocks": json.dumps(blocks)}
    patient.post(f"{slack.url}chat.postMessage", data=form)
    call(slack, "chat.postMessage", channel=CHANNEL.id, text="x", blocks=blocks)

    first, second = slack.workspace.posts()
    assert first.content == second.content


def test_json_without_a_charset_is_taken_with_a_warning(slack: SlackStandIn) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = patient.post(f"{slack.url}auth.test", json={"a": 1}, headers=headers)
    assert answer.json()["error"] == "invalid_arguments"

    answer = patient.post(f"{slack.url}chat.postMessage", json={"channel": CHANNEL.id, "text": "x"}, headers=headers)
    assert answer.json()["warning"] == "missing_charset"


@pytest.mark.parametrize("method", ["conversations_history", "conversations_replies"])
def test_pages_hold_everything_once(client: WebClient, method: str) -> None:
    root = client.chat_postMessage(channel=CHANNEL.id, text="0")
    for number in range(1, 8):
        thread = {"thread_ts": root["ts"]} if method == "conversations_replies" else {}
        client.chat_postMessage(channel=CHANNEL.id, text=str(number), **thread)

    where = {"ts": root["ts"]} if method == "conversations_replies" else {}
    pages = [page["messages"] for page in getattr(client, method)(channel=CHANNEL.id, limit=3, **where)]
    seen = [one["text"] for page in pages for one in page]

    assert [len(page) for page in pages] == [3, 3, 2]
    assert sorted(seen) == [str(number) for number in range(8)]
    assert seen == (sorted(seen) if where else sorted(seen, reverse=True))


def test_oldest_and_latest_exclude_their_ends_unless_inclusive(client: WebClient) -> None:
    ts = [client.chat_postMessage(channel=CHANNEL.id, text=str(number))["ts"] for number in range(3)]

    def texts(**bounds: Any) -> list[str]:
        return [one["text"] for one in client.conversations_history(channel=CHANNEL.id, **bounds)["messages"]]

    assert texts(oldest=ts[0], latest=ts[2]) == ["1"]
    assert texts(oldest=ts[0], latest=ts[2], inclusive=True) == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": CHANNEL.id, "text": "x", "colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": CHANNEL.id}, "no_text"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "secret", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": CHANNEL.id, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": CHANNEL.id, "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ("chat.postMessage", {"channel": CHANNEL.id, "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
        ("chat.postMessage", {"channel": CHANNEL.id, "attachments": [{}] * 101}, "too_many_attachments"),
        ("chat.update", {"channel": CHANNEL.id, "ts": "1.000000", "text": "x"}, "message_not_found"),
        ("chat.update", {"channel": "#stillfit", "ts": "1.000000", "text": "x"}, "channel_not_found"),
        ("conversations.history", {"channel": "stillfit"}, "channel_not_found"),
        ("conversations.history", {"channel": CHANNEL.id, "limit": 1_000}, "invalid_limit"),
        ("conversations.history", {"channel": CHANNEL.id, "cursor": "?"}, "invalid_cursor"),
        ("conversations.replies", {"channel": CHANNEL.id, "ts": "1.000000"}, "thread_not_found"),
        ("conversations.list", {"types": "im"}, "invalid_types"),
        ("chat.delete", {"channel": CHANNEL.id}, "unknown_method"),
    ],
)
def test_what_slack_refuses_is_refused_by_its_name(
    slack: SlackStandIn, method: str, arguments: dict[str, Any], expected: str
) -> None:
    assert error(slack, method, **arguments) == expected


def test_tokens_are_looked_at_before_anything_else(slack: SlackStandIn) -> None:
    assert error(slack, "chat.postMessage", token="xoxb-other") == "invalid_auth"
    assert patient.post(f"{slack.url}chat.postMessage").json()["error"] == "not_authed"
    assert patient.post(f"{slack.url}auth.test", json={"token": TOKEN}).json()["error"] == "not_authed"


@pytest.mark.parametrize(
    ("scope", "method", "arguments"),
    [
        ("chat:write", "chat.postMessage", {"channel": CHANNEL.id, "text": "x"}),
        ("channels:history", "conversations.history", {"channel": CHANNEL.id}),
        ("channels:read", "conversations.list", {}),
        ("groups:read", "conversations.list", {"types": "public_channel,private_channel"}),
    ],
)
def test_a_missing_scope_is_named_with_those_there_are(scope: str, method: str, arguments: dict[str, Any]) -> None:
    with SlackStandIn(scopes=SCOPES - {scope}) as slack:
        answer = call(slack, method, **arguments)

    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert scope not in answer["provided"].split(",")


def test_an_edit_keeps_what_it_does_not_name(slack: SlackStandIn, client: WebClient) -> None:
    blocks = [{"type": "divider"}]
    ts = client.chat_postMessage(
        channel=CHANNEL.id, text="x", blocks=blocks, attachments=[{"text": "a"}], metadata=METADATA
    )["ts"]
    client.chat_update(channel=CHANNEL.id, ts=ts, text="y")

    content = slack.workspace.posts()[0].content
    assert (content.text, content.blocks, content.attachments, content.metadata) == (
        "y",
        (),
        ({"text": "a"},),
        METADATA,
    )
    client.chat_update(channel=CHANNEL.id, ts=ts, text="y", attachments=[])
    assert slack.workspace.posts()[0].content.attachments == ()


def test_more_than_a_message_a_second_in_one_channel_is_asked_to_wait() -> None:
    channels = (CHANNEL, Channel(id="C0OTHER12", name="other"))
    with SlackStandIn(channels, per_second=1, now=lambda: 1_763_719_200.0) as slack:
        client = WebClient(token=TOKEN, base_url=slack.url)
        client.chat_postMessage(channel=CHANNEL.id, text="x")
        client.chat_postMessage(channel="other", text="x")
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel=CHANNEL.id, text="y")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"


def test_a_webhook_takes_a_message_and_says_ok(slack: SlackStandIn) -> None:
    answer = WebhookClient(slack.webhook_url()).send(text="x")

    assert (answer.status_code, answer.body) == (200, "ok")
    assert slack.workspace.posts()[0].webhook


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("", b"{", (400, "invalid_payload")),
        ("", b'{"text":"x","to":"y"}', (400, "invalid_payload")),
        ("", b"{}", (400, "no_text")),
        ("", b'{"blocks":[{"type":"poem"}]}', (400, "invalid_blocks")),
        ("x", b'{"text":"x"}', (404, "no_service")),
    ],
)
def test_a_webhook_refuses_in_plain_text(
    slack: SlackStandIn, path: str, body: bytes, expected: tuple[int, str]
) -> None:
    answer = patient.post(slack.webhook_url() + path, content=body)

    assert (answer.status_code, answer.text) == expected


def test_a_lost_answer_was_done_and_a_reset_was_not(slack: SlackStandIn) -> None:
    for kind in (FaultKind.RESET, FaultKind.LOST_ANSWER):
        slack.faults.add(Fault(kind=kind, method="chat.postMessage", channel=CHANNEL.id, count=1))
        with pytest.raises(httpx.HTTPError):
            call(slack, "chat.postMessage", channel="#stillfit", text=kind.value)

    assert [post.content.text for post in slack.workspace.posts()] == ["lost_answer"]
    assert slack.faults.struck == {FaultKind.RESET: 1, FaultKind.LOST_ANSWER: 1}


def test_faults_strike_as_often_as_told_and_only_where_told(slack: SlackStandIn) -> None:
    slack.faults.add(Fault(kind=FaultKind.REFUSED, error="fatal_error", method="auth.test", count=2))

    assert [call(slack, "auth.test").get("error") for _ in range(3)] == ["fatal_error", "fatal_error", None]
    assert call(slack, "conversations.list")["ok"]


def test_what_was_told_is_in_the_journal_before_it_is_answered(tmp_path: Path) -> None:
    journal = tmp_path / "slack.jsonl"
    lines: list[int] = []
    with SlackStandIn(journal=journal) as slack:
        slack.hooks.append(
            lambda moment, _method: (
                lines.append(len(journal.read_text().splitlines())) if moment is Moment.DONE else None
            )
        )
        ts = call(slack, "chat.postMessage", channel=CHANNEL.id, text="x", metadata=METADATA)["ts"]
        call(slack, "chat.update", channel=CHANNEL.id, ts=ts, text="y")
        gone = call(slack, "chat.postMessage", channel=CHANNEL.id, text="z")["ts"]
        slack.workspace.delete(CHANNEL.id, gone)
        before = slack.workspace.posts()

    assert lines == [1, 2, 3]
    with SlackStandIn(journal=journal) as slack:
        assert slack.workspace.posts() == before
        assert call(slack, "chat.postMessage", channel=CHANNEL.id, text="later")["ts"] > gone
