"""The daemon's own health as series: jobs, reads of targets, reloads, messages. Safe to use from every thread."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from stillfit import __version__
from stillfit.cycle import Turn
from stillfit.export.catalogue import EXPORTED
from stillfit.export.labels import clean

HANG_S = 300.0
"""Ours: a loop may take three of its intervals, and never less than this, before it is called hung. A turn over a large
fleet and a sink's slowest answer end well within it."""
MISSED_BEATS = 3
COLLECTING = "collect "
"""Jobs that may rightly take long: a first look at weeks of history. Their lateness is told as data age instead."""
SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class _Beat:
    every_s: float
    last: float


class Health:
    """One per daemon, with a registry of its own. `monotonic` and `now` are the real clock's: they find what hangs."""

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # else each counter comes twice
        self.registry = CollectorRegistry()
        self._monotonic = monotonic
        self._now = now
        self._beats: dict[str, _Beat] = {}
        self._lock = threading.Lock()
        self._store_writable = True
        self._declare()
        self._gauge("stillfit_build_info").labels(__version__, platform.python_version()).set(1)
        ProcessCollector(registry=self.registry)

    @property
    def store_writable(self) -> bool:
        return self._store_writable

    def scheduled(self, job: str, every_s: float) -> None:
        """A job is to run every so many real seconds; from now on it is expected to beat."""
        with self._lock:
            self._beats[job] = _Beat(every_s, self._monotonic())
        self._heartbeat.labels(clean(job)).set(self._now())

    def unscheduled(self) -> None:
        """No job is expected to beat until it is scheduled again."""
        with self._lock:
            self._beats.clear()

    def job_ended(self, job: str, outcome: str) -> None:
        """Outcomes: ok, store, crashed; "still running" is a run that was left out because the last one goes on.

        Neither of the last two is a beat: a loop that only ever crashes does its work no more than one that hangs.
        """
        self._job_runs.labels(clean(job), outcome).inc()
        if outcome in {"still running", "crashed"}:
            return
        self._beat(job)
        if outcome == "ok":
            self._job_last_success.labels(clean(job)).set(self._now())
        if outcome == "store" or (outcome == "ok" and job != "send"):  # sending may have had nothing to write
            self._note_store(writable=outcome == "ok")

    def collected(self, source_id: str, seconds: float, *, error: str) -> None:
        """A target was read; `error` is the reason why it could not, or empty."""
        labels = (clean(source_id), collector_of(source_id))
        self._collect_duration.labels(*labels).observe(seconds)
        if error:
            self._collect_errors.labels(*labels, error).inc()

    def reloaded(self, *, ok: bool, at: datetime) -> None:
        self._reload_ok.set(ok)
        if ok:
            self._reload_at.set(at.timestamp())

    def turned(self, turn: Turn) -> None:
        """A turn was committed."""
        for transition in turn.transitions:
            rule = next((one.rule for one in turn.advice if one.id == transition.advice_id), "")
            self._transitions.labels(clean(rule), transition.after.value).inc()

    def notified(self, sink: str, outcome: str) -> None:
        """A sink was handed a message; `outcome` is "sent", or how it failed."""
        self._notify.labels(sink, outcome).inc()
        if outcome != "sent":
            self._notify_errors.labels(sink, outcome).inc()

    def hung(self) -> tuple[str, ...]:
        """Loops that have not run to their end for three intervals and five minutes: the daemon should be restarted."""
        now = self._monotonic()
        with self._lock:
            late = [job for job, beat in self._beats.items() if now - beat.last > _patience(beat)]
        return tuple(sorted(job for job in late if not job.startswith(COLLECTING)))

    def _beat(self, job: str) -> None:
        with self._lock:
            if job in self._beats:
                self._beats[job] = _Beat(self._beats[job].every_s, self._monotonic())
        self._heartbeat.labels(clean(job)).set(self._now())

    def _note_store(self, *, writable: bool) -> None:
        self._store_writable = writable
        self._store.set(writable)

    def _declare(self) -> None:
        self._job_runs = self._counter("stillfit_job_runs_total")
        self._job_last_success = self._gauge("stillfit_job_last_success_timestamp_seconds")
        self._heartbeat = self._gauge("stillfit_heartbeat_timestamp_seconds")
        self._collect_errors = self._counter("stillfit_collect_errors_total")
        self._reload_ok = self._gauge("stillfit_config_last_reload_successful")
        self._reload_ok.set(1)
        self._reload_at = self._gauge("stillfit_config_last_reload_success_timestamp_seconds")
        self._reload_at.set(self._now())
        self._transitions = self._counter("stillfit_advice_transitions_total")
        self._notify = self._counter("stillfit_notify_total")
        self._notify_errors = self._counter("stillfit_notify_errors_total")
        self._store = self._gauge("stillfit_store_writable")
        self._store.set(1)
        name, labels, text = _described("stillfit_collect_duration_seconds")
        self._collect_duration = Histogram(name, text, labels, registry=self.registry, buckets=SECONDS)

    def _counter(self, name: str) -> Counter:
        name, labels, text = _described(name)
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        name, labels, text = _described(name)
        return Gauge(name, text, labels, registry=self.registry)


def collector_of(source_id: str) -> str:
    """What kind of collector reads a target: the first part of its id."""
    return clean(source_id.partition("/")[0])


def _described(name: str) -> tuple[str, tuple[str, ...], str]:
    """Name, labels and help as catalogued; what is not catalogued cannot be exported."""
    one = EXPORTED[name]
    return one.name, one.labels, one.help


def _patience(beat: _Beat) -> float:
    return max(HANG_S, MISSED_BEATS * beat.every_s)
