"""The workspace as a page for people: channels, messages with blocks and coloured bars, threads. Every text is escaped.

Self-contained: no script, style or picture comes from elsewhere. The script asks for the messages once a second.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from stillfit.standins.slack.mrkdwn import as_html
from stillfit.standins.slack.workspace import Channel, Content, Post, Workspace

SHOWN = 200
"""Newest messages of a channel that the page shows."""


_MARKS = {
    "🔴": "#d93025",
    "🟠": "#f9ab00",
    "🔵": "#1a73e8",
    "✅": "#188038",
    "👀": "#80868b",
    "💤": "#80868b",
    "🚫": "#80868b",
}
_SIGNS = {"✅": "✓", "👀": "◉", "💤": "z", "🚫": "–"}


def page(workspace: Workspace) -> str:
    return _template().replace("<!--messages-->", messages(workspace))


def messages(workspace: Workspace) -> str:
    """The changing part: the list of channels and what was said in each."""
    channels = "".join(_channel(workspace, one) for one in _seen(workspace))
    return f"<nav>{_names(workspace)}</nav><main>{channels}</main>"


@cache
def _template() -> str:
    return files(__package__).joinpath("page.html").read_text("utf-8")


def _seen(workspace: Workspace) -> list[Channel]:
    return [one for one in workspace.channels if one.joined]


def _names(workspace: Workspace) -> str:
    rows = [
        f'<a href="#{html.escape(one.id)}"><span>{"◆" if one.private else "#"}</span> {html.escape(one.name)}'
        f"<em>{len(workspace.roots(one.id))}</em></a>"
        for one in _seen(workspace)
    ]
    return f"<h1>Slack<small>a stand-in on this machine</small></h1>{''.join(rows)}"


def _channel(workspace: Workspace, channel: Channel) -> str:
    roots = workspace.roots(channel.id)[-SHOWN:]
    said = "".join(_root(workspace, one) for one in roots)
    empty = '<p class="empty">Nothing was said here yet.</p>'
    return f'<section id="{html.escape(channel.id)}"><h2># {html.escape(channel.name)}</h2>{said or empty}</section>'


def _root(workspace: Workspace, post: Post) -> str:
    replies = workspace.replies(post.channel, post.ts)
    count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
    thread = "".join(f'<div class="reply">{_head(one)}{_content(one.content)}</div>' for one in replies)
    below = f'<details open><summary>{count}</summary><div class="thread">{thread}</div></details>' if replies else ""
    inside = _head(post) + _content(post.content) + below
    return f'<article id="{post.ts}"><i class="face"></i><div class="post">{inside}</div></article>'


def _head(post: Post) -> str:
    at = datetime.fromtimestamp(float(post.ts), UTC)
    edited = ' <small class="edited">(edited)</small>' if post.edited else ""
    through = " <small>webhook</small>" if post.webhook else ""
    who = '<b>stillfit</b><span class="app">APP</span>'
    return f'<p class="who">{who}<time>{at:%Y-%m-%d %H:%M:%S}</time>{edited}{through}</p>'


def _content(content: Content) -> str:
    blocks = "".join(map(_block, content.blocks))
    attachments = "".join(map(_attachment, content.attachments))
    return (blocks or f'<p class="text">{as_html(content.text)}</p>') + attachments


def _attachment(one: Mapping[str, Any]) -> str:
    colour = html.escape("#" + str(one.get("color", "dddddd")).lstrip("#"))
    inside = "".join(map(_block, one.get("blocks", ()))) or f"<p>{as_html(str(one.get('text', '')))}</p>"
    return f'<div class="attachment" style="border-color:{colour}">{inside}</div>'


def _block(block: Mapping[str, Any]) -> str:
    draw = _BLOCKS.get(str(block.get("type")))
    return draw(block) if draw else ""


def _text(value: Mapping[str, Any]) -> str:
    text = str(value.get("text", ""))
    return _drawn(as_html(text) if value.get("type") == "mrkdwn" else html.escape(text))


def _drawn(escaped: str) -> str:
    """State marks as discs: a machine without an emoji font would show empty boxes."""
    for mark, colour in _MARKS.items():
        escaped = escaped.replace(mark, f'<i class="mark" style="background:{colour}">{_SIGNS.get(mark, "")}</i>')
    return escaped


def _section(block: Mapping[str, Any]) -> str:
    text = f'<p class="section">{_text(block["text"])}</p>' if "text" in block else ""
    fields = "".join(f'<p class="section">{_text(one)}</p>' for one in block.get("fields", ()))
    return text + (f'<div class="fields">{fields}</div>' if fields else "")


def _context(block: Mapping[str, Any]) -> str:
    return f'<p class="context">{" ".join(_text(one) for one in block["elements"])}</p>'


def _rich(element: Mapping[str, Any]) -> str:
    inside = "".join(map(_rich, element.get("elements", ())))
    match element["type"]:
        case "text":
            return _styled(element)
        case "rich_text_list":
            tag = "ol" if element.get("style") == "ordered" else "ul"
            rows = "".join(f"<li>{_rich(one)}</li>" for one in element["elements"])
            return f"<{tag}>{rows}</{tag}>"
        case "rich_text_preformatted":
            return f"<pre>{inside}</pre>"
        case "rich_text_quote":
            return f"<blockquote>{inside}</blockquote>"
    return f'<div class="section">{inside}</div>'


def _styled(element: Mapping[str, Any]) -> str:
    text = html.escape(str(element["text"]))
    for style, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
        if element.get("style", {}).get(style):
            text = f"<{tag}>{text}</{tag}>"
    return text


_BLOCKS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "section": _section,
    "header": lambda block: f'<h3 class="header">{_text(block["text"])}</h3>',
    "context": _context,
    "divider": lambda _block: "<hr>",
    "markdown": lambda block: f'<p class="section">{html.escape(str(block["text"]))}</p>',
    "rich_text": lambda block: f'<div class="rich">{"".join(map(_rich, block["elements"]))}</div>',
}
