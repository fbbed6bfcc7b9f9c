"""Prices of a region are read when they are old, in the way that is allowed, and stay known when they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from collector.aws.money.bulk import OfferFiles, version_in
from collector.aws.money.prices import AGAIN, REFRESH, PriceReader, Trouble, Way
from stillfit.clock import FakeClock
from stillfit.model import GapReason
from stillfit.prices import PriceShelf
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.money.conftest import OpenAccess

IRELAND = "eu-west-1"
Reader = Callable[..., PriceReader]


@pytest.fixture
def shelf() -> PriceShelf:
    return PriceShelf()


@pytest.fixture
def reader(shelf: PriceShelf, aws: AwsStandIn, access: OpenAccess) -> Reader:
    def make(way: Way, on: PriceShelf = shelf) -> PriceReader:
        return PriceReader(on, way, connection=lambda: access().connection, files=OfferFiles(aws.url))

    return make


def usd(shelf: PriceShelf, clock: FakeClock, sku: str = "on_demand_write", region: str = IRELAND) -> float | None:
    found = shelf.book.at(clock.now()).price(sku, region)
    return None if found is None else found.usd


def calls(world: World) -> int:
    return sum(count for action, count in world.bill.calls.items() if action.startswith("pricing"))


@pytest.mark.parametrize("way", ["query", "bulk"])
def test_a_region_without_packaged_prices_is_priced(
    reader: Reader, shelf: PriceShelf, clock: FakeClock, way: Way
) -> None:
    assert usd(shelf, clock) is None

    assert reader(way).look(IRELAND, clock.now()) == ()

    assert usd(shelf, clock) == pytest.approx(6.25e-07 * 1.13, rel=1e-3)
    assert usd(shelf, clock, "dax_node/r5.large") == pytest.approx(0.255 * 1.13)
    assert shelf.versions(IRELAND)["AmazonDynamoDB"] == "20251105011301"


def test_both_ways_tell_the_same(reader: Reader, clock: FakeClock) -> None:
    asked, filed = PriceShelf(), PriceShelf()
    reader("query", asked).look(IRELAND, clock.now())
    reader("bulk", filed).look(IRELAND, clock.now())

    assert asked.book == filed.book


def test_packaged_prices_ask_nobody(reader: Reader, world: World, clock: FakeClock) -> None:
    assert reader("packaged").look(IRELAND, clock.now()) == ()
    assert calls(world) == 0


@pytest.mark.parametrize(("age", "again"), [(REFRESH - timedelta(seconds=1), False), (REFRESH, True)])
def test_a_list_is_read_again_after_a_week(
    reader: Reader, world: World, clock: FakeClock, age: timedelta, again: bool
) -> None:
    one = reader("query")
    one.look(IRELAND, clock.now())
    before = calls(world)
    one.look(IRELAND, clock.now() + age)

    assert (calls(world) > before) is again


def test_a_list_of_the_same_version_is_not_fetched_again(
    reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock
) -> None:
    one, book = reader("bulk"), None
    one.look(IRELAND, clock.now())
    book, files = shelf.book, world.bill.calls["pricing-files:OfferFile"]
    one.look(IRELAND, clock.now() + REFRESH)

    assert world.bill.calls["pricing-files:OfferFile"] == files
    assert shelf.fetched_at(IRELAND) == clock.now() + REFRESH
    assert [one.usd for one in shelf.book.prices] == [one.usd for one in book.prices]


def test_a_new_version_brings_its_price(reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock) -> None:
    one = reader("bulk")
    one.look(IRELAND, clock.now())
    world.price_lists.change("AmazonDynamoDB", IRELAND, lambda entries: [dearer(each) for each in entries])
    before = usd(shelf, clock, "storage_ia")
    one.look(IRELAND, clock.now() + REFRESH)

    assert before is not None
    assert usd(shelf, clock, "storage_ia") == pytest.approx(before + 1)


def dearer(entry: dict[str, Any]) -> dict[str, Any]:
    for term in entry["terms"]["OnDemand"].values():
        for one in term["priceDimensions"].values():
            one["pricePerUnit"]["USD"] = f"{float(one['pricePerUnit']['USD']) + 1:.10f}"
    return entry


def test_a_denied_query_says_what_to_grant_and_leaves_packaged_prices(
    reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetProducts"))

    (trouble,) = reader("query").look("us-east-1", clock.now())

    assert trouble.reason is GapReason.DENIED
    assert "grant pricing:GetProducts" in trouble.sentence
    assert trouble.sentence.endswith("us-east-1 has packaged prices only")
    assert usd(shelf, clock, region="us-east-1") == 6.25e-07


def test_what_was_known_holds_while_the_list_cannot_be_read(
    reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock
) -> None:
    one = reader("query")
    one.look(IRELAND, clock.now())
    before = usd(shelf, clock)
    world.faults.add(Fault(kind=FaultKind.INTERNAL_ERROR, operation="GetProducts"))

    (trouble,) = one.look(IRELAND, clock.now() + REFRESH)

    assert trouble.sentence.endswith("until then prices of eu-west-1 are those of 2026-11-02")
    assert usd(shelf, clock) == before


def test_a_failure_is_said_again_and_tried_again_later(reader: Reader, world: World, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetProducts", count=1))
    one = reader("query")

    told = [one.look(IRELAND, clock.now() + after) for after in (timedelta(0), AGAIN - timedelta(seconds=1), AGAIN)]

    assert [len(troubles) for troubles in told] == [1, 1, 0]


@pytest.mark.parametrize("way", ["query", "bulk"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FaultKind.THROTTLE, {GapReason.THROTTLED, GapReason.UNREACHABLE}),
        (FaultKind.INTERNAL_ERROR, {GapReason.UNREACHABLE}),
        (FaultKind.UNAVAILABLE, {GapReason.UNREACHABLE}),
        (FaultKind.RESET, {GapReason.UNREACHABLE}),
        (FaultKind.TRUNCATED, {GapReason.UNREACHABLE, GapReason.GARBLED}),
        (FaultKind.GARBAGE, {GapReason.GARBLED}),
        (FaultKind.HTML, {GapReason.GARBLED}),
    ],
)
def test_every_fault_is_a_reason_and_never_a_price(
    reader: Reader, world: World, way: Way, kind: FaultKind, reason: set[GapReason]
) -> None:
    shelf, now = PriceShelf(), FakeClock().now()
    world.faults.add(Fault(kind=kind))

    (trouble,) = reader(way, shelf).look(IRELAND, now)

    assert trouble.reason in reason
    assert shelf.fetched_at(IRELAND) is None


def test_an_empty_page_loses_no_price(reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, operation="GetProducts", count=2))
    reader("query").look(IRELAND, clock.now())

    assert world.faults.struck[FaultKind.EMPTY_PAGE] == 2
    assert usd(shelf, clock) == pytest.approx(6.25e-07 * 1.13, rel=1e-3)


def test_pages_that_go_round_in_circles_are_no_list(
    reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, operation="GetProducts", count=1))
    world.faults.add(Fault(kind=FaultKind.REPEATED_TOKEN, operation="GetProducts"))

    (trouble,) = reader("query").look(IRELAND, clock.now())

    assert trouble.reason is GapReason.GARBLED
    assert usd(shelf, clock) is None


def test_a_price_that_the_model_needs_and_the_list_lacks_is_told(
    reader: Reader, shelf: PriceShelf, world: World, clock: FakeClock
) -> None:
    def without_writes(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in entries if one["product"]["attributes"]["usagetype"] != "EU-WriteRequestUnits"]

    world.price_lists.change("AmazonDynamoDB", IRELAND, without_writes)

    (trouble,) = reader("query").look(IRELAND, clock.now())

    assert trouble == Trouble(
        GapReason.NO_DATA,
        "AWS's price list of eu-west-1 does not have on_demand_write: "
        "a price file of your own can tell it (`prices.files`)",
    )
    assert usd(shelf, clock) is None
    assert usd(shelf, clock, "on_demand_read") is not None


def test_china_is_not_priced_in_dollars(reader: Reader, world: World, clock: FakeClock) -> None:
    (trouble,) = reader("query").look("cn-northwest-1", clock.now())

    assert trouble.reason is GapReason.UNSUPPORTED
    assert "CNY" in trouble.sentence
    assert calls(world) == 0


def test_govcloud_is_sold_by_file_only(reader: Reader, shelf: PriceShelf, clock: FakeClock) -> None:
    (trouble,) = reader("query").look("us-gov-west-1", clock.now())
    told = reader("bulk").look("us-gov-west-1", clock.now())

    assert "set `prices: bulk`" in trouble.sentence
    assert told == ()
    assert usd(shelf, clock, region="us-gov-west-1") == pytest.approx(6.25e-07 * 1.2)


def test_a_region_that_is_not_sold_is_told(reader: Reader, clock: FakeClock) -> None:
    (trouble,) = reader("bulk").look("mx-central-1", clock.now())

    assert trouble.reason is GapReason.NO_DATA


def test_a_folder_that_cannot_be_written_is_told_every_time(reader: Reader, tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    one = reader("query", PriceShelf(tmp_path / "file" / "prices"))

    assert [len(one.look(IRELAND, clock.now())) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/offers/v1.0/aws/X/20251105011301/eu-west-1/index.json", "/offers/v1.0/aws/../../x", ""],
)
def test_an_index_leads_nowhere_else(path: str) -> None:
    assert version_in(path) == ""


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.SLOW_HEAD, FaultKind.SLOW_DRIP])
def test_a_file_that_never_ends_is_ended(aws: AwsStandIn, world: World, clock: FakeClock, kind: FaultKind) -> None:
    world.faults.add(Fault(kind=kind, service="pricing-files", seconds=0.02))
    one = PriceReader(PriceShelf(), "bulk", files=OfferFiles(aws.url, whole_s=0.3))

    (trouble,) = one.look(IRELAND, clock.now())
    assert trouble.reason is GapReason.TIMEOUT


def test_a_stop_ends_what_is_under_way_at_once(aws: AwsStandIn, world: World, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.HANG, service="pricing-files"))
    one = PriceReader(PriceShelf(), "bulk", files=OfferFiles(aws.url))
    stopper = Timer(0.2, one.stop)
    stopper.start()

    (trouble,) = one.look(IRELAND, clock.now())
    stopper.join()
    assert trouble.reason is GapReason.TIMEOUT


def test_after_a_stop_no_file_is_read(reader: Reader, clock: FakeClock) -> None:
    one = reader("bulk")
    one.stop()

    (trouble,) = one.look(IRELAND, clock.now())
    assert trouble.reason is GapReason.TIMEOUT
