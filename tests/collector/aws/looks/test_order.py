"""What comes first in a look: what must not wait for a list of thousands of tables."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from collector.aws.metrics.planner import HOUR
from collector.aws.source import AwsSource
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Batch, GapReason, Series, Span, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Call, Fault, FaultKind, World
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
    put,
    put_table,
)

TICK = 300
WIRES = {"ReadThrottleEvents", "WriteThrottleEvents"}
CARTS = replace(ORDERS, table="carts")
OF_ORDERS = ("TableName=orders",)
OF_INDEX = ("GlobalSecondaryIndexName=by-status", "TableName=orders")


class Heard:
    """What the service was asked, in order."""

    def __init__(self, world: World) -> None:
        self.calls: list[str] = []
        self.metrics: list[tuple[str, tuple[str, ...]]] = []
        world.before_call.append(self._hear)

    def _hear(self, call: Call) -> None:
        self.calls.append(call.operation)
        if call.operation == "GetMetricData":
            self.metrics += sorted({_named(one) for one in call.parameters["MetricDataQueries"]})


def _named(query: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    metric = query["MetricStat"]["Metric"]
    return metric["MetricName"], tuple(sorted(f"{one['Name']}={one['Value']}" for one in metric["Dimensions"]))


@pytest.fixture(autouse=True)
def serving(world: World) -> None:
    """A table that is warm."""
    put(world, "SuccessfulRequestLatency", [1.0] * 60, Operation="PutItem")


def looked(source: AwsSource, clock: FakeClock, looks: int = 1) -> Brought:
    got = cycle(source, clock, since_s=None)
    for _ in range(looks - 1):
        clock.advance(TICK)
        got = cycle(source, clock)
    return got


def position(got: Brought, subject: Subject, metric: str) -> int:
    """Of the first batch with a metric."""
    return next(
        place
        for place, batch in enumerate(got.batches)
        if any((one.subject, one.metric) == (subject, metric) for one in batch.series)
    )


def tables(subjects: Iterable[Subject]) -> set[str]:
    return {one.table for one in subjects}


def test_what_is_known_has_its_tripwires_read_before_the_tables_are_listed(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    looked(source, clock)
    heard = Heard(world)
    clock.advance(TICK)
    got = cycle(source, clock)

    assert heard.calls.index("GetMetricData") < heard.calls.index("ListTables")
    assert position(got, ORDERS, "read_throttle_events") < got.batches.index(got.listed)


def test_what_hurts_is_told_whole_before_the_tables_are_listed(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    looked(source, clock)
    for name in ("WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents", "ConsumedWriteCapacityUnits"):
        put(world, name, [3.0] * 5, end=NOON + TICK)
    clock.advance(TICK)
    got = cycle(source, clock)
    listed = got.batches.index(got.listed)

    for metric in ("write_throttle_events", "write_key_range_throttle_events", "consumed_write_units"):
        assert position(got, ORDERS, metric) < listed


def test_a_hot_table_is_read_whole_before_the_tables_are_listed(opened: OpenSource, clock: FakeClock) -> None:
    got = looked(opened(hot=("orders",)), clock, looks=2)

    assert position(got, ORDERS, "consumed_read_units") < got.batches.index(got.listed)


def test_a_new_table_is_named_and_has_its_tripwires_read_before_its_settings(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    looked(source, clock)
    put_table(world, on_demand("carts"))
    clock.advance(TICK)
    got = cycle(source, clock)
    named = next(place for place, batch in enumerate(got.batches) if "carts" in tables(batch.subjects_seen))

    assert named < position(got, CARTS, "write_throttle_events") < got.batches.index(got.listed)


def test_which_operations_of_a_new_table_were_refused_is_asked_when_they_are_known(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "WriteThrottleEvents", [3.0] * 5)
    put(world, "ThrottledRequests", [2.0] * 5, Operation="PutItem")
    found = looked(source, clock).all("throttled_requests")

    assert [one.dimension for one in found if one.values.any()] == ["PutItem"]


@pytest.mark.parametrize("lost", [(), ("WriteThrottleEvents",)])
def test_nothing_is_asked_twice_in_a_look(
    lost: tuple[str, ...], world: World, opened: OpenSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("carts"))
    source = opened(hot=("carts",))
    looked(source, clock)
    put(world, "WriteThrottleEvents", [3.0] * 5, end=NOON + TICK)
    world.faults.add(*(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric=name) for name in lost))
    heard = Heard(world)
    clock.advance(TICK)
    cycle(source, clock)

    assert heard.metrics
    assert set(Counter(heard.metrics).values()) == {1}


def test_a_table_that_went_meanwhile_leaves_no_gap_of_its_metrics(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("carts"))
    looked(source, clock, looks=2)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "carts")
    clock.advance(TICK)
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="WriteThrottleEvents"))
    clock.advance(TICK)
    got = cycle(source, clock)

    assert "write_throttle_events" in got.missing()
    assert got.missing(CARTS) == {}
    assert "carts" not in tables(got.listed.subjects_seen)


def test_a_table_made_anew_under_its_name_is_read_on(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, on_demand("carts"))
    looked(source, clock, looks=2)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "carts")
    put_table(world, on_demand("carts", TableId="another"))
    put(world, "ReadThrottleEvents", [2.0], end=NOON + 2 * TICK - 60, TableName="carts")
    clock.advance(TICK)
    got = cycle(source, clock)

    assert got.one("read_throttle_events", CARTS).values.tolist() == [2.0]
    assert got.missing(CARTS) == {}


def test_where_the_tables_cannot_be_listed_tripwires_go_on_and_that_is_said_throughout(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    """Else it would be a gap that ends with each look's first batch and begins anew at its end."""
    looked(source, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTables"))
    looks: list[list[Batch]] = [[], [], []]
    for told in looks:
        clock.advance(TICK)
        with pytest.raises(SourceError):
            told.extend(source.collect(clock.now() - timedelta(seconds=TICK), clock.now()))

    for told in looks:
        assert any(one.metric == "write_throttle_events" for batch in told for one in batch.series)
    standing = [[(gap.subject, gap.missing, gap.reason) for gap in batch.gaps] for batch in (*looks[1], *looks[2])]
    assert standing == [[(source.scope, "*", GapReason.DENIED)]] * len(standing)


def test_a_tripwire_waits_for_nothing_after_a_list_that_failed(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    looked(source, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTables", count=1))
    clock.advance(TICK)
    with pytest.raises(SourceError):
        cycle(source, clock)
    clock.advance(TICK)
    got = cycle(source, clock)

    assert position(got, ORDERS, "read_throttle_events") < got.batches.index(got.listed)
    assert not any(gap.missing == "*" for gap in got.batches[-1].gaps)


def test_at_a_start_tripwires_wait_for_the_list_and_not_for_the_descriptions(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    heard = Heard(world)
    got = looked(source, clock)

    assert heard.calls.index("ListTables") < heard.calls.index("GetMetricData") < heard.calls.index("DescribeTable")
    assert position(got, ORDERS, "write_throttle_events") < got.batches.index(got.listed)


def test_at_a_start_nothing_is_asked_twice_and_what_was_not_refused_leads_to_nothing(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    """The tripwires of a table come before those of its index, which nobody knows of until it is described."""
    heard = Heard(world)
    got = looked(source, clock)

    assert {one for one in heard.metrics if one[0] == "ThrottledRequests"} == set()
    assert max(Counter(heard.metrics).values()) == 2  # the newest hours and the past
    assert [one.values.tolist() for one in got.all("throttled_requests")] == [[], []]


def test_at_a_start_the_indexes_that_the_store_knows_do_not_wait_either(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened()
    known = Span(NOON - HOUR, NOON)
    gone = replace(ORDERS, table="gone", index="by-day")
    source.resume(lambda: {(one, "read_throttle_events", ""): known for one in (ORDERS, BY_STATUS, gone)})
    heard = Heard(world)
    clock.advance(TICK)
    got = cycle(source, clock)

    first = heard.metrics[: 2 * len(WIRES)]
    assert first == [(name, dims) for name in sorted(WIRES) for dims in (OF_INDEX, OF_ORDERS)]
    assert position(got, BY_STATUS, "read_throttle_events") < got.batches.index(got.listed)


def test_at_a_start_a_table_that_tags_do_not_choose_is_not_asked(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    heard = Heard(world)
    looked(opened(tags=(("team", "shop"),)), clock)

    assert heard.metrics == []


def test_at_a_start_a_table_that_cannot_be_described_is_there(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeTable"))
    got = looked(source, clock)

    assert got.one("read_throttle_events").values.tolist() == []
    assert got.missing() == {"*": "denied"}
    assert got.batches[-1].undescribed == (ORDERS,)


def test_requests_that_an_index_refused_before_it_went_while_nothing_ran_are_asked(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    put(world, "SuccessfulRequestLatency", [1.0] * 60, Operation="PutItem")
    put(world, "WriteThrottleEvents", [3.0], end=NOON - 600, GlobalSecondaryIndexName="by-status")
    put(world, "ThrottledRequests", [3.0], end=NOON - 600, Operation="PutItem")
    put_table(world, {**provisioned(), "GlobalSecondaryIndexes": []})
    source = opened()
    source.resume(
        lambda: {(one, "read_throttle_events", ""): Span(NOON - 2 * HOUR, NOON - HOUR) for one in (ORDERS, BY_STATUS)}
    )
    told: list[Series] = []
    for _ in range(6):
        told += cycle(source, clock, since_s=TICK).all("throttled_requests", ORDERS)
        clock.advance(TICK)
    minute = [one for one in told if any(span.start <= NOON - 660 < span.end for span in one.covered)]

    assert minute
    assert {NOON - 660 in one.times for one in minute} == {True}
