"""One transition of one advice as a Slack message: text, blocks, a coloured attachment, and a line for its thread.

Limits by docs.slack.dev: section text 3,000, header 150, 50 blocks, 10 fields; a total near 13,000 characters of blocks
is refused although no page says so (slackapi/bolt-js#2509), so the budget here is 10,000. Names from observed systems
are escaped and can neither ping nor link; mrkdwn is written only by these templates.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.model import Evidence, Severity

BUDGET = 10_000
SECTION = 2_900
FIELD = 400
MAX_FIELDS = 6

COLOURS = {Severity.CRITICAL: "#D93025", Severity.WARNING: "#F9AB00", Severity.INFO: "#1A73E8"}
MARKS = {
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":large_blue_circle:",
}
STATE_COLOURS = {
    AdviceState.RESOLVED: "#188038",
    AdviceState.ACKNOWLEDGED: "#80868B",
    AdviceState.SNOOZED: "#80868B",
    AdviceState.DISMISSED: "#80868B",
}
STATE_MARKS = {
    AdviceState.RESOLVED: ":white_check_mark:",
    AdviceState.ACKNOWLEDGED: ":eyes:",
    AdviceState.SNOOZED: ":zzz:",
    AdviceState.DISMISSED: ":no_entry_sign:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a sink is given. `reply` goes to the thread when the message was already there and is edited."""

    text: str
    blocks: tuple[dict[str, Any], ...]
    attachments: tuple[dict[str, Any], ...]
    reply: str


def message(advice: Advice, transition: Transition, *, instance: str) -> Message:
    """The message as it stands after a transition; people see its state in the first characters."""
    closed = transition.after in {AdviceState.RESOLVED, AdviceState.DISMISSED}
    blocks = [_mrkdwn(_headline(advice, transition.after))]
    if not closed:
        blocks.append(_plain(advice.summary))
    blocks.append(_context(_about(advice, transition, instance)))
    return Message(
        text=_fallback(advice, transition.after),
        blocks=tuple(blocks),
        attachments=() if closed else (_detail(advice, transition.after),),
        reply=_reply(transition),
    )


def escape(text: str) -> str:
    """Text from outside, for where Slack reads markup: it can neither ping nor link nor format."""
    broken = re.sub(r"([*_~`])", f"\\1{_APART}", printable(text))
    broken = re.sub(r":(?=[\w+-]+:)", f":{_APART}", broken)
    return broken.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def printable(text: str) -> str:
    """Text from outside with control and bidi characters shown as their codes."""
    return "".join(char if _harmless(char) else f"\\u{ord(char):04x}" for char in text)


def clip(text: str, length: int) -> str:
    """At most `length` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"


_APART = "\N{ZERO WIDTH NON-JOINER}"
"""Put after a markup character, it stands for itself."""


def _harmless(char: str) -> bool:
    return char in "\n " or not unicodedata.category(char).startswith(("C", "Z"))


def _state(advice: Advice, state: AdviceState) -> str:
    """A word beside every colour."""
    return advice.severity.value.upper() if state is AdviceState.OPEN else state.value.upper()


def _headline(advice: Advice, state: AdviceState) -> str:
    mark = STATE_MARKS.get(state, MARKS[advice.severity])
    subject = advice.subject
    place = escape(f"{subject.engine.value} · {' · '.join(part for part in subject.scope if part)}")
    title = escape(clip(advice.title, 200))
    return f"{mark} *{_state(advice, state)}: {title}* on *{escape(clip(subject.name, 300))}*  ·  {place}"


def _fallback(advice: Advice, state: AdviceState) -> str:
    name, scope = clip(advice.subject.name, 300), "/".join(advice.subject.scope)
    return escape(f"{_state(advice, state)} - {name} ({advice.subject.engine} {scope}): {clip(advice.title, 200)}")


def _about(advice: Advice, transition: Transition, instance: str) -> str:
    parts = [
        f"since {transition.at:%Y-%m-%d %H:%M} UTC",
        f"confidence {advice.confidence}",
        f"rule {advice.rule}",
        f"advice {advice.id}",
    ]
    if advice.saving is not None:
        parts.append(f"est. {advice.saving.mid:+,.0f} USD a month (prices of {advice.saving.price_date:%Y-%m-%d})")
    if transition.reason:
        parts.append(transition.reason)
    return " · ".join([*parts, instance])


def _detail(advice: Advice, state: AdviceState) -> dict[str, Any]:
    """The coloured part: evidence, what to do, what will not help."""
    blocks: list[dict[str, Any]] = []
    fields = [_field(one) for one in advice.evidence[:MAX_FIELDS]]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    left = BUDGET - sum(len(str(block)) for block in blocks)
    for text in _paragraphs(advice):
        if len(text) > left:
            blocks.append(_plain(f"... more: stillfit advice show {advice.id}"))
            break
        blocks.append(_plain(text))
        left -= min(len(text), SECTION)
    return {"color": STATE_COLOURS.get(state, COLOURS[advice.severity]), "blocks": blocks}


def _paragraphs(advice: Advice) -> list[str]:
    option = advice.option
    steps = "\n".join(f"{number}) {step}" for number, step in enumerate(option.steps, 1))
    useless = "\n".join(f"Not helpful: {text}" for text in option.not_helpful)
    commands = "\n".join(f"$ {command}" for command in option.commands)
    cost = f"Effort {option.effort}. Risk: {option.risk}. Way back: {option.rollback}. Check: {option.verify}."
    return [part for part in (f"Do next\n{steps}" if steps else "", commands, useless, cost) if part]


def _field(one: Evidence) -> dict[str, Any]:
    value = one.text or ("?" if one.mid is None else f"{one.mid:,.4g} {one.unit}".strip())
    name = one.signal.replace("_", " ")
    return {"type": "plain_text", "text": printable(clip(f"{name}\n{value}", FIELD)), "emoji": False}


def _reply(transition: Transition) -> str:
    reason = f": {escape(clip(transition.reason, 500))}" if transition.reason else ""
    return f"{transition.after.value} at {transition.at:%H:%M} UTC by {escape(transition.by)}{reason}"


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip(text, SECTION), "verbatim": True}}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": printable(clip(text, SECTION)), "emoji": False}}


def _context(text: str) -> dict[str, Any]:
    shown = printable(clip(text, SECTION))
    return {"type": "context", "elements": [{"type": "plain_text", "text": shown, "emoji": False}]}
