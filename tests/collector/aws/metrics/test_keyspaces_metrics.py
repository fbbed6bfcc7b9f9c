"""Metrics of Keyspaces from the stand-in: what is asked, how often, what is spared, and what is not known."""

from typing import Any

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from collector.aws.spending.plan import Tier
from stillfit.clock import FakeClock
from stillfit.model import Statistic
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import KNOWN_TO, NOON, REGION, SCOPE, cycle
from tests.collector.aws.services import JOBS, PROVISIONED, OpenService, put_cassandra, put_jobs, put_of_account


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

    assert (share.tables, share.wires, share.causes, source.price.more) == (1, 1, more, 2)


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
    from collector.aws.dax import Dax
    from collector.aws.wire.access import Access
    from collector.aws.wire.target import AwsTarget

    access = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock)
    both = [ServiceSource(access, service(access)) for service in (Keyspaces, Dax)]
    access.limiter.complained()

    assert [one.pace for one in both] == [0.5, 0.5]
    assert world.bill.calls["sts:GetCallerIdentity"] == 1
    for one in both:
        one.close()
