"""What fails becomes a Gap with its reason; the rest of the node and the other nodes go on."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest

from collector.cassandra.source import CassandraSource
from collector.cassandra.virtual_tables import VIEWS
from stillfit.config import Cassandra
from stillfit.errors import SourceError
from stillfit.model import GapReason, Span, Statistic
from stillfit.standins.cql import CqlStandin, Fault, FaultKind, Role, StillWorld
from tests.collector.cassandra.cluster import NODES, NOON, Told, collect, fill, source_of, world_of

TOMBSTONES = "system_views.tombstones_per_read"


@pytest.fixture
def world() -> StillWorld:
    return world_of(NODES)


@pytest.fixture
def standin(world: StillWorld) -> Iterator[CqlStandin]:
    with CqlStandin(NODES, world) as started:
        yield started


@pytest.fixture
def source(standin: CqlStandin) -> Iterator[CassandraSource]:
    opened = source_of(standin)
    collect(opened, standin, minute=-20)  # connected, and everything known once
    yield opened
    opened.close()


def test_a_stop_ends_a_reading_of_a_node_that_hangs_at_once(standin: CqlStandin) -> None:
    source = source_of(standin, is_hurried=False)  # a query may take a minute
    collect(source, standin, minute=-20)
    for node in NODES:
        standin.inject(node.name, Fault(kind=FaultKind.HANG))
    stopper = Thread(target=_stop_when_asked, args=(source, standin, len(standin.asked) + len(NODES)))
    stopper.start()

    with pytest.raises(SourceError) as failed:
        collect(source, standin)
    stopper.join()
    source.close()

    assert failed.value.reason is GapReason.UNREACHABLE  # and not TIMEOUT


def _stop_when_asked(source: CassandraSource, standin: CqlStandin, queries: int) -> None:
    pause = Event()
    any(len(standin.asked) >= queries or pause.wait(0.01) for _ in range(12_000))
    source.stop()


def test_a_source_that_was_stopped_before_it_connected_reads_nothing(standin: CqlStandin) -> None:
    source = source_of(standin)
    source.stop()

    assert list(source.collect(None, NOON)) == []
    source.close()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FaultKind.UNAUTHORIZED, GapReason.DENIED),
        (FaultKind.READ_TIMEOUT, GapReason.TIMEOUT),
        (FaultKind.HANG, GapReason.TIMEOUT),
        (FaultKind.OVERLOADED, GapReason.THROTTLED),
        (FaultKind.BOOTSTRAPPING, GapReason.UNREACHABLE),
    ],
)
def test_a_table_that_fails_is_a_gap_of_its_metric(
    source: CassandraSource, standin: CqlStandin, kind: FaultKind, reason: GapReason
) -> None:
    standin.inject("a", Fault(kind=kind, table=TOMBSTONES))

    told = collect(source, standin)

    assert "tombstones_per_read" in told.gaps(reason, "a")
    assert told.values("tombstones_per_read", Statistic.P99) == {"b": [310.0]}


def test_the_other_tables_of_the_node_are_still_read(source: CassandraSource, standin: CqlStandin) -> None:
    standin.inject("a", Fault(kind=FaultKind.HANG, table=TOMBSTONES))

    told = collect(source, standin)

    assert told.gaps(GapReason.TIMEOUT, "a") == {"tombstones_per_read"}
    assert told.values("live_rows_per_read", Statistic.P99) == {"a": [12.0], "b": [12.0]}


def test_a_denial_says_which_file_grants_it(source: CassandraSource, standin: CqlStandin) -> None:
    standin.inject("a", Fault(kind=FaultKind.UNAUTHORIZED, table=TOMBSTONES))

    (gap,) = [gap for gap in collect(source, standin).all_gaps() if gap.reason is GapReason.DENIED]

    assert "was asked for system_views.tombstones_per_read: it does not let this role read it" in gap.detail
    assert "deploy/cassandra/grants.cql" in gap.detail


def test_a_node_twice_late_is_left_alone(source: CassandraSource, standin: CqlStandin) -> None:
    standin.inject("a", Fault(kind=FaultKind.HANG))
    before = len(standin.asked)

    told = collect(source, standin)

    assert told.gaps(GapReason.TIMEOUT, "a") == {"*"}
    assert sum(asked.node == "a" for asked in standin.asked[before:]) <= 2
    assert told.values("tombstones_per_read", Statistic.P99) == {"b": [310.0]}


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.GARBAGE])
def test_a_lost_connection_ends_the_questions_to_that_node(
    source: CassandraSource, standin: CqlStandin, kind: FaultKind
) -> None:
    standin.inject("a", Fault(kind=kind, table="system_views.thread_pools"))

    told = collect(source, standin)

    lost = told.gaps(GapReason.UNREACHABLE, "a") | told.gaps(GapReason.GARBLED, "a")
    assert lost >= {"thread_pool_pending", "cache_hits", "clients"}
    assert set(told.values("tombstones_per_read", Statistic.P99)) == {"a", "b"}


def test_a_node_that_is_down_is_one_gap_and_stays_in_the_inventory(
    source: CassandraSource, standin: CqlStandin
) -> None:
    standin.inject("a", Fault(kind=FaultKind.DOWN))

    told = collect(source, standin)

    assert told.gaps(GapReason.UNREACHABLE, "a") == {"*"}
    assert told.values("tombstones_per_read", Statistic.P99) == {"b": [310.0]}
    assert sum(subject.level.value == "node" for subject in told.batches[-1].subjects_seen) == 2


@pytest.mark.parametrize("kind", [FaultKind.DOWN, FaultKind.HANG, FaultKind.RESET, FaultKind.GARBAGE])
def test_a_node_that_is_sick_from_the_start_does_not_hold_up_the_others(standin: CqlStandin, kind: FaultKind) -> None:
    standin.inject("a", Fault(kind=kind))
    source = source_of(standin)

    told = collect_until_told_of_b(source, standin)
    source.close()

    assert told.values("tombstones_per_read", Statistic.P99) == {"b": [310.0]}
    assert "*" in told.gaps(GapReason.UNREACHABLE, "a") | told.gaps(GapReason.GARBLED, "a")


def collect_until_told_of_b(source: CassandraSource, standin: CqlStandin) -> Told:
    """The first try, unless the machine was so slow that the driver took b for hanging too: it connects again."""
    until = monotonic() + 120
    while monotonic() < until:
        with suppress(SourceError):
            if (told := collect(source, standin)).values("tombstones_per_read", Statistic.P99):
                return told
        Event().wait(0.1)
    pytest.fail("b was never read")


def test_a_node_that_comes_back_is_read_again(source: CassandraSource, standin: CqlStandin) -> None:
    standin.inject("a", Fault(kind=FaultKind.DOWN))
    collect(source, standin)
    standin.clear("a")

    until = monotonic() + 120
    while "a" not in collect(source, standin, minute=1).values("tombstones_per_read", Statistic.P99):
        assert monotonic() < until, "the node came back and was not read again"
        Event().wait(0.1)


def test_a_missing_column_costs_its_metric_and_no_other(world: StillWorld) -> None:
    with CqlStandin(NODES[:1], world) as standin:
        standin.inject("a", Fault(kind=FaultKind.MISSING_COLUMN, table="system_views.caches", column="hit_count"))
        source = source_of(standin)
        collect(source, standin)
        told = collect(source, standin, minute=1)
        source.close()

    assert "cache_hits" in told.gaps(GapReason.UNSUPPORTED, "a")
    assert told.values("cache_requests", dimension="keys") == {"a": [0.0]}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.table)
def test_any_table_may_be_missing(world: StillWorld, view: object) -> None:
    table = view.table  # type: ignore[attr-defined]  # a View; pytest gives it as object
    with CqlStandin(NODES[:1], world) as standin:
        standin.inject("a", Fault(kind=FaultKind.MISSING_TABLE, table=f"system_views.{table}"))
        source = source_of(standin)
        told = collect(source, standin)
        source.close()

    assert told.gaps(GapReason.UNSUPPORTED, "a") >= view.metrics  # type: ignore[attr-defined]  # as above


def test_a_release_before_virtual_tables_is_one_gap(world: StillWorld) -> None:
    with CqlStandin(NODES[:1], world) as standin:
        standin.inject("a", Fault(kind=FaultKind.MISSING_TABLE, table="system_virtual_schema.columns"))
        source = source_of(standin)
        told = collect(source, standin)
        source.close()

    assert told.gaps(GapReason.UNSUPPORTED, "a") == {"*"}


def test_a_restart_leaves_a_stretch_that_is_not_known(
    source: CassandraSource, standin: CqlStandin, world: StillWorld
) -> None:
    collect(source, standin)
    fill(world, "a", reads=10)
    world.put("system.local", {"gossip_generation": 1_800_000_000}, node="a")

    told = collect(source, standin, minute=1)

    assert set(told.values("reads")) == {"b"}
    noon = int(NOON.timestamp())
    spans = {gap.span for gap in told.all_gaps() if gap.missing == "reads"}
    assert spans == {Span(noon, noon + 60)}


def test_a_failure_among_what_is_asked_seldom_is_tried_again_at_once(world: StillWorld) -> None:
    with CqlStandin(NODES[:1], world) as standin:
        standin.inject("a", Fault(kind=FaultKind.UNAUTHORIZED, table="system.prepared_statements", times=1))
        source = source_of(standin)
        denied = collect(source, standin)
        healed = collect(source, standin, minute=1)
        source.close()

    assert "prepared_inserts" in denied.gaps(GapReason.DENIED)
    assert "prepared_inserts" not in denied.table()
    assert healed.table()["prepared_inserts"] == 1.0


def test_a_schema_that_cannot_be_read_takes_the_inventory_and_nothing_else(world: StillWorld) -> None:
    with CqlStandin(NODES[:1], world) as standin:
        standin.inject("a", Fault(kind=FaultKind.OVERLOADED, table="system_schema.tables", times=1))
        source = source_of(standin)
        told = collect(source, standin)
        source.close()

    assert told.gaps(GapReason.THROTTLED) >= {"compaction", "gc_grace_s"}
    assert not told.batches[-1].inventory
    assert told.values("tombstones_per_read", Statistic.P99) == {"a": [310.0]}


def test_when_no_node_answers_the_source_says_so(source: CassandraSource, standin: CqlStandin) -> None:
    for node in NODES:
        standin.inject(node.name, Fault(kind=FaultKind.DOWN))

    with pytest.raises(SourceError, match="cassandra/prod: no node answered") as failed:
        list(source.collect(None, NOON + timedelta(minutes=1)))
    assert (failed.value.reason, failed.value.retryable) == (GapReason.UNREACHABLE, True)


@pytest.mark.parametrize("kind", [FaultKind.DOWN, FaultKind.HANG, FaultKind.GARBAGE, FaultKind.RESET])
def test_contact_points_that_cannot_be_used_are_named_and_tried_again(world: StillWorld, kind: FaultKind) -> None:
    with CqlStandin(NODES[:1], world) as standin:
        source = source_of(standin)
        standin.inject("a", Fault(kind=kind))
        with pytest.raises(SourceError, match=r'no contact point of cluster "prod" \(127\.0\.0\.1:\d+\) could be used'):
            list(source.collect(None, NOON))

        standin.clear("a")
        assert collect(source, standin).values("tombstones_per_read", Statistic.P99) == {"a": [310.0]}
        source.close()


def test_a_wrong_password_is_a_denial_and_is_not_repeated(world: StillWorld) -> None:
    with CqlStandin(NODES[:1], world, roles=[Role(name="stillfit", password="right")]) as standin:
        source = source_of(standin, username="stillfit", password="wrong")
        with pytest.raises(SourceError, match="refused the role or its password") as failed:
            list(source.collect(None, NOON))
        source.close()

    assert failed.value.reason is GapReason.DENIED
    assert "wrong" not in str(failed.value)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"username": "u", "password_file": "/nowhere/password"}, "/nowhere/password"),
        ({"tls_ca_file": "/nowhere/ca.pem"}, "No such file"),
        ({"contact_points": ("nosuch.invalid",)}, "nosuch.invalid"),
    ],
    ids=["password file", "authority", "name without address"],
)
def test_what_is_wrong_with_the_settings_is_said(settings: dict[str, Any], named: str) -> None:
    source = CassandraSource(Cassandra(**({"cluster": "prod", "contact_points": ("127.0.0.1",)} | settings)))

    with pytest.raises(SourceError, match='cluster "prod"') as failed:
        list(source.collect(None, NOON))
    assert named in str(failed.value)
