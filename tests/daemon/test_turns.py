"""Each turn is kept whole before it is shown, whatever the store, a person or another replica does meanwhile."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from stillfit.advice import AdviceState
from stillfit.clock import Clock, FakeClock
from stillfit.config import Slack
from stillfit.daemon import as_kept
from stillfit.errors import SourceError, StoreError
from stillfit.lifecycle import acknowledge
from stillfit.model import GapReason
from stillfit.standins.slack import TOKEN, SlackStandIn
from stillfit.store import schema
from stillfit.store.leases import EVALUATION
from stillfit.store.ledger import Committed
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.daemon.bench import FAST, Bench, Lingering, is_open, judged, runs, wait_until
from tests.fakes import HOT_KEY, FakeSource
from tests.scenarios.watching import CHANNEL, headlines


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


def test_a_chunk_that_is_garbled_meanwhile_neither_resolves_nor_repeats(tmp_path: Path) -> None:
    clock = Lingering(FakeClock().now(), FAST)  # the source tells the garbled hour anew as long as that is its last one
    store = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
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
    store.close()


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


def test_a_second_replica_stays_warm_and_judges_only_when_the_first_is_gone(store: Store, clock: Clock) -> None:
    first = store.leases.acquire(EVALUATION, "another", timedelta(days=10_000))
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
