"""Keeps the unit prices of the watched regions fresh: by query, by file, or not at all, as the operator chose.

What could not be read leaves the last known prices in force, with their age, and says so; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from collector.aws.money.bulk import OfferFiles, version_in
from collector.aws.money.query import asked
from collector.aws.money.sheet import Sheet, sheet
from collector.aws.wire.connection import Connection
from stillfit.costs.pricebook import PriceBook
from stillfit.costs.pricefile import DYNAMODB_SKUS
from stillfit.costs.skus import SERVICES
from stillfit.errors import SourceError
from stillfit.model import GapReason

Way = Literal["query", "bulk", "packaged"]
REFRESH = timedelta(days=7)
AGAIN = timedelta(hours=6)
"""When a list that could not be read is asked again (ours)."""


class Shelf(Protocol):
    """Where prices are kept; `stillfit.prices.PriceShelf` is one."""

    def fetched_at(self, region: str) -> datetime | None: ...
    def versions(self, region: str) -> dict[str, str]: ...
    def take(self, region: str, fetched: PriceBook) -> str: ...
    def confirm(self, region: str, at: datetime) -> str: ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a region's prices are not what they should be."""

    reason: GapReason
    sentence: str


class PriceReader:
    """Refreshes regions one by one; what goes wrong with one is its own."""

    def __init__(
        self,
        shelf: Shelf,
        way: Way,
        *,
        connection: Callable[[], Connection] | None = None,
        files: OfferFiles | None = None,
        refresh: timedelta = REFRESH,
    ) -> None:
        self._shelf = shelf
        self._way = way
        self._connection = connection
        self._files = files or OfferFiles()
        self._refresh = refresh
        self._tried: dict[str, datetime] = {}
        self._troubles: dict[str, tuple[Trouble, ...]] = {}

    def look(self, region: str, at: datetime, services: Sequence[str] = SERVICES) -> tuple[Trouble, ...]:
        """Read the lists of `services` in a region if it is time; what stands against its prices either way."""
        if self._way == "packaged":
            return ()
        if self._is_due(region, at):
            self._tried[region] = at
            try:
                self._troubles[region] = self._read(region, at, services)
            except SourceError as error:
                self._troubles[region] = (Trouble(error.reason, self._with_age(region, str(error))),)
        return self._troubles.get(region, ())

    def stop(self) -> None:
        """End a reading under way."""
        self._files.stop()

    def _is_due(self, region: str, at: datetime) -> bool:
        fetched, tried = self._shelf.fetched_at(region), self._tried.get(region)
        is_old = fetched is None or at - fetched >= self._refresh
        return is_old and (tried is None or at - tried >= AGAIN)

    def _read(self, region: str, at: datetime, services: Sequence[str]) -> tuple[Trouble, ...]:
        if region.startswith("cn-"):
            return (Trouble(GapReason.UNSUPPORTED, _CHINA.format(region=region)),)
        by = self._by_file if self._way == "bulk" else self._by_query
        read = by(region, at, services)
        if read is None:
            kept = self._shelf.confirm(region, at)
            return (*self._troubles.get(region, ()), *_kept(kept))
        if not read.book.prices:
            return (Trouble(GapReason.NO_DATA, f"AWS's price list has no price of ours in {region}: {_OWN}"),)
        return (*_kept(self._shelf.take(region, read.book)), *_told(read))

    def _by_query(self, region: str, at: datetime, services: Sequence[str]) -> Sheet:
        if region.startswith("us-gov-"):
            raise SourceError(_GOVCLOUD.format(region=region), reason=GapReason.UNSUPPORTED, retryable=False)
        assert self._connection is not None, "a reader by query needs a connection"
        return sheet(region, asked(self._connection(), region, services), at, services)

    def _by_file(self, region: str, at: datetime, services: Sequence[str]) -> Sheet | None:
        """None where every list has the version that is known already."""
        paths = self._files.paths(region, services)
        if paths and {service: version_in(path) for service, path in paths.items()} == self._shelf.versions(region):
            return None
        offers = [one for path in paths.values() for one in self._files.offers(path)]
        return sheet(region, offers, at, paths)

    def _with_age(self, region: str, sentence: str) -> str:
        fetched = self._shelf.fetched_at(region)
        held = (
            f"prices of {region} are those of {fetched:%Y-%m-%d}" if fetched else f"{region} has packaged prices only"
        )
        return f"{sentence}; until then {held}"


def _told(read: Sheet) -> tuple[Trouble, ...]:
    """What was there and could not be taken, and what the model of costs needs and the list does not have."""
    lacking = sorted(DYNAMODB_SKUS.intersection(read.missing))
    refused = [f"{len(read.refused)} prices of {read.region} could not be taken: {'; '.join(read.refused[:5])}"]
    missing = [f"AWS's price list of {read.region} does not have {', '.join(lacking)}: {_OWN}"]
    return (
        *(Trouble(GapReason.PARTIAL, one) for one in refused if read.refused),
        *(Trouble(GapReason.NO_DATA, one) for one in missing if lacking),
    )


def _kept(sentence: str) -> tuple[Trouble, ...]:
    return (Trouble(GapReason.PARTIAL, sentence),) if sentence else ()


_OWN = "a price file of your own can tell it (`prices.files`)"
_CHINA = f"AWS sells {{region}} in CNY, and prices here are USD: {_OWN}"
_GOVCLOUD = (
    "the price list has no query for credentials of {region}: set `prices: bulk`, which needs no credentials and "
    "sells GovCloud too"
)
