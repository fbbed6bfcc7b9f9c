"""Time that CloudWatch has not shown yet: unknown until it is read again, never "nothing happened"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from analyzers.dynamodb_throttling import ANALYZER
from collector.aws.source import AwsSource
from collector.aws.spending.plan import SETTLE_S, SHOWN_AFTER_S, Tier
from stillfit import cycle as turns
from stillfit.clock import FakeClock
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Answer, Finding, Series, Span, Unknown
from stillfit.parts import knowledge
from stillfit.standins.aws import Fault, FaultKind, Publication, World
from stillfit.store.store import Store
from tests.collector.aws.kit import KNOWN_TO, NOON, ORDERS, OpenSource, put

REFUSED = "ReadThrottleEvents"
TICK_S = 300
LATE_S = 90
"""How late CloudWatch shows a minute here."""
MINUTES = Span(NOON - 600, NOON + 600)


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


@pytest.fixture
def intake(store: Store, clock: FakeClock) -> Intake:
    return Intake(store, clock, Health())


@pytest.fixture
def hot(opened: OpenSource) -> AwsSource:
    """Reads all of the table in every look."""
    return opened(hot=("orders",), first_look=timedelta(hours=3))


def refusals(store: Store) -> Series:
    """What is stored of the table's refused reads, around noon."""
    (found,) = store.series(MINUTES, metrics=["read_throttle_events"], subjects=[ORDERS])
    return found


def judged(intake: Intake, source: AwsSource) -> tuple[Answer, Span]:
    """What the detector of refused requests says of the table, and of which time it says so."""
    snapshot = intake.snapshot([source], (), timedelta(hours=3))
    found = turns.look(snapshot, knowledge()).judgements
    (answer,) = (one.answer for one in found if (one.detector, one.subject) == (ANALYZER.id, ORDERS))
    return answer, snapshot.case(ORDERS, ANALYZER).window


def test_the_newest_two_minutes_are_unknown_until_they_are_read_again(
    hot: AwsSource, intake: Intake, store: Store, clock: FakeClock
) -> None:
    intake.collect(hot)
    first = refusals(store).covered
    clock.advance(TICK_S)
    intake.collect(hot)

    assert first == (Span(MINUTES.start, KNOWN_TO),)
    assert refusals(store).covered == (Span(MINUTES.start, KNOWN_TO + TICK_S),)


def test_a_point_that_is_shown_within_them_counts_at_once(
    world: World, hot: AwsSource, intake: Intake, store: Store
) -> None:
    put(world, REFUSED, [7])
    intake.collect(hot)
    got = refusals(store)

    assert (got.times.tolist(), got.values.tolist()) == ([NOON - 60], [7])
    assert got.covered == (Span(MINUTES.start, KNOWN_TO), Span(NOON - 60, NOON))


@pytest.mark.parametrize("failed_looks", range(4))
def test_refused_requests_that_are_shown_late_are_never_nothing_while_reading_fails(
    failed_looks: int, world: World, hot: AwsSource, intake: Intake, clock: FakeClock
) -> None:
    world.publication = Publication(delay_s=LATE_S)
    put(world, "ConsumedReadCapacityUnits", [6_000] * 240, end=NOON + 7_200)
    put(world, REFUSED, [500])
    intake.collect(hot)
    world.faults.add(Fault(kind=FaultKind.INTERNAL_ERROR, operation="GetMetricData"))
    clock.advance(SETTLE_S)
    for _ in range(failed_looks):
        intake.collect(hot)
        answer, window = judged(intake, hot)
        assert isinstance(answer, Unknown) or window.end <= NOON - 60
        clock.advance(TICK_S)
    world.faults.clear()
    intake.collect(hot)

    assert isinstance(judged(intake, hot)[0], Finding)


def test_a_cold_table_is_judged_on_its_newest_hour_up_to_its_next_reading(
    opened: OpenSource, intake: Intake, clock: FakeClock
) -> None:
    source = opened(first_look=timedelta(hours=3))
    answers, ages = [], []
    for _ in range(12):
        intake.collect(source)
        clock.advance(TICK_S)
        answer, window = judged(intake, source)
        answers.append(answer)
        ages.append(int(clock.now().timestamp()) - window.end)

    assert source.plan.load.of(Tier.COLD).tables == 1
    assert answers == [None] * 12
    assert max(ages) == 900 + SHOWN_AFTER_S  # the longest wait of its tripwires, and what is not shown yet
