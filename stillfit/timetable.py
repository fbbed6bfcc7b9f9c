"""When things run. APScheduler is the timer: memory job store, UTC; late work runs once and counted, never dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from stillfit.errors import StoreError

log = structlog.get_logger()

THREADS = 4
"""For the daemon's own jobs: more than there are of them, so that none ever stands in line (ours)."""
SOURCE_THREADS = 200
"""Sources that may be read at once (ours: a source waits for the network nearly all its time). A thread is made when no
other is idle, so that there are never more than sources. Their pool is their own: however many hang, the others run."""
_OWN, _SOURCES = "own", "sources"
PATIENCE_S = 10.0
"""Real time that a stop waits for jobs (ours: what a call to a network takes at most; Kubernetes kills after 30 s). One
that is left behind is as safe as one that is killed: whatever must be kept is kept in transactions."""


class Watch(Protocol):
    """Who is told what jobs there are and how each run ended; the daemon's health in production."""

    def scheduled(self, job: str, every_s: float) -> None: ...

    def unscheduled(self) -> None: ...

    def job_ended(self, job: str, outcome: str) -> None: ...


class Timetable:
    """A handful of named jobs. One that fails is logged and counted; the others, and its own next run, go on."""

    def __init__(self, watch: Watch, *, scale: float) -> None:
        self._watch = watch
        self._scale = scale
        self._running: set[str] = set()
        self._refusals: dict[str, tuple[str, int]] = {}
        """By job: what the store last said, and how often in a row it refused."""
        self._stopping = False
        self._changed = threading.Condition()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={_OWN: ThreadPoolExecutor(THREADS), _SOURCES: ThreadPoolExecutor(SOURCE_THREADS)},
            # None: work that is late still runs (the default of one second drops it in silence)
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._still_running, EVENT_JOB_MAX_INSTANCES)

    def every(
        self, every: timedelta, name: str, work: Callable[[], None], *, real: bool = False, of_source: bool = False
    ) -> None:
        """Run `work` soon and then every `every` of the daemon's clock, or of real time.

        The first run is spread by the job's name. `of_source`: it reads a source, and may hang as long as that does.
        """
        seconds = every.total_seconds() / (1.0 if real else self._scale)
        first = datetime.now(UTC) + timedelta(seconds=min(seconds, 1.0) * _phase(name))
        self._watch.scheduled(name, seconds)
        self._scheduler.add_job(
            self._guarded,
            "interval",
            (name, work),
            seconds=seconds,
            id=name,
            name=name,
            executor=_SOURCES if of_source else _OWN,
            next_run_time=first,
            replace_existing=True,  # a reload may come before the start
        )

    def start(self) -> None:
        self._scheduler.start()

    def clear(self) -> None:
        """Take all jobs off; those that run now finish."""
        self._scheduler.remove_all_jobs()
        self._watch.unscheduled()

    def stop(self, patience_s: float = PATIENCE_S) -> frozenset[str]:
        """Start no further job and wait for those that run. Names those left behind. May be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.wait_for(lambda: not self._running, patience_s)
            left = frozenset(self._running)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=not left)
        return left

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Run a job unless a stop came first: what stands in line then is not begun."""
        with self._changed:
            if self._stopping:
                return
            self._running.add(name)
        try:
            self._told(name, work)
        finally:
            with self._changed:
                self._running.discard(name)
                self._changed.notify_all()

    def _told(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreError as error:
            self._watch.job_ended(name, "store")
            self._refused(name, error)
        except Exception:
            self._watch.job_ended(name, "crashed")
            log.exception("job crashed; it runs again at its next time", job=name)
        else:
            self._watch.job_ended(name, "ok")
            self._well_again(name)

    def _refused(self, name: str, error: StoreError) -> None:
        """Tell the first refusal of each kind in a row, and count the others: a job may run every second."""
        said = str(error)
        with self._changed:
            before, times = self._refusals.get(name, ("", 0))
            self._refusals[name] = said, times + 1
        if said != before:
            log.error("the store refused; the job runs again at its next time", job=name, error=said)

    def _well_again(self, name: str) -> None:
        with self._changed:
            _, times = self._refusals.pop(name, ("", 0))
        if times:
            log.warning("the store takes what the job has again", job=name, refusals=times)

    def _still_running(self, event: JobSubmissionEvent) -> None:
        self._watch.job_ended(event.job_id, "still running")
        say = log.warning if self._scale == 1.0 else log.debug  # compressed time leaves no room for slow work
        say("a job takes longer than its interval; this run was left out", job=event.job_id)


def _phase(name: str) -> float:
    """A stable fraction, so that a fleet of sources never starts together."""
    return int.from_bytes(sha256(name.encode()).digest()[:2]) / 65536
