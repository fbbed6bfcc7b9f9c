"""The daemon with its own threads, on a clock that runs fast: each job for itself, everything kept, a clean end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from stillfit.advice import AdviceState
from stillfit.cli.running import reload
from stillfit.clock import Clock, FakeClock, ScaledClock
from stillfit.config import Config, Http, Slack
from stillfit.daemon import Daemon, as_kept
from stillfit.errors import ConfigError, SourceError, StoreError
from stillfit.export.view import View
from stillfit.lifecycle import acknowledge
from stillfit.model import GapReason
from stillfit.notify import sender_of
from stillfit.parts import Notified, Parts, knowledge
from stillfit.standins.slack import TOKEN, SlackStandIn
from stillfit.store import schema
from stillfit.store.leases import EVALUATION
from stillfit.store.ledger import Committed
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.fakes import HOT_KEY, FakeSource
from tests.scenarios.watching import CHANNEL, headlines

FAST = 600.0  # a minute passes in a tenth of a second
SOON_S = 20.0
EVERY = timedelta(minutes=1)


class Views:
    """Every view that the daemon showed; lets a test wait for one."""

    def __init__(self) -> None:
        self.seen: list[View] = []
        self._changed = threading.Condition()

    def __call__(self, view: View) -> None:
        with self._changed:
            self.seen.append(view)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[View], bool]) -> View:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.seen)), SOON_S), "no such view came"
            return next(view for view in self.seen if wanted(view))

    def next(self, wanted: Callable[[View], bool] = lambda _view: True) -> View:
        """The first of those that are still to come."""
        with self._changed:
            self.seen.clear()
        return self.wait_for(wanted)


@pytest.fixture
def clock() -> Clock:
    return ScaledClock(FakeClock().now(), FAST)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


class Bench:
    """A daemon over fake sources. `sources` is what the next assembling takes."""

    def __init__(self, store: Store, clock: Clock, *sources: FakeSource) -> None:
        self.sources = list(sources)
        self.views = Views()
        self.config = Config(instance="test", http=Http(port=0), evaluate_every=EVERY)
        self.refusal: ConfigError | None = None
        self.daemon = Daemon(self.config, clock=clock, store=store, assemble=self.assemble, on_view=self.views)

    def assemble(self, config: Config, store: Store, clock: Clock, notified: Notified) -> Parts:
        if self.refusal is not None:
            raise self.refusal
        return Parts(
            sources=tuple((source, EVERY) for source in self.sources),
            knowledge=knowledge(),
            sender=sender_of(config, store.outbox, clock, notified),
        )

    @contextmanager
    def running(self) -> Iterator[Bench]:
        self.daemon.start()
        try:
            yield self
        finally:
            self.daemon.stop()


def judged(view: View) -> bool:
    return view.turn is not None and any(one.last_success for one in view.sources)


def is_open(view: View) -> bool:
    return any(one.state is AdviceState.OPEN for one in view.advice)


def runs(daemon: Daemon, job: str, outcome: str) -> float:
    labels = {"loop": job, "outcome": outcome}
    return daemon.health.registry.get_sample_value("stillfit_job_runs_total", labels) or 0.0


def test_it_starts_collects_judges_and_ends_without_a_thread_left(store: Store, clock: Clock) -> None:
    source, before = FakeSource(), set(threading.enumerate())

    with Bench(store, clock, source).running() as bench:
        view = bench.views.wait_for(judged)
    bench.daemon.stop()  # a second stop does nothing more than close again

    assert [one.id for one in view.sources] == [source.id]
    assert set(threading.enumerate()) == before
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
        left = bench.daemon.stop()

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

    assert left == {f"collect {stuck.id}"}


class Stubborn(Store):
    """Refuses the first commits of a turn, as on a locked or full disk."""

    refusals = 0

    def commit(self, *args: object, **named: object) -> Committed:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("store: the disk is full: free some space", retryable=True)
        return super().commit(*args, **named)  # type: ignore[arg-type]  # handed on as they came


def test_a_turn_that_could_not_be_kept_is_not_shown_and_comes_again_whole(tmp_path: Path, clock: Clock) -> None:
    store = Stubborn.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    store.refusals = 3

    with Bench(store, clock, FakeSource(metrics=HOT_KEY)).running() as bench:
        view = bench.views.wait_for(is_open)
        refused = runs(bench.daemon, "judge", "store")
    kept = store.transitions()
    store.close()

    assert refused == 3
    assert [(one.number, one.after) for one in kept] == [(1, AdviceState.OPEN)]
    assert [one.id for one in view.advice] == [kept[0].advice_id]


def test_a_full_disk_stops_samples_and_loses_no_transition(store: Store, clock: Clock) -> None:
    source = FakeSource(metrics=HOT_KEY)
    ballast = store._databases.ballast
    assert ballast is not None

    with Bench(store, clock, source).running() as bench:
        bench.views.wait_for(is_open)
        ballast._path.unlink()
        size, ballast._size = ballast._size, 2**62  # more than any disk has free
        wait_until(lambda: runs(bench.daemon, f"collect {source.id}", "store") > 0)
        paused = store.history_paused
        bench.views.next()
        ballast._size = size  # as if space had been freed
        wait_until(lambda: not store.history_paused)
        view = bench.views.next()

    assert (paused, is_open(view)) == (True, True)
    assert [one.after for one in store.transitions()] == [AdviceState.OPEN]


class Quicker(Store):
    """A person who takes each open advice on just before the next turn is kept."""

    def commit(self, *args: object, **named: object) -> Committed:
        for one in self.advice() if named.get("epoch") is not None else ():
            if one.state is AdviceState.OPEN:
                taken, transitions = acknowledge(one, one.state_since, by="ana")
                self.commit([taken], transitions, epoch=None)
        return super().commit(*args, **named)  # type: ignore[arg-type]  # handed on as they came


def test_what_a_person_decided_during_a_turn_is_what_is_shown(tmp_path: Path, clock: Clock) -> None:
    store = Quicker.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)

    with Bench(store, clock, FakeSource(metrics=HOT_KEY)).running() as bench:
        bench.views.wait_for(is_open)
        first = bench.views.next(lambda view: bool(view.advice))
    store.close()

    assert [one.state for one in first.advice] == [AdviceState.ACKNOWLEDGED]


def test_what_somebody_else_decided_is_not_counted(store: Store, clock: Clock) -> None:
    with Bench(store, clock, FakeSource(metrics=HOT_KEY)).running() as bench:
        outcome = bench.views.wait_for(is_open).turn
    (advice,) = store.advice()
    taken, _ = acknowledge(advice, clock.now(), by="ana")
    assert outcome is not None
    assert outcome.transitions

    kept = as_kept(outcome, frozenset({advice.id}), (taken,))

    assert (kept.advice, kept.transitions) == ((taken,), ())


def test_a_chunk_that_is_garbled_meanwhile_neither_resolves_nor_repeats(store: Store, clock: Clock) -> None:
    source = FakeSource(metrics=HOT_KEY)

    with Bench(store, clock, source).running() as bench:
        bench.views.wait_for(is_open)
        source.error = SourceError("fake: down", reason=GapReason.UNREACHABLE, retryable=True)
        bench.views.next(lambda view: bool(view.gaps))
        with store._samples.write() as connection:
            connection.execute(sa.update(schema.chunk).values(data=b"\x00 garbage"))
        blind = bench.views.next(lambda view: any(gap.reason is GapReason.GARBLED for gap in view.gaps))
        source.error = None
        healed = bench.views.next(lambda view: not view.gaps)

    assert (is_open(blind), is_open(healed)) == (True, True)
    assert [one.after for one in store.transitions()] == [AdviceState.OPEN]


def test_a_judge_that_crashes_is_counted_and_the_other_jobs_go_on(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeSource()
    bench = Bench(store, clock, source)
    monkeypatch.setattr(bench.daemon, "_on_view", lambda _view: 1 / 0)

    with capture_logs() as lines, bench.running():
        wait_until(lambda: source.looks > 3 and runs(bench.daemon, "judge", "crashed") > 1)

    assert {line["job"] for line in lines if line["event"].startswith("job crashed")} == {"judge"}
    assert runs(bench.daemon, "send", "crashed") == 0


def wait_until(is_true: Callable[[], bool]) -> None:
    """A tenth of a second at a time: for what no view tells."""
    pause = threading.Event()
    assert any(is_true() or pause.wait(0.1) for _ in range(int(SOON_S * 10))) or is_true()


def test_a_reload_swaps_the_sources_and_closes_the_old(store: Store, clock: Clock) -> None:
    old, new = FakeSource("old"), FakeSource("new", table="carts")

    with Bench(store, clock, old).running() as bench:
        bench.views.wait_for(judged)
        bench.sources = [new]
        taken = bench.daemon.reload(bench.config)
        view = bench.views.next(judged)

    assert (taken, [one.id for one in view.sources]) == (True, [new.id])
    assert old.closed == 1


def test_advice_and_gaps_of_a_source_that_was_removed_end(store: Store, clock: Clock) -> None:
    removed, stays = FakeSource("removed", metrics=HOT_KEY), FakeSource("stays", table="carts")

    with Bench(store, clock, removed, stays).running() as bench:
        bench.views.wait_for(is_open)
        removed.error = SourceError("fake: down", reason=GapReason.UNREACHABLE, retryable=True)
        bench.views.next(lambda view: bool(view.gaps))
        bench.sources = [FakeSource("stays", table="carts")]
        bench.daemon.reload(bench.config)
        view = bench.views.next(lambda view: not is_open(view))

    assert (view.gaps, view.subjects) == ((), (stays.table,))
    assert [one.reason for one in store.transitions()][1:] == ["orders is no longer there or no longer watched"]


def test_a_source_that_only_changes_its_id_loses_no_advice(store: Store, clock: Clock) -> None:
    with Bench(store, clock, FakeSource("aws/default", metrics=HOT_KEY)).running() as bench:
        bench.views.wait_for(is_open)
        named = FakeSource("aws/1234", metrics=HOT_KEY)
        named.may_answer.clear()
        bench.sources = [named]
        bench.daemon.reload(bench.config)
        bench.views.next()
        named.may_answer.set()
        wait_until(lambda: bench.daemon._sweep_by is None)
        view = bench.views.next(judged)

    assert is_open(view)
    assert [one.after for one in store.transitions()] == [AdviceState.OPEN]


def test_a_reload_that_is_refused_leaves_everything_as_it_was(store: Store, clock: Clock) -> None:
    source = FakeSource()

    with Bench(store, clock, source).running() as bench:
        bench.refusal = ConfigError(("stillfit.yaml:3: thresholds[0].detector: no detector 'x'",))
        with capture_logs() as lines:
            taken = bench.daemon.reload(bench.config)
        bench.views.next(judged)

    assert (taken, source.looks > 0) == (False, True)
    assert [line["error"] for line in lines if line["event"].startswith("reload refused")] == [str(bench.refusal)]
    assert bench.daemon.health.registry.get_sample_value("stillfit_config_last_reload_successful") == 0


def test_a_file_with_mistakes_is_refused_with_its_line(store: Store, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "stillfit.yaml"
    path.write_text("instance: test\nevaluate_evry: 1m\n", "utf-8")
    bench = Bench(store, clock, FakeSource())

    with bench.running(), capture_logs() as lines:
        reload(bench.daemon, path)

    (line,) = (line for line in lines if line["event"].startswith("reload refused"))
    assert "stillfit.yaml:2" in line["error"]
    assert "evaluate_every" in line["error"]


def test_a_second_replica_stays_warm_and_judges_only_when_the_first_is_gone(store: Store, clock: Clock) -> None:
    first = store.leases.acquire(EVALUATION, "another", timedelta(days=1))
    assert first is not None
    source = FakeSource()

    with Bench(store, clock, source).running() as bench:
        wait_until(lambda: source.looks > 2 and runs(bench.daemon, "judge", "ok") > 2)
        silent = bench.daemon.view.turn
        store.leases.release(first)
        bench.views.wait_for(judged)

    assert silent is None


def test_a_restart_goes_on_where_it_stood(store: Store, clock: Clock) -> None:
    for _ in range(2):
        with Bench(store, clock, FakeSource(metrics=HOT_KEY)).running() as bench:
            bench.views.wait_for(lambda view: judged(view) and is_open(view))

    assert [one.after for one in store.transitions()] == [AdviceState.OPEN]


def test_what_is_decided_is_told_once_and_counted(store: Store, clock: Clock) -> None:
    with SlackStandIn([CHANNEL]) as slack:
        bench = Bench(store, clock, FakeSource(metrics=HOT_KEY))
        told = Slack.model_validate({"channel": CHANNEL.name, "token": TOKEN, "base_url": slack.url})
        bench.sources = [FakeSource(metrics=HOT_KEY)]
        bench.daemon.reload(bench.config.model_copy(update={"slack": told}))
        with bench.running():
            wait_until(lambda: store.outbox.counts()[OutboxState.SENT] == 1)
            view = bench.views.next()
        (line,) = headlines(slack)

    sent = {"sink": "slack", "outcome": "sent"}
    assert "orders" in line
    assert view.queue_length == 0
    assert bench.daemon.health.registry.get_sample_value("stillfit_notify_total", sent) == 1
