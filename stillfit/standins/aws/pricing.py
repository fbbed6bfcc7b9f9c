"""The Price List query API. One function an operation; OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable
from typing import Any

import orjson

from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.price_lists import Entry
from stillfit.standins.aws.world import World

PAGE = 100  # MaxResults goes up to 100 (API reference, GetProducts)
ENDPOINTS = frozenset({"us-east-1", "eu-central-1", "ap-south-1", "cn-northwest-1"})
"""There is no other (AWS General Reference, Price List endpoints)."""


def get_products(world: World, call: Call) -> Answer:
    """Entries are JSON texts. Filters are joined by AND; one that names no attribute finds nothing."""
    asked = call.parameters
    if call.region not in ENDPOINTS:
        raise not_modelled(f"the Price List API in {call.region}, where there is no endpoint,")
    if asked.get("FormatVersion", "aws_v1") != "aws_v1":
        raise _invalid("The format version is not supported. Specify aws_v1.")
    if asked["ServiceCode"] not in world.price_lists.services():
        raise _invalid(f"No service with the code {asked['ServiceCode']}.")
    position = world.tokens.redeem(call, refusal="InvalidNextTokenException") or Position(_found(world, asked))
    size = asked.get("MaxResults", PAGE)
    entries, token = next_page(world, call, position, size)
    return {"FormatVersion": "aws_v1", "PriceList": [orjson.dumps(one).decode() for one in entries], **token}


def _found(world: World, asked: Any) -> list[Entry]:
    every = (
        entry
        for region in world.price_lists.regions()
        for entry in world.price_lists.entries(asked["ServiceCode"], region)
    )
    return [entry for entry in every if all(_fits(entry, one) for one in asked.get("Filters", ()))]


def _fits(entry: Entry, wanted: Any) -> bool:
    if wanted["Type"] not in {"TERM_MATCH", "EQUALS"}:
        raise not_modelled(f"a filter of the type {wanted['Type']}")
    product = entry["product"]
    attributes = {**product["attributes"], "productFamily": product.get("productFamily"), "sku": product["sku"]}
    value = attributes.get(wanted["Field"])
    return isinstance(value, str) and value.lower() == wanted["Value"].lower()


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidParameterException", message)


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {"GetProducts": get_products}
