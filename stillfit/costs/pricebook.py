"""The price book: every unit price with the dates between which it held, where it was read and when. Pure.

A price that is not in the book is unknown, never zero. A price grows old: after 90 days every figure made from it says
so, after 365 days it may no longer drive advice to move to another database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from stillfit.model import Confidence, Rate

FLAG_AFTER = timedelta(days=90)
"""Ours: AWS changed DynamoDB prices once in two years; a quarter is soon enough to look again."""
NO_MOVE_AFTER = timedelta(days=365)
"""Ours: a migration is not decided on last year's prices."""


class Band(NamedTuple):
    """From this monthly quantity on, a unit costs `usd`."""

    from_quantity: float
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of a resource costs in a region from a date on, until a later entry follows."""

    sku: str
    region: str
    """An AWS region, or the name of a Cassandra cluster for its nodes."""
    unit: str
    bands: tuple[Band, ...]
    """By rising quantity; a first band at 0 USD is a free tier."""
    effective_from: datetime
    fetched_at: datetime
    """When the source was last read. Age counts from here."""
    source: str
    confidence: Confidence
    version: str = ""
    """Of the list that it was read from; empty where somebody wrote it down."""

    @property
    def usd(self) -> float:
        """What one more unit costs beyond any free tier, which is granted once per account and not to each table."""
        return self.bands[-1].usd

    def cost(self, quantity: float) -> float:
        """What a month's quantity costs an account that uses nothing else of the kind: each band at its own price."""
        ends = (*(band.from_quantity for band in self.bands[1:]), float("inf"))
        parts = zip(self.bands, ends, strict=True)
        return sum(max(0.0, min(quantity, end) - band.from_quantity) * band.usd for band, end in parts)


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices in force on one day."""

    prices: Mapping[tuple[str, str], Price]

    def price(self, sku: str, region: str) -> Price | None:
        return self.prices.get((sku, region))


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All prices with their history."""

    prices: tuple[Price, ...] = ()

    @classmethod
    def of(cls, *books: Self) -> Self:
        """Several books as one; where two speak of the same price and date, the later book wins."""
        found = {(one.sku, one.region, one.effective_from): one for book in books for one in book.prices}
        return cls(tuple(sorted(found.values(), key=lambda one: (one.sku, one.region, one.effective_from))))

    def under(self, own: PriceBook) -> PriceBook:
        """This book with `own` above it: from the day on which a price of `own` begins, nothing of this one counts."""
        begins = {(one.sku, one.region): one.effective_from for one in reversed(PriceBook.of(own).prices)}
        ended = datetime.max.replace(tzinfo=UTC)
        kept = (one for one in self.prices if one.effective_from < begins.get((one.sku, one.region), ended))
        return PriceBook.of(PriceBook(tuple(kept)), own)

    def at(self, when: datetime) -> PriceList:
        """What was in force at an instant."""
        known = sorted((one for one in self.prices if one.effective_from <= when), key=lambda one: one.effective_from)
        return PriceList({(one.sku, one.region): one for one in known})

    def rates(self, sku: str, region: str) -> tuple[Rate, ...]:
        """The history of one unit price, oldest first."""
        found = [one for one in self.prices if (one.sku, one.region) == (sku, region)]
        return tuple(Rate(one.usd, one.effective_from) for one in sorted(found, key=lambda one: one.effective_from))


def oldest(prices: Iterable[Price]) -> datetime:
    """The date that a figure made from these prices carries: that of the price read longest ago."""
    return min(price.fetched_at for price in prices)


def is_flagged(price_date: datetime, at: datetime) -> bool:
    """Whether a figure must say that its prices are old."""
    return at - price_date > FLAG_AFTER


def may_drive_move(price_date: datetime, at: datetime) -> bool:
    """Whether prices are fresh enough for advice to leave a database."""
    return at - price_date <= NO_MOVE_AFTER
