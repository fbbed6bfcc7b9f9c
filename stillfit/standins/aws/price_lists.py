"""The price lists of the stand-in: products with their terms, in the shape of the service, open to every change."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from stillfit.standins.aws.price_products import NAMES, PLACES, PRODUCTS, Place, Row

Entry = dict[str, Any]
"""One product with its terms, as an entry of GetProducts' PriceList has it before it becomes text."""
VERSION = "20251105011301"
EFFECTIVE = "2025-11-01T00:00:00Z"
ON_DEMAND, RESERVED = "JRTCKXETXF", "4NA7Y494T4"
"""Offer term codes of on-demand USD and of one-year terms, as the recorded lists have them."""


class PriceLists:
    """By service and region. `change` edits what is sold; a change is published under a new version."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], list[Entry]] = {}
        self._versions: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def services(self) -> tuple[str, ...]:
        return tuple(PRODUCTS)

    def regions(self) -> tuple[str, ...]:
        return tuple(PLACES)

    def version(self, service: str, region: str) -> str:
        with self._lock:
            return self._versions.get((service, region), VERSION)

    def entries(self, service: str, region: str) -> list[Entry]:
        """All that one list sells, in no order that means anything."""
        with self._lock:
            version = self._versions.get((service, region), VERSION)
            found = deepcopy(self._sold(service, region))
        return [{**entry, "version": version, "publicationDate": _instant(version)} for entry in found]

    def change(
        self, service: str, region: str, change: Callable[[list[Entry]], list[Entry]], *, version: str = ""
    ) -> None:
        """Replace what is sold by what `change` makes of it, as the list of `version`."""
        with self._lock:
            self._entries[service, region] = change(deepcopy(self._sold(service, region)))
            self._versions[service, region] = version or str(int(self._versions.get((service, region), VERSION)) + 1)

    def _sold(self, service: str, region: str) -> list[Entry]:
        if (service, region) not in self._entries:
            place = PLACES.get(region)
            rows = PRODUCTS.get(service, ())
            self._entries[service, region] = (
                [_entry(service, region, place, row) for row in rows if row.only in {"", region}] if place else []
            )
        return self._entries[service, region]


def _entry(service: str, region: str, place: Place, row: Row) -> Entry:
    usage_type = f"{place.code or row.home}{row.usage}"
    sku = _code(service, usage_type, row.operation)
    attributes = {
        "regionCode": region,
        "servicecode": service,
        "usagetype": usage_type,
        "locationType": "AWS Region",
        "location": place.location,
        "servicename": NAMES[service],
        "operation": row.operation,
        **row.more,
    }
    family = {"productFamily": row.family} if row.family else {}
    return {
        "product": {**family, "attributes": attributes, "sku": sku},
        "serviceCode": service,
        "terms": {kind: terms for kind, terms in _terms(sku, place, row) if terms},
    }


def _terms(sku: str, place: Place, row: Row) -> Iterator[tuple[str, Entry]]:
    yield "OnDemand", _term(sku, ON_DEMAND, {}, _bands(place, row))
    reserved: Entry = {}
    for lease, fee, hourly in row.reserved:
        attributes = {
            "LeaseContractLength": lease,
            "OfferingClass": "standard",
            "PurchaseOption": "Heavy Utilization",
        }
        code = f"{RESERVED[:-1]}{lease[0]}"
        dimensions = [_dimension("Quantity", None, fee, place), _dimension(row.unit, (0.0, None), hourly, place)]
        reserved |= _term(sku, code, attributes, dimensions)
    yield "Reserved", reserved


def _bands(place: Place, row: Row) -> list[Entry]:
    ends = [*(start for start, _ in row.bands[1:]), None]
    both = zip(row.bands, ends, strict=True)
    return [_dimension(row.unit, (start, end), usd * place.dearer, place) for (start, usd), end in both]


def _term(sku: str, code: str, attributes: Entry, dimensions: list[Entry]) -> Entry:
    named = {f"{sku}.{code}.{_code(sku, code, str(number))[:10]}": one for number, one in enumerate(dimensions)}
    priced = {name: {**one, "rateCode": name} for name, one in named.items()}
    term = {"sku": sku, "offerTermCode": code, "effectiveDate": EFFECTIVE, "termAttributes": attributes}
    return {f"{sku}.{code}": {"priceDimensions": priced, **term}}


def _dimension(unit: str, reach: tuple[float, float | None] | None, usd: float, place: Place) -> Entry:
    """A fee has no range. Amounts are texts with ten decimals."""
    begin, end = reach or (0.0, None)
    ranges = {"beginRange": f"{begin:g}", "endRange": "Inf" if end is None else f"{end:.0f}"} if reach else {}
    amount = f"{usd:.10f}"
    return {
        "unit": unit,
        "description": f"{place.currency} {usd:.10g} per {unit} in {place.location}",
        "appliesTo": [],
        **ranges,
        "pricePerUnit": {place.currency: amount},
    }


def _code(*parts: str) -> str:
    """Sixteen letters and digits that stay the same, as SKUs do."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16].upper()


def _instant(version: str) -> str:
    day, hour = version[:8], version[8:14]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:{hour[2:4]}:{hour[4:]}Z"
