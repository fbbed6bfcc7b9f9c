"""Keyspaces from the stand-in: inventory, settings, auto scaling, metrics, what is spared, and what is not known."""

from datetime import timedelta
from typing import Any

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.plan import Tier
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.model import AttributeChange, Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import KNOWN_TO, NOON, REGION, SCOPE, cycle
from tests.collector.aws.services import (
    JOBS,
    PROVISIONED,
    SHOP,
    OpenService,
    put_cassandra,
    put_jobs,
    put_of_account,
)

SCALED = {
    "ServiceNamespace": "cassandra",
    "ResourceId": "keyspace/shop/table/jobs",
    "ScalableDimension": "cassandra:table:ReadCapacityUnits",
}


@pytest.fixture
def keyspaces(served: OpenService) -> ServiceSource:
    return served(Keyspaces)


def asked(world: World) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every metric that GetMetricData is asked for from now on: name and dimensions."""
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    def note(call: Any) -> None:
        for query in call.parameters.get("MetricDataQueries", ()):
            metric = query["MetricStat"]["Metric"]
            dimensions = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
            found.append((metric["MetricName"], dimensions))

    world.before_call.append(note)
    return found


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
    inventory = cycle(keyspaces, clock).batches[0]

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

    assert [one.name for one in got.batches[0].subjects_seen] == ["shop"]
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

    assert [one.name for one in got.batches[0].subjects_seen] == seen
    assert got.missing(JOBS) == ({} if len(seen) > 1 else {"*": "not asked"})


def test_where_tags_choose_a_table_of_unknown_tags_is_not_watched(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    put_jobs(world, tags={"team": "shop"})
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTagsForResource"))
    got = cycle(served(Keyspaces, tags=(("team", "shop"),)), clock)

    assert (got.batches[0].subjects_seen, got.missing(JOBS)) == ((SHOP,), {"*": "denied"})


def test_a_table_that_was_deleted_is_gone(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    cycle(keyspaces, clock)
    world.keyspaces.delete_table(*SCOPE, "shop", "jobs")

    assert cycle(keyspaces, clock).batches[0].subjects_seen == (SHOP,)


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


# Metrics


def test_what_a_table_does_is_read_by_the_minute(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    put_cassandra(world, "ConsumedReadCapacityUnits", [5, 6, 7])
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    put_cassandra(world, "UserErrors", [1], end=NOON - 1_800, Operation="SELECT")
    put_of_account(world, "AccountMaxTableLevelReads", [40_000] * 10)
    got = cycle(keyspaces, clock)

    assert got.one("keyspaces_consumed_read_units", JOBS).values.tolist() == [5, 6, 7]
    latency = got.one("keyspaces_request_latency_ms", JOBS, Statistic.P99)
    assert (latency.values.tolist(), latency.dimension) == ([4] * 60, "SELECT")
    assert got.one("keyspaces_requests", JOBS).values.tolist() == [1] * 60
    assert got.one("keyspaces_user_errors", JOBS).values.tolist() == [1]
    most = got.one("keyspaces_account_max_table_read_units", keyspaces.scope, Statistic.MAXIMUM)
    assert set(most.values.tolist()) == {40_000}


def test_the_size_is_read_by_the_hour_and_once_an_hour(world: World, served: OpenService, clock: FakeClock) -> None:
    put_jobs(world)
    put_cassandra(world, "BillableTableSizeInBytes", [1_000] * 180)
    keyspaces = served(Keyspaces, hot=("*",))
    first = cycle(keyspaces, clock).one("keyspaces_size_bytes", JOBS, Statistic.AVERAGE)
    seen = asked(world)
    for _ in range(11):
        clock.advance(300)
        cycle(keyspaces, clock)
    within_the_hour = [name for name, _ in seen if name == "BillableTableSizeInBytes"]
    clock.advance(300)
    cycle(keyspaces, clock)

    assert (first.period_s, first.values.tolist()) == (3_600, [1_000, 1_000, 1_000])
    assert within_the_hour == []
    assert [name for name, _ in seen].count("BillableTableSizeInBytes") == 2  # average and maximum, billed as one


def test_replication_is_asked_by_receiving_region(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world, replicaSpecifications=[{"region": REGION}, {"region": "us-east-1"}])
    put_cassandra(world, "ReplicationLatency", [800], ReceivingRegion="us-east-1")
    lag = cycle(keyspaces, clock).one("keyspaces_replication_latency_ms", JOBS, Statistic.MAXIMUM)

    assert (lag.dimension, lag.values.tolist()) == ("us-east-1", [800])


@pytest.mark.parametrize(("capacity", "wanted"), [(PROVISIONED, True), ({"throughputMode": "PAY_PER_REQUEST"}, False)])
def test_provisioned_capacity_is_asked_only_where_there_is_some(
    world: World, keyspaces: ServiceSource, clock: FakeClock, capacity: dict[str, Any], *, wanted: bool
) -> None:
    put_jobs(world, capacitySpecification=capacity)
    seen = asked(world)
    cycle(keyspaces, clock)
    names = {name for name, _ in seen}

    assert ("ProvisionedReadCapacityUnits" in names) is wanted
    assert ("AccountProvisionedWriteCapacityUtilization" in names) is wanted


def test_what_is_counted_by_operation_is_asked_with_all_dimensions(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="INSERT")
    seen = asked(world)
    cycle(keyspaces, clock)

    here = (("Keyspace", "shop"), ("TableName", "jobs"), ("Operation", "INSERT"))
    assert ("WriteThrottleEvents", here) in seen
    assert ("SuccessfulRequestLatency", here) in seen
    assert ("ConsumedReadCapacityUnits", here[:2]) in seen
    assert ("AccountMaxTableLevelWrites", ()) in seen


# What is spared, and what that means


def test_a_quiet_table_costs_what_stands(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    cycle(keyspaces, clock, since_s=3_600)

    assert keyspaces.bill.metrics == 2 + 1 + 2  # consumed, size, what the account may
    assert world.bill.metrics == keyspaces.bill.metrics
    assert keyspaces.bill.listings == 1
    assert keyspaces.price.metrics == keyspaces.bill.metrics


def test_counters_that_are_not_listed_are_known_to_be_empty_until_a_quarter_of_an_hour_ago(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    got = cycle(keyspaces, clock)
    quiet = (
        "keyspaces_requests",
        "keyspaces_read_throttle_events",
        "keyspaces_partition_throttle_events",
        "keyspaces_connection_throttle_events",
        "keyspaces_system_errors",
        "keyspaces_ttl_delete_units",
        "keyspaces_conditional_check_failures",
    )

    for name in quiet:
        one = got.all(name, JOBS)[0]
        assert (len(one.times), one.covered[0].end) == (0, NOON - 900)
    assert got.all("keyspaces_request_latency_ms", JOBS, Statistic.P99) == []
    assert got.one("keyspaces_consumed_read_units", JOBS).times.tolist() == []  # asked, and nothing is published


def test_what_a_table_serves_is_watched_for_refusals_in_every_look(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    refused = cycle(keyspaces, clock).one("keyspaces_read_throttle_events", JOBS)

    assert (refused.dimension, refused.times.tolist(), refused.covered[0].end) == ("SELECT", [], KNOWN_TO)


def test_a_quiet_tripwire_spares_its_causes(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    seen = asked(world)
    got = cycle(keyspaces, clock)

    cause = got.one("keyspaces_partition_throttle_events", JOBS)
    assert (cause.dimension, cause.times.tolist(), cause.covered[0].end) == ("SELECT", [], KNOWN_TO)
    assert "StoragePartitionThroughputCapacityExceeded" not in {name for name, _ in seen}
    assert keyspaces.price.more == 2


def test_refused_requests_lead_to_their_cause_in_the_same_look(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    put_cassandra(world, "ReadThrottleEvents", [9], Operation="SELECT")
    put_cassandra(world, "StoragePartitionThroughputCapacityExceeded", [9], Operation="SELECT")
    got = cycle(keyspaces, clock)

    assert got.one("keyspaces_read_throttle_events", JOBS).values.tolist() == [9]
    assert got.one("keyspaces_partition_throttle_events", JOBS).values.tolist() == [9]
    assert got.one("keyspaces_connection_throttle_events", JOBS).values.tolist() == []
    assert world.bill.metrics == keyspaces.bill.metrics == keyspaces.price.metrics + keyspaces.price.more


def test_a_tripwire_that_cannot_be_read_leaves_its_causes_not_asked(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadThrottleEvents"))

    assert cycle(keyspaces, clock).missing(JOBS) == {
        "keyspaces_read_throttle_events": "denied",
        "keyspaces_partition_throttle_events": "not asked",
        "keyspaces_connection_throttle_events": "not asked",
    }


def test_a_cause_that_fails_is_read_again_with_its_tripwire(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    put_cassandra(world, "ReadThrottleEvents", [9], Operation="SELECT")
    put_cassandra(world, "StoragePartitionThroughputCapacityExceeded", [9], Operation="SELECT")
    cause = "StoragePartitionThroughputCapacityExceeded"
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric=cause, count=1))
    first = cycle(keyspaces, clock)
    clock.advance(1_800)

    assert first.missing(JOBS) == {"keyspaces_partition_throttle_events": "denied"}
    assert cycle(keyspaces, clock).one("keyspaces_partition_throttle_events", JOBS).values.tolist() == [9]


def test_cycles_overlap_and_read_no_more(world: World, served: OpenService, clock: FakeClock) -> None:
    put_jobs(world)
    source = served(Keyspaces, hot=("shop.*",))
    cycle(source, clock)
    clock.advance(300)

    assert cycle(source, clock).one("keyspaces_consumed_read_units", JOBS).covered[0] == (NOON - 900, KNOWN_TO + 300)


@pytest.mark.parametrize(
    ("tier", "readings"), [((("*",), "SELECT"), 12), (((), "SELECT"), 1), (((), ""), 0)], ids=["hot", "warm", "cold"]
)
def test_what_is_quiet_is_read_rarely(
    world: World, served: OpenService, clock: FakeClock, tier: tuple[tuple[str, ...], str], readings: int
) -> None:
    hot, operation = tier
    put_jobs(world)
    if operation:
        put_cassandra(world, "SuccessfulRequestLatency", [4] * 180, end=NOON + 3_600, Operation=operation)
    source = served(Keyspaces, hot=hot)
    cycle(source, clock)
    seen = asked(world)
    for _ in range(12):
        clock.advance(300)
        cycle(source, clock)
    consumed = [name for name, _ in seen].count("ConsumedReadCapacityUnits") // 3  # three statistics, billed as one

    assert consumed in {readings, readings + 1}  # each table has a beat of its own within its cadence
    assert [name for name, _ in seen].count("ReadThrottleEvents") == (12 if operation else 0)


def test_a_refusal_makes_a_table_hot_in_the_same_look(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 120, end=NOON + 3_600, Operation="SELECT")
    cycle(keyspaces, clock)
    for _ in range(3):
        clock.advance(300)
        cycle(keyspaces, clock)
    put_cassandra(world, "ReadThrottleEvents", [9], end=NOON + 1_200, Operation="SELECT")
    put_cassandra(world, "ConsumedReadCapacityUnits", [50], end=NOON + 1_200)
    clock.advance(300)

    assert cycle(keyspaces, clock).one("keyspaces_consumed_read_units", JOBS).values.tolist() == [50]


@pytest.mark.parametrize(("hot", "more"), [(("shop.*",), 2), ((), 0)], ids=["hot", "warm"])
def test_the_projected_load_of_a_hot_table_holds_what_its_tripwires_lead_to(
    world: World, served: OpenService, clock: FakeClock, hot: tuple[str, ...], more: int
) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 60, Operation="SELECT")
    source = served(Keyspaces, hot=hot)
    cycle(source, clock)
    share = source.plan.load.of(Tier.HOT if hot else Tier.WARM)

    assert (share.tables, share.wires, source.price.more) == (1, 1 + more, 2)


def test_what_is_no_longer_there_takes_nothing_of_the_budget(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_jobs(world)
    cycle(keyspaces, clock)
    before = keyspaces.plan.usd_a_month
    world.keyspaces.delete_table(*SCOPE, "shop", "jobs")
    cycle(keyspaces, clock)

    assert (before > 0.0, keyspaces.plan.usd_a_month) == (True, 0.0)


def test_a_first_look_goes_two_weeks_back(world: World, keyspaces: ServiceSource, clock: FakeClock) -> None:
    put_jobs(world)
    consumed = cycle(keyspaces, clock, since_s=None).all("keyspaces_consumed_read_units", JOBS)

    assert [one.period_s for one in consumed] == [300, 60]
    assert (consumed[0].covered[0].start, consumed[-1].covered[0].end) == (NOON - 14 * 86_400, KNOWN_TO)


def test_sources_of_one_account_and_region_share_its_quota(aws: Any, clock: FakeClock, world: World) -> None:
    from collector.aws.access import Access
    from collector.aws.dax import Dax
    from collector.aws.target import AwsTarget

    access = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock)
    both = [ServiceSource(access, service(access)) for service in (Keyspaces, Dax)]
    access.limiter.complained()

    assert [one.pace for one in both] == [0.5, 0.5]
    assert world.bill.calls["sts:GetCallerIdentity"] == 1
    for one in both:
        one.close()
