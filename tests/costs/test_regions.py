"""Costs away from us-east-1: priced by what was read of the region's list, and the list is named with the figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stillfit.costs import cost_of
from stillfit.costs.pricebook import PriceBook
from stillfit.costs.regions import region_of, split, usage_in
from stillfit.costs.saving import saving
from stillfit.costs.skus import CATALOGUE, component_of, service_of, sku_of
from stillfit.model import Unknown
from stillfit.prices import PriceShelf
from tests.builders import ORDERS
from tests.costs.kit import BOOK, NOW_PRICES, cents, in_region, table

VERSION = "20261101000000"


@pytest.fixture
def ireland() -> PriceBook:
    """The list of eu-west-1, at twice what us-east-1 costs."""
    now = (one for one in NOW_PRICES.prices.values() if one.region == "us-east-1")
    twice = (
        replace(
            one,
            region="eu-west-1",
            bands=tuple(band._replace(usd=band.usd * 2) for band in one.bands),
            version=VERSION,
        )
        for one in now
    )
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook(tuple(twice)))
    return shelf.book


def test_a_table_of_a_region_that_was_never_read_has_no_cost() -> None:
    told = cost_of(in_region(table(consumed_write_units=10), "eu-west-1"), BOOK)

    assert isinstance(told, Unknown)
    assert "price of on_demand_write in eu-west-1" in told.missing


def test_a_table_of_a_region_that_was_read_is_priced_by_its_list(ireland: PriceBook) -> None:
    there = in_region(table(consumed_write_units=10), "eu-west-1")

    here = cents(cost_of(table(consumed_write_units=10), BOOK), "current", "writes")
    told = cents(cost_of(there, ireland), "current", "writes", there.subject)
    assert list(told) == pytest.approx([2 * one for one in here], abs=0.01)


def test_a_figure_names_the_list_that_its_prices_are_from(ireland: PriceBook) -> None:
    there = in_region(table(consumed_write_units=10, consumed_read_units=10), "eu-west-1")
    figures = cost_of(there, ireland)
    assert not isinstance(figures, Unknown)

    told = saving(figures, there.subject, "provisioned")
    assert told is not None
    assert told.price_lists == (f"AmazonDynamoDB {VERSION}",)
    assert {one.money.price_lists for one in figures} == {(f"AmazonDynamoDB {VERSION}",)}


def test_prices_that_somebody_wrote_down_are_of_no_list() -> None:
    figures = cost_of(table(consumed_write_units=10), BOOK)
    assert not isinstance(figures, Unknown)

    assert {one.money.price_lists for one in figures if one.subject == ORDERS} == {()}


@pytest.mark.parametrize(
    ("usage_type", "code", "usage", "region"),
    [
        ("ReadRequestUnits", "", "ReadRequestUnits", "us-east-1"),
        ("USE1-TimedPITRStorage-ByteHrs", "USE1", "TimedPITRStorage-ByteHrs", "us-east-1"),
        ("EU-ReadRequestUnits", "EU", "ReadRequestUnits", "eu-west-1"),
        ("EUC1-IA-ReadRequestUnits", "EUC1", "IA-ReadRequestUnits", "eu-central-1"),
        ("IA-ReadRequestUnits", "", "IA-ReadRequestUnits", "us-east-1"),
        ("Streams-Requests", "", "Streams-Requests", "us-east-1"),
        ("USE1-Streams-Requests", "USE1", "Streams-Requests", "us-east-1"),
        ("CAN2-ReadRequestUnits", "CAN2", "ReadRequestUnits", "ca-west-1"),
        ("UGW1-NodeUsage:dax.r5.large", "UGW1", "NodeUsage:dax.r5.large", "us-gov-west-1"),
        ("XYZ9-ReadRequestUnits", "XYZ9", "ReadRequestUnits", None),
    ],
)
def test_the_region_is_what_stands_before_a_usage(usage_type: str, code: str, usage: str, region: str | None) -> None:
    assert (split(usage_type), region_of(usage_type)) == ((code, usage), region)


@pytest.mark.parametrize(
    ("usage_type", "region", "usage"),
    [
        ("ReadRequestUnits", "us-east-1", "ReadRequestUnits"),
        ("ReadRequestUnits", "eu-west-1", None),
        ("EU-ReadRequestUnits", "eu-west-1", "ReadRequestUnits"),
        ("EU-ReadRequestUnits", "us-east-1", None),
        ("XYZ9-ReadRequestUnits", "mx-central-1", "ReadRequestUnits"),
    ],
    ids=["home", "no code abroad", "abroad", "another region", "a code that is new"],
)
def test_a_usage_type_belongs_to_one_region(usage_type: str, region: str, usage: str | None) -> None:
    assert usage_in(usage_type, region) == usage


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (lambda: component_of("AmazonDynamoDB", "HeavyUsage:dynamodb.write"), "reserved_write"),
        (lambda: component_of("AmazonDynamoDB", "DataTransfer-Out-Bytes"), "DataTransfer-Out-Bytes"),
        (lambda: component_of("AmazonMCS", "ReadRequestUnits"), "keyspaces_on_demand_read"),
        (lambda: component_of("AmazonDAX", "NodeUsage:dax-r5.large"), "dax_node/r5.large"),
    ],
)
def test_a_part_of_a_bill_has_our_name_or_its_own(of: Callable[[], str], name: str) -> None:
    assert of() == name


def test_every_unit_price_knows_its_service() -> None:
    assert all(service_of(one.name) == one.service for one in CATALOGUE)
    assert service_of("dax_node/r5.large") == "AmazonDAX"
    assert service_of("cassandra_node") == ""


def test_a_usage_type_is_known_by_the_whole_of_its_name() -> None:
    assert sku_of("AmazonDynamoDB", "CapacityUnit-Hrs") is None
    assert sku_of("AmazonMCS", "Streams-Requests") is None
