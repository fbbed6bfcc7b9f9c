"""Jobs: each by itself, failures counted, late work run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from stillfit.errors import StoreError
from stillfit.timetable import SOURCE_THREADS, Timetable

SOON_S = 120.0
"""Real seconds after which a job that should have run by itself is given up on."""


class Outcomes:
    """Stands where the health of the daemon stands, and lets a test wait for a job's end."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.intervals: dict[str, float] = {}
        self._changed = threading.Condition()

    def scheduled(self, job: str, every_s: float) -> None:
        self.intervals[job] = every_s

    def unscheduled(self) -> None:
        self.intervals.clear()

    def job_ended(self, job: str, outcome: str) -> None:
        with self._changed:
            self.seen.append((job, outcome))
            self._changed.notify_all()

    def wait_for(self, name: str, outcome: str, times: int = 1) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.seen.count((name, outcome)) >= times, SOON_S)


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def timetable(outcomes: Outcomes) -> Iterator[Timetable]:
    made = Timetable(outcomes, scale=3_600.0)
    yield made
    made.stop()


def failing(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def wait(event: threading.Event) -> None:
    event.wait(SOON_S)


def test_intervals_are_told_in_real_seconds_of_the_compressed_clock(timetable: Timetable, outcomes: Outcomes) -> None:
    timetable.every(timedelta(hours=1), "look", lambda: None)

    assert outcomes.intervals == {"look": 1.0}


def test_a_job_runs_soon_after_the_start(timetable: Timetable, outcomes: Outcomes) -> None:
    timetable.every(timedelta(hours=1), "look", lambda: None)
    timetable.start()

    assert outcomes.wait_for("look", "ok")


def test_a_job_that_crashes_takes_no_other_down_and_runs_again(timetable: Timetable, outcomes: Outcomes) -> None:
    timetable.every(timedelta(minutes=6), "bad", failing(RuntimeError("boom")))
    timetable.every(timedelta(minutes=6), "good", lambda: None)
    timetable.start()

    assert outcomes.wait_for("bad", "crashed")
    assert outcomes.wait_for("good", "ok")
    outcomes.seen.clear()
    assert outcomes.wait_for("bad", "crashed")


def test_a_refusing_store_is_told_apart_from_a_crash(timetable: Timetable, outcomes: Outcomes) -> None:
    timetable.every(timedelta(hours=1), "judge", failing(StoreError("disk full", retryable=True)))
    timetable.start()

    assert outcomes.wait_for("judge", "store")


def test_a_job_that_outlasts_its_interval_is_counted_and_not_doubled(timetable: Timetable, outcomes: Outcomes) -> None:
    release = threading.Event()
    timetable.every(timedelta(minutes=6), "slow", lambda: wait(release))
    timetable.start()

    assert outcomes.wait_for("slow", "still running")
    release.set()
    assert outcomes.wait_for("slow", "ok")


def test_sources_that_hang_stop_no_job_of_the_daemons_own(timetable: Timetable, outcomes: Outcomes) -> None:
    release, hanging = threading.Event(), threading.Barrier(SOURCE_THREADS + 1)

    def hang() -> None:
        hanging.wait(SOON_S)
        wait(release)

    for number in range(SOURCE_THREADS):
        timetable.every(timedelta(hours=10), f"collect {number}", hang, of_source=True)
    timetable.start()
    hanging.wait(SOON_S)  # each thread has one
    for name in ("judge", "send"):
        timetable.every(timedelta(hours=1), name, lambda: None)

    assert outcomes.wait_for("judge", "ok")
    assert outcomes.wait_for("send", "ok")
    assert not [name for name, outcome in outcomes.seen if name.startswith("collect") and outcome == "ok"]
    release.set()


def test_a_cleared_timetable_runs_nothing_more(timetable: Timetable, outcomes: Outcomes) -> None:
    timetable.every(timedelta(minutes=6), "old", lambda: None)
    timetable.start()
    timetable.clear()
    outcomes.seen.clear()
    timetable.every(timedelta(minutes=6), "new", lambda: None)

    assert outcomes.wait_for("new", "ok", times=3)
    assert outcomes.seen.count(("old", "ok")) <= 1  # one may have run when the table was cleared


def test_a_stop_waits_for_a_job_that_ends_and_names_one_that_does_not(timetable: Timetable, outcomes: Outcomes) -> None:
    release, has_begun = threading.Event(), threading.Event()

    def stuck() -> None:
        has_begun.set()
        wait(release)

    timetable.every(timedelta(hours=1), "stuck", stuck)
    timetable.start()
    assert has_begun.wait(SOON_S)

    left = timetable.stop(0.05)
    release.set()

    assert (left, timetable.stop()) == (frozenset({"stuck"}), frozenset())
    assert outcomes.wait_for("stuck", "ok")


def test_stopping_twice_does_nothing(timetable: Timetable) -> None:
    timetable.start()
    timetable.stop()
    timetable.stop()


def test_a_store_that_refuses_for_long_is_told_once_and_counted(timetable: Timetable, outcomes: Outcomes) -> None:
    answers = iter(
        [
            StoreError("full", retryable=True),
            StoreError("full", retryable=True),
            StoreError("full", retryable=True),
            None,
        ]
    )

    def work() -> None:
        error = next(answers, None)
        if error is not None:
            raise error

    with capture_logs() as logs:
        timetable.every(timedelta(minutes=1), "send", work)
        timetable.start()
        assert outcomes.wait_for("send", "ok", times=2)  # the second begins when the first was logged

    told = [(one["log_level"], one.get("refusals")) for one in logs if one.get("job") == "send"]
    assert [one for one in told if one[0] != "debug"] == [("error", None), ("warning", 3)]  # debug: a run was left out


def test_another_reason_of_the_store_is_told_as_well(timetable: Timetable, outcomes: Outcomes) -> None:
    answers = iter([StoreError("full", retryable=True), StoreError("locked", retryable=True)])

    def work() -> None:
        error = next(answers, None)
        if error is not None:
            raise error

    with capture_logs() as logs:
        timetable.every(timedelta(minutes=1), "send", work)
        timetable.start()
        assert outcomes.wait_for("send", "ok")

    assert [one["error"] for one in logs if "error" in one] == ["full", "locked"]
