"""How often the tripwires of what is hot have lately led to their causes, for the price of a plan. Pure.

Causes are paid for only in readings whose tripwire is not zero (collector/aws/metrics/tripwire.py). What is called hot
may never refuse a request, and what refused some an hour ago may do so no more: counted in full, a budget would be used
to less than half. So they are counted as often as they were asked of each table lately, and in full while nothing is
known of it. That fades with its readings, however far they lie apart: to a twelfth in a dozen. How much of the average
is nothing but that is kept beside it, as a budget is not called used up for it (collector/aws/spending/plan.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

LATELY = 12
"""Readings that weigh in an average: an hour at one every five minutes (ours: an incident that begins counts by half
within 40 minutes, and one that is over by a third an hour later)."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Lately:
    """Averages over the last readings of one table or cluster. As it stands: nothing is known, so all is counted."""

    readings: int = 1
    """How many weigh in it; that nothing was known weighs as one of them."""
    wires: float = 1.0
    """Share of its tripwires that led to causes."""
    looks: float = 1.0
    """Share of its readings in which any did."""
    unknown: float = 1.0
    """What of both is there only because nothing was known."""

    def then(self, tripped: int, wires: int) -> Lately:
        """After one more reading, in which so many of its tripwires were not zero."""
        readings = min(self.readings + 1, LATELY)
        fresh = 1.0 / readings
        return Lately(
            readings,
            self.wires + (tripped / wires - self.wires) * fresh,
            self.looks + (float(tripped > 0) - self.looks) * fresh,
            self.unknown * (1.0 - fresh),
        )


class Tripped(Generic[_Key]):
    """By key: a table, a family of them, a cluster. Used by one thread."""

    def __init__(self) -> None:
        self._lately: dict[_Key, Lately] = {}
        self._look: defaultdict[_Key, list[bool]] = defaultdict(list)

    def note(self, key: _Key, values: NDArray[np.float64]) -> None:
        """One of its tripwires was read."""
        self._look[key].append(bool(values.any()))

    def turn(self, hot: Iterable[_Key]) -> None:
        """What was noted since the last turn is one reading. Whatever is not hot is forgotten."""
        self._lately = {key: self._after(key) for key in hot}
        self._look.clear()

    def of(self, key: _Key) -> Lately:
        return self._lately.get(key, Lately())

    def _after(self, key: _Key) -> Lately:
        before, seen = self.of(key), self._look.get(key)
        return before.then(sum(seen), len(seen)) if seen else before
