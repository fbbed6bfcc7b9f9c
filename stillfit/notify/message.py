"""One transition of one advice as a Slack message: what people see of the advice now, and a line for its thread.

The first characters tell the state, the last lines what to type. Names and texts from observed systems stand in
plain_text and rich_text only, where nothing is markup; mrkdwn is written by these templates alone.

Limits by docs.slack.dev/reference/block-kit: section text 3,000, header 150, 50 blocks, 10 fields. About 13,000
characters of blocks are refused although no page says so (slackapi/bolt-js#2509), so the budget here is 10,000.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.model import Engine, Evidence, Severity
from stillfit.notify.text import clip, escape, fenced, line, printable, spell, whole_entities

BUDGET = 10_000
HEADER = 150
MAX_FIELDS = 6
MAX_STEPS = 8
SHARES = (1.0, 0.6, 0.3, 0.1)
"""Every length is cut to the first of these shares with which the message keeps its budget."""

CLOSED = frozenset({AdviceState.RESOLVED, AdviceState.DISMISSED})
ENGINES = {Engine.DYNAMODB: "DynamoDB", Engine.CASSANDRA: "Cassandra", Engine.KEYSPACES: "Keyspaces", Engine.DAX: "DAX"}
COLOURS = {Severity.CRITICAL: "#D93025", Severity.WARNING: "#F9AB00", Severity.INFO: "#1A73E8"}
MARKS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
QUIET = "#80868B"
STATE_MARKS = {
    AdviceState.RESOLVED: "✅",
    AdviceState.ACKNOWLEDGED: "👀",
    AdviceState.SNOOZED: "💤",
    AdviceState.DISMISSED: "🚫",
}

Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one call to Slack shows. `text` is what notifications and readers without blocks get."""

    text: str
    blocks: tuple[Block, ...] = ()
    attachments: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`root` is the one message of the advice; `reply` goes to its thread when it was already there."""

    root: Said
    reply: Said

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def load(cls, payload: str) -> Message:
        """The message that `dump` wrote."""
        read = json.loads(payload)
        return cls(root=_said(read["root"]), reply=_said(read["reply"]))


def message(advice: Advice, transition: Transition, *, instance: str) -> Message:
    """The message as it stands after a transition."""
    for share in SHARES:
        root = _root(advice, transition, instance, share)
        if weight(root) <= BUDGET:
            break
    reply = _happened(advice, transition)
    return Message(root=root, reply=Said(text=escape(reply), blocks=(_section(reply),)))


def repeated(said: Said) -> Said:
    """The same, saying that people may have seen it already."""
    note = "May repeat an earlier message: its delivery could not be confirmed."
    blocks = (*said.blocks, _context(note, 100)) if said.blocks else ()
    return Said(text=f"{said.text} ({note})", blocks=blocks, attachments=said.attachments)


def weight(said: Said) -> int:
    """Characters that Slack counts."""
    return len(json.dumps([said.blocks, said.attachments], ensure_ascii=False))


def _said(read: dict[str, Any]) -> Said:
    return Said(text=read["text"], blocks=tuple(read["blocks"]), attachments=tuple(read["attachments"]))


def _root(advice: Advice, transition: Transition, instance: str, share: float) -> Said:
    headline = clip(_headline(advice, transition), HEADER)
    about = _context(_about(advice, instance), 1_500, share)
    text = escape(clip(_fallback(advice, transition), 600))
    if transition.after in CLOSED:
        return Said(text=text, blocks=(_header(headline), _context(_closing(advice, transition), 600, share), about))
    blocks = [_header(headline), _section(clip(printable(advice.summary), int(1_500 * share))), about]
    if transition.after is not AdviceState.OPEN:
        blocks.insert(1, _context(_closing(advice, transition), 600, share))
    blocks += [*_do_next(advice, share), *_price(advice, share), _context(_ask(advice, share), 300)]
    return Said(text=text, blocks=tuple(blocks), attachments=_measured(advice, transition.after, share))


def _headline(advice: Advice, transition: Transition) -> str:
    """State, what, where; the name is never what gets cut."""
    state = transition.after
    mark = STATE_MARKS.get(state, MARKS[advice.severity])
    title, name = clip(line(advice.title), 100), clip(line(advice.subject.name), 80)
    where = "" if name in title else f" on {name}"
    start = f"{mark} {_state(advice, state)}: "
    return f"{start}{clip(title, HEADER - 2 - len(start) - len(where))}{where}"  # 2: marks are two units wide


def _state(advice: Advice, state: AdviceState) -> str:
    """A word beside every colour."""
    return advice.severity.value.upper() if state is AdviceState.OPEN else state.value.upper()


def _fallback(advice: Advice, transition: Transition) -> str:
    name = clip(line(advice.subject.name), 200)
    return f"{_state(advice, transition.after)} - {name} ({_place(advice)}): {line(advice.title)}"


def _place(advice: Advice) -> str:
    subject = advice.subject
    return " ".join([ENGINES[subject.engine], *(line(part) for part in subject.scope if part)])


def _about(advice: Advice, instance: str) -> str:
    """Where, since when, how sure, by which rule, what it is worth."""
    subject, saving = advice.subject, advice.saving
    parts = [
        ENGINES[subject.engine],
        *(clip(line(part), 100) for part in (*subject.scope, subject.name) if part),
        f"since {advice.first_seen:%Y-%m-%d %H:%M} UTC",
        f"confidence {advice.confidence}",
    ]
    if saving is not None:
        span = f"{saving.low:,.0f} to {saving.high:,.0f}"
        parts.append(f"est. saving {saving.mid:,.0f} USD a month ({span}; prices of {saving.price_date:%Y-%m-%d})")
    return " · ".join([*parts, f"rule {line(advice.rule)}", f"advice {line(advice.id)}", line(instance)])


def _happened(advice: Advice, transition: Transition) -> str:
    """One line of history: what became of it, when, by whom, why."""
    said = transition.after.value
    if transition.after is AdviceState.OPEN:
        said = "opened" if transition.before is AdviceState.PENDING else f"open, {advice.severity}"
    if transition.after is AdviceState.RESOLVED:
        said = f"resolved after {spell(transition.at - advice.first_seen)}"
    who = "" if transition.by == "stillfit" else f" by {clip(line(transition.by), 100)}"
    why = f": {clip(line(transition.reason), 500)}" if transition.reason else ""
    return f"{said[0].upper()}{said[1:]} at {transition.at:%Y-%m-%d %H:%M} UTC{who}{why}"


def _closing(advice: Advice, transition: Transition) -> str:
    until = f" Until {advice.snooze_until:%Y-%m-%d %H:%M} UTC." if advice.snooze_until else ""
    return _happened(advice, transition) + until


def _do_next(advice: Advice, share: float) -> Iterator[Block]:
    option = advice.option
    elements = _list("Do next", option.steps, "ordered", share)
    elements += _list("Will not help", option.not_helpful, "bullet", share)
    if elements:
        yield {"type": "rich_text", "elements": elements}
    if option.commands:
        shown = "\n".join(option.commands[:MAX_STEPS])
        yield _mrkdwn(f"```{whole_entities(clip(fenced(shown), int(2_000 * share)))}```")


def _list(heading: str, texts: Sequence[str], style: str, share: float) -> list[Block]:
    shown = [clip(printable(text), int(400 * share)) for text in texts[:MAX_STEPS] if text]
    if not shown:
        return []
    more = len(texts) - MAX_STEPS
    title = heading if more <= 0 else f"{heading} ({more} more with stillfit advice show)"
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in shown]
    bold = {"type": "text", "text": title, "style": {"bold": True}}
    return [
        {"type": "rich_text_section", "elements": [bold]},
        {"type": "rich_text_list", "style": style, "elements": items},
    ]


def _price(advice: Advice, share: float) -> Iterator[Block]:
    """What doing it takes, and how to get back."""
    option = advice.option
    named = (
        ("Effect", option.effect),
        ("Effort", option.effort.value),
        ("Risk", option.risk),
        ("Way back", option.rollback),
        ("Check", option.verify),
    )
    shown = "\n".join(f"{name}: {clip(printable(text), int(300 * share))}" for name, text in named if text)
    if shown:
        yield _context(shown, 1_600)


def _ask(advice: Advice, share: float) -> str:
    cut = "Texts were shortened. " if share < 1 else ""
    return (
        f"{cut}More: stillfit advice show {line(advice.id)} · Take it on: stillfit advice acknowledge {line(advice.id)}"
    )


def _measured(advice: Advice, state: AdviceState, share: float) -> tuple[Block, ...]:
    """The coloured part: what it rests on."""
    fields = [_field(one, share) for one in advice.evidence[:MAX_FIELDS]]
    more = len(advice.evidence) - MAX_FIELDS
    blocks: list[Block] = [{"type": "section", "fields": fields}] if fields else [_section("No measurements to show")]
    if more > 0:
        blocks.append(_context(f"+{more} more: stillfit advice show {line(advice.id)}", 300))
    return ({"color": COLOURS[advice.severity] if state is AdviceState.OPEN else QUIET, "blocks": blocks},)


def _field(one: Evidence, share: float) -> Block:
    """Name, value with its interval, and how far it can be trusted."""
    kind = "" if one.kind.value == "measured" else f" ({one.kind.value})"
    partly = "" if one.coverage >= 0.995 else f", {one.coverage:.0%} of the window seen"
    name = clip(line(one.signal.replace("_", " ")), int(120 * share)) + kind
    text = f"{name}\n{clip(line(_value(one)), int(200 * share))}{partly}"
    return {"type": "plain_text", "text": text, "emoji": False}


def _value(one: Evidence) -> str:
    if one.text or one.mid is None:
        return one.text or "not known"
    low, high = one.low, one.high
    sure = low is None or high is None or low == one.mid == high
    return f"{_number(one.mid)} {one.unit}".strip() + ("" if sure else f" ({_number(low)} to {_number(high)})")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": text or "-", "emoji": False}}


def _mrkdwn(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str, length: int, share: float = 1.0) -> Block:
    shown = clip(text, int(length * share))
    return {"type": "context", "elements": [{"type": "plain_text", "text": shown, "emoji": False}]}
