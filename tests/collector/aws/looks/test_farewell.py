"""What is gone is read once more, up to its end, and then forgotten: an index, a table, a node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NoReturn

import pytest

from collector.aws import metered
from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.looks.farewell import GIVEN_UP_S, Farewell
from collector.aws.looks.progress import OVERLAP_S, Progress
from collector.aws.metered import MeteredSource
from collector.aws.metrics.operations import empty
from collector.aws.metrics.planner import HOUR
from collector.aws.metrics.queries import CONSUMED, DIRECTIONS, Questions
from collector.aws.metrics.tripwire import Tripwire
from collector.aws.source import AwsSource
from collector.aws.spending.plan import Plan, without_rest
from stillfit.clock import FakeClock
from stillfit.errors import StoreError
from stillfit.model import Span, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Call, Fault, FaultKind, World
from tests.collector.aws.kit import (
    BY_STATUS,
    NOON,
    ORDERS,
    REGION,
    SCOPE,
    Brought,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
    put,
    put_table,
)
from tests.collector.aws.services import (
    JOBS,
    NODE,
    OpenService,
    put_cassandra,
    put_dax,
    put_front,
    put_jobs,
)

TICK = 300
CARTS = replace(ORDERS, table="carts")
LAST = 600
"""When the last value was told, seconds after noon: in between two looks, the second of which misses it."""


@dataclass(frozen=True)
class Kind:
    """Something that goes, how it comes and goes, and how a level of it is told, minute by minute."""

    subject: Subject
    metric: str
    opened: Callable[[OpenSource, OpenService], MeteredSource]
    put: Callable[[World], None]
    drop: Callable[[World], None]
    tell: Callable[[World, int], None]


def _index(world: World, end: int) -> None:
    put(world, "ConsumedReadCapacityUnits", [7.0] * 60, end=end, GlobalSecondaryIndexName="by-status")


KINDS = {
    "index": Kind(
        BY_STATUS,
        "consumed_read_units",
        lambda opened, _: opened(),
        lambda world: put_table(world, provisioned()),
        lambda world: put_table(world, {**provisioned(), "GlobalSecondaryIndexes": []}),
        _index,
    ),
    "table": Kind(
        CARTS,
        "consumed_read_units",
        lambda opened, _: opened(),
        lambda world: put_table(world, on_demand("carts")),
        lambda world: world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "carts"),
        lambda world, end: put(world, "ConsumedReadCapacityUnits", [7.0] * 60, end=end, TableName="carts"),
    ),
    "keyspaces table": Kind(
        JOBS,
        "keyspaces_consumed_read_units",
        lambda _, served: served(Keyspaces),
        put_jobs,
        lambda world: world.keyspaces.delete_table(*SCOPE, "shop", "jobs"),
        lambda world, end: put_cassandra(world, "ConsumedReadCapacityUnits", [7.0] * 60, end=end),
    ),
    "node": Kind(
        NODE,
        "dax_evicted_bytes",
        lambda _, served: served(Dax),
        lambda world: put_front(world, nodes=1),
        lambda world: put_front(world, nodes=0),
        lambda world, end: put_dax(world, "EvictedSize", [7.0] * 60, node="front-a", end=end),
    ),
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest, world: World) -> Kind:
    """One that is there, and told its last value ten minutes after noon."""
    found: Kind = request.param
    put_jobs(world, "other")  # which stays
    found.put(world)
    found.tell(world, NOON + LAST)
    return found


@pytest.fixture
def going(kind: Kind, opened: OpenSource, served: OpenService) -> MeteredSource:
    return kind.opened(opened, served)


@pytest.fixture
def asked(world: World) -> list[str]:
    """Every metric of whatever is asked for, with its window."""
    found: list[str] = []

    def note(call: Call) -> None:
        window = f"{call.parameters.get('StartTime')} to {call.parameters.get('EndTime')}"
        for query in call.parameters.get("MetricDataQueries", ()):
            metric = query["MetricStat"]["Metric"]
            names = [metric["MetricName"], query["MetricStat"]["Stat"], *(one["Value"] for one in metric["Dimensions"])]
            found.append(f"{names} {window}")

    world.before_call.append(note)
    return found


def looks(source: MeteredSource, clock: FakeClock, until: int) -> Iterator[Brought]:
    """Those that are due until so many seconds after noon."""
    while clock.now().timestamp() + TICK <= NOON + until:
        clock.advance(TICK)
        yield cycle(source, clock)


def told(kind: Kind, looks: list[Brought]) -> set[int]:
    """The minutes of the values that came."""
    series = (one for got in looks for one in got.series if (one.subject, one.metric) == (kind.subject, kind.metric))
    return {at for one in series for at in one.times.tolist()}


def of(kind: Kind, asked: list[str]) -> list[str]:
    name = kind.subject.index or kind.subject.node or kind.subject.table
    return [one for one in asked if f"'{name}'" in one]


def test_all_that_it_told_until_it_went_is_read(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock
) -> None:
    got = [cycle(going, clock), *looks(going, clock, LAST - TICK)]
    kind.drop(world)
    got += looks(going, clock, 2 * HOUR)

    assert told(kind, got) >= set(range(NOON, NOON + LAST, 60))


def test_it_is_read_once_more_and_never_again(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock, asked: list[str]
) -> None:
    cycle(going, clock)
    list(looks(going, clock, LAST - TICK))
    kind.drop(world)
    list(looks(going, clock, LAST + 2 * TICK))  # the second look believes it
    asked.clear()
    list(looks(going, clock, 5 * HOUR))

    assert of(kind, asked)
    assert len(of(kind, asked)) == len(set(of(kind, asked)))
    windows = {one.partition("] ")[2] for one in of(kind, asked) if one.startswith(("['Consumed", "['Evicted"))}
    assert len(windows) == 1


def test_it_leaves_no_gap(kind: Kind, going: MeteredSource, world: World, clock: FakeClock) -> None:
    cycle(going, clock)
    kind.drop(world)
    list(looks(going, clock, 2 * TICK))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetMetricData"))
    got = list(looks(going, clock, 2 * HOUR))

    assert [gap for one in got for gap in one.gaps if gap.subject == kind.subject] == []


def test_what_comes_back_soon_is_read_on(kind: Kind, going: MeteredSource, world: World, clock: FakeClock) -> None:
    got = [cycle(going, clock), *looks(going, clock, LAST - TICK)]
    kind.drop(world)
    got += looks(going, clock, LAST + 2 * TICK)
    kind.put(world)
    kind.tell(world, NOON + 2 * HOUR)
    got += looks(going, clock, 6 * HOUR)

    assert told(kind, got) >= {*range(NOON, NOON + LAST, 60), *range(NOON + HOUR, NOON + 2 * HOUR, 60)}


def test_what_is_made_anew_later_begins_as_what_is_new(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock
) -> None:
    cycle(going, clock)
    kind.drop(world)
    list(looks(going, clock, 2 * HOUR))
    clock.advance(30 * 24 * HOUR)
    cycle(going, clock)
    kind.put(world)
    clock.advance(TICK)
    got = cycle(going, clock, since_s=TICK)

    (first, *_) = got.all(kind.metric, kind.subject)
    assert first.covered[0].start >= int(clock.now().timestamp()) - 4 * HOUR
    assert len(got.all(kind.metric, kind.subject)) == 1


@pytest.mark.parametrize(("fails_s", "comes"), [(HOUR, True), (GIVEN_UP_S + 2 * HOUR, False)], ids=["an hour", "long"])
def test_where_requests_fail_it_is_asked_again_for_a_while(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock, fails_s: int, *, comes: bool
) -> None:
    got = [cycle(going, clock), *looks(going, clock, LAST - TICK)]
    kind.drop(world)
    until = NOON + LAST + fails_s
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="GetMetricData", until=until))
    got += looks(going, clock, LAST + fails_s + 4 * HOUR)

    assert (NOON + LAST - 60 in told(kind, got)) is comes


def test_its_last_reading_waits_until_its_last_values_are_shown(
    world: World, source: AwsSource, clock: FakeClock, asked: list[str]
) -> None:
    kind = KINDS["index"]
    cycle(source, clock)
    kind.drop(world)
    list(looks(source, clock, TICK))
    asked.clear()
    list(looks(source, clock, TICK + OVERLAP_S - TICK))
    before = of(kind, asked)
    list(looks(source, clock, TICK + OVERLAP_S))

    assert before == []
    assert of(kind, asked)


def test_refused_requests_of_a_table_that_went_have_their_causes_and_operations(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put_table(world, on_demand("carts"))
    put(world, "SuccessfulRequestLatency", [1.0] * 60, Operation="PutItem", TableName="carts")
    cycle(source, clock)
    for name, more in (
        ("WriteThrottleEvents", {}),
        ("WriteKeyRangeThroughputThrottleEvents", {}),
        ("ThrottledRequests", {"Operation": "PutItem"}),
    ):
        put(world, name, [3.0], end=NOON + 120, TableName="carts", **more)
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "carts")
    got = list(looks(source, clock, HOUR))
    seen = {
        one.metric: one.dimension for every in got for one in every.series if one.subject == CARTS and one.values.any()
    }

    assert seen["write_key_range_throttle_events"] == ""
    assert seen["throttled_requests"] == "PutItem"


def test_what_cannot_be_described_is_not_gone(world: World, served: OpenService, clock: FakeClock) -> None:
    put_jobs(world)
    source = served(Keyspaces)
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetTable"))
    list(looks(source, clock, HOUR))

    assert list(source._farewell.subjects) == []


def test_what_is_still_owed_of_its_past_is_read_all_the_same(
    world: World, opened: OpenSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "ENDS_AT", 0.0)
    monkeypatch.setattr(metered, "datapoints", lambda _: 1)  # the past of one table a look
    for name in ("aprons", "books", "carts"):
        put_table(world, on_demand(name))
    put(world, "ConsumedReadCapacityUnits", [7.0] * 60, end=NOON - 24 * HOUR, TableName="carts")
    source = opened(first_look=timedelta(days=2))
    got = [cycle(source, clock, since_s=None)]
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "carts")
    before = told(KINDS["table"], got)
    got += looks(source, clock, HOUR)

    assert before == set()
    assert NOON - 24 * HOUR - 300 in told(KINDS["table"], got)


@contextmanager
def storeless(source: MeteredSource) -> Iterator[None]:
    """Nobody can tell what is spent of the month."""

    def fails() -> NoReturn:
        raise StoreError("the store does not answer", retryable=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source.budget, "_month", fails)
        yield


def test_a_store_that_fails_while_it_goes_loses_nothing_and_bills_nothing_twice(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock, asked: list[str]
) -> None:
    got = [cycle(going, clock), *looks(going, clock, LAST - TICK)]
    kind.drop(world)
    with storeless(going):
        for _ in range(3):
            clock.advance(TICK)
            with pytest.raises(StoreError):
                cycle(going, clock)
    asked.clear()
    got += looks(going, clock, 2 * HOUR)

    assert told(kind, got) >= set(range(NOON, NOON + LAST, 60))
    assert len(of(kind, asked)) == len(set(of(kind, asked)))


def test_a_store_that_fails_once_while_a_cluster_goes_ends_no_source(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    put_front(world)
    world.dax.put_cluster(DEFAULT_ACCOUNT, REGION, {"ClusterName": "back"}, nodes=1)
    source = served(Dax)
    list(looks(source, clock, 2 * TICK))
    world.dax.delete_cluster(DEFAULT_ACCOUNT, REGION, "front")
    clock.advance(TICK)
    with storeless(source), pytest.raises(StoreError):
        cycle(source, clock)

    assert all(one.series for one in looks(source, clock, 5 * TICK))


def test_what_a_budget_that_is_used_up_holds_back_is_read_when_there_is_one_again(
    kind: Kind, going: MeteredSource, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = [cycle(going, clock), *looks(going, clock, LAST - TICK)]
    kind.drop(world)
    planned = going.budget._next
    with monkeypatch.context() as poor:
        poor.setattr(going.budget, "_next", lambda month: _used_up(planned(month)))
        got += looks(going, clock, LAST + GIVEN_UP_S + HOUR)
    before = told(kind, got)
    got += looks(going, clock, LAST + GIVEN_UP_S + 3 * HOUR)

    assert NOON + LAST - 60 not in before
    assert told(kind, got) >= set(range(NOON, NOON + LAST, 60))
    assert kind.subject not in going._farewell.subjects


def _used_up(plan: Plan) -> Plan:
    return replace(plan, cadences=without_rest(plan.cadences))


def test_requests_that_an_index_refused_before_it_went_are_not_said_to_be_none(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "SuccessfulRequestLatency", [1.0] * 60, Operation="PutItem")
    cycle(source, clock)
    put(world, "WriteThrottleEvents", [3.0], end=NOON + 120, GlobalSecondaryIndexName="by-status")
    put(world, "ThrottledRequests", [3.0], end=NOON + 120, Operation="PutItem")
    KINDS["index"].drop(world)
    told = [
        one
        for got in looks(source, clock, 2 * HOUR)
        for one in got.all("throttled_requests", ORDERS)
        if any(span.start <= NOON + 60 < span.end for span in one.covered)
    ]

    assert len(told) > 1
    assert {NOON + 60 in one.times for one in told} == {True}


@pytest.mark.parametrize(("since_s", "is_quiet"), [(-60, False), (0, True), (60, True)])
def test_an_index_counts_as_one_of_its_tables_until_it_went(since_s: int, *, is_quiet: bool) -> None:
    questions = Questions()
    tripwire, window = Tripwire(questions), Span(NOON + since_s, NOON + 900)
    tripwire.note(empty(ORDERS, f"{way}_throttle_events", 60, window) for way in DIRECTIONS)
    farewell = Farewell(Progress(timedelta(days=1), timedelta(hours=3)))
    farewell.note([questions.ask(BY_STATUS, CONSUMED[0])], {ORDERS}, NOON)
    went = farewell.indexes(ORDERS)

    assert bool(list(tripwire.quiet_requests((ORDERS,), ("PutItem",), went))) is is_quiet
    assert bool(list(tripwire.requests((ORDERS,), ("PutItem",), went))) is not is_quiet
