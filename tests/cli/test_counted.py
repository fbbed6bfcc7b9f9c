"""What `stillfit check --aws --config` and `backfill` spend counts in the month that the daemon goes by."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stillfit.cli.aws import AwsLook, run_check_aws
from stillfit.cli.aws_terms import asked_so_far
from stillfit.cli.backfill import BackfillOptions, run_backfill
from stillfit.cli.fleet import Wanted
from stillfit.clock import FakeClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, World
from stillfit.store.store import Store
from tests.cli.cloud import REGION, put, put_table
from tests.demo.kit import aws_environment, environment

MONTH, ROW = "2026-11", f"aws/default/{REGION}"
KEY = f"arn:aws:kms:{REGION}:{DEFAULT_ACCOUNT}:key/0a0b0c0d"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    """A table that serves requests and is encrypted with a key of KMS."""
    world = World(now=lambda: clock.now().timestamp())
    world.kms.put_key(KEY, "AWS")
    put_table(world, "orders", SSEDescription={"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY})
    put(world, "ConsumedReadCapacityUnits", 5.0)
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield world


@pytest.fixture
def store(config: Path, clock: FakeClock) -> str:
    """Of a daemon; it has spent 1 USD of a budget of 4."""
    url = f"sqlite:///{config.parent}/stillfit.db"
    with closing(Store.open(url, clock=clock, ballast_bytes=4096)) as made:
        made.spending.add(MONTH, ROW, 1.0)
    config.write_text(f"{config.read_text()}aws: [{{regions: [{REGION}], services: [dynamodb], monthly_budget: 4}}]\n")
    return url


def spent(url: str, clock: FakeClock) -> float:
    with closing(Store.open(url, clock=clock, exclusive=False)) as kept:
        return kept.spending.spent(MONTH)[ROW] - 1.0


def billed(world: World) -> float:
    """By the service, with what it gives away so many times a month."""
    calls = world.bill.calls
    return world.bill.dollars + calls["cloudwatch:ListMetrics"] * 1e-5 + calls["kms:DescribeKey"] * 3e-6


def test_a_look_with_a_configuration_counts_in_its_month_and_says_so(
    world: World, store: str, config: Path, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    run_check_aws(AwsLook(whose=Wanted(config=config), yes=True), clock)

    assert world.bill.calls["kms:DescribeKey"] == 1
    assert spent(store, clock) == pytest.approx(billed(world), abs=1e-9)
    assert "2026-11 (UTC): 1.00 USD spent of a budget of 4.00 USD" in capsys.readouterr().err


def test_a_backfill_counts_in_it_too(world: World, store: str, config: Path, clock: FakeClock) -> None:
    run_backfill(BackfillOptions(config=config, days=2, yes=True), clock)

    assert world.bill.calls["kms:DescribeKey"] == 1
    assert spent(store, clock) == pytest.approx(billed(world), abs=1e-9)


@pytest.mark.parametrize(("budget", "said"), [("monthly_budget: 4", True), ("", False)])
def test_without_a_store_a_look_counts_nowhere_which_is_said_where_there_is_a_budget(
    budget: str, world: World, config: Path, clock: FakeClock, capsys: pytest.CaptureFixture[str], *, said: bool
) -> None:
    config.write_text(f"{config.read_text()}aws: [{{regions: [{REGION}], {budget}}}]\n")
    run_check_aws(AwsLook(whose=Wanted(config=config), yes=True), clock)

    assert world.bill.metrics > 0
    assert ("what this look spends does not count in the month of a budget" in capsys.readouterr().err) is said
    assert not (config.parent / "stillfit.db").exists()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (0, "3 calls for settings, free; 0 listings of metrics (the first million a month is free, else 0.00 USD)"),
        (1, "; 1 call to KMS (the first 20,000 a month are free, else 0.03 USD for 10,000)"),
    ],
)
def test_calls_to_kms_are_not_told_as_free(keys: int, told: str) -> None:
    assert asked_so_far({"dynamodb:ListTables": 3, "kms:DescribeKey": keys}).endswith(told)
