"""`stillfit prices`: a price file that the price book reads, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillfit.cli.prices import PricesWanted, run_prices
from stillfit.clock import FakeClock
from stillfit.costs.pricefile import DYNAMODB_SKUS, read
from stillfit.prices import prices
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.cli.conftest import Stillfit


@pytest.mark.usefixtures("world")
def test_what_is_printed_is_a_price_file(stillfit: Stillfit, tmp_path: Path) -> None:
    told = stillfit("prices", "--region", "eu-west-1", "--region", "us-west-2")

    book = read(told.out, name="printed")
    assert (told.code, told.err) == (0, "")
    assert {one.sku for one in book.prices if one.region == "us-west-2"} >= DYNAMODB_SKUS
    (tmp_path / "own.yaml").write_text(told.out)
    assert prices(tmp_path / "own.yaml").at(FakeClock().now()).price("on_demand_write", "eu-west-1")


def test_files_need_no_credentials(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with AwsStandIn(World(now=lambda: FakeClock().now().timestamp())) as aws:
        wanted = PricesWanted(regions=("us-gov-west-1",), bulk=True, url=aws.url)
        code = run_prices(wanted, FakeClock())

    assert code == 0
    assert {one.region for one in read(capsys.readouterr().out, name="printed").prices} == {"us-gov-west-1"}


def test_a_refused_query_prints_nothing_and_says_why(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetProducts"))
    told = stillfit("prices", "--region", "us-east-1")

    assert (told.code, told.out) == (4, "")
    assert "grant pricing:GetProducts" in told.err


@pytest.mark.usefixtures("world")
def test_one_region_that_cannot_be_read_does_not_take_the_other(stillfit: Stillfit) -> None:
    told = stillfit("prices", "--region", "cn-northwest-1", "--region", "eu-west-1")

    assert told.code == 4
    assert "CNY" in told.err
    assert {one.region for one in read(told.out, name="printed").prices} == {"eu-west-1"}


@pytest.mark.usefixtures("world")
def test_a_region_must_be_named(stillfit: Stillfit) -> None:
    told = stillfit("prices")

    assert told.code == 2
    assert "give --region" in told.err
