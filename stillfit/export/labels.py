"""Names of other people's things as label values and as text: nothing in them may hide, reorder or end a line."""

from __future__ import annotations

import unicodedata

LONGEST = 200
"""Ours: a DynamoDB name has at most 255 characters, nearly all far fewer; a page of labels must stay readable."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Controls, formats (the bidirectional ones among them), lone surrogates, private use, line and paragraph ends."""


def clean(text: str) -> str:
    """The text without what prometheus-client would let through unseen (NUL, U+202E), cut to LONGEST."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        return text
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def visible(text: str) -> str:
    """The text with every character that hides, reorders or ends a line replaced by one that is seen."""
    return "".join(char if unicodedata.category(char) not in _HIDDEN else "\N{REPLACEMENT CHARACTER}" for char in text)
