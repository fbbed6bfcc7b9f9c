"""ListMetrics fails once, when a past is still owed: what it would have named has its past all the same."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from collector.aws import metered
from collector.aws.metrics.planner import DAY, HOUR, MAX_DATAPOINTS
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.model import Span
from stillfit.standins.aws import Fault, FaultKind, World
from stillfit.store.store import Store
from tests.collector.aws.kit import NOON, OpenSource, cycle, on_demand, put, put_table

TABLES = tuple(f"table-{number}" for number in range(4))
TICK, LOOKS = 900, 5
LONG_AGO = NOON - 10 * DAY
FAILS = Fault(kind=FaultKind.UNAVAILABLE, operation="ListMetrics")


@pytest.fixture
def fleet(world: World) -> World:
    """Tables that are written to, without an end."""
    for name in TABLES:
        put_table(world, on_demand(name))
        put(world, "SuccessfulRequestLatency", [1.0] * (14 * 1_440), Operation="PutItem", TableName=name)
        put(world, "SuccessfulRequestLatency", [1.0] * 300, end=NOON + 5 * HOUR, Operation="PutItem", TableName=name)
    return world


@pytest.fixture
def sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece of the past a look."""
    monkeypatch.setattr(metered, "ENDS_AT", 0.0)
    monkeypatch.setattr(metered, "datapoints", lambda _: MAX_DATAPOINTS)


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield store
    store.close()


@pytest.fixture
def looks(store: Store, fleet: World, opened: OpenSource, clock: FakeClock) -> Callable[..., set[str]]:
    """looks("fails", "kill", ...): after each the next; returns the tables whose latency ten days ago is known."""

    def started() -> Source:
        source = opened()
        source.resume(partial(store.reach, source.id))
        return source

    def every(*what: str) -> set[str]:
        source = started()
        for one in (*what, *[""] * LOOKS):
            if one == "fails":
                fleet.faults.add(FAILS)
            last = store.last_end(source.id)
            since_s = None if last is None else int((clock.now() - last).total_seconds())
            for batch in cycle(source, clock, since_s=since_s).batches:
                store.write(batch)
            fleet.faults.clear()
            clock.advance(TICK)
            source = started() if one == "kill" else source
        found = store.series(Span(LONG_AGO, LONG_AGO + HOUR), metrics=["request_latency_ms"])
        return {one.subject.table for one in found if len(one.times)}

    return every


@pytest.mark.usefixtures("sliced")
@pytest.mark.parametrize("what", [("kill",), ("kill", "fails"), ("kill", "fails", "fails"), ("fails",)])
def test_a_past_that_was_owed_when_listing_failed_is_read(
    what: tuple[str, ...], looks: Callable[..., set[str]]
) -> None:
    assert looks(*what) == set(TABLES)
