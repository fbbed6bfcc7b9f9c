"""The sender that a configuration asks for. Opens no connection: Slack being down never keeps the daemon down."""

from __future__ import annotations

from collections.abc import Callable

from stillfit.clock import Clock
from stillfit.config import Config, Slack
from stillfit.errors import ConfigError
from stillfit.notify.sender import Sender
from stillfit.notify.sink import Sink
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.notify.webhook import WebhookSink
from stillfit.store.outbox import Outbox


def sender_of(
    config: Config,
    outbox: Outbox,
    clock: Clock,
    notified: Callable[[str, str], None] = lambda _sink, _outcome: None,
) -> Sender:
    """Raises ConfigError where the token's file cannot be read. Without a sink it tells nobody and sends nothing."""
    return Sender(outbox, sinks_of(config), clock, config.instance, notified=notified)


def sinks_of(config: Config) -> tuple[Sink, ...]:
    slack = config.slack
    if slack is None:
        return ()
    if slack.webhook_url is not None:
        return (WebhookSink(slack.webhook_url.get_secret_value()),)
    return (SlackSink(Api(_token(slack), slack.base_url), slack.channel),)


def _token(slack: Slack) -> str:
    """One of the two is there: the configuration refuses anything else."""
    if slack.token is not None or slack.token_file is None:
        return slack.token.get_secret_value().strip() if slack.token else ""
    try:
        return slack.token_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        mistake = f"config: slack.token_file: {slack.token_file} cannot be read: {reason}"
        raise ConfigError((mistake,)) from error
