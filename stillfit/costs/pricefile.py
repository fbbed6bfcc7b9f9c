"""Reads a price file's text into a price book, with every mistake at its line; and writes one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import pairwise
from math import isfinite

import yaml

from stillfit.costs.pricebook import Band, Price, PriceBook
from stillfit.costs.skus import CATALOGUE, NODE
from stillfit.errors import ConfigError
from stillfit.model import Confidence
from stillfit.yamlfile import Document, Place, did_you_mean, parse

DYNAMODB_SKUS = frozenset(
    f"{kind}{storage_class}"
    for kind in ("on_demand_read", "on_demand_write", "provisioned_read", "provisioned_write", "storage")
    for storage_class in ("", "_ia")
)
NODE_SKU = "cassandra_node"
SKUS = frozenset(one.name for one in CATALOGUE) | {NODE_SKU}
"""Beside these there is one for each type of DAX node: dax_node/r5.large."""

_TOP = frozenset({"region", "prices"})
_ROW = frozenset(
    {"sku", "region", "unit", "per", "bands", "effective_from", "fetched_at", "source", "confidence", "version"}
)
_NEEDED = ("sku", "unit", "bands", "effective_from", "fetched_at", "source")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(text: str, *, name: str) -> PriceBook:
    """A price file as a book. Raises ConfigError with every mistake at once."""
    reader = _Reader(parse(text, name=name))
    prices = tuple(reader.rows())
    reader.refuse_doubles(prices)
    if reader.mistakes:
        raise ConfigError(tuple(reader.mistakes))
    return PriceBook.of(PriceBook(prices))


def written(book: PriceBook, note: str = "") -> str:
    """A book as the text of a price file: what `read` makes the same book of. `note` is a comment at its head."""
    head = "".join(f"# {line}\n" for line in note.splitlines())
    return head + yaml.safe_dump({"prices": [_row(one) for one in book.prices]}, sort_keys=False, width=120)


def _row(price: Price) -> dict[str, object]:
    return {
        "sku": price.sku,
        "region": price.region,
        "unit": price.unit,
        "bands": [{"from": band.from_quantity, "usd": band.usd} for band in price.bands],
        "effective_from": price.effective_from.date().isoformat(),
        "fetched_at": price.fetched_at.date().isoformat(),
        "source": price.source,
        "confidence": price.confidence.value,
        **({"version": price.version} if price.version else {}),
    }


@dataclass(slots=True)
class _Reader:
    """Walks one document and gathers its mistakes."""

    document: Document
    mistakes: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[Price]:
        top = self.mapping((), self.document.value, _TOP)
        region = self.text((), top, "region") if "region" in top else ""
        rows = top.get("prices")
        if not isinstance(rows, list) or not rows:
            self.wrong(("prices",), "must be a list of at least one price")
            return
        for position, row in enumerate(rows):
            yield self.price(("prices", position), row, region)

    def price(self, place: Place, row: object, region: str) -> Price:
        values = self.mapping(place, row, _ROW)
        for missing in (key for key in _NEEDED if key not in values):
            self.wrong(place, f"{missing} is missing")
        if not (region or "region" in values):
            self.wrong(place, "region is missing, here and at the top of the file")
        per = self.amount(place, values, "per") if "per" in values else 1.0
        if per <= 0:
            self.wrong((*place, "per"), "must be above 0")
        return Price(
            sku=self.sku(place, values),
            region=self.text(place, values, "region") if "region" in values else region,
            unit=self.text(place, values, "unit"),
            bands=self.bands((*place, "bands"), values.get("bands"), per or 1.0),
            effective_from=self.day(place, values, "effective_from"),
            fetched_at=self.day(place, values, "fetched_at"),
            source=self.text(place, values, "source"),
            confidence=Confidence(self.choice(place, values, "confidence", frozenset(Confidence), default="medium")),
            version=self.text(place, values, "version"),
        )

    def sku(self, place: Place, values: Mapping[str, object]) -> str:
        value = values.get("sku")
        if isinstance(value, str) and NODE.fullmatch(value):
            return value
        return self.choice(place, values, "sku", SKUS, default="")

    def bands(self, place: Place, value: object, per: float) -> tuple[Band, ...]:
        if not isinstance(value, list) or not value:
            self.wrong(place, "must be a list of bands such as {from: 0, usd: 0.25}")
            return (Band(0.0, 0.0),)
        rows = [self.mapping((*place, n), row, frozenset({"from", "usd"})) for n, row in enumerate(value)]
        bands = tuple(
            Band(self.amount((*place, n), row, "from"), self.amount((*place, n), row, "usd") / per)
            for n, row in enumerate(rows)
        )
        starts = [band.from_quantity for band in bands]
        if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            self.wrong(place, "bands must start at 0 and rise")
        if bands[-1].usd <= 0:
            self.wrong(place, "the last band must cost something; leave out a price that is not known")
        return bands

    def mapping(self, place: Place, value: object, allowed: frozenset[str]) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self.wrong(place, f"must be a mapping with {', '.join(sorted(allowed))}")
            return {}
        for key in value:
            if key not in allowed:
                self.wrong((*place, str(key)), f"unknown key{did_you_mean(str(key), allowed)}")
        return {key: inner for key, inner in value.items() if key in allowed}

    def text(self, place: Place, values: Mapping[str, object], key: str) -> str:
        value = values.get(key, "")
        if key in values and not (isinstance(value, str) and value.strip()):
            self.wrong((*place, key), "must be a text that is not empty")
        return str(value)

    def choice(
        self, place: Place, values: Mapping[str, object], key: str, choices: frozenset[str], *, default: str
    ) -> str:
        value = values.get(key, default)
        if key in values and value not in choices:
            self.wrong((*place, key), f"{value!r} is not known{did_you_mean(str(value), choices)}")
        return str(value) if value in choices else default

    def amount(self, place: Place, values: Mapping[str, object], key: str) -> float:
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < 0:
            self.wrong((*place, key), "must be a number of 0 or more")
            return 0.0
        return float(value)

    def day(self, place: Place, values: Mapping[str, object], key: str) -> datetime:
        try:
            return datetime.combine(date.fromisoformat(str(values.get(key, _EPOCH.date()))), time(), UTC)
        except ValueError:
            self.wrong((*place, key), "must be a date such as 2026-08-20")
            return _EPOCH

    def refuse_doubles(self, prices: tuple[Price, ...]) -> None:
        seen: set[tuple[str, str, datetime]] = set()
        for position, price in enumerate(prices):
            key = (price.sku, price.region, price.effective_from)
            if price.sku and key in seen:
                self.wrong(("prices", position), f"{price.sku} in {price.region} is given twice for the same date")
            seen.add(key)

    def wrong(self, place: Place, sentence: str) -> None:
        self.mistakes.append(self.document.mistake(place, sentence))
