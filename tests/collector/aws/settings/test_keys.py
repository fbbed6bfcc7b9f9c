"""Whose KMS key encrypts a table: what follows from its name, what KMS is asked, and how often."""

import pytest

from collector.aws.source import AwsSource
from collector.aws.wire.listing import DENIED_AGAIN_S, EVERY_S
from stillfit.clock import FakeClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import REGION, OpenSource, cycle, provisioned, put_table

PLAIN = f"arn:aws:kms:{REGION}:{DEFAULT_ACCOUNT}:key/0a0b0c0d"


def encrypt(world: World, key: str, *, table: str = "orders", status: str = "ENABLED") -> None:
    told = {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key}
    put_table(world, provisioned(table, SSEDescription=told))


def asked(world: World) -> int:
    return world.bill.calls["kms:DescribeKey"]


@pytest.mark.parametrize(("manager", "kind"), [("AWS", "AWS_MANAGED"), ("CUSTOMER", "CUSTOMER_MANAGED")])
def test_kms_tells_who_manages_a_key(
    manager: str, kind: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.kms.put_key(PLAIN, manager)  # type: ignore[arg-type]  # one of the two
    encrypt(world, PLAIN)

    assert cycle(source, clock).settings()["encryption_key"] == kind


@pytest.mark.parametrize(
    "key",
    [f"arn:aws:kms:{REGION}:222233334444:key/0a0b0c0d", f"arn:aws:kms:{REGION}:{DEFAULT_ACCOUNT}:key/mrk-0a0b"],
    ids=["of another account", "of several regions"],
)
def test_a_key_that_can_only_be_the_customers_is_not_asked_for(
    key: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    encrypt(world, key)

    assert (cycle(source, clock).settings()["encryption_key"], asked(world)) == ("CUSTOMER_MANAGED", 0)


@pytest.mark.parametrize("status", ["", "DISABLED"])
def test_a_table_with_a_key_of_dynamodbs_own_is_not_asked_for(
    status: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    if status:
        encrypt(world, PLAIN, status=status)
    got = cycle(source, clock)

    assert ("encryption_key" in got.settings(), got.missing(), asked(world)) == (False, {}, 0)


def test_a_key_is_asked_for_once_however_many_tables_it_encrypts(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.kms.put_key(PLAIN, "AWS")
    encrypt(world, PLAIN)
    cycle(source, clock)
    encrypt(world, PLAIN, table="carts")
    clock.advance(EVERY_S)
    cycle(source, clock)

    assert asked(world) == 1


def test_a_key_that_may_not_be_described_is_a_gap_and_soon_asked_again(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.kms.put_key(PLAIN, "AWS")
    encrypt(world, PLAIN)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeKey", count=1))
    first = cycle(source, clock)
    clock.advance(DENIED_AGAIN_S)

    assert first.missing() == {"encryption_key": "denied"}
    assert "grant kms:DescribeKey" in first.gaps[0].detail
    assert cycle(source, clock).settings()["encryption_key"] == "AWS_MANAGED"


def test_what_kms_bills_is_counted(world: World, opened: OpenSource, clock: FakeClock) -> None:
    world.kms.put_key(PLAIN, "AWS")
    encrypt(world, PLAIN)
    without = opened(include=("nothing",))
    cycle(without, clock)
    source = opened()
    cycle(source, clock)

    assert (without.bill.keys, source.bill.keys) == (0, 1)
    assert source.bill.of_kms.usd == pytest.approx(0.03 / 10_000)
    assert source.bill.usd == pytest.approx((source.bill.metrics + source.bill.listings) * 1e-5 + 3e-6)


@pytest.mark.parametrize(
    ("kind", "lost"), [(FaultKind.ACCESS_DENIED, 0), (FaultKind.THROTTLE, 0), (FaultKind.INTERNAL_ERROR, 1)]
)
def test_of_a_call_to_kms_that_failed_counts_what_may_have_been_billed(
    kind: FaultKind, lost: int, world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.kms.put_key(PLAIN, "AWS")
    encrypt(world, PLAIN)
    world.faults.add(Fault(kind=kind, operation="DescribeKey", count=1))
    cycle(source, clock)

    assert (source.bill.keys, source.bill.lost_keys) == (0, lost)


def test_a_key_that_is_gone_is_a_gap(world: World, source: AwsSource, clock: FakeClock) -> None:
    encrypt(world, PLAIN)

    assert cycle(source, clock).missing() == {"encryption_key": "no data"}
