"""Tables and settings: what is there, what goes, what cannot be read, and what is left out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.aws.inventory import DENIED_AGAIN_S, DETAILS_EVERY_S
from collector.aws.source import AwsSource
from collector.aws.target import AwsTarget
from stillfit.attributes import ATTRIBUTES
from stillfit.clock import FakeClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, Fault, FaultKind, World
from tests.collector.aws.kit import (
    BY_STATUS,
    NOON,
    ORDERS,
    REGION,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
    put_table,
)


def test_settings_of_a_table_are_canonical(world: World, source: AwsSource, clock: FakeClock) -> None:
    keys = [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
    more: dict[str, Any] = {
        "KeySchema": keys,
        "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        "StreamSpecification": {"StreamEnabled": True},
        "DeletionProtectionEnabled": True,
        "Replicas": [{"RegionName": "us-east-1"}, {"RegionName": REGION}],
        "WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"},
    }
    put_table(world, provisioned(**more))

    assert cycle(source, clock).settings() == {
        "billing_mode": "PROVISIONED",
        "table_class": "STANDARD_INFREQUENT_ACCESS",
        "deletion_protection": True,
        "stream_enabled": True,
        "replica_regions": ("us-east-1",),
        "local_indexes": (),
        "status": "ACTIVE",
        "partition_key": "customer",
        "sort_key": "at",
        "provisioned_read_units": 10.0,
        "provisioned_write_units": 5.0,
        "warm_read_units": 12_000.0,
        "warm_write_units": 4_000.0,
        "created": "2026-11-02T12:00:00+00:00",
        "ttl_attribute": "",
        "point_in_time_recovery": False,
        "contributor_insights": "",
    }


def test_settings_of_an_index_are_its_own(source: AwsSource, clock: FakeClock) -> None:
    assert cycle(source, clock).settings(BY_STATUS) == {
        "status": "ACTIVE",
        "partition_key": "status",
        "sort_key": "at",
        "projection": "KEYS_ONLY",
        "provisioned_read_units": 10.0,
        "provisioned_write_units": 5.0,
    }


def test_every_setting_is_in_the_vocabulary(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, on_demand(OnDemandThroughput={"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": -1}))
    for attributes in cycle(source, clock).batches[0].attributes:
        for name, value in attributes.values:
            assert ATTRIBUTES[name].accepts(value)
            assert attributes.subject.level in ATTRIBUTES[name].levels


def test_on_demand_has_no_provisioned_zero_and_no_maximum_of_minus_one(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    zeros = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    most = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": -1}
    put_table(world, on_demand("orders", ProvisionedThroughput=zeros, OnDemandThroughput=most))
    settings = cycle(source, clock).settings()

    assert settings["on_demand_max_read_units"] == 100.0
    assert not {"provisioned_read_units", "on_demand_max_write_units"} & settings.keys()


def test_the_smaller_calls_are_read(world: World, source: AwsSource, clock: FakeClock) -> None:
    extras = Extras(
        time_to_live={"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"},
        continuous_backups={
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
        },
        contributor_insights={
            None: {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}
        },
    )
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(), extras)
    settings = cycle(source, clock).settings()

    assert settings["ttl_attribute"] == "expires"
    assert settings["point_in_time_recovery"] is True
    assert settings["contributor_insights"] == "THROTTLED_KEYS"


@pytest.mark.parametrize(("later_s", "calls"), [(DETAILS_EVERY_S - 1, 1), (DETAILS_EVERY_S, 2)])
def test_the_smaller_calls_are_made_hourly(
    later_s: int, calls: int, world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    clock.advance(later_s)
    cycle(source, clock)

    assert world.bill.calls["dynamodb:DescribeTimeToLive"] == calls


def test_a_refused_setting_is_a_gap_until_it_is_granted(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTimeToLive", until=NOON + 60))
    first = cycle(source, clock)
    clock.advance(DENIED_AGAIN_S)

    assert first.missing() == {"ttl_attribute": "denied"}
    assert "ttl_attribute" not in first.settings()
    assert cycle(source, clock).settings()["ttl_attribute"] == ""


def test_a_setting_that_is_merely_late_holds_all_of_them_back(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    """Told without it, the store would record that it was switched off."""
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="DescribeTimeToLive", count=1))
    assert cycle(source, clock).batches[0].attributes == ()

    assert cycle(source, clock).settings()["ttl_attribute"] == ""


def test_a_table_that_cannot_be_described_keeps_what_is_known(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    before = cycle(source, clock).settings()
    world.faults.add(Fault(kind=FaultKind.INTERNAL_ERROR, operation="DescribeTable"))
    got = cycle(source, clock)

    assert (got.settings(), got.batches[0].inventory) == (before, True)
    assert got.missing() == {"*": "unreachable"}


def test_an_inventory_with_an_unknown_table_is_not_whole(world: World, source: AwsSource, clock: FakeClock) -> None:
    """Its indexes are not known, so what is not named may still exist."""
    put_table(world, on_demand())
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTable", count=1))

    assert cycle(source, clock).batches[0].inventory is False


def test_a_deleted_table_leaves_the_inventory(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    first = cycle(source, clock).batches[0]

    assert (first.inventory, first.subjects_seen) == (True, ())


def test_a_dropped_index_leaves_the_inventory(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    put_table(world, provisioned(GlobalSecondaryIndexes=[]))

    assert cycle(source, clock).batches[0].subjects_seen == (ORDERS,)


def test_what_the_configuration_leaves_out_is_said_to_be_not_asked(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("tmp-1"))
    got = cycle(opened(exclude=("tmp-*",)), clock)
    (gap,) = got.gaps

    assert (gap.subject.table, gap.missing, gap.reason) == ("tmp-1", "*", "not asked")
    assert all(one.table == "orders" for one in got.batches[0].subjects_seen)


@pytest.mark.parametrize(
    ("include", "exclude", "watched"),
    [(("*",), (), True), (("ord*",), (), True), (("carts",), (), False), (("*",), ("order?",), False), ((), (), False)],
)
def test_exclude_wins_over_include(include: tuple[str, ...], exclude: tuple[str, ...], watched: bool) -> None:
    assert AwsTarget(region=REGION, include=include, exclude=exclude).watches("orders") is watched


def test_an_external_id_does_not_print() -> None:
    assert "s3cret" not in repr(AwsTarget(region=REGION, external_id="s3cret"))


def test_a_dated_switch_to_on_demand_is_a_change(world: World, source: AwsSource, clock: FakeClock) -> None:
    summary = {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": NOON - 600}
    put_table(world, on_demand("orders", BillingModeSummary=summary, CreationDateTime=NOON - 86_400))
    (change,) = cycle(source, clock).changes

    assert (change.name, change.before, change.after) == ("billing_mode", "PROVISIONED", "PAY_PER_REQUEST")
    assert change.at == datetime.fromtimestamp(NOON - 600, UTC)


def test_a_table_born_on_demand_has_not_switched(world: World, source: AwsSource, clock: FakeClock) -> None:
    summary = {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": NOON - 590}
    put_table(world, on_demand("orders", BillingModeSummary=summary, CreationDateTime=NOON - 600))

    assert cycle(source, clock).changes == ()


def test_more_tables_than_a_page_are_all_found(world: World, source: AwsSource, clock: FakeClock) -> None:
    for number in range(230):
        put_table(world, on_demand(f"table-{number:03}"))

    assert len({one.table for one in cycle(source, clock).batches[0].subjects_seen}) == 231
