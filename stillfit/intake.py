"""From the sources into the store, and from the store into what one turn may look at."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakSet

import structlog

from collector.source import Source
from stillfit.clock import Clock
from stillfit.config import WorkloadConfig
from stillfit.errors import LeaseLostError, SourceError, StoreError
from stillfit.export.health import Health
from stillfit.export.view import SourceStatus, owed_by, planned_by, shared_by, spent_by
from stillfit.model import Batch, Engine, Gap, GapReason, Series, Span
from stillfit.sheets import covered
from stillfit.sheets import points as count
from stillfit.snapshot import HOUR, Snapshot
from stillfit.store.leases import collecting, lost
from stillfit.store.store import Store
from stillfit.tenure import Tenure
from stillfit.workloads import workloads

log = structlog.get_logger()

LONG_LOOKBACK = timedelta(days=28)
"""How far back questions of money and drift look: four of each weekday, so that a weekly pattern cancels out."""
MINUTE = 60
HOURS_AGAIN_S = 600
"""Ours: an hour's last points come within ten minutes of its end, and weeks are not read anew for less."""


@dataclass(frozen=True, slots=True)
class _Turf:
    """A source that one reading has for itself, under one epoch from its first batch to its last."""

    source: str
    tenure: Tenure
    epoch: int

    def held(self) -> int:
        """The epoch to write under. Raises LeaseLostError when it is past, even where it could be taken anew."""
        if self.tenure.epoch() != self.epoch:
            raise lost(collecting(self.source), self.epoch)
        return self.epoch


