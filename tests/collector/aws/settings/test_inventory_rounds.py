"""Calls that each table needs of its own: how many a look, who is next, and how fast."""

from collections import Counter
from itertools import count

import pytest

from collector.aws.settings.rounds import CALLS_A_LOOK
from collector.aws.source import AwsSource
from collector.aws.wire.listing import EVERY_S
from collector.aws.wire.pool import Pool
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import Call, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, cycle, on_demand, put_table

TTL = "DescribeTimeToLive"


def fill(world: World, tables: int) -> None:
    """As many tables as are wanted, orders included."""
    for number in range(tables - 1):
        put_table(world, on_demand(f"table-{number:04}"))


def test_a_look_asks_so_many_tables_and_says_which_wait(world: World, source: AwsSource, clock: FakeClock) -> None:
    fill(world, CALLS_A_LOOK + 1)
    first, second = cycle(source, clock), cycle(source, clock)
    waits = [{gap.subject.table for gap in got.listed.gaps if gap.missing == "ttl_status"} for got in (first, second)]

    assert waits == [{f"table-{CALLS_A_LOOK - 1:04}"}, set()]
    assert world.bill.calls[f"dynamodb:{TTL}"] == CALLS_A_LOOK + 1


@pytest.mark.parametrize("status", ["CREATING", "DELETING"])
def test_a_table_that_comes_or_goes_is_not_asked_what_it_does_not_know(
    world: World, source: AwsSource, clock: FakeClock, status: str
) -> None:
    put_table(world, on_demand("restored", TableStatus=status))
    listed = cycle(source, clock).listed
    refused = world.bill.refused.total()
    put_table(world, on_demand("restored"))

    (gap,) = [gap for gap in listed.gaps if (gap.subject.table, gap.missing) == ("restored", "ttl_status")]
    assert (gap.reason, refused) == (GapReason.NOT_ASKED, 0)
    assert "is being made or deleted" in gap.detail
    assert not [gap for gap in cycle(source, clock).listed.gaps if gap.missing == "ttl_status"]


def test_those_that_wait_longest_are_asked_first(world: World, source: AwsSource, clock: FakeClock) -> None:
    fill(world, 2 * CALLS_A_LOOK)
    asked: Counter[str] = Counter()
    world.before_call.append(lambda call: asked.update(_table(call)))
    for _ in range(4):
        cycle(source, clock)
        clock.advance(EVERY_S)

    assert set(asked.values()) == {2}


def test_where_not_all_can_be_described_each_table_has_its_turn(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    """As where the service is so slow that a look gives up: those that come then must not be the same each time."""
    fill(world, 9)
    source._inventory._pool = Pool(1, "in turn")
    denied = Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTable")
    calls = count(1)

    def deny_after_the_third(call: Call) -> None:
        if call.operation == "DescribeTable" and next(calls) == 3:
            world.faults.add(denied)

    world.before_call.append(deny_after_the_third)
    for known in (3, 6, 9):
        cycle(source, clock)
        assert len(source._inventory.known) == known
        world.faults.clear()
        calls = count(1)
        clock.advance(300)


def test_a_documented_limit_is_kept(world: World, source: AwsSource, clock: FakeClock) -> None:
    """DescribeContinuousBackups may be called ten times a second (API reference), ListBackups five times.

    The burst is more than the service grants: threads that share a fake clock sleep through each other's turns.
    """
    fill(world, 200)
    world.quotas.limit("DescribeContinuousBackups", per_second=10, burst=40)
    world.quotas.limit("ListBackups", per_second=5)
    got = cycle(source, clock)

    assert {gap.missing for gap in got.listed.gaps} == set()
    assert clock.now().timestamp() - NOON < 60


def test_what_is_limited_on_each_connection_is_asked_on_a_new_one(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    """As the service limits it: four calls, and then one in two seconds, for as long as a connection is kept."""
    fill(world, 200)
    world.quotas.limit(TTL, per_second=0.5, burst=4, of_a_connection=True)
    got = cycle(source, clock)

    assert {gap.missing for gap in got.listed.gaps} == set()
    assert world.bill.refused[f"dynamodb:{TTL}"] == 0


def test_what_is_throttled_of_one_kind_slows_no_other(world: World, source: AwsSource) -> None:
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation=TTL))
    connection = source._inventory._connection
    with pytest.raises(SourceError, match="was throttled"):
        connection.call("dynamodb", TTL, "orders", expect="TimeToLiveDescription", TableName="orders")

    assert (connection._paces["dynamodb"].pace, connection._paces[f"dynamodb:{TTL}"].pace) == (1.0, 0.5)


def test_one_table_that_is_refused_costs_no_other(world: World, source: AwsSource, clock: FakeClock) -> None:
    fill(world, 3)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=TTL, count=1))
    got = cycle(source, clock)
    denied = {gap.subject.table for gap in got.listed.gaps if gap.missing == "ttl_status"}
    known = {one.subject.table for one in got.listed.attributes if one.get("ttl_status") is not None}

    assert (len(denied), len(known)) == (1, 2)
    assert not denied & known


def _table(call: Call) -> list[str]:
    return [call.parameters["TableName"]] if call.operation == TTL else []
