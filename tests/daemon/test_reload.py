"""A reload swaps the sources between two turns, or leaves everything as it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from stillfit import daemon
from stillfit.advice import AdviceState
from stillfit.cli.running import reload
from stillfit.clock import Clock
from stillfit.errors import ConfigError, SourceError
from stillfit.model import GapReason
from stillfit.store.store import Store
from tests.daemon.bench import Bench, is_open, judged, wait_until
from tests.fakes import HOT_KEY, FakeSource


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


def test_a_source_that_only_changes_its_id_loses_no_advice(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "SWEEP_WITHIN", timedelta(days=10_000))  # until it was read, however long that takes

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
