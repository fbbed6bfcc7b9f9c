"""From sources into the store and out again: what fails is told, and stays where it failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from stillfit import cycle
from stillfit.clock import FakeClock
from stillfit.errors import SourceError, StoreError
from stillfit.export.health import Health
from stillfit.intake import Intake, settled
from stillfit.model import Batch, Engine, GapReason, Subject, Unknown
from stillfit.parts import knowledge
from stillfit.store import schema
from stillfit.store.store import Store
from tests.fakes import SCOPE, FakeSource

DOWN = SourceError("fake: connection refused: start it", reason=GapReason.UNREACHABLE, retryable=True)
HUNG = SourceError("fake: no answer within 20 s", reason=GapReason.TIMEOUT, retryable=True)
DENIED = SourceError("fake: not allowed: grant it", reason=GapReason.DENIED, retryable=False)
NONSENSE = ValueError("invalid literal for int(): '<html>'")


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def intake(store: Store, clock: FakeClock, health: Health) -> Intake:
    return Intake(store, clock, health)


def failing(error: Exception, name: str = "broken", table: str = "carts") -> FakeSource:
    source = FakeSource(name, table=table)
    source.error = error
    return source


def hanging(intake: Intake, source: FakeSource) -> threading.Thread:
    """A reading that has begun and waits for its first batch."""
    source.may_answer.clear()
    reading = threading.Thread(target=intake.collect, args=(source,))
    reading.start()
    assert source.is_reading.wait(600)
    return reading


def judged(intake: Intake, *sources: FakeSource) -> dict[str, object]:
    """What dynamodb/throttling says of each table."""
    turn = cycle.turn(intake.snapshot(sources, (), timedelta(hours=3)), knowledge(), ())
    return {one.subject.name: one.answer for one in turn.judgements if one.detector == "dynamodb/throttling"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(DOWN, "unreachable"), (HUNG, "timeout"), (DENIED, "denied"), (NONSENSE, "garbled")],
    ids=["down", "hung", "denied", "nonsense"],
)
def test_a_source_that_fails_is_a_gap_a_metric_a_line_and_a_status(
    intake: Intake, store: Store, health: Health, error: Exception, reason: str
) -> None:
    source = failing(error)

    with capture_logs() as lines:
        intake.collect(source)

    (gap,) = store.gaps()
    (status,) = intake.statuses([source])
    assert (gap.subject, gap.missing, gap.reason.value, gap.source) == (SCOPE, "*", reason, source.id)
    assert str(error) in gap.detail
    assert (status.error, status.last_success) == (gap.detail, None)
    labels = {"target": source.id, "collector": "fake", "kind": reason}
    assert health.registry.get_sample_value("stillfit_collect_errors_total", labels) == 1
    assert [line["source"] for line in lines if line["event"] == "source could not be read"] == [source.id]


def test_tables_of_a_source_that_fails_are_unknown_for_its_reason_and_the_others_are_judged(intake: Intake) -> None:
    healthy, broken = FakeSource("healthy"), failing(DOWN)
    for source in (broken, healthy):
        intake.collect(source)

    answers = judged(intake, healthy, broken)

    assert answers["orders"] is None
    assert isinstance(answers["carts"], Unknown)
    assert "unreachable (fake: connection refused: start it)" in answers["carts"].reason
    assert answers["carts"].missing == ("read_throttle_events", "write_throttle_events")


def test_a_gap_ends_when_its_source_is_back(intake: Intake, store: Store, clock: FakeClock) -> None:
    source = failing(DOWN)
    intake.collect(source)

    source.error = None
    clock.advance(60)
    intake.collect(source)

    assert store.gaps() == ()
    assert intake.statuses([source])[0].error == ""
    assert judged(intake, source) == {"carts": None}


def test_what_came_before_the_failure_is_kept(intake: Intake, store: Store) -> None:
    source = failing(DOWN)

    intake.collect(source)

    assert store.subjects() == (source.table,)


def test_trouble_of_the_store_is_no_gap_of_the_source(
    intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_batch: Batch, *, epoch: int) -> None:
        raise StoreError("store: locked", retryable=True)

    monkeypatch.setattr(store, "write", refuse)
    with pytest.raises(StoreError):
        intake.collect(FakeSource())

    assert store.gaps() == ()


def test_a_garbled_chunk_is_unknown_until_it_is_collected_again(intake: Intake, store: Store, clock: FakeClock) -> None:
    source = FakeSource()
    intake.collect(source)
    with store._samples.write() as connection:
        connection.execute(sa.update(schema.chunk).values(data=b"\x00 garbage"))

    answer = judged(intake, source)["orders"]
    intake.collect(source)

    assert isinstance(answer, Unknown)
    assert "garbled" in answer.reason
    assert judged(intake, source) == {"orders": None}


def test_a_source_that_was_never_read_says_so_by_its_empty_times(intake: Intake) -> None:
    (status,) = intake.statuses([FakeSource()])

    assert (status.last_attempt, status.last_success, status.error) == (None, None, "")


def test_a_look_that_is_under_way_says_since_when(intake: Intake, clock: FakeClock) -> None:
    source = FakeSource("slow")
    began = clock.now()
    reading = hanging(intake, source)
    clock.advance(600)
    (during,) = intake.statuses([source])
    source.may_answer.set()
    reading.join()
    (after,) = intake.statuses([source])

    assert (during.reading_since, during.overdue(clock.now())) == (began, timedelta(minutes=10))
    assert (after.reading_since, after.overdue(clock.now())) == (None, timedelta(0))


def test_a_retired_source_is_closed_at_once_when_nobody_reads_it(intake: Intake) -> None:
    source = FakeSource()

    intake.retire([source])

    assert source.closed == 1


def test_a_source_whose_turn_comes_after_it_was_retired_is_not_read(intake: Intake) -> None:
    source = FakeSource()
    intake.retire([source])

    intake.collect(source)

    assert (source.looks, source.closed) == (0, 1)


def test_a_source_retired_while_it_is_read_is_closed_once_when_that_ends(intake: Intake) -> None:
    source = FakeSource()
    source.heeds_stop = False
    reading = hanging(intake, source)

    intake.retire([source])
    closed_early = source.closed
    source.may_answer.set()
    reading.join()

    assert (closed_early, source.closed) == (0, 1)


@pytest.mark.parametrize("error", [None, DOWN, NONSENSE], ids=["answers", "down", "nonsense"])
def test_a_reading_that_a_stop_cuts_off_has_neither_failed_nor_gone_well(
    intake: Intake, store: Store, health: Health, error: Exception | None
) -> None:
    source = FakeSource()
    source.error = error
    reading = hanging(intake, source)

    with capture_logs() as lines:
        intake.retire([source])
        reading.join()

    (status,) = intake.statuses([source])
    assert (store.gaps(), store.subjects(), status.error, status.last_success) == ((), (), "", None)
    assert [line["log_level"] for line in lines] == ["info"]
    assert not any(metric.samples for metric in health.registry.collect() if metric.name == "stillfit_collect_errors")
    assert source.closed == 1


@pytest.mark.parametrize("is_told", [True, False], ids=["the other goes on", "the other ended"])
@pytest.mark.parametrize("error", [None, DOWN], ids=["answers", "fails"])
def test_a_batch_that_outlasts_its_lease_is_dropped_and_is_no_success(
    store: Store, clock: FakeClock, health: Health, error: Exception | None, *, is_told: bool
) -> None:
    one, other = (Intake(store, clock, health, owner) for owner in ("a", "b"))
    source, same = FakeSource("shared"), FakeSource("shared", table="carts")
    source.error = error
    reading = hanging(one, source)
    clock.advance(30)
    other.collect(same)
    if not is_told:
        other.end()

    with capture_logs() as lines:
        source.may_answer.set()
        reading.join()

    (status,) = one.statuses([source])
    assert (store.gaps(), store.subjects(), status.last_success, status.error) == ((), (same.table,), None, "")
    assert [line["event"] for line in lines if line.get("source")] == ["a reading came too late and was dropped"]


class Overtaken(FakeSource):
    """Fails only after another replica has read the same."""

    meanwhile: Callable[[], None]

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        self.meanwhile()
        self.error = DOWN
        return iter(list(super().collect(since, until)))


def test_a_failure_that_is_told_after_the_lease_went_is_no_gap(store: Store, clock: FakeClock, health: Health) -> None:
    one, other = (Intake(store, clock, health, owner) for owner in ("a", "b"))
    source = Overtaken("shared")

    def meanwhile() -> None:
        clock.advance(30)
        other.collect(FakeSource("shared"))

    source.meanwhile = meanwhile
    one.collect(source)

    assert store.gaps() == ()


def test_time_is_judged_up_to_the_newest_minute_that_no_source_of_the_engine_will_change(clock: FakeClock) -> None:
    quick, slow, cluster = FakeSource("quick"), FakeSource("slow"), FakeSource("cluster")
    slow.settle_s = 300
    cluster.scope = Subject(engine=Engine.CASSANDRA, scope=("prod", ""))
    clock.advance(59)

    spans = settled([quick, slow, cluster], clock.now())

    noon = int(clock.now().timestamp()) // 60 * 60
    assert {engine: span.end for engine, span in spans.items()} == {
        Engine.DYNAMODB: noon - 300,
        Engine.CASSANDRA: noon,
    }


def test_a_gap_on_a_region_whose_account_is_not_known_holds_for_its_tables(intake: Intake) -> None:
    source = FakeSource()
    intake.collect(source)
    source.error, source.metrics = DOWN, {}
    source.scope = Subject(engine=Engine.DYNAMODB, scope=("", "us-east-1"))
    intake.collect(source)

    (case,) = intake.snapshot([source], (), timedelta(hours=3)).cases(cycle.COSTS, lambda _a, _s: {})

    assert [gap.reason for gap in case.gaps] == [GapReason.UNREACHABLE]


def test_a_source_is_read_by_one_replica_until_that_one_ends(store: Store, clock: FakeClock, health: Health) -> None:
    one, other = (Intake(store, clock, health, owner) for owner in ("a", "b"))
    source = FakeSource("shared")
    one.collect(source)

    other.collect(source)
    assert [status.last_success for status in other.statuses([source])] == [None]
    one.end()
    other.collect(source)
    assert [status.last_success for status in other.statuses([source])] == [clock.now()]


@pytest.mark.parametrize(("silent_s", "taken_over"), [(29, False), (30, True)], ids=["below", "at"])
def test_a_replica_that_misses_its_time_by_half_a_minute_loses_its_source(
    store: Store, clock: FakeClock, health: Health, silent_s: int, taken_over: bool
) -> None:
    one, other = (Intake(store, clock, health, owner) for owner in ("a", "b"))
    source, every = FakeSource("shared"), timedelta(minutes=5)
    one.collect(source, every)
    clock.advance(every.total_seconds() + silent_s)

    other.collect(source, every)

    assert (other.statuses([source])[0].last_success is not None) is taken_over


def test_hours_are_read_anew_after_ten_minutes_or_when_their_past_changes(
    intake: Intake, clock: FakeClock, store: Store
) -> None:
    def hours() -> int:
        found = intake.snapshot([source], (), timedelta(hours=3)).series
        return sum(len(one.times) for one in found if one.period_s == 3600)

    source = FakeSource("steady")
    assert hours() == 0
    intake.collect(source)
    known = hours()
    assert known > 0
    clock.advance(599)
    intake.collect(source)
    assert hours() == known
    clock.advance(3600)
    intake.collect(source)
    assert hours() > known
