"""The daemon: one job per source that collects, one that judges, one that sends, one that keeps house.

    collect (per source) -> store -> judge -> store (advice + outbox, one transaction) -> send
                                       |-> view -> pages

APScheduler is only the timer (memory job store, UTC, late work runs once). Whatever must be remembered is in the store,
so the daemon may be killed at any instruction and goes on where it stopped.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from collector.source import Source
from stillfit import __version__, cycle
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.errors import SourceError, StillfitError, StoreError
from stillfit.export.health import Health
from stillfit.export.view import View
from stillfit.intake import Intake
from stillfit.parts import Parts
from stillfit.store import Store

log = structlog.get_logger()

HOUSEKEEPING = timedelta(hours=1)
SEND_EVERY = timedelta(seconds=1)
"""Slack takes about one message a second and channel (docs.slack.dev, rate limits)."""
THREADS = 20
"""Jobs that may run at once; a source waits for the network nearly all its time."""


class Daemon:
    """Owns the threads. What depends on the configuration is in `Parts`, made anew at each reload."""

    def __init__(
        self, config: Config, *, clock: Clock, store: Store, assemble: Callable[[Config, Store, Clock], Parts]
    ) -> None:
        self.clock = clock
        self.health = Health()
        self.view = View(instance=config.instance, version=__version__, started_at=clock.now(), at=clock.now())
        self._config = config
        self._store = store
        self._assemble = assemble
        self._parts = assemble(config, store, clock)
        self._intake = Intake(store, clock, self.health)
        self._scheduler = _scheduler(self.health)
        self._turning = threading.Lock()  # a reload swaps the parts between two turns, never within one
        self._stopping = threading.Event()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        self._stopping.wait()
        self.stop()

    def start(self) -> None:
        """Settle what an earlier process left in mid-send, then begin all jobs."""
        self._parts.sender.recover()
        self._schedule()
        self._scheduler.start()
        log.info("started", sources=len(self._parts.sources), version=__version__)

    def stop(self) -> None:
        """End all jobs, let a send in flight finish, close everything. May be called twice."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
            self._parts.close()
            log.info("stopped")

    def reload(self, config: Config) -> bool:
        """Swap in a new configuration between two turns; one that cannot be assembled leaves the old in place."""
        try:
            parts = self._assemble(config, self._store, self.clock)
        except StillfitError as error:
            self.reload_refused(error)
            return False
        with self._turning:
            old, self._parts, self._config = self._parts, parts, config
            self._scheduler.remove_all_jobs()
            self._schedule()
        old.close()
        self.health.reloaded(ok=True, at=self.clock.now())
        log.info("reloaded", sources=len(parts.sources))
        return True

    def reload_refused(self, error: StillfitError) -> None:
        """Say that a new configuration was not taken; the running one goes on."""
        self.health.reloaded(ok=False, at=self.clock.now())
        log.error("reload refused, the old configuration stays", error=str(error))

    def _schedule(self) -> None:
        for source, every in self._parts.cadence(self._config):
            self._every(every, self._collect, source, id=f"collect {source.id}")
        self._every(self._config.evaluate_every, self._turn, id="judge")
        self._every(SEND_EVERY, self._send, id="send")
        self._every(HOUSEKEEPING, self._keep_house, id="housekeeping")

    def _every(self, every: timedelta, work: Callable[..., None], *args: object, id: str) -> None:  # noqa: A002  (APScheduler's word)
        """Run `work` now and then every `every` of the clock's own time."""
        real = every.total_seconds() / self.clock.scale
        self._scheduler.add_job(
            self._guarded, "interval", (id, work, *args), seconds=real, id=id, next_run_time=_now(), max_instances=1
        )

    def _guarded(self, job: str, work: Callable[..., None], *args: object) -> None:
        """The per-job guard: one job that fails never takes another down, and each failure is counted and logged."""
        try:
            work(*args)
        except StoreError as error:
            self.health.job(job, "store")
            log.error("the store refused, the job runs again", job=job, error=str(error))
        except Exception:  # the border of all jobs: whatever went wrong in one is logged whole, and the others go on
            self.health.job(job, "crashed")
            log.exception("job crashed", job=job)
        else:
            self.health.job(job, "ok")

    def _collect(self, source: Source) -> None:
        self._intake.collect(source)

    def _turn(self) -> None:
        """Judge what has settled, keep the outcome in one transaction, and only then show it."""
        with self._turning:
            parts, lease = self._parts, self._store.leases.hold("evaluation")
            if lease is None:
                return  # another replica judges and sends; this one stays warm and serves its pages
            snapshot = self._intake.snapshot(parts, self._config)
            standing = self._store.advice()
            outcome = cycle.turn(snapshot, parts.knowledge, standing)
            messages = parts.sender.compose(outcome)
            self._store.commit(outcome.advice, outcome.transitions, messages, epoch=lease.epoch)
            self.view = self._intake.view(self.view, outcome, snapshot)

    def _send(self) -> None:
        """Empty the outbox as far as the sinks let us."""
        lease = self._store.leases.hold("evaluation")
        if lease is not None:
            self._parts.sender.send_due(lease.epoch)

    def _keep_house(self) -> None:
        self._store.prune(self.clock.now(), self._config.retention)
