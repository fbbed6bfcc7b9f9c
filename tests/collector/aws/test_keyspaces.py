"""Keyspaces from the stand-in: inventory, settings and auto scaling."""

from datetime import timedelta

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.model import AttributeChange
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, REGION, SCOPE, cycle
from tests.collector.aws.services import (
    JOBS,
    PROVISIONED,
    SHOP,
    OpenService,
    put_jobs,
)

SCALED = {
    "ServiceNamespace": "cassandra",
    "ResourceId": "keyspace/shop/table/jobs",
    "ScalableDimension": "cassandra:table:ReadCapacityUnits",
}


@pytest.fixture
def keyspaces(served: OpenService) -> ServiceSource:
    return served(Keyspaces)


# Inventory and settings


def test_a_region_without_keyspaces_is_empty_and_free(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    got = cycle(keyspaces, clock)

    assert [(batch.subjects_seen, batch.inventory) for batch in got.batches] == [((), True)]
    assert (got.gaps, keyspaces.bill.usd, keyspaces.price.metrics) == ((), 0.0, 0)
    assert set(world.bill.calls) == {"sts:GetCallerIdentity", "cassandra:ListKeyspaces"}


def test_keyspaces_and_tables_are_the_inventory_and_the_services_own_are_not(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_jobs(world, "carts")
    inventory = cycle(keyspaces, clock).listed

    names = [one.name for one in inventory.subjects_seen]
    assert (names, inventory.inventory) == (["shop", "shop.carts", "shop.jobs"], True)
    assert keyspaces.id == f"aws/{DEFAULT_ACCOUNT}/{REGION}/keyspaces"
    assert keyspaces.scope.scope == SCOPE


def test_a_table_is_told_whole(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    columns = [{"name": name, "type": kind} for name, kind in (("day", "date"), ("at", "timeuuid"), ("body", "text"))]
    put_jobs(
        world,
        tags={"team": "shop"},
        capacitySpecification=PROVISIONED,
        warmThroughputSpecification={"readUnitsPerSecond": 12_000, "writeUnitsPerSecond": 4_000, "status": "AVAILABLE"},
        pointInTimeRecovery={"status": "ENABLED"},
        ttl={"status": "ENABLED"},
        defaultTimeToLive=3_600,
        clientSideTimestamps={"status": "ENABLED"},
        cdcSpecification={"status": "ENABLED", "viewType": "NEW_IMAGE"},
        encryptionSpecification={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyIdentifier": "arn:aws:kms:key"},
        replicaSpecifications=[{"region": REGION}, {"region": "us-east-1"}],
        schemaDefinition={
            "allColumns": columns,
            "partitionKeys": [{"name": "day"}],
            "clusteringKeys": [{"name": "at", "orderBy": "DESC"}],
            "staticColumns": [],
        },
    )

    assert cycle(keyspaces, clock).settings(JOBS) == {
        "keyspaces_status": "ACTIVE",
        "keyspaces_created": "2026-11-02T12:00:00+00:00",
        "keyspaces_capacity_mode": "PROVISIONED",
        "keyspaces_provisioned_read_units": 20.0,
        "keyspaces_provisioned_write_units": 5.0,
        "keyspaces_warm_read_units": 12_000.0,
        "keyspaces_warm_write_units": 4_000.0,
        "keyspaces_point_in_time_recovery": True,
        "keyspaces_ttl": True,
        "keyspaces_default_ttl_s": 3_600.0,
        "keyspaces_client_timestamps": True,
        "keyspaces_cdc": "NEW_IMAGE",
        "keyspaces_encryption": "CUSTOMER_MANAGED_KMS_KEY",
        "keyspaces_replica_regions": ("us-east-1",),
        "keyspaces_partition_key": ("day",),
        "keyspaces_clustering_key": ("at DESC",),
        "keyspaces_static_columns": (),
        "keyspaces_columns": ("at timeuuid", "body text", "day date"),
        "keyspaces_tags": ("team=shop",),
    }


def test_a_table_on_demand_tells_since_when(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    since = {"throughputMode": "PAY_PER_REQUEST", "lastUpdateToPayPerRequestTimestamp": NOON - 86_400}
    put_jobs(world, capacitySpecification=since)
    settings = cycle(keyspaces, clock).settings(JOBS)

    assert settings["keyspaces_on_demand_since"] == "2026-11-01T12:00:00+00:00"
    assert (settings["keyspaces_ttl"], settings["keyspaces_cdc"]) == (False, "")
    assert "keyspaces_provisioned_read_units" not in settings


def test_a_keyspace_tells_where_it_is(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    regions = {"replicationStrategy": "MULTI_REGION", "replicationRegions": ["us-east-1", REGION]}
    world.keyspaces.put_keyspace(*SCOPE, {"keyspaceName": "shop", **regions}, tags={"team": "shop"})

    assert cycle(keyspaces, clock).settings(SHOP) == {
        "keyspaces_replication": "MULTI_REGION",
        "keyspaces_regions": (REGION, "us-east-1"),
        "keyspaces_tags": ("team=shop",),
    }


def test_what_is_left_out_is_told_and_costs_nothing(world: World, served: OpenService, clock: FakeClock) -> None:
    put_jobs(world)
    source = served(Keyspaces, exclude=("shop.*",))
    got = cycle(source, clock)

    assert [one.name for one in got.listed.subjects_seen] == ["shop"]
    assert got.missing(JOBS) == {"*": "not asked"}
    assert source.bill.metrics == source.bill.listings == 0


@pytest.mark.parametrize(
    ("tags", "seen"), [({"team": "shop-eu"}, ["shop", "shop.jobs"]), ({"team": "office"}, ["shop"]), ({}, ["shop"])]
)
def test_tags_choose_tables(
    world: World, served: OpenService, clock: FakeClock, tags: dict[str, str], seen: list[str]
) -> None:
    put_jobs(world, tags=tags)
    got = cycle(served(Keyspaces, tags=(("team", "shop*"),)), clock)

    assert [one.name for one in got.listed.subjects_seen] == seen
    assert got.missing(JOBS) == ({} if len(seen) > 1 else {"*": "not asked"})


def test_where_tags_choose_a_table_of_unknown_tags_is_not_watched(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    put_jobs(world, tags={"team": "shop"})
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTagsForResource"))
    got = cycle(served(Keyspaces, tags=(("team", "shop"),)), clock)

    assert (got.listed.subjects_seen, got.missing(JOBS)) == ((SHOP,), {"*": "denied"})


def test_a_table_that_was_deleted_is_gone(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    cycle(keyspaces, clock)
    world.keyspaces.delete_table(*SCOPE, "shop", "jobs")

    assert cycle(keyspaces, clock).listed.subjects_seen == (SHOP,)


def test_tags_are_read_once_an_hour(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world, tags={"team": "shop"})
    cycle(keyspaces, clock)
    put_jobs(world, tags={"team": "office"})
    clock.advance(3_599)
    before = cycle(keyspaces, clock).settings(JOBS)["keyspaces_tags"]
    clock.advance(1)

    assert (before, cycle(keyspaces, clock).settings(JOBS)["keyspaces_tags"]) == (("team=shop",), ("team=office",))


# Auto scaling


def test_auto_scaling_is_told_of_provisioned_tables(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world, capacitySpecification=PROVISIONED)
    world.scaling.put_target(*SCOPE, {**SCALED, "MinCapacity": 5, "MaxCapacity": 50})
    aim = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
    world.scaling.put_policy(*SCOPE, {**SCALED, "PolicyName": "reads", **aim})
    settings = cycle(keyspaces, clock).settings(JOBS)

    told = {name: value for name, value in settings.items() if "autoscaling" in name}
    assert told == {
        "keyspaces_autoscaling_read_min": 5.0,
        "keyspaces_autoscaling_read_max": 50.0,
        "keyspaces_autoscaling_read_target": 70.0,
    }


def test_what_auto_scaling_did_is_a_dated_change(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world, capacitySpecification=PROVISIONED)
    did = {"Description": "Setting read capacity units to 40.", "Cause": "alarm", "StartTime": NOON - 60}
    world.scaling.put_activity(*SCOPE, {**SCALED, **did})
    at = clock.now() - timedelta(minutes=1)

    assert cycle(keyspaces, clock).changes == (
        AttributeChange(subject=JOBS, name="keyspaces_provisioned_read_units", before=None, after=40.0, at=at),
    )


def test_auto_scaling_is_not_asked_where_nothing_is_provisioned(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    cycle(keyspaces, clock)

    assert not [action for action in world.bill.calls if action.startswith("application-autoscaling")]
