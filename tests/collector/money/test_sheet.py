"""Out of a price list comes a price that is certain, or none and the reason."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.aws.money.offers import offers_of_file, offers_of_query
from collector.aws.money.sheet import Sheet, sheet
from stillfit.costs.pricefile import DYNAMODB_SKUS
from stillfit.costs.skus import CATALOGUE, DYNAMODB, SERVICES
from stillfit.standins.aws.price_files import offer_file
from stillfit.standins.aws.price_lists import Entry, PriceLists
from stillfit.standins.aws.price_products import PLACES

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
USD_REGIONS = [region for region, place in PLACES.items() if place.currency == "USD"]
RECORDED = (
    '{"product":{"productFamily":"Database Storage","attributes":{"volumeType":"AmazonMCS - Indexed DataStore",'
    '"regionCode":"ap-east-1","servicecode":"AmazonMCS","usagetype":"APE1-TimedStorage-ByteHrs","locationType":'
    '"AWS Region","location":"Asia Pacific (Hong Kong)","servicename":"Amazon Keyspaces (for Apache Cassandra)",'
    '"operation":""},"sku":"22FZWK2M37K2B8FS"},"serviceCode":"AmazonMCS","terms":{"OnDemand":'
    '{"22FZWK2M37K2B8FS.JRTCKXETXF":{"priceDimensions":{"22FZWK2M37K2B8FS.JRTCKXETXF.6YS6EN2CT7":{"unit":"GB-Mo",'
    '"endRange":"Inf","description":"$0.3135 per GB-Month of storage in Asia Pacific (Hong Kong)","appliesTo":[],'
    '"rateCode":"22FZWK2M37K2B8FS.JRTCKXETXF.6YS6EN2CT7","beginRange":"0","pricePerUnit":{"USD":"0.3135000000"}}},'
    '"sku":"22FZWK2M37K2B8FS","effectiveDate":"2025-10-01T00:00:00Z","offerTermCode":"JRTCKXETXF",'
    '"termAttributes":{}}}},"version":"20251105011301","publicationDate":"2025-11-05T01:13:01Z"}'
)
"""As the service gave it on 2025-11-05 (aws-samples/sample-pricing-calculator-for-keyspaces), like the next two."""
RECORDED_TTL = (
    '{"product":{"attributes":{"regionCode":"eu-west-1","servicecode":"AmazonMCS","groupDescription":"Time to Live",'
    '"usagetype":"EU-TTLDeletes","locationType":"AWS Region","location":"EU (Ireland)","servicename":'
    '"Amazon Keyspaces (for Apache Cassandra)","operation":"TimeToLiveDelete","group":"MCS-TTL"},"sku":'
    '"2QD5ERMQ5TJM8K6V"},"serviceCode":"AmazonMCS","terms":{"OnDemand":{"2QD5ERMQ5TJM8K6V.JRTCKXETXF":'
    '{"priceDimensions":{"2QD5ERMQ5TJM8K6V.JRTCKXETXF.6YS6EN2CT7":{"unit":"TTLDeletes","endRange":"Inf","description":'
    '"$0.31 per million TTL deletes in EU (Ireland)","appliesTo":[],"rateCode":'
    '"2QD5ERMQ5TJM8K6V.JRTCKXETXF.6YS6EN2CT7","beginRange":"0","pricePerUnit":{"USD":"0.0000003100"}}},"sku":'
    '"2QD5ERMQ5TJM8K6V","effectiveDate":"2025-10-01T00:00:00Z","offerTermCode":"JRTCKXETXF","termAttributes":{}}}},'
    '"version":"20251105011301","publicationDate":"2025-11-05T01:13:01Z"}'
)
RECORDED_CHINA = (
    '{"product":{"productFamily":"Provisioned IOPS","attributes":{"regionCode":"cn-northwest-1","servicecode":'
    '"AmazonMCS","groupDescription":"Provisioned Read Units","usagetype":"CNW1-ReadCapacityUnit-Hrs","locationType":'
    '"AWS Region","location":"China (Ningxia)","servicename":"Amazon Keyspaces (for Apache Cassandra)","operation":'
    '"CommittedThroughput","group":"MCS-ReadUnits"},"sku":"2UGASYRA273BT5TR"},"serviceCode":"AmazonMCS","terms":'
    '{"OnDemand":{"2UGASYRA273BT5TR.5Y9WH78GDR":{"priceDimensions":{"2UGASYRA273BT5TR.5Y9WH78GDR.Q7UJUT2CE6":{"unit":'
    '"ReadCapacityUnit-Hrs","endRange":"Inf","description":"CNY 0.00116 per hour per unit of provisioned read capacity'
    ' in China (Ningxia)","appliesTo":[],"rateCode":"2UGASYRA273BT5TR.5Y9WH78GDR.Q7UJUT2CE6","beginRange":"0",'
    '"pricePerUnit":{"CNY":"0.0011600000"}}},"sku":"2UGASYRA273BT5TR","effectiveDate":"2025-06-01T00:00:00Z",'
    '"offerTermCode":"5Y9WH78GDR","termAttributes":{}}}},"version":"20250702175349",'
    '"publicationDate":"2025-07-02T17:53:49Z"}'
)


def entries(region: str = "eu-west-1", service: str = DYNAMODB) -> list[Entry]:
    return PriceLists().entries(service, region)


def entry(usage_type: str, region: str = "eu-west-1") -> Entry:
    return next(one for one in entries(region) if one["product"]["attributes"]["usagetype"] == usage_type)


def read(*sold: Entry, region: str = "eu-west-1") -> Sheet:
    return sheet(region, offers_of_query(orjson.dumps(one).decode() for one in sold), AT, [DYNAMODB])


def dimension(one: Entry) -> dict[str, Any]:
    (term,) = one["terms"]["OnDemand"].values()
    found: dict[str, Any] = list(term["priceDimensions"].values())[-1]
    return found


def usd(told: Sheet, sku: str) -> float | None:
    found = told.book.at(AT).price(sku, told.region)
    return None if found is None else found.usd


def test_a_recorded_entry_is_read() -> None:
    (price,) = sheet("ap-east-1", offers_of_query([RECORDED]), AT, SERVICES).book.prices

    assert (price.sku, price.usd, price.unit, price.version) == (
        "keyspaces_storage",
        0.3135,
        "GB-month",
        "20251105011301",
    )
    assert price.effective_from == datetime(2025, 10, 1, tzinfo=UTC)
    assert price.source.endswith("APE1-TimedStorage-ByteHrs, rate 22FZWK2M37K2B8FS.JRTCKXETXF.6YS6EN2CT7")


def test_recorded_entries_of_ireland_and_china() -> None:
    ireland = sheet("eu-west-1", offers_of_query([RECORDED_TTL, RECORDED_CHINA]), AT, SERVICES)
    china = sheet("cn-northwest-1", offers_of_query([RECORDED_TTL, RECORDED_CHINA]), AT, SERVICES)

    assert [(one.sku, one.usd, one.region) for one in ireland.book.prices] == [
        ("keyspaces_ttl_delete", 3.1e-07, "eu-west-1")
    ]
    assert (china.book.prices, china.refused) == ((), ("keyspaces_provisioned_read: the list has it in CNY",))


@pytest.mark.parametrize("region", USD_REGIONS)
def test_every_region_has_every_price_that_costs_are_made_of(region: str) -> None:
    every = [one for service in SERVICES for one in entries(region, service)]
    told = sheet(region, offers_of_query(orjson.dumps(one).decode() for one in every), AT, SERVICES)

    never_sold = {one.name for one in CATALOGUE if one.lease == "3yr" or "keyspaces_" in one.name}
    assert told.refused == ()
    assert {price.sku for price in told.book.prices} >= DYNAMODB_SKUS
    assert set(told.missing) <= never_sold
    assert usd(told, "dax_node/r5.large") == pytest.approx(0.255 * PLACES[region].dearer)


def test_a_file_tells_what_the_query_tells() -> None:
    document = offer_file(DYNAMODB, entries(), "20251105011301")

    assert sheet("eu-west-1", offers_of_file(document), AT, [DYNAMODB]) == read(*entries())


def test_usage_types_that_contain_each_other_are_kept_apart() -> None:
    told = read(*entries("us-east-1"), region="us-east-1")

    assert usd(told, "on_demand_write") == 6.25e-07
    assert usd(told, "on_demand_write_ia") == 7.8e-07
    assert usd(told, "storage") == 0.25
    assert usd(told, "storage_ia") == 0.10
    assert usd(told, "pitr") == 0.20
    assert usd(told, "provisioned_replicated_write") == 0.00065


@pytest.mark.parametrize("short", ["ReplWriteRequestUnits", "IA-WriteRequestUnits", "VectorWriteRequestUnits"])
def test_a_write_is_not_priced_from_what_only_ends_like_it(short: str) -> None:
    other = entry("EU-WriteRequestUnits")
    other["product"]["attributes"]["usagetype"] = f"EU-{short}"

    assert usd(read(other), "on_demand_write") is None


def test_a_free_first_band_stays_a_band() -> None:
    told = read(entry("EU-TimedStorage-ByteHrs"))

    (price,) = told.book.prices
    assert [(band.from_quantity, band.usd) for band in price.bands] == [(0.0, 0.0), (25.0, 0.2825)]
    assert price.cost(100) == pytest.approx(75 * 0.2825)


def test_reserved_terms_are_a_fee_and_a_rate() -> None:
    told = read(entry("ReadCapacityUnit-Hrs", "us-east-1"), region="us-east-1")

    assert usd(told, "reserved_read_1yr_upfront") == 0.30
    assert usd(told, "reserved_read_1yr_hour") == 0.000025
    assert usd(told, "provisioned_read") == 0.00013
    assert usd(told, "reserved_read_3yr_hour") is None


def test_other_regions_do_not_leak_in() -> None:
    told = read(*entries("us-east-1"), *entries("us-west-2"))

    assert told.book.prices == ()


def test_an_unprefixed_usage_type_is_not_irelands() -> None:
    odd = entry("EU-ReadRequestUnits")
    odd["product"]["attributes"]["usagetype"] = "ReadRequestUnits"

    assert usd(read(odd), "on_demand_read") is None


def test_us_east_1_may_have_its_code_before_it() -> None:
    one = entry("ReadRequestUnits", "us-east-1")
    one["product"]["attributes"]["usagetype"] = "USE1-ReadRequestUnits"

    assert usd(read(one, region="us-east-1"), "on_demand_read") == 1.25e-07


def test_what_us_east_1_has_twice_is_taken_as_bills_have_it() -> None:
    """As the list is: TimedStorage-ByteHrs has 25 GB free, and USE1-TimedStorage-ByteHrs beside it has none."""
    both = [entry(f"{code}TimedStorage-ByteHrs", "us-east-1") for code in ("USE1-", "")]
    (price,) = read(*both, region="us-east-1").book.prices

    assert [(band.from_quantity, band.usd) for band in price.bands] == [(0.0, 0.0), (25.0, 0.25)]
    assert read(both[0], region="us-east-1").book.prices[0].usd == 0.25


def test_streams_are_priced_by_the_name_of_the_list() -> None:
    assert usd(read(entry("EU-Streams-Requests")), "stream_read") == pytest.approx(2e-07 * 1.13, rel=1e-2)
    assert usd(read(entry("USE1-Streams-Requests", "us-east-1"), region="us-east-1"), "stream_read") == 2e-07


@pytest.mark.parametrize("unit", ["GB-Mo", "GB-Month"])
def test_a_month_of_a_gigabyte_has_two_spellings(unit: str) -> None:
    one = entry("EU-TimedBackupStorage-ByteHrs")
    dimension(one)["unit"] = unit

    assert usd(read(one), "backup") == pytest.approx(0.113)


def test_china_has_no_price_in_usd() -> None:
    told = read(*entries("cn-northwest-1"), region="cn-northwest-1")

    assert told.book.prices == ()
    assert "on_demand_read: the list has it in CNY" in told.refused


def test_another_unit_is_another_price() -> None:
    one = entry("EU-ReadRequestUnits")
    dimension(one)["unit"] = "1K ReadRequestUnits"

    told = read(one)
    assert told.book.prices == ()
    assert told.refused == ("on_demand_read: the list has it per 1K ReadRequestUnits, not per ReadRequestUnits",)


def test_two_products_that_agree_are_one_price() -> None:
    one = entry("EU-ReadRequestUnits")
    other = deepcopy(one)
    other["product"]["sku"] = "ANOTHERSKU"

    assert len(read(one, other).book.prices) == 1


def test_two_products_that_differ_are_none() -> None:
    one = entry("EU-ReadRequestUnits")
    other = deepcopy(one)
    other["product"]["sku"] = "ANOTHERSKU"
    dimension(other)["pricePerUnit"]["USD"] = "0.5"

    assert read(one, other).refused == ("on_demand_read: 2 products of the list tell it differently",)


def test_a_price_to_come_waits_for_its_day() -> None:
    one = entry("EU-ReadRequestUnits")
    later = deepcopy(one)
    (term,) = later["terms"]["OnDemand"].values()
    term["effectiveDate"] = "2027-01-01T00:00:00Z"
    dimension(later)["pricePerUnit"]["USD"] = "0.0000005"
    told = read(one, later)

    assert usd(told, "on_demand_read") == pytest.approx(1.25e-07 * 1.13, rel=1e-3)
    (new,) = [price for price in told.book.prices if price.usd == 5e-07]
    assert new.effective_from == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("pricePerUnit", {"USD": "free"}, "pricePerUnit is not a number of 0 or more"),
        ("pricePerUnit", {"USD": "-1"}, "pricePerUnit is not a number of 0 or more"),
        ("pricePerUnit", {"USD": "NaN"}, "pricePerUnit is not a number of 0 or more"),
        ("pricePerUnit", {"USD": "Inf"}, "a price without end"),
        ("pricePerUnit", {"USD": 0.1}, "pricePerUnit is not a number of 0 or more"),
        ("pricePerUnit", {"USD": "1", "CNY": "7"}, "a price in 2 currencies"),
        ("pricePerUnit", {}, "a price in 0 currencies"),
        ("unit", None, "unit is missing"),
        ("endRange", "100", "its last band ends at 100"),
        ("beginRange", "5", "its bands do not follow each other: one begins at 5 after 0"),
    ],
)
def test_a_spoilt_price_is_none_and_says_why(key: str, value: object, why: str) -> None:
    one = entry("EU-ReadRequestUnits")
    dimension(one)[key] = value

    told = read(one)
    assert told.book.prices == ()
    assert told.refused == (f"EU-ReadRequestUnits: {why}",)


def test_a_price_of_nothing_is_none() -> None:
    one = entry("EU-ReadRequestUnits")
    dimension(one)["pricePerUnit"]["USD"] = "0.0000000000"

    assert read(one).refused == ("on_demand_read: the list has it for nothing",)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"product": 5, "terms": {}}', '"text"'])
def test_an_entry_that_is_none_is_told(text: str) -> None:
    told = sheet("eu-west-1", offers_of_query([text]), AT, [DYNAMODB])

    assert told.book.prices == ()
    assert len(told.refused) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["product", "terms", "OnDemand", "attributes", "priceDimensions", "pricePerUnit", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_whatever_breaks_the_reading(document: object) -> None:
    text = orjson.dumps(document).decode()

    assert sheet("eu-west-1", offers_of_query([text]), AT, [DYNAMODB]).book.prices == ()


@given(
    st.floats(min_value=1e-9, max_value=1e3),
    st.sampled_from([one for one in CATALOGUE if not one.lease and one.service == DYNAMODB]),
)
def test_a_price_is_the_amount_of_its_own_unit_and_no_other(amount: float, sku: Any) -> None:
    one = entry("EU-ReadRequestUnits")
    one["product"]["attributes"]["usagetype"] = f"EU-{sku.usage}"
    dimension(one).update(unit=min(sku.units), pricePerUnit={"USD": f"{amount:.12f}"})

    (price,) = read(one).book.prices
    assert (price.sku, price.unit) == (sku.name, sku.counted)
    assert price.usd == float(f"{amount:.12f}")


def test_no_name_of_ours_names_two_prices() -> None:
    names = [one.name for one in CATALOGUE]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
