"""A source that is killed and started again on the same store: nothing missing, nothing twice, whatever the moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from collector.aws import metered
from collector.aws.looks import reading
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.configaws import Aws
from stillfit.model import Engine, Series, SeriesKey, Span, Statistic, Subject
from stillfit.series import covered_s, cut, merge
from stillfit.sources import SigningIn
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World
from stillfit.store.store import Store
from tests.demo.kit import aws_environment, environment
from tests.standins.hangup import PATIENT

REGION = "eu-west-1"
HOUR, DAY = 3_600, 86_400
BEGAN = int(FakeClock().now().timestamp())
TABLES = ("orders", "carts", "stock")
CONSUMED = SeriesKey(
    Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, REGION), table="orders"),
    "consumed_read_units",
    Statistic.SUM,
    60,
    "",
)
BATCH = 30_000
"""Points a batch, so that a look has many."""
PER_TABLE = {
    "ConsumedReadCapacityUnits": {},
    "ConsumedWriteCapacityUnits": {},
    "WriteThrottleEvents": {},
    "WriteKeyRangeThroughputThrottleEvents": {},
    "SuccessfulRequestLatency": {"Operation": "PutItem"},
    "ThrottledRequests": {"Operation": "PutItem"},
}


class Told:
    """Points of every minute from four days before the first look on, none of them like its neighbours."""

    def metrics(self, start: float, end: float) -> Iterator[Metric]:
        if end > start:
            for table in TABLES:
                for name, more in PER_TABLE.items():
                    if table == "orders" or "Throttle" not in name:
                        yield Metric.dynamodb(name, TableName=table, **more)

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if metric not in set(self.metrics(0, 1)) or end <= start:
            return None
        first = -(-int(start) // 60) * 60
        times = np.arange(first, int(end), 60, dtype=np.int64)
        name = int.from_bytes(hashlib.sha256(repr(metric).encode()).digest()[:2])
        values = ((times // 60 * 7_919 + name) % 1_009 + 1).astype(np.float64)
        if "Throttle" in metric.name:
            values[(times // HOUR) % 5 != 0] = np.nan
        return Points(
            times=times, sum=values, count=np.ones(len(times)), maximum=values, percentiles={50.0: values, 99.0: values}
        )


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    world = World(now=lambda: clock.now().timestamp())
    for table in TABLES:
        world.dynamodb.put_table(
            DEFAULT_ACCOUNT, REGION, {"TableName": table, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        )
    world.provide(DEFAULT_ACCOUNT, REGION, Told())
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield world


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "POINTS_A_BATCH", BATCH)


Opened = Callable[[str], Store]


@pytest.fixture
def stored(tmp_path: Path, clock: FakeClock) -> Iterator[Opened]:
    """A store by name; the same name is the same store."""
    every: dict[str, Store] = {}

    def opened(name: str) -> Store:
        if name not in every:
            every[name] = Store.open(f"sqlite:///{tmp_path}/{name}.db", clock=clock, ballast_bytes=4096)
        return every[name]

    yield opened
    for one in every.values():
        one.close()


class Process:
    """What lives from a start to a kill: a source, and nothing of what it remembers survives."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        target = AwsTarget(region=REGION)

        def opened() -> AwsSource:
            waiting = FakeClock(clock.now())  # its own, so that waiting for a quota does not move time for all
            return open_source(target, waiting, patience=PATIENT)

        self._store, self._clock = store, clock
        self._source = SigningIn(Aws(regions=(REGION,)), REGION, opened)
        self._source.resume(store.reach)

    def look(self, batches: int | None = None) -> int:
        """Store so many batches of one look, or all; then the process may be killed. Returns how many there were."""
        taken = 0
        looking = self._source.collect(self._store.last_end(self._source.id), self._clock.now())
        for batch in islice(looking, batches):
            self._store.write(batch)
            taken += 1
        return taken

    def kill(self) -> None:
        self._source.close()


def clock_s(clock: FakeClock) -> int:
    return int(clock.now().timestamp())


def one_life(store: Store, clock: FakeClock, batches: int | None = None) -> int:
    process = Process(store, clock)
    try:
        return process.look(batches)
    finally:
        process.kill()


def samples(store: Store) -> dict[SeriesKey, Series]:
    """Of tables; without their sizes, which are told of the present only.

    What is told of the account is read once a day: what of it a kill cut off comes with its next turn.
    """
    found = store.series(Span(BEGAN - 120 * DAY, BEGAN + 120 * DAY))
    return {one.key: one for one in found if one.subject.table and one.statistic is not Statistic.LAST}


def checksums(series: Iterable[Series]) -> dict[str, str]:
    """Of every point, and of all the time that is vouched for."""
    return {
        str(one.key): hashlib.sha256(
            one.times.tobytes() + one.values.tobytes() + repr(one.covered).encode()
        ).hexdigest()
        for one in series
    }


def same(store: Store, whole: Store) -> bool:
    """Whether a store says the same as one whose reading was never cut off.

    Where a look was cut off between its coarse and its fine part, the hour at the border is there in both periods.
    """
    mine, wanted = samples(store), samples(whole)
    assert mine.keys() == wanted.keys()
    shared = [merge([cut(mine[key], span) for span in one.covered]) for key, one in wanted.items()]
    more = [
        covered_s(mine[key], Span(0, 2 * BEGAN)) - covered_s(one, Span(0, 2 * BEGAN)) for key, one in wanted.items()
    ]
    return checksums(shared) == checksums(wanted.values()) and max(more) <= HOUR and hourly(store) == hourly(whole)


