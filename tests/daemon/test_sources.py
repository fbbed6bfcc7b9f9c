"""Each source for itself: one that breaks or hangs holds up nobody, and a stop ends its reading."""

from __future__ import annotations

import threading

import pytest

from stillfit.clock import Clock
from stillfit.model import GapReason
from stillfit.store.store import Store
from tests.daemon.bench import SOON_S, Bench, judged, runs, wait_until
from tests.fakes import FakeSource


def test_it_starts_collects_judges_and_ends_without_a_thread_left(store: Store, clock: Clock) -> None:
    source, before = FakeSource(), set(threading.enumerate())

    with Bench(store, clock, source).running() as bench:
        view = bench.views.wait_for(judged)
    bench.daemon.stop()  # a second stop does nothing more than close again

    assert [one.id for one in view.sources] == [source.id]
    assert set(threading.enumerate()) <= before
    assert source.closed >= 1


def test_until_the_first_turn_nothing_is_said_to_be_well(store: Store, clock: Clock) -> None:
    assert Bench(store, clock, FakeSource()).daemon.view.turn is None


@pytest.mark.parametrize("error", [ValueError("nonsense"), RuntimeError("a defect")])
def test_a_source_that_breaks_is_a_gap_while_the_others_go_on(store: Store, clock: Clock, error: Exception) -> None:
    broken, healthy = FakeSource("broken", table="carts"), FakeSource("healthy")
    broken.error = error

    with Bench(store, clock, broken, healthy).running() as bench:
        view = bench.views.wait_for(lambda view: bool(view.gaps) and judged(view))

    told = {one.id: one.error for one in view.sources}
    assert [gap.reason for gap in view.gaps] == [GapReason.GARBLED]
    assert (str(error) in told[broken.id], told[healthy.id]) == (True, "")


def test_a_source_that_hangs_holds_up_nobody_else(store: Store, clock: Clock) -> None:
    hanging, healthy = FakeSource("hanging", table="carts"), FakeSource("healthy")
    hanging.may_answer.clear()

    with Bench(store, clock, hanging, healthy).running() as bench:
        bench.views.wait_for(judged)
        before = healthy.looks
        bench.views.next(lambda _view: healthy.looks > before + 2)
        left_out = runs(bench.daemon, f"collect {hanging.id}", "still running")
        hanging.may_answer.set()

    assert (hanging.looks >= 1, left_out > 0) == (True, True)


def test_many_sources_that_hang_hold_up_no_judging(store: Store, clock: Clock) -> None:
    hanging = [FakeSource(f"hanging-{number}", table=f"t{number}") for number in range(25)]
    for source in hanging:
        source.may_answer.clear()

    with Bench(store, clock, *hanging).running() as bench:
        assert all(source.is_reading.wait(SOON_S) for source in hanging)
        bench.views.next(lambda view: view.turn is not None and not view.gaps)  # while all of them hang


def test_a_stop_ends_a_reading_that_hangs_and_tells_no_gap_of_it(store: Store, clock: Clock) -> None:
    hanging = FakeSource("hanging")
    hanging.may_answer.clear()

    with Bench(store, clock, hanging).running() as bench:
        assert hanging.is_reading.wait(SOON_S)
        left = bench.daemon.stop(SOON_S)

    assert (left, store.gaps(), hanging.closed) == (frozenset(), (), 1)


def test_a_stop_does_not_wait_for_a_source_that_does_not_heed_it(store: Store, clock: Clock) -> None:
    stuck = FakeSource("stuck")
    stuck.heeds_stop = False
    stuck.may_answer.clear()

    with Bench(store, clock, stuck).running() as bench:
        assert stuck.is_reading.wait(SOON_S)
        left = bench.daemon.stop(patience_s=0.05)
        stuck.may_answer.set()
        wait_until(lambda: stuck.closed == 1)

    assert f"collect {stuck.id}" in left
