"""What was spent in the calendar month, kept where a restart and a SIGKILL do not lose it. Thread-safe.

purse = Purse(clock, store.spending, ours=lambda source: source.startswith("aws/123456789012/"))
till = purse.till("aws/123456789012/eu-west-1")
till.take(0.005)         # before a request leaves
till.give_back(0.005)    # it was refused, and is not billed
till.settle()            # a look has ended

What is about to be spent is written first, a little more at a time the more a look has spent already: a process that is
killed has counted at most AHEAD too much of that, and never too little. A crash loop therefore counts what it really
spends and a quarter at most, however often it is killed. Other processes with the same store (another replica, a
backfill) are seen at the next look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from collector.aws.spending.month import Month, month_at, month_name
from stillfit.clock import Clock
from stillfit.errors import StoreError

AHEAD = 0.25
"""How much more than a look has spent may be written (ours: at most 25 writes more a look than by AHEAD_USD alone)."""
AHEAD_USD = 0.02
"""And no more than that: four requests as large as can be (ours: a sweep of 400,000 metrics then writes 200 times)."""

log = structlog.get_logger(__name__)


class Kept(Protocol):
    """Where it is kept (stillfit/store/spending.py)."""

    def add(self, month: str, source: str, usd: float) -> None:
        """Add to what a source has spent in a month; a negative sum takes back. Raises StoreError."""
        ...

    def spent(self, month: str) -> Mapping[str, float]:
        """Dollars by source. Raises StoreError."""
        ...


class Purse:
    """Of all sources that share a budget."""

    def __init__(self, clock: Clock, kept: Kept, ours: Callable[[str], bool] = lambda _source: True) -> None:
        """`ours`: whether what a source has spent, in this process or in another, is out of this purse."""
        self._clock = clock
        self._kept = kept
        self._ours = ours
        self._tills: dict[str, Till] = {}
        self._lock = threading.Lock()

    def till(self, source: str) -> Till:
        """What one source pays from."""
        with self._lock:
            return self._tills.setdefault(source, Till(source, self._clock, self._kept))

    def settle(self) -> None:
        """Write down exactly what was spent, of all sources."""
        for till in self._all():
            till.settle()

    def month(self) -> Month:
        """The month as it stands. Raises StoreError."""
        now = self._clock.now()
        ahead = sum(till.ahead for till in self._all())
        rows = self._kept.spent(month_name(now))
        return month_at(now, max(0.0, sum(usd for source, usd in rows.items() if self._ours(source)) - ahead))

    def _all(self) -> tuple[Till, ...]:
        with self._lock:
            return tuple(self._tills.values())


class Till:
    """Of one source."""

    def __init__(self, source: str, clock: Clock, kept: Kept) -> None:
        self._source = source
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        self._month = ""
        self._spent = self._told = self._settled = 0.0

    @property
    def ahead(self) -> float:
        """What is written and not spent yet."""
        return self._told - self._spent

    def take(self, usd: float) -> None:
        """So much is about to be spent."""
        with self._lock:
            self._turn_the_page()
            self._spent += usd
            if self._spent > self._told:
                self._tell(self._spent + min(AHEAD_USD, AHEAD * (self._spent - self._settled)))

    def give_back(self, usd: float) -> None:
        """So much was taken and is not billed."""
        with self._lock:
            self._spent -= usd

    def settle(self) -> None:
        """Write down exactly what was spent."""
        with self._lock:
            if self._told != self._spent:
                self._tell(self._spent)
            self._settled = self._spent

    def _turn_the_page(self) -> None:
        """Of a month that is over it is written down exactly what was spent."""
        month = month_name(self._clock.now())
        if month != self._month:
            if self._told != self._spent:
                self._tell(self._spent)
            self._month, self._spent, self._told, self._settled = month, 0.0, 0.0, 0.0

    def _tell(self, usd: float) -> None:
        try:
            self._kept.add(self._month, self._source, usd - self._told)
            self._told = usd
        except StoreError as error:  # what is not written now is written with the next
            log.warning("what was spent could not be written down", source=self._source, why=str(error))
