"""Tokens and webhook addresses are in no error, trace or log, whatever fails."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from stillfit.clock import FakeClock
from stillfit.config import Config, Slack
from stillfit.errors import ConfigError, DeliveryError
from stillfit.notify import sender_of
from stillfit.notify.configured import sinks_of
from stillfit.notify.sink import Sink
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.notify.webhook import WebhookSink
from stillfit.standins.slack import CHANNEL, TOKEN, Fault, FaultKind, SlackStandIn
from stillfit.store.outbox import OutboxState
from tests.notify.builders import MemoryOutbox, queued
from tests.notify.test_slack import patience_s, row

CANARY = "xoxb-canary-4711"
URLS = ("http://127.0.0.1:1/{}", "http://[{}", "http://no.such.host.invalid/{}", "ftp://{}/x", "http://127.0.0.1:x/{}")


@pytest.mark.parametrize("url", URLS)
def test_a_webhook_address_is_in_no_trace(url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        WebhookSink(url.format(CANARY)).send(row(), None)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", FaultKind)
def test_a_token_is_in_no_trace_and_no_log(kind: FaultKind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SlackStandIn(token=CANARY) as slack, capture_logs() as logs:
        slack.faults.add(Fault(kind=kind, location=slack.page_url, seconds=0))
        said = _attempt(SlackSink(Api(CANARY, slack.url, timeout_s=patience_s(kind)), CHANNEL.id))

    assert CANARY not in f"{said} {logs} {caplog.text}"


def test_a_redirect_takes_no_token_elsewhere() -> None:
    with SlackStandIn() as elsewhere, SlackStandIn(token=CANARY) as slack:
        slack.faults.add(Fault(kind=FaultKind.REDIRECT, location=f"{elsewhere.url}chat.postMessage"))
        said = _attempt(SlackSink(Api(CANARY, slack.url), CHANNEL.id))

        assert "check slack.base_url" in said
        assert elsewhere.service.calls == []


def test_a_sink_shows_no_secret_of_its_configuration() -> None:
    slack = Slack(channel="x", token=SecretStr(CANARY))

    assert CANARY not in repr(sinks_of(Config(slack=slack))) + repr(slack)


def test_the_configuration_names_its_sink_by_token_token_file_or_webhook(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with SlackStandIn() as slack:
        ways = (
            Slack(channel="stillfit", base_url=slack.url, token=SecretStr(TOKEN)),
            Slack(channel="stillfit", base_url=slack.url, token_file=tmp_path / "token"),
            Slack(webhook_url=SecretStr(slack.webhook_url())),
        )
        for way in ways:
            outbox = MemoryOutbox(FakeClock())
            sender = sender_of(Config(slack=way), outbox, FakeClock())
            outbox.add(queued())
            sender.send_due(None)
            assert outbox.counts()[OutboxState.SENT] == 1


def test_without_slack_there_is_no_sink() -> None:
    assert sinks_of(Config()) == ()


def test_a_token_file_that_cannot_be_read_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"slack.token_file: .*nowhere cannot be read: No such file"):
        sinks_of(Config(slack=Slack(channel="x", token_file=tmp_path / "nowhere")))


def _attempt(sink: Sink) -> str:
    try:
        return repr(sink.send(row(), None))
    except DeliveryError as error:
        return "".join(traceback.format_exception(error))