class Intake:
    """Runs sources and remembers how each does. Used by several threads at once, one per source and the judging one."""

    def __init__(self, store: Store, clock: Clock, health: Health, owner: str = "alone") -> None:
        self._store = store
        self._clock = clock
        self._health = health
        self._owner = owner
        self._tenures: dict[str, Tenure] = {}
        self._rewrites = 0
        self._hours_known: tuple[Series, ...] = ()
        self._hours_read: tuple[int, int] | None = None
        self._statuses: dict[str, SourceStatus] = {}
        self._reading: dict[Source, tuple[datetime, timedelta]] = {}
        """What is being read, since when, and how often that is done."""
        self._retired: WeakSet[Source] = WeakSet()
        self._lock = threading.Lock()

    def statuses(self, sources: Iterable[Source]) -> tuple[SourceStatus, ...]:
        """How each of these sources does; one that was never tried says so by its empty times."""
        with self._lock:
            return tuple(self._status(source) for source in sources)

    def _status(self, source: Source) -> SourceStatus:
        since, every = self._reading.get(source, (None, timedelta(0)))
        return replace(self._statuses.get(source.id, _untried(source)), reading_since=since, every=every)

    def collect(self, source: Source, every: timedelta = timedelta(0)) -> None:
        """Read one source into the store, batch by batch. Its failure is a Gap on its scope, and stays its own.

        `every` is how often that is done: for so long another replica leaves the source to this one.
        """
        with self._lock:
            if source in self._retired:
                return  # its job stood in line while a reload took it out: it is closed already
            self._reading[source] = self._clock.now(), every
        try:
            self._collect(source, self._tenure(source, every))
        finally:
            with self._lock:
                self._reading.pop(source, None)
                is_last = source in self._retired
            if is_last:
                source.close()

    def retire(self, sources: Iterable[Source]) -> None:
        """Close what is no longer read. A reading under way is told to end, is not kept, and is closed when it ends."""
        with self._lock:
            fresh = [source for source in sources if source not in self._retired]
            idle = [source for source in fresh if source not in self._reading]
            self._retired.update(fresh)
        for source in fresh:
            source.stop()
        for source in idle:
            source.close()

    @property
    def is_winding_down(self) -> bool:
        """Whether a source that was retired is still being read: its last batch may be on its way into the store."""
        with self._lock:
            return any(source in self._retired for source in self._reading)

    def _is_retired(self, source: Source) -> bool:
        with self._lock:
            return source in self._retired

    def _collect(self, source: Source, tenure: Tenure) -> None:
        epoch = tenure.epoch()
        if epoch is None:
            return  # another replica reads this source; what it reads is in the store for all
        try:
            self._attempt(source, _Turf(source.id, tenure, epoch))
        except LeaseLostError as error:
            log.warning("a reading came too late and was dropped", source=source.id, error=str(error))

    def _attempt(self, source: Source, turf: _Turf) -> None:
        """Read, and tell how that went; what a stop or a reload cut off has neither failed nor gone well."""
        status = replace(self.statuses([source])[0], last_attempt=self._clock.now())
        began = time.perf_counter()
        points = subjects = 0
        trouble: SourceError | None = None
        try:
            points, subjects = self._read(source, turf)
        except StoreError:
            raise  # the store's trouble, not the source's: the timetable tells of it
        except SourceError as error:
            trouble = error
        except Exception as error:
            if not self._is_retired(source):
                log.exception("a source failed on something it did not expect", source=source.id)
            trouble = _garbled(source, error)
        seconds = time.perf_counter() - began
        if self._is_retired(source):
            log.info("a reading was cut off", source=source.id, seconds=round(seconds, 3))
        elif trouble is not None:
            self._failed(source, status, trouble, turf, seconds)
        else:
            status = replace(status, points=points, subjects=subjects or status.subjects, seconds=seconds)
            self._succeeded(source, status)

    def end(self) -> None:
        """Let other replicas read at once what this one read."""
        with self._lock:
            tenures, self._tenures = self._tenures, {}
        for tenure in tenures.values():
            tenure.end()

    def _tenure(self, source: Source, every: timedelta) -> Tenure:
        with self._lock:
            if source.id not in self._tenures:
                self._tenures[source.id] = Tenure(
                    self._store.leases, self._owner, self._clock, name=collecting(source.id), between=every
                )
            return self._tenures[source.id]

    def _read(self, source: Source, turf: _Turf) -> tuple[int, int]:
        """How many points came, of how many subjects. Raises LeaseLostError when another replica takes the source over.

        A batch that is long in coming may outlast the lease: then two replicas read, and never do two write.
        """
        points, subjects = 0, 0
        since = self._store.last_end(source.id)
        for batch in source.collect(since, self._clock.now()):
            if self._is_retired(source):
                break
            self._store.write(batch, epoch=turf.held())
            self._rewrites += since is None or _rewrites_hours(batch)
            points += count(batch.series)
            subjects = max(subjects, len(batch.subjects_seen))
        return points, subjects

    def _succeeded(self, source: Source, status: SourceStatus) -> None:
        paid = replace(status, scope=source.scope.scope, spent=spent_by(source), plan=planned_by(source))
        paid = replace(paid, shared=shared_by(source), backlog=owed_by(source))
        self._remember(replace(paid, last_success=self._clock.now(), error=""))
        self._health.collected(source.id, status.seconds, error="")
        log.info("collected", source=source.id, points=status.points, seconds=round(status.seconds, 3))

    def _failed(self, source: Source, status: SourceStatus, error: SourceError, turf: _Turf, seconds: float) -> None:
        """A Gap for the judges, a status for the pages, a count for the alerts, a line for the log."""
        gap = Gap(subject=source.scope, missing="*", reason=error.reason, detail=str(error), source=source.id)
        self._store.write(Batch(source=source.id, at=self._clock.now(), gaps=(gap,)), epoch=turf.held())
        self._remember(replace(status, error=str(error), spent=spent_by(source)))
        self._health.collected(source.id, seconds, error=error.reason.value)
        log.error("source could not be read", source=source.id, reason=error.reason.value, error=str(error))

    def snapshot(self, sources: Iterable[Source], declared: Iterable[WorkloadConfig], lookback: timedelta) -> Snapshot:
        """What is known now: minutes over the lookback, hourly sums over the long one, settled time only."""
        now = self._clock.now()
        spans = settled(sources, now)
        ends = [span.end for span in spans.values()] or [int(now.timestamp())]
        recent = Span(min(ends) - int(lookback.total_seconds()), max(ends))
        longer = Span(min(ends) - int(LONG_LOOKBACK.total_seconds()), max(ends))
        subjects = self._store.subjects()
        return Snapshot(
            at=now,
            spans=spans,
            lags=lags(sources),
            subjects=subjects,
            series=(*self._store.series(recent), *self._hours(longer)),
            attributes=self._store.attributes(),
            changes=self._store.changes(longer),
            gaps=self._store.gaps(),
            workloads=workloads(declared, subjects),
        )

    def _hours(self, longer: Span) -> tuple[Series, ...]:
        """Weeks of hourly sums, read anew when their past was rewritten, and every ten minutes for what ended."""
        wanted = (self._rewrites, longer.end // HOURS_AGAIN_S)
        if self._hours_read != wanted:
            self._hours_known, self._hours_read = self._store.hourly(longer), wanted
        return self._hours_known

    def _remember(self, status: SourceStatus) -> None:
        with self._lock:
            self._statuses[status.id] = status


def settled(sources: Iterable[Source], now: datetime) -> Mapping[Engine, Span]:
    """Per engine the long lookback up to the newest whole minute that no source of it will still change."""
    waits: defaultdict[Engine, int] = defaultdict(int)
    for source in sources:
        waits[source.scope.engine] = max(waits[source.scope.engine], source.settle_s)
    ends = {engine: (int(now.timestamp()) - wait) // MINUTE * MINUTE for engine, wait in waits.items()}
    return {engine: Span(end - int(LONG_LOOKBACK.total_seconds()), end) for engine, end in ends.items()}


def lags(sources: Iterable[Source]) -> Mapping[Engine, int]:
    """Per engine by how much one subject's newest settled time may lag behind another's."""
    found: defaultdict[Engine, int] = defaultdict(int)
    for source in sources:
        found[source.scope.engine] = max(found[source.scope.engine], source.lag_s)
    return dict(found)


def _rewrites_hours(batch: Batch) -> bool:
    """Whether a batch tells of an hour that had ended a while before it was read."""
    ended = (int(batch.at.timestamp()) - HOURS_AGAIN_S) // HOUR * HOUR
    return any(spans and spans[0].start < ended for spans in covered(batch.series))


def _untried(source: Source) -> SourceStatus:
    return SourceStatus(id=source.id, engine=source.scope.engine.value, scope=source.scope.scope)


def _garbled(source: Source, error: Exception) -> SourceError:
    said = f"{source.id}: an answer could not be read ({type(error).__name__}: {error}): report it with the log"
    return SourceError(said, reason=GapReason.GARBLED, retryable=True)
