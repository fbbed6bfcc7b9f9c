"""A daemon over fake sources that a test holds in its hand, with its own threads, on a clock that runs fast."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from stillfit.advice import AdviceState
from stillfit.clock import Clock, ScaledClock
from stillfit.config import Config, Http
from stillfit.daemon import Daemon
from stillfit.errors import ConfigError
from stillfit.export.view import View
from stillfit.notify import sender_of
from stillfit.parts import Notified, Parts, knowledge
from stillfit.store.store import Store
from tests.fakes import FakeSource

FAST = 600.0  # a minute passes in a tenth of a second
SOON_S = 120.0
"""Real seconds after which something that should have happened by itself is given up on; a slow machine needs many."""
EVERY = timedelta(minutes=1)


class Lingering(ScaledClock):
    """Its jobs run as often as on a clock that runs fast, while an hour takes an hour.

    So a slow machine, on which little is done in a second, has no hours pass between two looks.
    """

    def monotonic(self) -> float:
        return super().monotonic() / self.scale


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
            self.daemon.stop(SOON_S)


def judged(view: View) -> bool:
    return view.turn is not None and any(one.last_success for one in view.sources)


def is_open(view: View) -> bool:
    return any(one.state is AdviceState.OPEN for one in view.advice)


def runs(daemon: Daemon, job: str, outcome: str) -> float:
    labels = {"loop": job, "outcome": outcome}
    return daemon.health.registry.get_sample_value("stillfit_job_runs_total", labels) or 0.0


def wait_until(is_true: Callable[[], bool]) -> None:
    """A tenth of a second at a time: for what no view tells."""
    pause = threading.Event()
    assert any(is_true() or pause.wait(0.1) for _ in range(int(SOON_S * 10))) or is_true()
