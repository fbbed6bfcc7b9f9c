"""From a configuration to prices in force: what the daemon reads of an account's money, and what it judges by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stillfit.clock import FakeClock
from stillfit.config import Config, Prices
from stillfit.configaws import Aws
from stillfit.errors import ConfigError
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import GapReason
from stillfit.money import billing_sources, price_shelf
from stillfit.parts import Parts, assemble
from stillfit.prices import PriceShelf
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from stillfit.store.store import Store
from tests.demo.kit import aws_environment, environment

REGION = "eu-west-1"
Assembled = Callable[..., Parts]


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    world = World(now=lambda: clock.now().timestamp())
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield world


@pytest.fixture
def store(clock: FakeClock, tmp_path: Path) -> Iterator[Store]:
    one = Store.open(f"sqlite:///{tmp_path / 'money.db'}", clock=clock, ballast_bytes=0)
    yield one
    one.close()


@pytest.fixture
def assembled(tmp_path: Path, store: Store, clock: FakeClock) -> Iterator[Assembled]:
    made: list[Parts] = []

    def make(**account: object) -> Parts:
        settings = Aws.model_validate({"regions": [REGION]} | account)
        config = Config(store=f"sqlite:///{tmp_path / 'money.db'}", aws=(settings,))
        made.append(assemble(config, store, clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


def read_money(parts: Parts, store: Store, clock: FakeClock) -> None:
    (source,) = (source for source, _ in parts.sources if source.id.endswith("/billing"))
    Intake(store, clock, Health()).collect(source)


def usd(parts: Parts, clock: FakeClock) -> float | None:
    found = parts.known.prices.at(clock.now()).price("on_demand_write", REGION)
    return found.usd if found else None


def test_the_next_turn_judges_by_the_prices_that_were_read(
    assembled: Assembled, world: World, store: Store, clock: FakeClock
) -> None:
    parts = assembled()
    before = usd(parts, clock)
    read_money(parts, store, clock)

    assert before is None
    assert usd(parts, clock) == pytest.approx(6.25e-07 * 1.13, rel=1e-3)


def test_a_new_process_has_the_prices_of_the_one_before(
    assembled: Assembled, world: World, store: Store, clock: FakeClock
) -> None:
    read_money(assembled(), store, clock)
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE))

    assert usd(assembled(), clock) == pytest.approx(6.25e-07 * 1.13, rel=1e-3)


def test_a_denied_list_is_a_gap_of_the_region(
    assembled: Assembled, world: World, store: Store, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetProducts"))
    read_money(assembled(), store, clock)

    (gap,) = store.gaps()
    assert (gap.subject.scope, gap.missing, gap.reason) == ((DEFAULT_ACCOUNT, REGION), "unit_prices", GapReason.DENIED)


def test_nobody_is_asked_where_the_package_is_enough(assembled: Assembled) -> None:
    parts = assembled(prices="packaged")

    assert not [source.id for source, _ in parts.sources if source.id.endswith("/billing")]


def test_mistakes_of_own_price_files_are_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("prices: [{sku: on_demand_wrote}]")

    with pytest.raises(ConfigError) as caught:
        price_shelf(Config(prices=Prices(files=(tmp_path / "own.yaml",))))

    assert any("did you mean 'on_demand_write'?" in one for one in caught.value.mistakes)


@pytest.mark.parametrize(
    ("store_url", "folder", "kept"),
    [
        ("sqlite:////data/one.db", None, Path("/data/one.db.prices")),
        ("sqlite:////data/one.db", Path("/prices"), Path("/prices")),
        ("postgresql+psycopg://host/db", None, None),
    ],
)
def test_prices_are_kept_beside_the_store_or_where_it_is_said(
    store_url: str, folder: Path | None, kept: Path | None
) -> None:
    shelf = price_shelf(Config(store=store_url, prices=Prices(folder=folder)))

    assert shelf.folder == kept


def test_every_account_has_its_own_source_of_money(clock: FakeClock) -> None:
    one, two = (Aws(regions=(REGION,), profile=name) for name in ("one", "two"))
    made = billing_sources(Config(aws=(one, two)), clock, PriceShelf(), tuple)

    assert [source.id for source, _ in made] == ["aws/one/billing", "aws/two/billing"]
    assert {every for _, every in made} == {timedelta(minutes=10)}
