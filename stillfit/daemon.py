"""The daemon: one job per source that collects, one that judges, one that sends, one that keeps house.

    collect (per source) -> store -> judge -> store (advice + outbox, one transaction) -> send
                                       |-> view -> pages

Whatever must be remembered is in the store, so the daemon may be killed at any instruction and goes on where it stood.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import structlog

from collector.source import Source
from stillfit import __version__, cycle
from stillfit.advice import Advice
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.cycle import Turn
from stillfit.errors import StillfitError
from stillfit.export.health import Health
from stillfit.export.view import View, view_of
from stillfit.intake import Intake
from stillfit.parts import Notified, Parts
from stillfit.store.outbox import OutboxState
from stillfit.store.retention import Retention
from stillfit.store.store import Store
from stillfit.tenure import Tenure
from stillfit.timetable import PATIENCE_S, Timetable

log = structlog.get_logger()

HOUSEKEEPING = timedelta(hours=1)
SWEEP_WITHIN = timedelta(hours=1)
"""Ours: a first look at weeks of history takes minutes; a source that fails for longer holds the sweep up no more."""
SEND_EVERY = timedelta(seconds=1)
"""Real time, also in the demo: Slack takes about one message a second and channel (docs.slack.dev, rate limits)."""


class Daemon:
    """Owns the jobs. What depends on the configuration is in `Parts`, made anew at each reload."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        store: Store,
        assemble: Callable[[Config, Store, Clock, Notified], Parts],
        on_view: Callable[[View], None] | None = None,
    ) -> None:
        self.clock = clock
        self.health = Health()
        self.view = View(instance=config.instance, version=__version__, started_at=clock.now(), at=clock.now())
        self._config = config
        self._on_view = on_view or (lambda _view: None)
        self._store = store
        self._assemble = assemble
        self._parts = assemble(config, store, clock, self.health.notified)
        owner = f"{config.instance} {uuid4()}"
        self._intake = Intake(store, clock, self.health, owner)
        self._tenure = Tenure(store.leases, owner, clock)
        self._timetable = Timetable(self.health, scale=clock.scale)
        self._sweep_by: datetime | None = clock.now() + SWEEP_WITHIN
        """When at the latest to end what removed sources told; None when that is done."""
        self._turning = threading.Lock()  # a reload swaps the parts between two turns, never within one

    def start(self) -> None:
        """Settle what an earlier process left in mid-send, then begin all jobs."""
        self._schedule()
        self._timetable.start()
        log.info("started", sources=len(self._parts.sources), version=__version__)

    def stop(self, patience_s: float = PATIENCE_S) -> frozenset[str]:
        """End all jobs, let a send in flight finish, close what was opened. May be called twice.

        Readings under way are told to end and are read again by the next process. Names the jobs that did not end in
        time: their threads go on until the process ends, which may be at any instruction.
        """
        self._intake.retire(source for source, _ in self._parts.sources)
        left = self._timetable.stop(patience_s)
        if left:
            log.warning("stopping without jobs that do not end", jobs=sorted(left))
        self._tenure.end()
        self._intake.end()
        log.info("stopped")
        return left

    def reload(self, config: Config) -> bool:
        """Swap in a new configuration between two turns; one that cannot be assembled leaves the old in place."""
        try:
            parts = self._assemble(config, self._store, self.clock, self.health.notified)
        except StillfitError as error:
            self.reload_refused(error)
            return False
        with self._turning:
            old, self._parts, self._config = self._parts, parts, config
            self._sweep_by = self.clock.now() + SWEEP_WITHIN
            self._timetable.clear()
            self._intake.retire(source for source, _ in old.sources)
            self._schedule()
        self.health.reloaded(ok=True, at=self.clock.now())
        log.info("reloaded", sources=len(parts.sources))
        return True

    def reload_refused(self, error: StillfitError) -> None:
        """Say that a new configuration was not taken; the running one goes on."""
        self.health.reloaded(ok=False, at=self.clock.now())
        log.error("reload refused, the old configuration stays", error=str(error))

    def _schedule(self) -> None:
        for source, every in self._parts.sources:
            collect = partial(self._intake.collect, source, every)
            self._timetable.every(every, f"collect {source.id}", collect, of_source=True)
        self._timetable.every(self._config.evaluate_every, "judge", self._turn)
        self._timetable.every(SEND_EVERY, "send", self._send, real=True)
        self._timetable.every(HOUSEKEEPING, "keep house", self._keep_house)

    def _turn(self) -> None:
        """Judge what has settled, keep the outcome in one transaction, and only then show it."""
        with self._turning:
            parts, epoch = self._parts, self._tenure.epoch()
            if epoch is None:
                return  # another replica judges and sends; this one stays warm and serves its pages
            sources = [source for source, _ in parts.sources]
            self._sweep(sources, epoch)
            snapshot = self._intake.snapshot(sources, self._config.workloads, self._config.lookback)
            outcome = cycle.turn(snapshot, parts.known, self._store.advice())
            messages = parts.sender.compose(outcome)
            kept = self._store.commit(outcome.advice, outcome.transitions, messages, epoch=epoch)
            if kept.superseded:
                outcome = as_kept(outcome, kept.superseded, self._store.advice())
            view = view_of(self.view, outcome, snapshot, self._intake.statuses(sources))
            self.view = replace(view, queue_length=self._waiting())
            self.health.turned(outcome)
        self._on_view(self.view)

    def _sweep(self, sources: Sequence[Source], epoch: int) -> None:
        """End what was told by sources that nobody reads any more, after those that are read have told what is theirs.

        A source whose id has changed (an account that is named now) lists the same tables as the one before it.
        """
        now = self.clock.now()
        if self._sweep_by is None or self._intake.is_winding_down:
            return
        if now < self._sweep_by and any(one.last_success is None for one in self._intake.statuses(sources)):
            return
        self._store.retire_sources(frozenset(source.id for source in sources), now, epoch=epoch)
        self._sweep_by = None

    def _waiting(self) -> int:
        counts = self._store.outbox.counts()
        return counts[OutboxState.QUEUED] + counts[OutboxState.SENDING]

    def _send(self) -> None:
        """Empty the outbox as far as the sinks let us; a new holder first settles what the last one left open."""
        epoch = self._tenure.epoch()
        if epoch is not None:
            self._parts.sender.send_due(epoch)

    def _keep_house(self) -> None:
        keep = self._config.retention
        self._store.prune(self.clock.now(), Retention(minutes=keep.minutes, hours=keep.hours))


def as_kept(turn: Turn, superseded: frozenset[str], stored: Iterable[Advice]) -> Turn:
    """A turn without what somebody else was quicker to decide: of those records, what the store has."""
    theirs = {one.id: one for one in stored if one.id in superseded}
    return replace(
        turn,
        advice=tuple(theirs.get(one.id, one) for one in turn.advice),
        transitions=tuple(one for one in turn.transitions if one.advice_id not in superseded),
    )
