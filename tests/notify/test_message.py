"""What one message says. Golden files hold it whole; `UPDATE_GOLDEN=1 pytest tests/notify` writes them anew."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillfit.advice import AdviceState
from stillfit.notify.message import BUDGET, CLOSED, Message, Said, message, repeated, weight
from stillfit.standins.slack.blocks import attachment_mistakes, block_mistakes
from stillfit.standins.slack.mrkdwn import Kind, pieces
from tests.notify.builders import advice, evidence, transition
from tests.notify.scenes import HOSTILE, named, scenes

GOLDEN = Path(__file__).parents[1] / "golden" / "slack"
SCENES = scenes()


@pytest.mark.parametrize("name", SCENES)
def test_every_state_reads_as_its_golden_file(name: str) -> None:
    text = json.dumps(json.loads(said(name).dump()), ensure_ascii=False, indent=2) + "\n"
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, "utf-8")

    assert text == golden.read_text("utf-8")


def test_there_is_a_golden_file_for_every_scene_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_slack_would_take_it(name: str) -> None:
    assert mistakes(said(name).root) == mistakes(said(name).reply) == []


def test_the_engineer_on_call_reads_what_happened_why_how_sure_and_what_to_type() -> None:
    told = json.dumps(said("open_critical").root.blocks, ensure_ascii=False)

    for part in ("CRITICAL: Hot partition on orders", "One key range takes the load", "confidence high"):
        assert part in told
    for part in ("Add a write shard suffix", "Raising WCU", "aws dynamodb describe-table", "stillfit advice acknow"):
        assert part in told


@pytest.mark.parametrize("state", [state for state in AdviceState if state is not AdviceState.PENDING])
def test_the_state_stands_first_in_block_and_notification(state: AdviceState) -> None:
    root = message(advice(state=state), transition(state, 2), instance="prod").root
    word = "CRITICAL" if state is AdviceState.OPEN else state.value.upper()

    assert root.text.startswith(word)
    assert root.blocks[0]["text"]["text"].split(" ", 1)[1].startswith(word)


def test_what_is_over_collapses_to_a_line_without_its_evidence() -> None:
    for state in CLOSED:
        root = message(advice(state=state), transition(state, 2), instance="prod").root
        assert (len(root.blocks), root.attachments) == (3, ())


def test_a_resolved_message_tells_how_long_it_lasted() -> None:
    assert said("resolved").reply.text.startswith("Resolved after 3 h 12 min at ")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_neither_pings_nor_links_nor_formats(name: str) -> None:
    told = message(named(name), transition(reason=name, by=name), instance=name)

    for part in (told.root, told.reply):
        assert mistakes(part) == []
        assert {piece.kind for text in mrkdwn(part) for piece in pieces(text)} <= {Kind.TEXT, Kind.PRE}


@pytest.mark.parametrize("name", ["<!channel>", "*x* _y_", "<https://evil.example|ok>", ":fire:", "{{ a }}", "a&amp;b"])
def test_a_hostile_name_is_read_as_it_is(name: str) -> None:
    told = message(named(name), transition(), instance="prod")
    command = pieces(next(text for text in mrkdwn(told.root) if text.startswith("```")))[0]

    assert told.root.blocks[0]["text"]["text"].endswith(name)
    assert told.root.blocks[1]["text"] == {"type": "plain_text", "text": name, "emoji": False}
    assert command.text == f"{name}\n{name}"


def test_what_cannot_be_seen_is_shown_as_its_code() -> None:
    text = message(named("or\u202eders\nx\x00"), transition(), instance="prod").root.blocks[0]["text"]["text"]

    assert text.endswith("or\\u202eders\\u000ax\\u0000")


def test_a_message_that_may_repeat_says_so() -> None:
    told = repeated(said("open_critical").root)

    assert "May repeat" in told.text
    assert "May repeat" in json.dumps(told.blocks[-1])
    assert mistakes(told) == []


def test_a_message_comes_back_from_its_payload() -> None:
    assert Message.load(said("open_warning").dump()) == said("open_warning")


ANY = st.text(st.characters(codec="utf-8"), max_size=200) | st.text('<&`*\\"\n\U0001f525', max_size=4_000)


@settings(max_examples=60, deadline=None)
@given(text=ANY, steps=st.integers(0, 30), signals=st.integers(0, 30))
def test_no_text_of_any_length_breaks_a_limit_or_the_budget(text: str, steps: int, signals: int) -> None:
    start = named(text or "x")
    long = replace(
        start,
        option=replace(start.option, steps=(text,) * steps, commands=(text,) * steps, not_helpful=(text,) * steps),
        evidence=(evidence(text or "x", None, text=text),) * signals,
    )
    told = message(long, transition(reason=text), instance="prod")

    assert weight(told.root) <= BUDGET
    assert mistakes(told.root) == mistakes(told.reply) == []


def said(name: str) -> Message:
    return message(*SCENES[name], instance="prod")


def mistakes(part: Said) -> list[str]:
    return [*block_mistakes(list(part.blocks)), *attachment_mistakes(list(part.attachments))]


def mrkdwn(part: Said) -> list[str]:
    """Every text in which Slack reads markup."""
    attached = [block for one in part.attachments for block in one["blocks"]]
    sections = [block["text"] for block in (*part.blocks, *attached) if isinstance(block.get("text"), dict)]
    return [part.text, *(text["text"] for text in sections if text["type"] == "mrkdwn")]
