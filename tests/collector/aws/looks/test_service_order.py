"""What comes first in a look at Keyspaces and DAX: what must not wait for a listing, as with DynamoDB."""

from datetime import timedelta

import pytest

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Batch, GapReason, Subject
from stillfit.standins.aws import Call, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, SCOPE, Brought, cycle
from tests.collector.aws.services import (
    FRONT,
    JOBS,
    NODE,
    SHOP,
    OpenService,
    put_cassandra,
    put_dax,
    put_front,
    put_jobs,
)

TICK = 300
Service = type[Keyspaces | Dax]
SERVICES: tuple[tuple[Service, str, Subject, str], ...] = (
    (Keyspaces, "ListKeyspaces", JOBS, "keyspaces_read_throttle_events"),
    (Dax, "DescribeClusters", FRONT, "dax_throttled_requests"),
)


@pytest.fixture(autouse=True)
def serving(world: World) -> None:
    """A table and a cluster that are warm."""
    put_jobs(world)
    put_front(world, nodes=1)
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 180, end=NOON + 7_200, Operation="SELECT")
    put_dax(world, "TotalRequestCount", [60] * 180, end=NOON + 7_200)


@pytest.fixture
def calls(world: World) -> list[Call]:
    """What the service is asked, in order."""
    found: list[Call] = []
    world.before_call.append(found.append)
    return found


def looked(source: ServiceSource, clock: FakeClock, looks: int = 1) -> Brought:
    """The last of so many looks; the next one is due then."""
    got = [cycle(source, clock, since_s=None)]
    for _ in range(looks - 1):
        clock.advance(TICK)
        got.append(cycle(source, clock))
    clock.advance(TICK)
    return got[-1]


def position(got: Brought, subject: Subject, metric: str) -> int:
    """Of the first batch with a metric."""
    told = [{(one.subject, one.metric) for one in batch.series} for batch in got.batches]
    return next(place for place, here in enumerate(told) if (subject, metric) in here)


@pytest.mark.parametrize("told", SERVICES, ids=["keyspaces", "dax"])
def test_what_is_known_has_its_tripwires_read_before_anything_is_listed(
    told: tuple[Service, str, Subject, str], served: OpenService, clock: FakeClock, calls: list[Call]
) -> None:
    service, listing, subject, wire = told
    source = served(service)
    looked(source, clock)
    calls.clear()
    got = cycle(source, clock)

    order = [call.operation for call in calls]
    assert order.index("GetMetricData") < min(order.index(listing), order.index("ListMetrics"))
    assert position(got, subject, wire) < got.batches.index(got.listed)


def test_what_hurts_is_told_whole_before_anything_is_listed(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    source = served(Keyspaces)
    looked(source, clock, looks=2)
    put_cassandra(world, "ReadThrottleEvents", [9] * 5, end=NOON + 2 * TICK, Operation="SELECT")
    for name in ("StoragePartitionThroughputCapacityExceeded", "ConsumedReadCapacityUnits"):
        put_cassandra(
            world, name, [9] * 5, end=NOON + 2 * TICK, **({"Operation": "SELECT"} if "Storage" in name else {})
        )
    got = cycle(source, clock)
    listed = got.batches.index(got.listed)

    for metric in (
        "keyspaces_read_throttle_events",
        "keyspaces_partition_throttle_events",
        "keyspaces_consumed_read_units",
    ):
        assert position(got, JOBS, metric) < listed


@pytest.mark.parametrize(
    ("service", "subject", "metric"),
    [(Keyspaces, JOBS, "keyspaces_consumed_read_units"), (Dax, NODE, "dax_cpu_percent")],
    ids=["keyspaces", "dax"],
)
def test_what_is_hot_is_read_whole_before_anything_is_listed(
    service: Service, subject: Subject, metric: str, served: OpenService, clock: FakeClock
) -> None:
    got = looked(served(service, hot=("*",)), clock, looks=2)

    assert position(got, subject, metric) < got.batches.index(got.listed)


@pytest.mark.parametrize("lost", [(), ("ReadThrottleEvents",)], ids=["well", "refused"])
def test_nothing_is_asked_twice_in_a_look(
    lost: tuple[str, ...], world: World, served: OpenService, clock: FakeClock, calls: list[Call]
) -> None:
    source = served(Keyspaces, hot=("*",))
    looked(source, clock)
    put_cassandra(world, "WriteThrottleEvents", [9] * 5, end=NOON + TICK, Operation="INSERT")
    put_cassandra(world, "ReadThrottleEvents", [9] * 5, end=NOON + TICK, Operation="SELECT")
    world.faults.add(*(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric=name) for name in lost))
    calls.clear()
    cycle(source, clock)
    asked = [str(one["MetricStat"]) for call in calls for one in call.parameters.get("MetricDataQueries", ())]

    assert asked
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("told", SERVICES, ids=["keyspaces", "dax"])
def test_where_a_listing_fails_tripwires_go_on_and_that_is_said_throughout(
    told: tuple[Service, str, Subject, str], world: World, served: OpenService, clock: FakeClock
) -> None:
    """Else it would be a gap that ends with each look's first batch and begins anew at its end."""
    service, listing, _, wire = told
    source = served(service)
    looked(source, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=listing))
    looks: list[list[Batch]] = [[], [], []]
    for batches in looks:
        with pytest.raises(SourceError):
            batches.extend(source.collect(clock.now() - timedelta(seconds=TICK), clock.now()))
        clock.advance(TICK)

    for batches in looks:
        assert any(one.metric == wire for batch in batches for one in batch.series)
    standing = [[(gap.subject, gap.missing, gap.reason) for gap in batch.gaps] for batch in (*looks[1], *looks[2])]
    assert standing == [[(source.scope, "*", GapReason.DENIED)]] * len(standing)


def test_where_listmetrics_fails_what_it_named_before_is_read_on(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    source = served(Keyspaces)
    looked(source, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListMetrics"))
    for _ in range(3):
        put_cassandra(world, "ReadThrottleEvents", [9], end=int(clock.now().timestamp()), Operation="SELECT")
        got = cycle(source, clock)
        clock.advance(TICK)
        (wire,) = got.all("keyspaces_read_throttle_events", JOBS)

        assert wire.values.any()
        assert got.missing(JOBS)["keyspaces_requests"] == "denied"


def test_a_table_that_went_meanwhile_leaves_no_gap_of_its_metrics(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    source = served(Keyspaces, hot=("*",))
    looked(source, clock)
    world.keyspaces.delete_table(*SCOPE, "shop", "jobs")
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadThrottleEvents"))
    got = cycle(source, clock)

    assert (got.missing(JOBS), got.listed.subjects_seen) == ({}, (SHOP,))


def test_a_node_that_went_meanwhile_leaves_no_gap_of_its_metrics(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    source = served(Dax, hot=("*",))
    looked(source, clock)
    put_front(world, nodes=0)
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="CPUUtilization"))
    got = cycle(source, clock)

    assert (got.missing(NODE), got.listed.subjects_seen) == ({}, (FRONT,))
