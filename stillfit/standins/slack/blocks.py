"""Refuses the blocks and attachments that Slack refuses: the documented limits of docs.slack.dev/reference/block-kit.

Lengths are in UTF-16 units, the strictest reading of "characters". Of block types only those are known that a message
may hold and that stillfit could want; another type is refused, as a typing error would be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

MAX_BLOCKS = 50
MAX_ATTACHMENTS = 100
MAX_TOTAL = 13_100
"""No page says so, but from about 13,200 characters of blocks on the answer is msg_blocks_too_long (bolt-js#2509)."""
MAX_METADATA = 16_384
_COLOUR = re.compile(r"#?[0-9a-fA-F]{6}|good|warning|danger")
_ATTACHMENT_KEYS = {"color", "blocks", "fallback", "text", "pretext", "title", "title_link", "fields", "footer", "ts"}


def block_mistakes(blocks: Any, at: str = "/blocks") -> Iterator[str]:
    """One sentence per mistake, as in `response_metadata.messages`."""
    if not isinstance(blocks, list):
        yield _mistake("must be an array", at)
        return
    if len(blocks) > MAX_BLOCKS:
        yield _mistake(f"no more than {MAX_BLOCKS} items allowed", at)
    for number, block in enumerate(blocks):
        yield from _block(block, f"{at}/{number}")
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        yield _mistake("block_id must be unique", at)


def attachment_mistakes(attachments: Any) -> Iterator[str]:
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        yield _mistake("must be an array of objects", "/attachments")
        return
    for number, one in enumerate(attachments):
        at = f"/attachments/{number}"
        yield from (_mistake(f"unknown attribute: {key}", at) for key in sorted(set(one) - _ATTACHMENT_KEYS))
        if "color" in one and not _COLOUR.fullmatch(str(one["color"])):
            yield _mistake("must be a hex colour", f"{at}/color")
        if "blocks" in one:
            yield from block_mistakes(one["blocks"], f"{at}/blocks")


def metadata_mistake(metadata: Any) -> str | None:
    """The error name for metadata that Slack does not take."""
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        return "invalid_metadata_format"
    if not isinstance(metadata["event_payload"], dict) or not str(metadata["event_type"]).strip():
        return "invalid_metadata_schema"
    return "metadata_too_large" if len(json.dumps(metadata)) > MAX_METADATA else None


def weight(*parts: Any) -> int:
    """Characters that count against MAX_TOTAL."""
    return sum(units(json.dumps(part, ensure_ascii=False)) for part in parts if part)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _mistake(what: str, at: str) -> str:
    return f"[ERROR] {what} [json-pointer:{at}]"


def _block(block: Any, at: str) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, dict) else None
    check = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        yield _mistake(f"unsupported type: {kind}", at)
        return
    if units(str(block.get("block_id", ""))) > 255:
        yield _mistake("must be less than 256 characters", f"{at}/block_id")
    yield from check({key: value for key, value in block.items() if key not in {"type", "block_id"}}, at)


def _keys(block: dict[str, Any], at: str, known: set[str], needed: set[str] = frozenset()) -> Iterator[str]:  # type: ignore[assignment]  # an empty set as default
    yield from (_mistake(f"unknown attribute: {key}", at) for key in sorted(set(block) - known - needed))
    yield from (_mistake(f"missing required field: {key}", at) for key in sorted(needed - set(block)))


def _text(value: Any, at: str, longest: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        yield _mistake(f"must be a {' or '.join(kinds)} object", at)
        return
    option = "emoji" if value["type"] == "plain_text" else "verbatim"
    yield from _keys(value, at, {"type", option}, {"text"})
    if not isinstance(value.get(option, False), bool):
        yield _mistake("must be a boolean", f"{at}/{option}")
    yield from _length(value.get("text"), f"{at}/text", longest)


def _length(value: Any, at: str, longest: int) -> Iterator[str]:
    if not isinstance(value, str):
        yield _mistake("must be a string", at)
    elif not value:
        yield _mistake("must be more than 0 characters", at)
    elif units(value) > longest:
        yield _mistake(f"must be less than {longest + 1} characters", at)


def _several(value: Any, at: str, most: int, check: Callable[[Any, str], Iterator[str]]) -> Iterator[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        yield _mistake(f"must be an array of 1 to {most} items", at)
        return
    for number, one in enumerate(value):
        yield from check(one, f"{at}/{number}")


def _section(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, {"text", "fields", "accessory", "expand"})
    if not block.keys() & {"text", "fields"}:
        yield _mistake("missing required field: text or fields", at)
    if "text" in block:
        yield from _text(block["text"], f"{at}/text", 3_000)
    if "fields" in block:
        yield from _several(block["fields"], f"{at}/fields", 10, lambda one, place: _text(one, place, 2_000))


def _header(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, set(), {"text"})
    yield from _text(block.get("text"), f"{at}/text", 150, ("plain_text",))


def _context(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, set(), {"elements"})
    yield from _several(block.get("elements"), f"{at}/elements", 10, lambda one, place: _text(one, place, 3_000))


def _divider(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, set())


def _markdown(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, set(), {"text"})
    yield from _length(block.get("text"), f"{at}/text", 12_000)


def _rich_text(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _keys(block, at, set(), {"elements"})
    yield from _several(block.get("elements"), f"{at}/elements", MAX_BLOCKS, _rich_element)


def _rich_element(value: Any, at: str) -> Iterator[str]:
    options = {
        "rich_text_section": set[str](),
        "rich_text_preformatted": {"border"},
        "rich_text_quote": {"border"},
        "rich_text_list": {"style", "indent", "offset", "border"},
    }
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in options:
        yield _mistake(f"unsupported type: {kind}", at)
        return
    yield from _keys(value, at, {"type", *options[kind]}, {"elements"})
    inside = _rich_element if kind == "rich_text_list" else _rich_leaf
    if kind == "rich_text_list" and value.get("style") not in {"ordered", "bullet"}:
        yield _mistake("must be ordered or bullet", f"{at}/style")
    yield from _several(value.get("elements"), f"{at}/elements", 1_000, inside)


def _rich_leaf(value: Any, at: str) -> Iterator[str]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind != "text":
        yield _mistake(f"unsupported type: {kind}", at)
        return
    yield from _keys(value, at, {"type", "style"}, {"text"})
    yield from _length(value.get("text"), f"{at}/text", 3_000)
    style = value.get("style", {})
    known = {"bold", "italic", "strike", "code"}
    if not isinstance(style, dict) or set(style) - known or not all(isinstance(one, bool) for one in style.values()):
        yield _mistake("must be an object of bold, italic, strike, code", f"{at}/style")


_BLOCKS: dict[str, Callable[[dict[str, Any], str], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "divider": _divider,
    "markdown": _markdown,
    "rich_text": _rich_text,
}
