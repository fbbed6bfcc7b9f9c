"""The limits of Block Kit as docs.slack.dev/reference/block-kit gives them, each at its line and just beyond."""

from __future__ import annotations

from typing import Any

import pytest

from stillfit.standins.slack.blocks import attachment_mistakes, block_mistakes


def plain(length: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length, **more}


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": plain(length)}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


TEXT = {"type": "text", "text": "x"}
LINE = {"type": "rich_text_section", "elements": [TEXT]}

TAKEN: list[list[dict[str, Any]]] = [
    [section(3_000)],
    [{"type": "header", "text": plain(150)}],
    [{"type": "section", "fields": [plain(2_000)] * 10}],
    [{"type": "context", "elements": [plain(3_000)] * 10}],
    [{"type": "divider"}] * 50,
    [{"type": "divider", "block_id": "b" * 255}],
    [{"type": "markdown", "text": "x" * 12_000}],
    [rich(LINE, {"type": "rich_text_list", "style": "ordered", "elements": [LINE]})],
    [rich({"type": "rich_text_preformatted", "elements": [TEXT | {"style": {"bold": True}}]})],
]
REFUSED: list[tuple[Any, str]] = [
    ("text", "must be an array [json-pointer:/blocks]"),
    ([section(3_001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section(0)], "must be more than 0 characters"),
    ([{"type": "section", "text": plain() | {"text": "\U0001f525" * 1_501}}], "must be less than 3001 characters"),
    ([{"type": "header", "text": plain(151)}], "must be less than 151 characters"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "must be a plain_text object"),
    ([{"type": "section", "fields": [plain()] * 11}], "must be an array of 1 to 10 items"),
    ([{"type": "section", "fields": [plain(2_001)]}], "must be less than 2001 characters"),
    ([{"type": "section"}], "missing required field: text or fields"),
    ([{"type": "context", "elements": [plain()] * 11}], "must be an array of 1 to 10 items"),
    ([{"type": "context", "elements": []}], "must be an array of 1 to 10 items"),
    ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
    ([{"type": "divider", "block_id": "b" * 256}], "must be less than 256 characters"),
    ([{"type": "divider", "block_id": "b"}] * 2, "block_id must be unique"),
    ([{"type": "divider", "colour": "red"}], "unknown attribute: colour"),
    ([{"type": "poem"}], "unsupported type: poem"),
    (["divider"], "unsupported type: None"),
    ([{"type": "section", "text": plain(verbatim=True)}], "unknown attribute: verbatim"),
    ([{"type": "section", "text": plain(emoji="no")}], "must be a boolean"),
    ([{"type": "markdown", "text": "x" * 12_001}], "must be less than 12001 characters"),
    ([rich()], "must be an array of 1 to 50 items"),
    ([rich(TEXT)], "unsupported type: text"),
    ([rich({"type": "rich_text_list", "elements": [LINE]})], "must be ordered or bullet"),
    ([rich(LINE | {"elements": [TEXT | {"style": {"big": True}}]})], "must be an object of bold, italic"),
]


@pytest.mark.parametrize("blocks", TAKEN)
def test_what_keeps_the_limits_is_taken(blocks: list[dict[str, Any]]) -> None:
    assert list(block_mistakes(blocks)) == []


@pytest.mark.parametrize(("blocks", "mistake"), REFUSED)
def test_what_breaks_a_limit_is_refused_with_its_place(blocks: Any, mistake: str) -> None:
    assert mistake in "\n".join(block_mistakes(blocks))


@pytest.mark.parametrize(
    ("attachments", "mistake"),
    [
        ("x", "must be an array of objects"),
        ([{"color": "reddish"}], "must be a hex colour [json-pointer:/attachments/0/color]"),
        ([{"colour": "#ff0000"}], "unknown attribute: colour"),
        ([{"blocks": [{"type": "poem"}]}], "unsupported type: poem [json-pointer:/attachments/0/blocks/0]"),
    ],
)
def test_attachments_are_held_to_the_same(attachments: Any, mistake: str) -> None:
    assert mistake in "\n".join(attachment_mistakes(attachments))


def test_a_coloured_attachment_of_blocks_is_taken() -> None:
    assert list(attachment_mistakes([{"color": "#D93025", "blocks": [section(1)]}, {"color": "good"}])) == []
