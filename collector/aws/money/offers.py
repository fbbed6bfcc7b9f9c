"""Products and terms of the AWS price list, out of the two forms in which it comes. Pure.

The query API gives one JSON text a product with its terms in it; an offer file gives products and terms apart, joined
by SKU. Both are documents of somebody else: whatever is not of the promised shape is told, never guessed
(AWS Price List User Guide, "Reading the service price list file"; recorded entries of AmazonMCS, 2025-11-05).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any

import orjson

from stillfit.costs.pricebook import Band


class OddOfferError(ValueError):
    """A product or term that is not as the price list promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One term of one product: a price with the day on which it begins."""

    service: str
    region: str
    usage_type: str
    sku: str
    lease: str
    """1yr or 3yr for a reserved term, empty for what is paid as used."""
    unit: str
    currency: str
    bands: tuple[Band, ...]
    effective_from: datetime
    version: str
    rate_code: str


@dataclass(frozen=True, slots=True)
class Odd:
    """A product that could not be read, and why. `usage_type` is empty where not even that could be."""

    usage_type: str
    why: str


def offers_of_query(entries: Iterable[str]) -> Iterator[Offer | Odd]:
    """The offers of GetProducts' PriceList: each entry is a JSON text."""
    for entry in entries:
        try:
            parsed = _mapping(orjson.loads(entry), "an entry")
        except (orjson.JSONDecodeError, TypeError, OddOfferError) as error:
            yield Odd("", f"an entry is not a JSON object: {error}")
            continue
        yield from _offers(parsed, str(parsed.get("version", "")))


def offers_of_file(document: Mapping[str, Any]) -> Iterator[Offer | Odd]:
    """The offers of an offer file that was parsed. Raises OddOfferError where it is none."""
    products = _mapping(document.get("products"), "products")
    terms = _mapping(document.get("terms"), "terms")
    by_kind = {kind: _mapping(terms.get(kind, {}), kind) for kind in _KINDS}
    for sku, product in products.items():
        own = {kind: found.get(sku, {}) for kind, found in by_kind.items()}
        yield from _offers({"product": product, "terms": own}, version_of(document))


def version_of(document: Mapping[str, Any]) -> str:
    """The version of an offer file: when it was published, as digits."""
    version = document.get("version")
    if not isinstance(version, str) or not version.isdigit():
        raise OddOfferError("no version in it")
    return version


def usage_types(document: Mapping[str, Any]) -> Iterator[str]:
    """Of one product, wherever it stands; nothing where it has none."""
    attributes = document.get("attributes")
    if isinstance(attributes, dict) and isinstance(attributes.get("usagetype"), str):
        yield attributes["usagetype"]


def _offers(entry: Mapping[str, Any], version: str) -> Iterator[Offer | Odd]:
    product = entry.get("product")
    usage_type = next(usage_types(product), "") if isinstance(product, dict) else ""
    try:
        yield from list(_terms(entry, version))
    except OddOfferError as error:
        yield Odd(usage_type, str(error))


def _terms(entry: Mapping[str, Any], version: str) -> Iterator[Offer]:
    product = _mapping(entry.get("product"), "product")
    attributes = _mapping(product.get("attributes"), "attributes")
    whose: dict[str, Any] = {name: _text(attributes.get(key), key) for name, key in _ATTRIBUTES.items()}
    for kind, terms in _mapping(entry.get("terms"), "terms").items():
        if kind not in _KINDS:
            continue  # FlatRate and what may come: no price that we know how to read
        for term in _mapping(terms, kind).values():
            for offer in _dimensions(_mapping(term, "a term"), reserved=kind == "Reserved"):
                yield Offer(**whose, sku=str(product.get("sku", "")), version=version, **offer)


def _dimensions(term: Mapping[str, Any], *, reserved: bool) -> Iterator[dict[str, Any]]:
    """The prices of one term, one for each unit: a reserved one has a fee and a rate."""
    attributes = _mapping(term.get("termAttributes", {}), "termAttributes")
    found: dict[tuple[str, str], list[tuple[float, float, float, str]]] = {}
    for code, raw in _mapping(term.get("priceDimensions"), "priceDimensions").items():
        row = _mapping(raw, "a price dimension")
        currency, amount = _amount(row.get("pricePerUnit"))
        reach = (_number(row.get("beginRange", "0"), "beginRange"), _number(row.get("endRange", "Inf"), "endRange"))
        found.setdefault((_text(row.get("unit"), "unit"), currency), []).append((*reach, amount, code))
    for (unit, currency), rows in found.items():
        rows.sort()
        yield {
            "lease": _text(attributes.get("LeaseContractLength"), "LeaseContractLength") if reserved else "",
            "unit": unit,
            "currency": currency,
            "bands": _bands(rows),
            "effective_from": _instant(term.get("effectiveDate")),
            "rate_code": rows[-1][3],
        }


def _bands(rows: list[tuple[float, float, float, str]]) -> tuple[Band, ...]:
    """Bands without a hole or an overlap, from 0 without end."""
    reached = 0.0
    for begin, end, _, _ in rows:
        if begin != reached or end <= begin:
            raise OddOfferError(f"its bands do not follow each other: one begins at {begin:g} after {reached:g}")
        reached = end
    if reached != inf:
        raise OddOfferError(f"its last band ends at {reached:g}")
    return tuple(Band(begin, amount) for begin, _, amount, _ in rows)


def _amount(value: object) -> tuple[str, float]:
    money = _mapping(value, "pricePerUnit")
    if len(money) != 1:
        raise OddOfferError(f"a price in {len(money)} currencies")
    currency, amount = next(iter(money.items()))
    usd = _number(amount, "pricePerUnit")
    if not isfinite(usd):
        raise OddOfferError("a price without end")
    return currency, usd


def _number(value: object, what: str) -> float:
    if value == "Inf":
        return inf
    try:
        number = float(value) if isinstance(value, str) else -1.0
    except ValueError:
        number = -1.0
    if not (number >= 0 and isfinite(number)):
        raise OddOfferError(f"{what} is not a number of 0 or more")
    return number


def _instant(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value, "effectiveDate"))
    except ValueError as error:
        raise OddOfferError("effectiveDate is not a date") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise OddOfferError(f"{what} is not an object")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise OddOfferError(f"{what} is missing")
    return value


_KINDS = ("OnDemand", "Reserved")
_ATTRIBUTES = {"service": "servicecode", "region": "regionCode", "usage_type": "usagetype"}
