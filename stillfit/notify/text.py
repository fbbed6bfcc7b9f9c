"""Text from observed systems made safe for Slack: it can neither ping, link nor format, hides nothing, and is bounded.

A reader of plain_text and rich_text takes characters as they are; only where Slack reads mrkdwn (the `text` of a
message, fenced commands) must `&`, `<` and `>` be escaped (docs.slack.dev, formatting message text).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from stillfit.redaction import hidden

_APART = "\N{ZERO WIDTH NON-JOINER}"
"""Put after a marker it keeps Slack from formatting. Used in fallback texts only, from which nobody copies a name."""


def printable(text: str) -> str:
    """With control, bidi and other invisible characters shown as their codes; line breaks stay. Keys stay behind."""
    return "".join(char if _harmless(char) else _code(char) for char in hidden(text))


def line(text: str) -> str:
    """The same on one line: for names and titles."""
    return printable(text).replace("\n", _code("\n"))


def escape(text: str) -> str:
    """For where mrkdwn is read: stands as it is, without links, pings, formats and emoji."""
    unquoted = printable(text).replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")  # a backtick formats anywhere
    broken = re.sub(r"(?<![^\W_])([*_~])|([*_~])(?![^\W_])", rf"\1\2{_APART}", unquoted)
    broken = re.sub(r":(?=[\w+'-]+:)", f":{_APART}", broken)
    return entities(broken)


def entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def whole_entities(clipped: str) -> str:
    """Escaped text after `clip`, without the half of an entity that it may end in."""
    return re.sub(r"&[a-z]*…$", "…", clipped)


def fenced(text: str) -> str:
    """For inside ``` of mrkdwn: nothing formats there, so a command is copied exactly."""
    return entities(printable(text)).replace("```", f"``{_APART}`")


def clip(text: str, length: int) -> str:
    """At most `length` UTF-16 units, the last an ellipsis where something was cut."""
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 <= length:
        return text
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * (length - 1)]
    return cut.decode("utf-16-le", "ignore") + "…"


def spell(length: timedelta) -> str:
    """3 h 12 min, 42 min, 2 d 4 h."""
    minutes = max(0, round(length.total_seconds() / 60))
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _harmless(char: str) -> bool:
    return char in "\n " or not unicodedata.category(char).startswith(("C", "Z"))


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
