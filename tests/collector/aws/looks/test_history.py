"""The past of a first look, slice by slice: on time, no dearer, whole."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collector.aws import metered
from collector.aws.looks.history import ENDS_AT, PIECE_S, Backlog, backlog, datapoints
from collector.aws.looks.progress import Progress
from collector.aws.metrics.planner import DAY, HOUR, MAX_DATAPOINTS
from collector.aws.metrics.queries import CONSUMED, Questions
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.limiter import OLDER_DATAPOINTS_PER_S
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.model import Span, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, ORDERS, REGION, Brought, OpenSource, cycle, on_demand, put, put_table

TICK, LOOKS = 300, 8
TABLES = tuple(f"table-{number}" for number in range(8))
BORDER = NOON - 3 * HOUR


@pytest.fixture
def sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little of the past a look that three tables take it up."""
    monkeypatch.setattr(metered, "ENDS_AT", 0.0)
    monkeypatch.setattr(metered, "datapoints", lambda _: MAX_DATAPOINTS)


@pytest.fixture
def fleet(world: World) -> World:
    """Eight quiet tables beside orders."""
    for name in TABLES:
        put_table(world, on_demand(name))
    return world


def looks(source: AwsSource, clock: FakeClock, count: int = LOOKS) -> Iterator[Brought]:
    """The first one and those after it, each on its time."""
    for number in range(count):
        clock.advance(max(0.0, NOON + number * TICK - clock.now().timestamp()))
        yield cycle(source, clock, since_s=TICK if number else None)


def past(got: Brought, metric: str = "consumed_read_units") -> set[str]:
    """The tables of which a look has brought the past."""
    found = (one for one in got.series if one.metric == metric and one.period_s == 300)
    return {one.subject.table for one in found if not one.subject.index}


def table(name: str) -> Subject:
    return replace(ORDERS, table=name)


@pytest.mark.parametrize(("pace", "points"), [(1.0, 1_800_000), (0.5, 900_000), (1 / 64, MAX_DATAPOINTS)])
def test_a_piece_is_some_seconds_of_the_quota_and_a_request_at_least(pace: float, points: int) -> None:
    assert datapoints(pace) == points == max(MAX_DATAPOINTS, PIECE_S * pace * OLDER_DATAPOINTS_PER_S)


@pytest.mark.parametrize("began_s", [0, ENDS_AT * TICK])
def test_a_look_reads_the_past_while_it_leaves_the_next_one_on_time(
    began_s: float, fleet: World, opened: OpenSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "datapoints", lambda _: MAX_DATAPOINTS)
    batches = opened().collect(None, clock.now())
    first = next(batches)
    clock.advance(began_s)

    assert (past(Brought((first, *batches))) == {"orders", *TABLES}) is (began_s == 0)


def test_a_small_fleet_has_its_past_at_once(fleet: World, source: AwsSource, clock: FakeClock) -> None:
    first, second = looks(source, clock, 2)

    assert (past(first), past(second)) == ({"orders", *TABLES}, set())


@pytest.mark.usefixtures("sliced")
def test_the_past_comes_table_by_table_and_each_once(fleet: World, source: AwsSource, clock: FakeClock) -> None:
    found = [past(one) for one in looks(source, clock)]

    assert sum(map(len, found)) == len(set().union(*found)) == len(TABLES) + 1
    assert max(map(len, found)) < len(TABLES)
    assert found[-1] == set()


@pytest.mark.usefixtures("sliced")
def test_the_newest_hours_of_all_are_there_after_the_first_look(
    fleet: World, source: AwsSource, clock: FakeClock
) -> None:
    first = next(looks(source, clock))

    for name in TABLES:
        for metric in ("read_throttle_events", "consumed_write_units"):
            assert first.all(metric, table(name))[-1].covered == (Span(BORDER, NOON - 120),)


@pytest.mark.usefixtures("sliced")
def test_tripwires_are_read_on_time_while_the_past_is(fleet: World, opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("*",))
    for number, got in enumerate(looks(source, clock)):
        found = [one for name in TABLES for one in got.all("read_throttle_events", table(name)) if one.period_s == 60]
        assert len(found) == len(TABLES)
        assert min(one.covered[0].end for one in found) >= NOON + number * TICK - 120


