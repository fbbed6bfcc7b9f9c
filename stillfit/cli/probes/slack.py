"""Slack: the token, its scopes, and the channel. Nothing is posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from stillfit.cli.probes.probe import Probe, Result, failed, ok, warning
from stillfit.config import Config, Slack

ANSWER_S = 6.0
POSTING = "chat:write"
SCOPES = {
    POSTING: "it cannot tell anything",
    "channels:read": "it cannot find a channel by its name: give the id",
    "channels:history": "after a crash a message may repeat (groups:history for a private channel)",
}
WHY = {
    "invalid_auth": "the token is not taken: copy the bot token (xoxb-...) of the app anew",
    "not_authed": "the token is empty: check slack.token_file",
    "token_revoked": "the token was revoked: install the app again",
    "account_inactive": "the app was removed: install it again",
    "missing_scope": "a scope is missing: add it to the app and install it again",
    "channel_not_found": "the bot sees no such channel: check slack.channel, invite the bot if it is private",
    "not_in_channel": "the bot is not in the channel: /invite it there",
    "is_archived": "the channel is archived: name another",
}
PASSING = frozenset({"ratelimited", "service_unavailable", "internal_error", "fatal_error", "request_timeout"})
"""Codes that go away by themselves (docs.slack.dev, errors of auth.test)."""


def probes(config: Config) -> tuple[Probe, ...]:
    slack = config.slack
    return () if slack is None else (Probe(area="slack", run=lambda: _look(slack), deadline_s=25.0),)


def _look(slack: Slack) -> Iterator[Result]:
    if slack.token is None:
        fix = "a bot token edits its messages and never repeats one"
        yield warning("webhook", "not tried: a webhook can only be tried by posting", fix)
        return
    answer = _call(slack, "auth.test")
    if isinstance(answer, _Trouble):
        fix = "advice is kept and told when Slack takes it"
        yield failed("auth.test", answer.sentence, fix, essential=answer.is_refusal)
        return
    told, headers = answer
    yield ok("auth.test", f"{told.get('user', 'the bot')} in {told.get('team', 'the workspace')}")
    yield from _scopes(headers.get("x-oauth-scopes", ""))
    yield _channel(slack)


def _scopes(listed: str) -> Iterator[Result]:
    """Slack lists the scopes of a token in a header of each answer (docs.slack.dev, OAuth scopes)."""
    granted = {scope.strip() for scope in listed.split(",") if scope.strip()}
    if not granted:
        return
    for scope, blind in SCOPES.items():
        if scope not in granted and scope.replace("channels:", "groups:") not in granted:
            sentence = "is missing: add it to the app and install it again"
            yield failed(f"scope {scope}", sentence, blind, essential=scope == POSTING)
    yield ok("scopes", ", ".join(sorted(granted & SCOPES.keys())) or "none that are needed")


def _channel(slack: Slack) -> Result:
    """The channel is read when it is given by id; a name is looked up."""
    found = _id_of(slack)
    if found is None:
        return failed("channel", f"{slack.channel}: {WHY['channel_not_found']}")
    answer = _call(slack, "conversations.history", channel=found, limit="1")
    if isinstance(answer, _Trouble):
        return failed("channel", f"{slack.channel}: {answer.sentence}", essential=False)
    return ok("channel", f"{slack.channel} can be read; nothing was posted")


def _id_of(slack: Slack) -> str | None:
    """The id of the channel; the text itself where channels cannot be listed, since it may be an id."""
    wanted, cursor = slack.channel.removeprefix("#"), ""
    while True:
        answer = _call(slack, "conversations.list", limit="200", types="public_channel,private_channel", cursor=cursor)
        if isinstance(answer, _Trouble):
            return wanted
        for one in answer[0].get("channels") or ():
            if wanted in {one.get("id"), one.get("name")}:
                return str(one["id"])
        cursor = (answer[0].get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What stands against a call; a refusal stays until somebody does something."""

    sentence: str
    is_refusal: bool = False


def _call(slack: Slack, method: str, **arguments: str) -> tuple[Mapping[str, Any], Mapping[str, str]] | _Trouble:
    """The answer with its headers, or what stands against it."""
    assert slack.token is not None
    headers = {"Authorization": f"Bearer {slack.token.get_secret_value()}"}
    try:
        response = httpx.post(
            f"{slack.base_url}{method}", headers=headers, data=_present(arguments), timeout=ANSWER_S, trust_env=True
        )
        answer = response.json()
    except httpx.HTTPError as error:
        return _Trouble(f"Slack cannot be reached ({type(error).__name__}): check the network, a proxy, slack.base_url")
    except ValueError:
        said = f"something answered that is not Slack (HTTP {response.status_code}): is there a proxy in between?"
        return _Trouble(said)
    if isinstance(answer, dict) and answer.get("ok"):
        return answer, response.headers
    code = str(answer.get("error", "no reason")) if isinstance(answer, dict) else "no reason"
    return _Trouble(WHY.get(code, f"Slack refused {method}: {code}"), is_refusal=code not in PASSING)


def _present(arguments: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in arguments.items() if text}
