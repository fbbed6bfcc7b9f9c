"""Keyspaces and DAX from the stand-in to the pages: read, stored, and never taken for well while nobody judges them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stillfit import cycle
from stillfit.cli.terminal import report
from stillfit.clock import FakeClock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.cycle import UNJUDGED, Turn
from stillfit.export.findings import document
from stillfit.export.health import Health
from stillfit.export.prometheus import families
from stillfit.export.status_page import status_page
from stillfit.export.view import View, view_of
from stillfit.intake import Intake
from stillfit.model import Engine, Series, Statistic, Subject, Unknown
from stillfit.parts import knowledge
from stillfit.snapshot import Snapshot
from stillfit.sources import SigningIn, sources
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from stillfit.store.store import Store
from tests.collector.aws.services import FRONT, JOBS, NODE, SHOP, put_cassandra, put_dax, put_front, put_jobs
from tests.demo.kit import aws_environment, environment

REGION = "eu-west-1"
BOTH = Aws(regions=(REGION,), services=("keyspaces", "dax"), first_look=timedelta(hours=2))


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    """A table that serves SELECTs and was refused some, and a cluster of two nodes that serves GetItem."""
    world = World(now=lambda: clock.now().timestamp())
    put_jobs(world, tags={"team": "shop"})
    put_front(world)
    end = int(clock.now().timestamp())
    put_cassandra(world, "ConsumedReadCapacityUnits", [600.0] * 180, end=end)
    put_cassandra(world, "SuccessfulRequestLatency", [4.0] * 180, end=end, Operation="SELECT")
    put_cassandra(world, "ReadThrottleEvents", [50.0] * 60, end=end, Operation="SELECT")
    put_dax(world, "TotalRequestCount", [60.0] * 180, end=end)
    put_dax(world, "CPUUtilization", [95.0] * 180, node="front-a", end=end)
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield world


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


@pytest.fixture
def read(world: World, store: Store, clock: FakeClock) -> Iterator[list[SigningIn]]:
    made = [source for source, _ in sources(Config(aws=(BOTH,)), clock)]
    yield [source for source in made if isinstance(source, SigningIn)]
    for source in made:
        source.close()


def known(read: list[SigningIn], store: Store, clock: FakeClock) -> tuple[Snapshot, Turn, Intake]:
    """What is known and decided after one reading of each source."""
    intake = Intake(store, clock, Health())
    for source in read:
        intake.collect(source)
    snapshot = intake.snapshot(read, (), timedelta(hours=3))
    return snapshot, cycle.look(snapshot, knowledge()), intake


def shown(snapshot: Snapshot, turn: Turn, clock: FakeClock) -> View:
    empty = View(instance="test", version="1", started_at=clock.now(), at=clock.now())
    return view_of(empty, turn, snapshot, ())


def minutes(snapshot: Snapshot, subject: Subject, metric: str, statistic: Statistic = Statistic.SUM) -> Series:
    (found,) = (
        one
        for one in snapshot.series
        if (one.subject, one.metric, one.statistic, one.period_s) == (subject, metric, statistic, 60)
    )
    return found


def test_what_was_read_is_known(read: list[SigningIn], store: Store, clock: FakeClock) -> None:
    snapshot, _, _ = known(read, store, clock)

    assert {SHOP, JOBS, FRONT, NODE} <= set(snapshot.subjects)
    assert set(minutes(snapshot, JOBS, "keyspaces_consumed_read_units").values.tolist()) == {600.0}
    assert minutes(snapshot, JOBS, "keyspaces_read_throttle_events").values.sum() > 0
    assert set(minutes(snapshot, NODE, "dax_cpu_percent", Statistic.MAXIMUM).values.tolist()) == {95.0}
    settings = {one.subject: one for one in snapshot.attributes}
    assert settings[JOBS].get("keyspaces_tags") == ("team=shop",)
    assert settings[FRONT].get("dax_node_type") == "dax.r5.large"
    assert (snapshot.gaps, set(snapshot.spans)) == ((), {Engine.KEYSPACES, Engine.DAX})


def test_what_could_not_be_read_is_a_gap_that_ends(
    world: World, read: list[SigningIn], store: Store, clock: FakeClock
) -> None:
    world.faults.add(
        Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeParameters", count=1),
        Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTagsForResource", count=2),
    )
    known(read, store, clock)
    before = {(gap.subject, gap.missing) for gap in store.gaps()}
    clock.advance(1_000)
    known(read, store, clock)

    assert before >= {(FRONT, "dax_item_ttl_s"), (JOBS, "keyspaces_tags")}
    assert store.gaps() == ()


def test_what_no_detector_knows_is_unknown_and_not_well(read: list[SigningIn], store: Store, clock: FakeClock) -> None:
    snapshot, turn, _ = known(read, store, clock)
    told = {one.subject: one.answer for one in turn.judgements if one.detector == UNJUDGED}

    assert told.keys() == {JOBS, FRONT}
    assert all(isinstance(answer, Unknown) for answer in told.values())
    assert (turn.advice, turn.costs, turn.fits) == ((), (), ())
    assert [one.answer for one in turn.judgements if one.subject in snapshot.subjects and one.answer is None] == []


def test_pages_and_reports_say_so(read: list[SigningIn], store: Store, clock: FakeClock) -> None:
    snapshot, turn, _ = known(read, store, clock)
    view = shown(snapshot, turn, clock)
    page = re.sub(r"<[^>]*>", "", status_page(view, clock.now(), troubles=()))
    metrics = {
        sample.labels["answer"]: sample.value
        for family in families(view, clock.now().timestamp())
        for sample in family.samples
        if sample.labels.get("detector") == UNJUDGED and "answer" in sample.labels
    }

    assert "Nothing to do on what could be judged: 0 tables." in page
    assert "no detector knows keyspaces yet" in page
    assert [one.reason for one in document(turn, snapshot.gaps).unknowns] == [
        "front: no detector knows dax yet; what is read of it is kept, not judged",
        "shop.jobs: no detector knows keyspaces yet; what is read of it is kept, not judged",
    ]
    assert metrics["unknown"] == 2.0
    assert report(turn, snapshot.gaps)


def test_a_service_that_is_down_leaves_the_other_alone(
    world: World, read: list[SigningIn], store: Store, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListKeyspaces"))
    snapshot, _, _ = known(read, store, clock)

    (gap,) = snapshot.gaps
    assert (gap.missing, gap.subject) == (
        "*",
        Subject(engine=Engine.KEYSPACES, scope=(DEFAULT_ACCOUNT, REGION)),
    )
    assert "grant cassandra:Select" in gap.detail
    assert FRONT in snapshot.subjects
    assert JOBS not in snapshot.subjects
