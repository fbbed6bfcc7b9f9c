"""What is hot, and how rare readings are spread: the same for tables, keyspaces and clusters. Pure."""

from __future__ import annotations

from collections.abc import Container
from hashlib import sha256
from typing import Generic, TypeVar

from collector.aws.spending.plan import HOUR, Tier

HOT_FOR_S = 3 * HOUR
"""How long a table stays hot after a refused request or a full minute (ours: as long as an incident is looked at)."""

_Key = TypeVar("_Key")


class Heat(Generic[_Key]):
    """Until when what is hot stays so, in epoch seconds. Used by one thread."""

    def __init__(self) -> None:
        self._until: dict[_Key, int] = {}

    def keep(self, keys: Container[_Key]) -> None:
        """Forget all others: they are gone."""
        self._until = {key: until for key, until in self._until.items() if key in keys}

    def seen(self, key: _Key, end: int) -> None:
        """The last bucket with heat in it ended then."""
        self._until[key] = max(end + HOT_FOR_S, self._until.get(key, 0))

    def tier(self, key: _Key, now: int, *, called_hot: bool, serves: bool | None) -> Tier:
        """`serves`: whether requests were served in the last hours; None is not known, and treated as if."""
        if called_hot or self._until.get(key, 0) > now:
            return Tier.HOT
        return Tier.COLD if serves is False else Tier.WARM


def phase(name: str) -> int:
    """A number of a name's own, so that hourly readings of a fleet are spread over the hour."""
    return int.from_bytes(sha256(name.encode()).digest()[:4])
