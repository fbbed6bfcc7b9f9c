"""Tables and settings: what is there, what goes, what cannot be read, and what is left out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.aws.source import AwsSource
from collector.aws.wire.listing import DENIED_AGAIN_S, EVERY_S
from collector.aws.wire.target import AwsTarget
from stillfit.attributes import ATTRIBUTES
from stillfit.clock import FakeClock
from stillfit.model import Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, Fault, FaultKind, World
from tests.collector.aws.kit import (
    BY_STATUS,
    NOON,
    ORDERS,
    REGION,
    Brought,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
    put_table,
)


def tables(got: Brought) -> set[str]:
    return {one.table for one in got.listed.subjects_seen}


def unread(got: Brought) -> dict[str, str]:
    """What the inventory misses of the table orders, and why."""
    return {gap.missing: gap.reason.value for gap in got.listed.gaps if gap.subject == ORDERS}


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

    settings = cycle(source, clock).settings()

    assert settings.pop("table_id")
    assert settings == {
        "billing_mode": "PROVISIONED",
        "table_class": "STANDARD_INFREQUENT_ACCESS",
        "deletion_protection": True,
        "stream_enabled": True,
        "replica_regions": ("us-east-1",),
        "replica_statuses": ("us-east-1=unknown",),
        "local_indexes": (),
        "status": "ACTIVE",
        "partition_key": "customer",
        "sort_key": "at",
        "provisioned_read_units": 10.0,
        "provisioned_write_units": 5.0,
        "warm_read_units": 12_000.0,
        "warm_write_units": 4_000.0,
        "warm_status": "ACTIVE",
        "created": "2026-11-02T12:00:00+00:00",
        "encryption": "AWS_OWNED",
        "ttl_attribute": "",
        "ttl_status": "DISABLED",
        "point_in_time_recovery": False,
        "kinesis_destinations": (),
        "contributor_insights": "",
        "contributor_insights_status": "DISABLED",
        "tags": (),
        "backups": 0.0,
        "backups_bytes": 0.0,
        "exports": 0.0,
        "exports_billed_bytes": 0.0,
    }


def test_settings_of_an_index_are_its_own(source: AwsSource, clock: FakeClock) -> None:
    assert cycle(source, clock).settings(BY_STATUS) == {
        "status": "ACTIVE",
        "partition_key": "status",
        "sort_key": "at",
        "projection": "KEYS_ONLY",
        "backfilling": False,
        "provisioned_read_units": 10.0,
        "provisioned_write_units": 5.0,
        "contributor_insights": "",
        "contributor_insights_status": "DISABLED",
    }


def test_every_setting_is_in_the_vocabulary(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, on_demand(OnDemandThroughput={"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": -1}))
    for attributes in cycle(source, clock).listed.attributes:
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


HOURLY = (
    *("dynamodb:DescribeTimeToLive", "dynamodb:DescribeContinuousBackups", "dynamodb:ListBackups"),
    *("dynamodb:DescribeKinesisStreamingDestination", "dynamodb:ListContributorInsights", "dynamodb:ListExports"),
    "tag:GetResources",
)


@pytest.mark.parametrize(("later_s", "calls"), [(EVERY_S - 1, 1), (EVERY_S, 2)])
def test_what_hardly_ever_changes_is_read_hourly(
    later_s: int, calls: int, world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    clock.advance(later_s)
    cycle(source, clock)

    assert {action: world.bill.calls[action] for action in HOURLY} == dict.fromkeys(HOURLY, calls)


def test_a_refused_setting_is_a_gap_until_it_is_granted(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTimeToLive", until=NOON + 60))
    first = cycle(source, clock)
    clock.advance(DENIED_AGAIN_S)

    assert first.missing() == {"ttl_attribute": "denied", "ttl_status": "denied"}
    assert "ttl_attribute" not in first.settings()
    assert cycle(source, clock).settings()["ttl_attribute"] == ""


def test_a_setting_that_is_merely_late_is_a_gap_and_holds_no_other_back(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="DescribeTimeToLive", count=1))
    first = cycle(source, clock)

    assert first.missing() == {"ttl_attribute": "throttled", "ttl_status": "throttled"}
    assert first.settings()["point_in_time_recovery"] is False
    assert cycle(source, clock).settings()["ttl_attribute"] == ""


def test_a_setting_that_is_late_later_keeps_its_last_value(world: World, source: AwsSource, clock: FakeClock) -> None:
    before = cycle(source, clock).settings()
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="DescribeTimeToLive"))
    clock.advance(EVERY_S)
    got = cycle(source, clock)

    assert (got.settings(), got.missing()["ttl_status"]) == (before, "throttled")


def test_a_table_that_cannot_be_described_keeps_what_is_known(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    before = cycle(source, clock).settings()
    world.faults.add(Fault(kind=FaultKind.INTERNAL_ERROR, operation="DescribeTable"))
    got = cycle(source, clock)

    assert (got.settings(), got.listed.inventory) == (before, True)
    assert unread(got) == {"*": "unreachable"}


def test_a_table_that_is_listed_and_denied_is_there_undescribed(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTable"))
    got = cycle(source, clock)

    assert (got.listed.inventory, got.listed.subjects_seen, got.listed.undescribed) == (True, (), (ORDERS,))
    assert [(gap.subject, gap.reason) for gap in got.gaps] == [(ORDERS, "denied")]


def test_a_deleted_table_leaves_the_inventory_when_two_looks_say_so(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put_table(world, on_demand())
    cycle(source, clock)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    once, twice = cycle(source, clock), cycle(source, clock)

    assert (unread(once), tables(once), once.listed.inventory) == ({"*": "no data"}, {"orders", "carts"}, True)
    assert (unread(twice), tables(twice), twice.listed.inventory) == ({}, {"carts"}, True)


def test_a_table_that_is_only_not_listed_still_exists(world: World, source: AwsSource, clock: FakeClock) -> None:
    """An empty page that ends the list says nothing of a table that can be described."""
    cycle(source, clock)
    world.dynamodb.names = lambda *_: []  # type: ignore[method-assign]

    for _ in range(3):
        got = cycle(source, clock)
        assert (got.listed.subjects_seen, unread(got)) == ((ORDERS, BY_STATUS), {})


def test_two_absences_count_only_in_a_row(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="DescribeTable", count=1))
    cycle(source, clock)

    assert ORDERS in cycle(source, clock).listed.subjects_seen
    assert ORDERS not in cycle(source, clock).listed.subjects_seen


def test_an_account_without_tables_is_believed_at_the_second_look(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    """After a start nothing is known of what was there before: a list that is empty by mistake would end it all."""
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    source = opened()

    assert [cycle(source, clock).listed.inventory for _ in range(3)] == [False, True, True]


def test_a_table_that_is_created_anew_is_another_one(world: World, source: AwsSource, clock: FakeClock) -> None:
    before = cycle(source, clock).settings()
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    clock.advance(60)
    put_table(world, provisioned(TableId="11111111-1111-1111-1111-111111111111"))
    after = cycle(source, clock).settings()

    assert before["table_id"] != after["table_id"]
    assert after["created"] == "2026-11-02T12:01:00+00:00"


def test_a_renamed_table_is_one_gone_and_one_new(world: World, source: AwsSource, clock: FakeClock) -> None:
    """DynamoDB knows no renaming: it is a table deleted and another created."""
    cycle(source, clock)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    put_table(world, provisioned("orders-2"))
    seen = [tables(cycle(source, clock)) for _ in range(2)]

    assert seen == [{"orders", "orders-2"}, {"orders-2"}]


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING", "ARCHIVED"])
def test_what_a_table_is_going_through_is_a_setting(
    status: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    put_table(world, provisioned(TableStatus=status))

    assert cycle(source, clock).settings()["status"] == status


def test_an_index_that_is_being_filled_says_so(world: World, source: AwsSource, clock: FakeClock) -> None:
    table = provisioned()
    table["GlobalSecondaryIndexes"][0] |= {"IndexStatus": "CREATING", "Backfilling": True}
    put_table(world, table)
    settings = cycle(source, clock).settings(BY_STATUS)

    assert (settings["status"], settings["backfilling"]) == ("CREATING", True)


HOSTILE = ("...", "---", "_._", "a" * 255, "table", "-rf", ".hidden", "0.0", "None", "index.by-status", "CON.AUX")


@pytest.mark.parametrize("name", HOSTILE, ids=[name[:20] for name in HOSTILE])
def test_any_name_that_is_allowed_is_read(name: str, world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, provisioned(name, TableId="11111111-1111-1111-1111-111111111111"))
    world.scaling.put_target(
        DEFAULT_ACCOUNT,
        REGION,
        {
            "ResourceId": f"table/{name}",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "MinCapacity": 1,
            "MaxCapacity": 2,
        },
    )
    table = replace(ORDERS, table=name)
    got = cycle(source, clock)

    assert (got.settings(table)["autoscaling_read_max"], got.missing(table)) == (2.0, {})
    assert Subject.parse(str(table)) == table


def test_a_dropped_index_leaves_the_inventory(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    put_table(world, provisioned(GlobalSecondaryIndexes=[]))

    assert cycle(source, clock).listed.subjects_seen == (ORDERS,)


def test_what_the_configuration_leaves_out_is_said_to_be_not_asked(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("tmp-1"))
    got = cycle(opened(exclude=("tmp-*",)), clock)
    (gap,) = got.gaps

    assert (gap.subject.table, gap.missing, gap.reason) == ("tmp-1", "*", "not asked")
    assert all(one.table == "orders" for one in got.listed.subjects_seen)


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

    assert len({one.table for one in cycle(source, clock).listed.subjects_seen}) == 231
