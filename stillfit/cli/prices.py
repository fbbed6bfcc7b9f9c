"""`stillfit prices`: AWS's unit prices of regions as a price file, for where the daemon may not ask for them itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from collector.aws.money.bulk import URL, OfferFiles
from collector.aws.money.prices import PriceReader, Way
from collector.aws.money.source import home_of
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget
from stillfit.cli.logs import quieten
from stillfit.clock import Clock, SystemClock
from stillfit.costs.pricebook import PriceBook
from stillfit.costs.pricefile import written
from stillfit.errors import UsageError
from stillfit.prices import PriceShelf

TARGET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesWanted:
    """The options of the command."""

    regions: tuple[str, ...]
    profile: str | None = None
    bulk: bool = False
    url: str = URL


def run_prices(wanted: PricesWanted, clock: Clock | None = None) -> int:
    """Write the price file to standard output, and what it lacks to standard error. Raises UsageError."""
    quieten()
    if not wanted.regions:
        raise UsageError("prices: no region is named: give --region, again for more")
    clock = clock or SystemClock()
    shelf = PriceShelf()
    told = [sentence for region in wanted.regions for sentence in _read(wanted, region, shelf, clock)]
    for sentence in told:
        sys.stderr.write(f"{sentence}\n")
    return _write(shelf, wanted.regions)


def _read(wanted: PricesWanted, region: str, shelf: PriceShelf, clock: Clock) -> list[str]:
    """Put the prices of one region on the shelf; what stands against them."""
    access = Access(AwsTarget(region=home_of(region), profile=wanted.profile), clock)
    access.open()
    way: Way = "bulk" if wanted.bulk else "query"
    reader = PriceReader(shelf, way, connection=lambda: access.connection, files=OfferFiles(wanted.url))
    try:
        return [trouble.sentence for trouble in reader.look(region, clock.now())]
    finally:
        access.close()


def _write(shelf: PriceShelf, regions: Sequence[str]) -> int:
    """Only what was read: a price file of one's own hides every other price."""
    read = [region for region in regions if shelf.fetched_at(region)]
    prices = tuple(one for one in shelf.book.prices if one.region in read and one.version)
    if prices:
        note = f"AWS's list prices of {', '.join(read)}. Name this file in `prices.files` of the configuration."
        sys.stdout.write(written(PriceBook(prices), note))
    return 0 if len(read) == len(regions) else TARGET