def same_keys(store: Store, whole: Store) -> bool:
    return samples(store).keys() == samples(whole).keys()


def hourly(store: Store) -> dict[str, str]:
    """Of what can be added up from any period, where there is anything: what ListMetrics does not name is vouched for
    by the listings themselves, which go two weeks back and no further.
    """
    found = store.hourly(Span(BEGAN - 120 * DAY, BEGAN + 120 * DAY))
    return checksums(one for one in found if one.statistic in {Statistic.SUM, Statistic.COUNT} and len(one.times))


def test_a_first_look_killed_at_any_batch_ends_as_one_that_was_not(
    world: World, stored: Opened, clock: FakeClock
) -> None:
    batches = one_life(stored("whole"), clock)

    assert batches > 4
    for killed_after in range(batches):
        store = stored(f"killed-{killed_after}")
        one_life(store, clock, killed_after)
        one_life(store, clock)
        assert same(store, stored("whole")), f"killed after batch {killed_after} of {batches}"


def test_a_past_that_is_read_slice_by_slice_goes_on_after_each_kill(
    world: World, stored: Opened, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = [0]
    for _ in range(len(TABLES) + 1):
        one_life(stored("whole"), clock)
        paid.append(world.bill.metrics)
    monkeypatch.setattr(metered, "ENDS_AT", 0.0)  # one piece of the past a look
    monkeypatch.setattr(metered, "datapoints", lambda _: 1)  # of one table
    for life in range(len(TABLES)):
        assert life == 0 or not same_keys(stored("sliced"), stored("whole"))
        one_life(stored("sliced"), clock)
    one_life(stored("sliced"), clock)  # the past of the account comes last

    assert same(stored("sliced"), stored("whole"))
    assert world.bill.metrics - paid[-1] == paid[len(TABLES) + 1], "no slice was paid twice"


def test_a_later_look_killed_at_any_batch_ends_as_one_that_was_not(
    world: World, stored: Opened, clock: FakeClock
) -> None:
    names = ["whole", *(f"killed-{number}" for number in range(12))]
    for name in names:
        one_life(stored(name), clock)
    clock.advance(5 * HOUR)
    batches = one_life(stored("whole"), clock)

    assert 2 < batches <= 12
    for number in range(batches):
        one_life(stored(f"killed-{number}"), clock, number)
        one_life(stored(f"killed-{number}"), clock)
        assert same(stored(f"killed-{number}"), stored("whole")), f"killed after batch {number} of {batches}"


@pytest.mark.parametrize("down_h", [2, 72])
def test_dead_time_is_read_back_by_the_minute(world: World, stored: Opened, clock: FakeClock, down_h: int) -> None:
    for name in ("whole", "stopped"):
        one_life(stored(name), clock)
    running = Process(stored("whole"), clock)
    for _ in range(down_h):
        clock.advance(HOUR)
        running.look()
    running.kill()
    one_life(stored("stopped"), clock)

    assert same(stored("stopped"), stored("whole"))


def test_dead_time_beyond_what_is_kept_by_the_minute_is_read_in_five_minutes(
    world: World, stored: Opened, clock: FakeClock
) -> None:
    for name in ("whole", "stopped"):
        one_life(stored(name), clock)
    running = Process(stored("whole"), clock)
    for _ in range(10):
        clock.advance(2 * DAY)
        running.look()
    running.kill()
    one_life(stored("stopped"), clock)

    assert hourly(stored("stopped")) == hourly(stored("whole"))
    fine = samples(stored("stopped"))[CONSUMED]
    coarse = samples(stored("stopped"))[CONSUMED._replace(period_s=300)]
    assert fine.covered[-1] == Span(clock_s(clock) - 15 * DAY + HOUR, clock_s(clock))
    assert coarse.covered[-1] == Span(BEGAN - HOUR, clock_s(clock) - 15 * DAY + HOUR)


def test_an_operation_that_was_last_used_while_we_were_down_is_read(
    world: World, stored: Opened, clock: FakeClock
) -> None:
    one_life(stored("one"), clock)
    clock.advance(10 * HOUR)
    scan = Metric.dynamodb("SuccessfulRequestLatency", TableName="orders", Operation="Scan")
    world.put(DEFAULT_ACCOUNT, REGION, scan, Points.regular(start=BEGAN + HOUR, sum=[5.0] * 60))
    one_life(stored("one"), clock)

    found = [one for key, one in samples(stored("one")).items() if key.dimension == "Scan" and len(one.times)]
    assert found
    assert all(len(one.times) == 60 for one in found)


def test_what_a_killed_first_look_would_have_read_of_a_rare_operation_is_read(
    world: World, stored: Opened, clock: FakeClock
) -> None:
    scan = Metric.dynamodb("SuccessfulRequestLatency", TableName="orders", Operation="Scan")
    world.put(DEFAULT_ACCOUNT, REGION, scan, Points.regular(start=BEGAN - 5 * DAY, sum=[5.0] * 60))
    one_life(stored("whole"), clock)
    one_life(stored("killed"), clock, 1)
    one_life(stored("killed"), clock)

    assert any(key.dimension == "Scan" for key in samples(stored("whole")))
    assert same(stored("killed"), stored("whole"))
