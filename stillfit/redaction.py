"""Key values made unreadable at the parser, before anything keeps, logs or shows them. Pure.

A key is personal data more often than not (an e-mail address, a customer's number), and AWS reports it in clear. What
goes on from the parser is a tag: six hex digits of an HMAC under a secret that only this installation has.

    key#3fa9c1                 a partition key
    key#3fa9c1/sort#0b77e2     an item: the same partition key with its sort key

The same key has the same tag in every table and at all times, so that two looks at a hot key can be compared. Whoever
has the tag but not the secret can try no guesses; whoever has both still meets one wrong key in 16.7 million guesses.
An operator who sets `show_keys` gets the key in brackets behind each tag: `hidden` takes that out again, and what goes
to a chat goes through it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

DIGITS = 6
"""Hex digits of a tag (ours): 24 bits tell a handful of hot keys apart and name nobody for certain."""
LONGEST_SHOWN = 64
"""Characters of a key that are shown where that was asked for (ours); a key may have 2,048 bytes."""

_OPEN, _CLOSE = "⟨", "⟩"
_SHOWN = re.compile(f"(?<=[0-9a-f]){_OPEN}[^{_CLOSE}]*{_CLOSE}")


@dataclass(frozen=True, slots=True)
class Redaction:
    """How one installation names keys. `secret` gives at least 16 bytes and is asked when the first key comes."""

    secret: Callable[[], bytes] = field(repr=False)
    show: bool = False
    """Whether tags carry the key in clear behind them."""

    def partition_key(self, value: str) -> str:
        return self._tag("key", value)

    def item(self, partition_key: str, sort_key: str) -> str:
        return f"{self._tag('key', partition_key)}/{self._tag('sort', sort_key)}"

    def _tag(self, kind: str, value: str) -> str:
        """The kind goes into the hash, so that a sort key never shows that it equals a partition key."""
        told = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self.secret(), told, "sha256").hex()[:DIGITS]
        return f"{kind}#{digest}{_in_brackets(value) if self.show else ''}"


def hidden(text: str) -> str:
    """The text with its tags bare: without the keys that `show` put behind them."""
    return _SHOWN.sub("", text)


def _in_brackets(value: str) -> str:
    """Control characters, and ones that turn the direction of writing, never reach a terminal."""
    safe = "".join(one if one.isprintable() and one not in {_OPEN, _CLOSE} else "·" for one in value)
    return f"{_OPEN}{safe if len(safe) <= LONGEST_SHOWN else safe[: LONGEST_SHOWN - 1] + '…'}{_CLOSE}"
