"""The methods of the Web API that stillfit calls, with the arguments, scopes and errors of docs.slack.dev."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stillfit.standins.slack.blocks import (
    MAX_ATTACHMENTS,
    MAX_TOTAL,
    attachment_mistakes,
    block_mistakes,
    metadata_mistake,
    units,
    weight,
)
from stillfit.standins.slack.calls import Call, RefusedError
from stillfit.standins.slack.workspace import BOT, Channel, Content, Post, Workspace

MAX_POSTED_TEXT = 40_000
MAX_EDITED_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What may be said in a call and which scope it takes; a method with `scope=""` looks at the channel's kind."""

    run: Callable[[Workspace, Call, frozenset[str]], dict[str, Any]]
    optional: frozenset[str]
    required: frozenset[str] = frozenset()
    scope: str = ""


def require(scope: str, granted: frozenset[str]) -> None:
    if scope and scope not in granted:
        raise RefusedError("missing_scope", needed=scope, provided=",".join(sorted(granted)))


def checked(call: Call, longest: int) -> Content:
    """The content of a call, or the error that Slack names."""
    text, metadata = call.text("text"), call.arguments.get("metadata")
    blocks, attachments = call.arguments.get("blocks") or [], call.arguments.get("attachments") or []
    if not (text or blocks or attachments):
        raise RefusedError("no_text")
    if units(text) > longest:
        raise RefusedError("msg_too_long")
    if isinstance(attachments, list) and len(attachments) > MAX_ATTACHMENTS:
        raise RefusedError("too_many_attachments")
    mistakes = [*block_mistakes(blocks), *attachment_mistakes(attachments)]
    if mistakes:
        raise RefusedError("invalid_blocks", response_metadata={"messages": mistakes})
    if weight(blocks, attachments) > MAX_TOTAL:
        raise RefusedError("msg_blocks_too_long")
    if metadata and (wrong := metadata_mistake(metadata)):
        raise RefusedError(wrong)
    return Content(text=text, blocks=tuple(blocks), attachments=tuple(attachments), metadata=metadata)


def shown(post: Post, *, with_metadata: bool) -> dict[str, Any]:
    """A message as the API tells of it."""
    answer: dict[str, Any] = {"type": "message", **BOT, "ts": post.ts, "text": post.content.text}
    if post.webhook:
        answer["subtype"] = "bot_message"
    if post.content.blocks:
        answer["blocks"] = list(post.content.blocks)
    if post.content.attachments:
        answer["attachments"] = [{"id": number, **one} for number, one in enumerate(post.content.attachments, 1)]
    if post.thread_ts:
        answer["thread_ts"] = post.thread_ts
    if post.edited:
        answer["edited"] = {"user": BOT["user"], "ts": post.edited}
    if with_metadata and post.content.metadata is not None:
        answer["metadata"] = post.content.metadata
    return answer


def _conversation(workspace: Workspace, call: Call, *, by_name: bool) -> Channel:
    reference = call.text("channel")
    channel = workspace.channel(reference)
    if channel is None or (channel.private and not channel.joined) or (not by_name and reference != channel.id):
        raise RefusedError("channel_not_found")
    return channel


def _auth_test(_workspace: Workspace, _call: Call, _granted: frozenset[str]) -> dict[str, Any]:
    names = {"url": "https://stand-in.slack.example/", "team": "Stand-in", "user": "stillfit"}
    return {**names, "team_id": BOT["team"], "user_id": BOT["user"], "bot_id": BOT["bot_id"]}


def _post_message(workspace: Workspace, call: Call, granted: frozenset[str]) -> dict[str, Any]:
    channel = _conversation(workspace, call, by_name=True)
    if channel.archived:
        raise RefusedError("is_archived")
    if not channel.joined and "chat:write.public" not in granted:
        raise RefusedError("not_in_channel")
    thread_ts = call.text("thread_ts")
    root = workspace.find(channel.id, thread_ts)
    if thread_ts and (root is None or root.thread_ts):
        raise RefusedError("thread_not_found" if root is None else "cannot_reply_to_message")
    post = workspace.post(channel.id, checked(call, MAX_POSTED_TEXT), thread_ts=thread_ts)
    return {"channel": channel.id, "ts": post.ts, "message": shown(post, with_metadata=True)}


def _update(workspace: Workspace, call: Call, _granted: frozenset[str]) -> dict[str, Any]:
    channel = _conversation(workspace, call, by_name=False)
    before = workspace.find(channel.id, call.text("ts"))
    if before is None:
        raise RefusedError("message_not_found")
    if before.webhook:
        raise RefusedError("cant_update_message")
    post = workspace.edit(before, _with_what_stays(call, checked(call, MAX_EDITED_TEXT), before.content))
    message = shown(post, with_metadata=True)
    return {"channel": channel.id, "ts": post.ts, "text": post.content.text, "message": message}