def test_slices_cost_as_much_as_the_whole(fleet: World, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    bills = []
    for allowed in (MAX_DATAPOINTS, 100 * MAX_DATAPOINTS):
        monkeypatch.setattr(metered, "ENDS_AT", 0.0)
        monkeypatch.setattr(metered, "datapoints", lambda _, allowed=allowed: allowed)
        clock = FakeClock()
        with closing(open_source(AwsTarget(region=REGION, endpoint_url=aws.url), clock)) as source:
            found = [past(one) for one in looks(source, clock)]
            bills.append(source.bill.metrics)
        assert (found[0] == {"orders", *TABLES}) is (allowed > MAX_DATAPOINTS)

    assert bills[0] == bills[1]


@pytest.mark.usefixtures("sliced")
def test_what_was_refused_in_the_past_has_its_causes_and_operations(
    fleet: World, source: AwsSource, clock: FakeClock
) -> None:
    long_ago, name = NOON - 5 * DAY, TABLES[-1]
    put(fleet, "WriteThrottleEvents", [4.0] * 5, end=long_ago, TableName=name)
    put(fleet, "WriteKeyRangeThroughputThrottleEvents", [3.0] * 5, end=long_ago, TableName=name)
    put(fleet, "ThrottledRequests", [2.0] * 5, end=long_ago, TableName=name, Operation="PutItem")
    every = list(looks(source, clock))

    for metric, value in (("write_key_range_throttle_events", 15.0), ("throttled_requests", 10.0)):
        found = [one for got in every for one in got.all(metric, table(name)) if one.period_s == 300]
        assert {one.values.sum() for one in found if one.values.any()} == {value}
    assert not any(gap.subject == table(name) for got in every for gap in got.gaps)


@pytest.mark.usefixtures("sliced")
def test_a_past_that_cannot_be_read_is_a_gap_and_is_read_later(
    fleet: World, source: AwsSource, clock: FakeClock
) -> None:
    put(fleet, "ConsumedReadCapacityUnits", np.ones(60), end=NOON - DAY)
    first, *_ = looks(source, clock, 1)
    missing = [name for name in ("orders", *TABLES) if name not in past(first)]
    assert missing
    fleet.faults.add(Fault(kind=FaultKind.THROTTLE, operation="GetMetricData", until=NOON + TICK + 60))
    clock.advance(TICK)
    got = cycle(source, clock)

    assert any(gap.span and gap.span.end == BORDER for gap in got.gaps)
    assert set().union(*(past(one) for one in _more(source, clock))) >= set(missing)


def _more(source: AwsSource, clock: FakeClock) -> Iterator[Brought]:
    for _ in range(LOOKS):
        clock.advance(TICK)
        yield cycle(source, clock)


@pytest.mark.usefixtures("sliced")
def test_what_is_gone_has_no_past_to_be_read(fleet: World, source: AwsSource, clock: FakeClock) -> None:
    first = next(looks(source, clock))
    gone = next(name for name in TABLES if name not in past(first))
    for name in TABLES:
        fleet.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, name)
    clock.advance(TICK)
    cycle(source, clock)

    assert not any(gone in past(one) for one in _more(source, clock))


def test_who_looks_once_has_all_of_the_past_and_its_price(fleet: World, opened: OpenSource, clock: FakeClock) -> None:
    source = opened(once=True, first_look=timedelta(days=2))
    batches = source.collect(None, clock.now())
    first = next(batches)
    price = source.price.metrics
    got = Brought((first, *batches))

    assert past(got) == {"orders", *TABLES}
    assert source.bill.metrics == price


@pytest.mark.usefixtures("sliced", "fleet")
def test_what_is_owed_is_told_with_when_it_will_be_read(source: AwsSource, clock: FakeClock) -> None:
    told = [(source.backlog, clock.now()) for _ in looks(source, clock)]

    first, at = told[0]
    subjects = [one.subjects for one, _ in told]
    assert subjects == sorted(subjects, reverse=True)
    assert first.seconds == first.subjects * (14 * DAY - 3 * HOUR)
    assert first.ends_at is not None
    assert first.ends_at > at
    assert told[-1][0] == Backlog(0, 0)


@pytest.mark.parametrize(
    ("before_s", "looks"), [(11 * HOUR, 10), (13 * HOUR, 4), (20 * HOUR, 1), (110 * HOUR, 1), (10 * HOUR, None)]
)
def test_the_end_of_what_is_owed_is_as_many_looks_away_as_bring_it(before_s: int, looks: int | None) -> None:
    progress, now = Progress(timedelta(days=1), timedelta(hours=14)), datetime.fromtimestamp(NOON, UTC)
    progress.stretches(Questions().ask(ORDERS, CONSUMED[0]), progress.begin(None, NOON))
    owed = backlog(progress, before_s, now, TICK)

    assert (owed.subjects, owed.seconds) == (1, 10 * HOUR)
    assert owed.ends_at == (None if looks is None else now + timedelta(seconds=looks * TICK))


@pytest.mark.usefixtures("sliced")
def test_where_the_past_does_not_come_nobody_says_when_it_will(
    fleet: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(first_look=timedelta(days=2))
    fleet.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="GetMetricData"))
    next(looks(source, clock))

    assert source.backlog.seconds > 0
    assert source.backlog.ends_at is None
