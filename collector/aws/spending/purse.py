"""What was spent in the calendar month, kept where a restart and a SIGKILL do not lose it. Thread-safe.

purse = Purse(clock, store.spending, ours=lambda source: source.startswith("aws/123456789012/"))
till = purse.till("aws/123456789012/eu-west-1")
month = till.take(0.005)        # before a request leaves
till.give_back(0.005, month)    # it was refused, and is not billed
till.settle()                   # a look has ended

What is about to be spent is written first, a little more at a time the more a look has spent already: a process that is
killed has counted at most AHEAD too much of that, and never too little. A crash loop therefore counts what it really
spends and a quarter at most, however often it is killed. Other processes with the same store (another replica, a
backfill) are seen at the next look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    @property
    def unwritten_usd(self) -> float:
        """What was spent and could not be written down, of any month."""
        return sum(till.unwritten_usd for till in self._all())

    def month(self) -> Month:
        """The month as it stands. Raises StoreError."""
        now = self._clock.now()
        ahead = sum(till.ahead(month_name(now)) for till in self._all())
        rows = self._kept.spent(month_name(now))
        return month_at(now, max(0.0, sum(usd for source, usd in rows.items() if self._ours(source)) - ahead))

    def _all(self) -> tuple[Till, ...]:
        with self._lock:
            return tuple(self._tills.values())


@dataclass(slots=True)
class _Page:
    """Dollars of one month: what was spent, what of it is written down, and what was when a look last ended."""

    spent: float = 0.0
    told: float = 0.0
    settled: float = 0.0


class Till:
    """Of one source. What is taken and what is given back belong to the month in which they were taken."""

    def __init__(self, source: str, clock: Clock, kept: Kept) -> None:
        self._source = source
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        self._pages: dict[str, _Page] = {}

    def ahead(self, month: str) -> float:
        """What is written of a month and not spent yet."""
        with self._lock:
            page = self._pages.get(month, _Page())
            return page.told - page.spent

    @property
    def unwritten_usd(self) -> float:
        """What was spent and is not written down."""
        with self._lock:
            return sum(max(0.0, page.spent - page.told) for page in self._pages.values())

    def take(self, usd: float) -> str:
        """So much is about to be spent; returns the month that it counts in."""
        with self._lock:
            month = month_name(self._clock.now())
            page = self._pages.setdefault(month, _Page())
            page.spent += usd
            if page.spent > page.told:
                self._tell(month, page, page.spent + min(AHEAD_USD, AHEAD * (page.spent - page.settled)))
            return month

    def give_back(self, usd: float, month: str) -> None:
        """So much was taken in that month, which may be over, and is not billed."""
        with self._lock:
            self._pages.setdefault(month, _Page()).spent -= usd

    def settle(self) -> None:
        """Write down exactly what was spent; a month that is over is done with then."""
        with self._lock:
            now = month_name(self._clock.now())
            for month, page in tuple(self._pages.items()):
                if page.told != page.spent:
                    self._tell(month, page, page.spent)
                page.settled = page.spent
                if month != now and page.told == page.spent:
                    del self._pages[month]

    def _tell(self, month: str, page: _Page, usd: float) -> None:
        try:
            self._kept.add(month, self._source, usd - page.told)
            page.told = usd
        except StoreError as error:  # what is not written now is written with the next
            log.warning("what was spent could not be written down", source=self._source, why=str(error))