def _with_what_stays(call: Call, content: Content, before: Content) -> Content:
    """An edit that does not name attachments or metadata leaves them; blocks stay only where no text is given."""
    given = call.arguments
    return Content(
        text=content.text if "text" in given else before.text,
        blocks=content.blocks if "blocks" in given or "text" in given else before.blocks,
        attachments=content.attachments if "attachments" in given else before.attachments,
        metadata=(content.metadata or None) if "metadata" in given else before.metadata,
    )


def _history(workspace: Workspace, call: Call, granted: frozenset[str]) -> dict[str, Any]:
    channel = _readable(workspace, call, granted)
    newest_first = list(reversed(workspace.roots(channel.id)))
    return _page(workspace, call, newest_first, most=999, default=100)


def _replies(workspace: Workspace, call: Call, granted: frozenset[str]) -> dict[str, Any]:
    channel = _readable(workspace, call, granted)
    root = workspace.find(channel.id, call.text("ts"))
    if root is None:
        raise RefusedError("thread_not_found")
    return _page(workspace, call, [root, *workspace.replies(channel.id, root.ts)], most=1_000, default=1_000)


def _readable(workspace: Workspace, call: Call, granted: frozenset[str]) -> Channel:
    channel = _conversation(workspace, call, by_name=False)
    require("groups:history" if channel.private else "channels:history", granted)
    if not channel.joined:
        raise RefusedError("not_in_channel")
    return channel


def _page(workspace: Workspace, call: Call, posts: list[Post], *, most: int, default: int) -> dict[str, Any]:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999"
    edge = call.flag("inclusive")
    within = [
        one
        for one in posts
        if float(oldest) < float(one.ts) < float(latest) or (edge and float(one.ts) in {float(oldest), float(latest)})
    ]
    start, limit = _cursor(call), call.number("limit", default, most)
    chosen = within[start : start + limit]
    more = start + limit < len(within)
    answer: dict[str, Any] = {
        "messages": [
            shown(one, with_metadata=call.flag("include_all_metadata")) | _thread(workspace, one) for one in chosen
        ],
        "has_more": more,
    }
    return answer | ({"response_metadata": {"next_cursor": _next(start + limit)}} if more else {})


def _thread(workspace: Workspace, post: Post) -> dict[str, Any]:
    replies = () if post.thread_ts else workspace.replies(post.channel, post.ts)
    return {"thread_ts": post.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts} if replies else {}


def _list(workspace: Workspace, call: Call, granted: frozenset[str]) -> dict[str, Any]:
    kinds = set((call.text("types") or "public_channel").split(","))
    if not kinds <= {"public_channel", "private_channel"}:
        raise RefusedError("invalid_types")
    for kind, scope in (("public_channel", "channels:read"), ("private_channel", "groups:read")):
        require(scope if kind in kinds else "", granted)
    listed = [
        {"id": one.id, "name": one.name, "is_channel": True, "is_private": one.private, "is_archived": one.archived}
        | {"is_member": one.joined}
        for one in workspace.channels
        if ("private_channel" if one.private else "public_channel") in kinds
        and (one.joined or not one.private)
        and not (one.archived and call.flag("exclude_archived"))
    ]
    start, limit = _cursor(call), call.number("limit", 100, 999)
    cursor = _next(start + limit) if start + limit < len(listed) else ""
    return {"channels": listed[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def _next(start: int) -> str:
    return b64encode(f"next:{start}".encode()).decode()


def _cursor(call: Call) -> int:
    cursor = call.text("cursor")
    if not cursor:
        return 0
    try:
        return int(b64decode(cursor, validate=True).removeprefix(b"next:"))
    except (Base64Error, ValueError) as error:
        raise RefusedError("invalid_cursor") from error


_CONTENT = frozenset({"text", "blocks", "attachments", "metadata", "as_user", "link_names", "parse", "markdown_text"})
_PAGED = frozenset({"cursor", "inclusive", "include_all_metadata", "latest", "limit", "oldest"})
_CHANNEL = frozenset({"channel"})

METHODS: Mapping[str, Method] = {
    "auth.test": Method(run=_auth_test, optional=frozenset()),
    "chat.postMessage": Method(
        run=_post_message,
        optional=_CONTENT
        | {"thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn"}
        | {"username", "icon_emoji", "icon_url"},
        required=_CHANNEL,
        scope="chat:write",
    ),
    "chat.update": Method(
        run=_update,
        optional=_CONTENT | {"reply_broadcast", "file_ids"},
        required=_CHANNEL | {"ts"},
        scope="chat:write",
    ),
    "conversations.history": Method(run=_history, optional=_PAGED, required=_CHANNEL),
    "conversations.replies": Method(run=_replies, optional=_PAGED, required=_CHANNEL | {"ts"}),
    "conversations.list": Method(
        run=_list, optional=frozenset({"cursor", "exclude_archived", "limit", "team_id", "types"})
    ),
}
