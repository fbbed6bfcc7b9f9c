"""Numbers with an interval, and how they become money. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from stillfit.costs.pricebook import Price, oldest
from stillfit.costs.skus import service_of
from stillfit.model import Money

HOURS_A_MONTH = 730
"""365 x 24 / 12, as the AWS pricing calculator counts."""
SECONDS_A_MONTH = HOURS_A_MONTH * 3600


class Estimate(NamedTuple):
    """low <= mid <= high."""

    low: float
    mid: float
    high: float

    def times(self, factor: float) -> Estimate:
        return Estimate(self.low * factor, self.mid * factor, self.high * factor)

    def plus(self, other: Estimate) -> Estimate:
        return Estimate(self.low + other.low, self.mid + other.mid, self.high + other.high)


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def money(usd: Estimate, words: str, prices: Iterable[Price]) -> Money:
    """An estimate in USD a month with its arithmetic and the date of the oldest price in it."""
    known = tuple(prices)
    return Money(
        low=usd.low, mid=usd.mid, high=usd.high, price_date=oldest(known), arithmetic=words, price_lists=lists_of(known)
    )


def add(parts: dict[str, Money]) -> Money:
    """Several amounts as one, with the sum in words. There must be at least one."""
    low, mid, high = (sum(getattr(one, end) for one in parts.values()) for end in ("low", "mid", "high"))
    words = " + ".join(f"{name} {one.mid:,.2f}" for name, one in parts.items())
    date = min(one.price_date for one in parts.values())
    lists = joined(one.price_lists for one in parts.values())
    said = f"{words} = {mid:,.2f} USD"
    return Money(low=low, mid=mid, high=high, price_date=date, arithmetic=said, price_lists=lists)


def lists_of(prices: Iterable[Price]) -> tuple[str, ...]:
    """The lists that prices were read from, with their versions."""
    return joined((f"{service_of(one.sku)} {one.version}",) for one in prices if one.version)


def joined(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(sorted({name for names in lists for name in names}))
