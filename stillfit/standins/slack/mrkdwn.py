"""Reads mrkdwn as Slack does: what would ping, link, format or become a picture, and what stays text.

Rules from docs.slack.dev/messaging/formatting-message-text. A marker formats only at the edge of a word and only when
something visible stands right inside it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    PRE = "pre"
    CODE = "code"
    LINK = "link"
    MENTION = "mention"  # a user, a channel or @channel: somebody is told
    EMOJI = "emoji"
    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one kind. `text` is what is seen, `target` where a link or mention leads."""

    kind: Kind
    text: str
    target: str = ""
    inside: tuple[Piece, ...] = ()


_TOKEN = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<entity>[^<>\n]+)>"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])",
    re.DOTALL,
)


def pieces(text: str) -> tuple[Piece, ...]:
    return tuple(_pieces(text))


def plain(text: str) -> str:
    """What a reader sees, without any formatting."""
    return "".join(one.text for one in pieces(text))


def as_html(text: str) -> str:
    return "".join(_element(one) for one in pieces(text))


EMOJI = {
    "red_circle": "🔴",
    "large_orange_circle": "🟠",
    "large_blue_circle": "🔵",
    "white_check_mark": "✅",
    "eyes": "👀",
    "zzz": "💤",
    "no_entry_sign": "🚫",
    "warning": "⚠️",
}


def _pieces(text: str) -> Iterator[Piece]:
    end = 0
    for found in _TOKEN.finditer(text):
        kind, inside = str(found.lastgroup), found[str(found.lastgroup)]
        if kind in {"bold", "italic", "strike"} and not (_solid(inside[0]) and _solid(inside[-1])):
            continue
        yield from _text(text[end : found.start()])
        yield _piece(kind, inside)
        end = found.end()
    yield from _text(text[end:])


def _text(text: str) -> Iterator[Piece]:
    if text:
        yield Piece(Kind.TEXT, html.unescape(text) if "&" in text else text)


def _piece(kind: str, inside: str) -> Piece:
    if kind in {"bold", "italic", "strike"}:
        parts = pieces(inside)
        return Piece(Kind(kind), "".join(one.text for one in parts), inside=parts)
    if kind == "entity":
        target, _, label = inside.partition("|")
        shown = html.unescape(label or target)
        return Piece(Kind.MENTION if target[0] in "@#!" else Kind.LINK, shown, target)
    if kind == "emoji":
        return Piece(Kind.EMOJI, f":{inside}:", inside)
    return Piece(Kind(kind), html.unescape(inside))


def _solid(char: str) -> bool:
    """Neither a space nor an invisible character."""
    return not char.isspace() and unicodedata.category(char) != "Cf"


def _element(piece: Piece) -> str:
    text = html.escape(piece.text)
    match piece.kind:
        case Kind.BOLD | Kind.ITALIC | Kind.STRIKE:
            tag = {Kind.BOLD: "b", Kind.ITALIC: "i"}.get(piece.kind, "s")
            return f"<{tag}>{''.join(_element(one) for one in piece.inside)}</{tag}>"
        case Kind.PRE | Kind.CODE:
            return f"<{piece.kind.value}>{text}</{piece.kind.value}>"
        case Kind.LINK:
            return f'<a rel="noreferrer" href="{html.escape(_safe(piece.target))}">{text}</a>'
        case Kind.MENTION:
            return f'<span class="mention">@{text.lstrip("!@#")}</span>'
        case Kind.EMOJI:
            return EMOJI.get(piece.target, text)
    return text


def _safe(target: str) -> str:
    return target if re.match(r"(https?|mailto):", target) else "#"
