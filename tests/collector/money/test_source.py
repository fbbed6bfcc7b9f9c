"""The money of an account as a source: through the store, a table of Ireland gets its cost, and gaps are said again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.aws.money.bill_lines import Dialect
from collector.aws.money.bulk import OfferFiles
from collector.aws.money.prices import PriceReader, Way
from collector.aws.money.source import UNIT_PRICES, BillingSource, BillingTarget, home_of
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Batch, Engine, Gap, GapReason, Series, Subject
from stillfit.prices import PriceShelf
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from stillfit.standins.aws.cost_ledger import Commitment, CostLine
from stillfit.store.store import Store
from tests.collector.money.conftest import OpenAccess
from tests.collector.money.test_bill_files import row, written

IRELAND = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, "eu-west-1"))
ORDERS = Subject(engine=Engine.DYNAMODB, scope=IRELAND.scope, table="orders")
Open = Callable[..., BillingSource]


@pytest.fixture
def shelf() -> PriceShelf:
    return PriceShelf()


@pytest.fixture
def opened(access: OpenAccess, aws: AwsStandIn, shelf: PriceShelf) -> Iterator[Open]:
    made: list[BillingSource] = []

    def open_one(way: Way = "packaged", **wanted: Any) -> BillingSource:
        one = access()
        reader = PriceReader(shelf, way, connection=lambda: one.connection, files=OfferFiles(aws.url))
        target = BillingTarget(**({"regions": ("eu-west-1",)} | wanted))
        made.append(BillingSource(one, target, reader, shelf))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def store(clock: FakeClock, tmp_path: Path) -> Iterator[Store]:
    one = Store.open(f"sqlite:///{tmp_path / 'money.db'}", clock=clock, ballast_bytes=0)
    yield one
    one.close()


def look(source: BillingSource, clock: FakeClock) -> list[Batch]:
    return list(source.collect(None, clock.now()))


def gaps(batches: list[Batch]) -> list[Gap]:
    return [gap for batch in batches for gap in batch.gaps]


def series(batches: list[Batch]) -> list[Series]:
    return [one for batch in batches for one in batch.series]


def bill(world: World, clock: FakeClock, days_ago: int = 5) -> None:
    day = clock.now().date() - timedelta(days=days_ago)
    line = CostLine(
        day=day, service="Amazon DynamoDB", usage_type="EU-ReadRequestUnits", region="eu-west-1", unblended=2.0
    )
    world.ledger.put(DEFAULT_ACCOUNT, line)
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=day, region="eu-west-1", covered=1, bought=1))


def test_versions_of_the_lists_are_settings_of_the_region(opened: Open, clock: FakeClock) -> None:
    (first, *_) = look(opened("query"), clock)

    (settings,) = first.attributes
    assert (settings.subject, settings.get("price_date")) == (IRELAND, "2026-11-02")
    assert "AmazonDynamoDB 20251105011301" in str(settings.get("price_lists"))


def test_a_denied_price_list_is_a_gap_on_the_region_until_it_is_granted(
    opened: Open, world: World, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetProducts"))
    source, told = opened("query"), []
    for _ in range(2):
        told += gaps(look(source, clock))
        clock.sleep(3600)
    world.faults.clear()
    clock.sleep(6 * 3600)

    assert [(gap.subject, gap.missing, gap.reason) for gap in told] == [(IRELAND, UNIT_PRICES, GapReason.DENIED)] * 2
    assert gaps(look(source, clock)) == []


@pytest.mark.parametrize(("existing", "priced"), [((), set()), ((ORDERS,), {"eu-west-1"})], ids=["none", "one table"])
def test_of_all_regions_only_those_with_tables_are_priced(
    opened: Open, shelf: PriceShelf, clock: FakeClock, existing: tuple[Subject, ...], priced: set[str]
) -> None:
    regions = ("us-west-2", "eu-west-1")
    look(opened("query", regions=regions, only_used=True, existing=lambda: existing, cost_explorer=True), clock)

    assert {one for one in regions if shelf.fetched_at(one)} == priced


def test_packaged_prices_and_no_costs_ask_for_nothing(opened: Open, world: World, clock: FakeClock) -> None:
    assert (series(look(opened(), clock)), set(world.bill.calls)) == ([], {"sts:GetCallerIdentity"})


def test_cost_explorer_is_asked_once_a_day(opened: Open, world: World, clock: FakeClock) -> None:
    bill(world, clock)
    source = opened(cost_explorer=True)
    asked = []
    for _ in range(30):
        look(source, clock)
        asked.append(world.bill.cost_requests)
        clock.sleep(3600)

    assert sorted(set(asked)) == [6, 12]
    assert source.bill.usd == pytest.approx(0.12)


def test_a_new_process_asks_only_what_is_not_stored(opened: Open, store: Store, world: World, clock: FakeClock) -> None:
    bill(world, clock)
    first = opened(cost_explorer=True)
    for batch in first.collect(store.last_end(first.id), clock.now()):
        store.write(batch)
    again = opened(cost_explorer=True)
    list(again.collect(store.last_end(again.id), clock.now() + timedelta(hours=1)))

    assert (first.bill.requests, again.bill.requests) == (6, 0)


def test_what_was_billed_comes_out_of_the_store_and_makes_no_table(
    opened: Open, store: Store, world: World, clock: FakeClock
) -> None:
    bill(world, clock)
    told = look(opened(cost_explorer=True), clock)
    for batch in (*told, *told):
        store.write(batch)

    (span,) = {one.covered[0] for one in series(told) if one.metric == "billed_estimate_usd"}
    kept = {one.key: one for one in store.series(span)}
    assert all(kept[one.key] == one for one in series(told) if one.metric == "billed_estimate_usd")
    assert store.subjects() == (IRELAND,)


def test_a_cost_that_is_denied_is_a_gap_and_is_not_asked_every_hour(
    opened: Open, world: World, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, service="ce"))
    source = opened(cost_explorer=True)
    told = []
    for _ in range(7):
        told.append(gaps(look(source, clock)))
        clock.sleep(3600)

    assert [len(one) for one in told] == [5] * 7
    assert world.bill.refused["ce:GetCostAndUsage"] == 2
    assert "grant ce:GetCostAndUsage" in told[0][0].detail


def test_files_are_read_when_they_change(opened: Open, clock: FakeClock, tmp_path: Path) -> None:
    written(tmp_path, row(Dialect.CUR_2, account=DEFAULT_ACCOUNT))
    source = opened(cost_files=tmp_path)
    told = [len(series(look(source, clock))) for _ in range(2)]
    written(tmp_path, row(Dialect.CUR_2, account=DEFAULT_ACCOUNT), row(Dialect.CUR_2, account=DEFAULT_ACCOUNT))

    assert told == [6, 0]
    assert len(series(look(source, clock))) == 6


def test_files_tell_costs_and_cost_explorer_what_is_covered(
    opened: Open, world: World, clock: FakeClock, tmp_path: Path
) -> None:
    bill(world, clock)
    written(tmp_path, row(Dialect.CUR_2, account=DEFAULT_ACCOUNT))
    look(opened(cost_files=tmp_path, cost_explorer=True), clock)

    assert world.bill.calls["ce:GetCostAndUsage"] == 0
    assert world.bill.calls["ce:GetSavingsPlansCoverage"] == 1


@pytest.mark.parametrize(("name", "reason"), [("bill.csv", GapReason.PARTIAL), ("bill.txt", GapReason.NO_DATA)])
def test_files_that_cannot_be_read_are_a_gap_each_time(
    opened: Open, clock: FakeClock, tmp_path: Path, name: str, reason: GapReason
) -> None:
    (tmp_path / name).write_text("nothing")
    source = opened(cost_files=tmp_path)

    for _ in range(2):
        (gap,) = gaps(look(source, clock))
        assert (gap.missing, gap.reason) == ("billed_usd", reason)


def test_no_one_to_sign_in_is_the_sources_own_trouble(opened: Open, world: World, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.CLOCK_SKEW))
    source = opened("query")
    with pytest.raises(SourceError):
        look(source, clock)

    assert source.scope.scope[1] == "billing"


@pytest.mark.parametrize(
    ("region", "home"),
    [("eu-west-1", "us-east-1"), ("cn-north-1", "cn-northwest-1"), ("us-gov-east-1", "us-gov-west-1")],
)
def test_each_partition_is_asked_at_home(region: str, home: str) -> None:
    assert home_of(region) == home
