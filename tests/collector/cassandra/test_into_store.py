"""What the collector says, kept by the real store: gaps end when their cause does, and what is gone is gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from collector.cassandra.source import CassandraSource
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Gap, GapReason, Level, Span
from stillfit.standins.cql import CqlStandin, Fault, FaultKind, StillWorld
from stillfit.store.store import Store
from tests.collector.cassandra.cluster import NODES, NOON, SHOP, source_of, world_of

ALWAYS = {GapReason.NOT_CONFIGURED, GapReason.PARTIAL, GapReason.UNSUPPORTED}


@pytest.fixture
def world() -> StillWorld:
    return world_of(NODES)


@pytest.fixture
def standin(world: StillWorld) -> Iterator[CqlStandin]:
    with CqlStandin(NODES, world) as started:
        yield started


class Kept:
    """A source whose batches go into a store, minute by minute."""

    def __init__(self, source: CassandraSource, store: Store) -> None:
        self._source, self.store = source, store
        self._minute = 0

    def go_on(self) -> list[Gap]:
        """Collect once more; the gaps that then stand, without those that always do."""
        self._minute += 1
        for batch in self._source.collect(None, NOON + timedelta(minutes=self._minute)):
            self.store.write(batch)
        return [gap for gap in self.store.gaps() if gap.reason not in ALWAYS]


@pytest.fixture
def kept(standin: CqlStandin, tmp_path: Path) -> Iterator[Kept]:
    store = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=FakeClock(NOON), ballast_bytes=1024)
    source = source_of(standin)
    yield Kept(source, store)
    source.close()
    store.close()


def test_the_gap_of_a_first_reading_ends_with_the_second(kept: Kept) -> None:
    assert {gap.reason for gap in kept.go_on()} == {GapReason.NO_DATA}

    gaps = kept.go_on()

    assert [gap for gap in gaps if gap.missing == "reads"] == []


@pytest.mark.parametrize(
    ("table", "missing"),
    [("system_views.tombstones_per_read", "tombstones_per_read"), ("system.prepared_statements", "prepared_inserts")],
)
def test_a_denial_ends_when_it_is_granted(kept: Kept, standin: CqlStandin, table: str, missing: str) -> None:
    for node in NODES:
        standin.inject(node.name, Fault(kind=FaultKind.UNAUTHORIZED, table=table))
    denied = [gap for gap in kept.go_on() if gap.missing == missing]
    standin.clear()
    granted = [gap for gap in kept.go_on() if gap.missing == missing]

    assert {gap.reason for gap in denied} == {GapReason.DENIED}
    assert granted == []


def test_a_node_that_was_down_is_no_gap_once_it_is_read(kept: Kept, standin: CqlStandin) -> None:
    kept.go_on()
    kept.go_on()
    standin.inject("a", Fault(kind=FaultKind.OVERLOADED, table="system.local", times=1))

    assert [(gap.missing, gap.reason) for gap in kept.go_on()] == [("*", GapReason.THROTTLED)]
    assert kept.go_on() == []


def test_a_failure_of_the_whole_cluster_ends_with_the_first_answer(kept: Kept, standin: CqlStandin) -> None:
    for node in NODES:
        standin.inject(node.name, Fault(kind=FaultKind.OVERLOADED, table="system.local", times=1))
    with pytest.raises(SourceError):
        kept.go_on()
    kept.go_on()

    assert kept.go_on() == []


def test_a_table_that_was_dropped_is_gone_with_its_replicas(kept: Kept, world: StillWorld) -> None:
    kept.go_on()
    before = {subject.level for subject in kept.store.subjects()}
    world.declare()
    kept.go_on()

    assert before == {Level.NODE, Level.TABLE, Level.REPLICA}
    assert {subject.level for subject in kept.store.subjects()} == {Level.NODE}


def test_a_changed_setting_is_a_change(kept: Kept, world: StillWorld) -> None:
    kept.go_on()
    table = SHOP.tables[0]
    world.declare(replace(SHOP, tables=(replace(table, options={"gc_grace_seconds": 60}),)))
    kept.go_on()

    span = Span(int(NOON.timestamp()), int(NOON.timestamp()) + 3600)
    changes = [c for c in kept.store.changes(span) if c.name == "gc_grace_s"]
    assert [(change.before, change.after) for change in changes] == [(3600.0, 60.0)]
