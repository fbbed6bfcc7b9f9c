"""What of a service has reported: how far back is listed, and what rare readings and long stops must not lose."""

from typing import Any

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.metrics.operations import LISTED_FOR_S, MARGIN_S
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import NOON, Brought, cycle
from tests.collector.aws.services import JOBS, OpenService, put_cassandra, put_jobs

HOUR = 3_600


@pytest.fixture
def keyspaces(world: World, served: OpenService) -> ServiceSource:
    put_jobs(world)
    return served(Keyspaces)


def requests(got: Brought) -> list[int]:
    """When SELECT was served."""
    return [at for one in got.all("keyspaces_requests", JOBS) if one.dimension for at in one.times.tolist()]


@pytest.mark.parametrize(("more_s", "recent"), [(-1, True), (0, True), (1, False)])
def test_what_is_listed_recently_is_enough_only_after_a_short_stop(
    world: World, keyspaces: ServiceSource, clock: FakeClock, more_s: int, *, recent: bool
) -> None:
    seen: list[bool] = []

    def note(call: Any) -> None:
        if call.operation == "ListMetrics":
            seen.append("RecentlyActive" in call.parameters)

    world.before_call.append(note)
    cycle(keyspaces, clock, since_s=LISTED_FOR_S - MARGIN_S + more_s)

    assert seen == [recent]


def test_what_was_refused_and_served_in_a_long_stop_is_read(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 3, end=NOON - 6 * HOUR, Operation="SELECT")
    put_cassandra(world, "ReadThrottleEvents", [9], end=NOON - 6 * HOUR, Operation="SELECT")
    got = cycle(keyspaces, clock, since_s=12 * HOUR)

    assert [count for one in got.all("keyspaces_read_throttle_events", JOBS) for count in one.values.tolist()] == [9]
    assert len(requests(got)) == 3


def test_what_did_not_happen_in_a_long_stop_is_known_not_to_have(keyspaces: ServiceSource, clock: FakeClock) -> None:
    refused = cycle(keyspaces, clock, since_s=12 * HOUR).one("keyspaces_read_throttle_events", JOBS)

    assert refused.covered[0] == (NOON - 15 * HOUR, NOON - 900)


def test_what_happened_while_listing_failed_is_read_when_it_works_again(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    cycle(keyspaces, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListMetrics", count=7))
    put_cassandra(world, "SuccessfulRequestLatency", [4] * 3, end=NOON + HOUR, Operation="SELECT")
    for _ in range(7):
        clock.advance(HOUR)
        cycle(keyspaces, clock)
    clock.advance(HOUR)

    assert requests(cycle(keyspaces, clock)) == [NOON + HOUR - 60 * n for n in (3, 2, 1)]


def test_rare_readings_lose_nothing_of_what_is_named_no_more(
    world: World, keyspaces: ServiceSource, clock: FakeClock
) -> None:
    keyspaces.budget.usd_a_month = 0.000_1
    put_cassandra(world, "SuccessfulRequestLatency", [4], Operation="SELECT")
    cycle(keyspaces, clock)
    put_cassandra(world, "SuccessfulRequestLatency", [4], end=NOON + 4 * HOUR, Operation="SELECT")
    later: list[int] = []
    for _ in range(30):
        clock.advance(HOUR)
        later += requests(cycle(keyspaces, clock))

    assert keyspaces.plan.rung > 0
    assert NOON + 4 * HOUR - 60 in later
