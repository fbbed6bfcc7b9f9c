"""What a person sees of the workspace: everything that was said, and nothing of it as markup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit.standins.slack import CHANNEL, Channel, Content, SlackStandIn
from stillfit.standins.slack.mrkdwn import Kind, Piece, as_html, pieces, plain
from tests import patient
from tests.notify.scenes import HOSTILE
from tests.servers.chromium import rendered, screenshot

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn((CHANNEL, Channel(id="C0OTHER12", name=SCRIPT))) as server:
        yield server


def test_messages_blocks_colours_and_threads_are_on_the_page(slack: SlackStandIn) -> None:
    block = {"type": "header", "text": {"type": "plain_text", "text": "Hot partition"}}
    bar = {"color": "#D93025", "blocks": [{"type": "section", "fields": [{"type": "plain_text", "text": "31 %"}]}]}
    root = slack.workspace.post(CHANNEL.id, Content(text="x", blocks=(block,), attachments=(bar,)))
    slack.workspace.post(CHANNEL.id, Content(text="*why*"), thread_ts=root.ts)

    page = patient.get(slack.page_url).text

    for part in ('<h3 class="header">Hot partition</h3>', "border-color:#D93025", "31 %", "1 reply", "<b>why</b>"):
        assert part in page


def test_no_text_becomes_markup_of_the_page(slack: SlackStandIn) -> None:
    slack.workspace.post(CHANNEL.id, Content(text=SCRIPT))
    for kind in ("plain_text", "mrkdwn"):
        text = {"type": kind, "text": f"{SCRIPT} <javascript:alert(1)|x> `{SCRIPT}`"}
        slack.workspace.post(CHANNEL.id, Content(blocks=({"type": "section", "text": text},)))
    bar = {"color": '"><script>', "text": SCRIPT}
    slack.workspace.post(CHANNEL.id, Content(attachments=(bar,)))

    messages = patient.get(f"{slack.page_url}messages").text

    assert "<script" not in messages
    assert 'href="javascript' not in messages


@pytest.mark.server("chromium")
def test_a_browser_shows_what_came_after_it_was_opened(slack: SlackStandIn, tmp_path: Path) -> None:
    slack.workspace.post(CHANNEL.id, Content(text=HOSTILE[0]))

    assert '<span class="mention">@channel</span>' in rendered(slack.page_url)
    assert screenshot(slack.page_url, tmp_path / "page.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a *b* c",
            [Piece(Kind.TEXT, "a "), Piece(Kind.BOLD, "b", inside=(Piece(Kind.TEXT, "b"),)), Piece(Kind.TEXT, " c")],
        ),
        ("<https://a.b|ok>", [Piece(Kind.LINK, "ok", "https://a.b")]),
        ("<!channel>", [Piece(Kind.MENTION, "!channel", "!channel")]),
        ("<@U1>", [Piece(Kind.MENTION, "@U1", "@U1")]),
        ("&lt;!channel&gt;", [Piece(Kind.TEXT, "<!channel>")]),
        ("order_items_by_day", [Piece(Kind.TEXT, "order_items_by_day")]),
        (":eyes:", [Piece(Kind.EMOJI, ":eyes:", "eyes")]),
        ("`a*b*`", [Piece(Kind.CODE, "a*b*")]),
        ("* a*", [Piece(Kind.TEXT, "* a*")]),
    ],
)
def test_mrkdwn_is_read_as_slack_reads_it(text: str, expected: list[Piece]) -> None:
    assert list(pieces(text)) == expected


def test_plain_text_is_what_a_reader_sees() -> None:
    assert plain("*a* <https://b|c> &amp; ~d~") == "a c & d"
    assert as_html("~d~ _e_ <!here>") == '<s>d</s> <i>e</i> <span class="mention">@here</span>'


def test_what_is_not_there_is_not_found(slack: SlackStandIn) -> None:
    assert patient.get(f"{slack.page_url}nothing").status_code == 404
