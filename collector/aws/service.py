"""A service of one account and region as a source: its inventory, then what of its metrics is worth asking for.

    source = ServiceSource(access, Keyspaces(access))
    for batch in source.collect(since, until): ...

What a service has to say is in `Service`; how it is read is the same for all. The first batch is the inventory with all
settings. Where there is nothing, that is all: no metric is listed or asked, and nothing is paid. Then come the metrics
that stand, those that ListMetrics names, and last what the tripwires led to with every Gap of the metrics.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Protocol

from collector.aws.looks.progress import OVERLAP_S, Begin
from collector.aws.looks.reading import Look, Planned, Reading
from collector.aws.looks.rota import Rota, family_of, shares_of
from collector.aws.metered import MeteredSource
from collector.aws.metrics.cloudwatch import MetricReader
from collector.aws.metrics.decode import Missing
from collector.aws.metrics.operations import empty
from collector.aws.metrics.planner import Stretch
from collector.aws.metrics.queries import Ask, Questions, Spec, dimensions
from collector.aws.metrics.reporting import Listed, Lister, Reporting
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import Price, billed
from collector.aws.spending.plan import Load
from collector.aws.wire.access import Access
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.metrics import METRICS
from stillfit.model import AttributeChange, Attributes, Batch, Gap, GapReason, Series, Span, Statistic, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One look at what a service has."""

    subjects: tuple[Subject, ...]
    attributes: tuple[Attributes, ...] = ()
    changes: tuple[AttributeChange, ...] = ()
    gaps: tuple[Gap, ...] = ()
    undescribed: tuple[Subject, ...] = ()
    """What is there, and of which no look could tell more; what is neither in it nor in `subjects` no longer exists."""
    created: Mapping[Subject, datetime] = field(default_factory=dict)
    """When each of `subjects` was made, where that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One metric that may be asked. `part` is which part of it, an operation or a region; empty: all of it."""

    subject: Subject
    spec: Spec
    part: str = ""
    stands: bool = False
    """Asked whether ListMetrics names it or not."""


class Service(Protocol):
    """What is different from one service to the next."""

    scope: Subject
    name: str
    """Last part of the source's id."""
    namespace: str
    pool: Pool
    """Its threads, for settings and metrics alike."""

    def look(self, at: datetime, since: datetime, /) -> Found:
        """What there is at `at`, and what changed after `since`. Raises SourceError when that cannot be listed."""
        ...

    def wants(self, reporting: Reporting, /) -> Iterator[Want]:
        """All that may be asked of what the last look found."""
        ...

    @property
    def wires(self) -> Collection[Spec]:
        """Which metrics tell that requests were refused, and are read more often than the others."""
        ...

    def serves(self, subject: Subject, reporting: Reporting, /) -> bool:
        """Whether a table or cluster has served requests lately."""
        ...

    def causes(self, spec: Spec, /) -> tuple[Spec, ...]:
        """What a tripwire leads to where it is not zero, of the same subject and part."""
        ...


@dataclass(slots=True)
class _Cycle:
    """What one cycle has found so far."""

    at: datetime
    begin: Begin
    look: Look
    wires: list[tuple[Ask, Series]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class ServiceSource(MeteredSource):
    """One service of an account and region, read as all of them are."""

    def __init__(self, access: Access, service: Service, budget: Budget | None = None) -> None:
        """`budget` is shared by all sources that it pays for."""
        source_id = f"aws/{'/'.join(service.scope.scope)}/{service.name}"
        super().__init__(access, service.scope, source_id, budget)
        self._service = service
        self._lister = Lister(access.connection, self._meter, self.id, service.namespace)
        self._questions = Questions()
        self._wires: dict[tuple[Subject, str, str], Ask] = {}
        """Tripwires by what comes back of them: subject, canonical metric, part."""
        self._generic: dict[int, Ask] = {}
        """By the number of an ask for a cause, the tripwire that led to it."""
        self._hours: dict[int, int] = {}
        """By the number of an ask that is read by the hour, the end of the last hour that was."""
        reader = MetricReader(access.connection, access.limiter, self._meter, service.pool, self.id)
        self._reading = Reading(
            self.id,
            reader,
            self._progress,
            origin=lambda ask: self._generic.get(ask.number, ask),
            leads=lambda ask: ask.spec in service.wires,
        )
        self._rota = Rota(self._budget, self._progress, access.target.calls_hot)
        self._listing_failed = False
        """Whether a listing has failed."""
        self._late: dict[Subject, Begin] = {}
        """What this cycle reads as in a first look, and from where."""

    def _to_read(self) -> Load:
        return self._rota.load

    def _stop(self) -> None:
        self._service.pool.stop()

    def _cycle(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        begin = self._progress.begin(int(since.timestamp()) if since else None, int(until.timestamp()))
        found = self._service.look(until, Span(begin.start, begin.until).starts_at)
        inventory = self._inventory_batch(until, found)
        if any(True for _ in self._service.wants(Reporting())):
            self._late = self._come_late(found.created, begin)
            yield from self._with_metrics(inventory, begin, since)
        else:
            self._rota.rest(self.id)
            self._price = Price(metrics=0, more=0)
            yield inventory  # the service is not used here
        self._progress.end()

    def _come_late(self, created: Mapping[Subject, datetime], begin: Begin) -> dict[Subject, Begin]:
        """What is new to us, but was there longer than a new one would be, is read as in a first look."""
        standing = [want for want in self._service.wants(Reporting()) if want.stands]
        asks = [self._questions.ask(want.subject, want.spec, want.part) for want in standing]
        read = {ask.subject for ask in asks if self._progress.read_to(ask) is not None}
        unread = {ask.subject for ask in asks} - read
        old = {one for one in unread if one in created and created[one].timestamp() < begin.start}
        return dict.fromkeys(old, self._progress.late(begin)) if old else {}

    def _inventory_batch(self, at: datetime, found: Found) -> Batch:
        return Batch(
            source=self.id,
            at=at,
            attributes=found.attributes,
            changes=found.changes,
            gaps=tuple(replace(gap, source=self.id) for gap in found.gaps),
            subjects_seen=found.subjects,
            inventory=True,
            undescribed=found.undescribed,
        )

    def _with_metrics(self, inventory: Batch, begin: Begin, since: datetime | None) -> Iterator[Batch]:
        cycle = _Cycle(at=inventory.at, begin=begin, look=Look(inventory.at))
        cycle.look = Look(inventory.at, note=lambda series: self._note(cycle, series))
        listed, quiet = self._listed(cycle, since)
        begin = self._newcomers(begin, listed)
        wires, rest = self._asks(cycle, listed)
        planned = self._without_hours(self._rota.due(wires, rest, begin, self._late))
        there = {ask.subject for ask in (*wires, *rest)}
        planned += chain.from_iterable(self._pasts(there) if self._access.target.once else ())
        self._price = self._priced(planned)
        yield inventory
        yield from self._reading.batches(planned, cycle.look)
        self._hours_read(planned, cycle.look)
        yield Batch(source=self.id, at=cycle.at, series=(*quiet, *self._quiet_causes(cycle)))
        hot = self._rota.heated(seen for _, seen in cycle.wires)
        more = self._rota.due((), [ask for ask in rest if family_of(ask.subject) in hot], begin, self._late)
        yield from self._reading.batches([*self._causes(cycle), *self._without_hours(more)], cycle.look)
        self._reading.settle(cycle.look)
        yield from self._closing_batch(cycle)
        if not self._access.target.once:
            yield from self._read_past(cycle, there)

    def _read_past(self, cycle: _Cycle, there: Container[Subject]) -> Iterator[Batch]:
        """A slice of what is owed, when all that is due is stored and told."""
        for planned in self._pasts(there):
            past = _Cycle(at=cycle.at, begin=cycle.begin, look=Look(cycle.at))
            past.look.note = partial(self._note, past)
            yield from self._reading.batches(planned, past.look)
            yield Batch(source=self.id, at=past.at, series=tuple(self._quiet_causes(past)))
            yield from self._reading.batches(list(self._causes(past)), past.look)
            self._reading.settle(past.look)
            not_asked = (gap for one in past.look.missing for gap in self._not_asked(one))
            gaps = (*not_asked, *self._reading.gaps(past.look))
            if gaps:
                yield Batch(source=self.id, at=past.at, gaps=gaps)

    def _listed(self, cycle: _Cycle, since: datetime | None) -> tuple[Listed | None, tuple[Series, ...]]:
        """What has reported, and the counters that therefore are known to have counted nothing."""
        try:
            listed = self._lister.look(cycle.begin.until, lambda: self._listed_to(since))
        except SourceError as error:
            self._listing_failed = True
            cycle.gaps += self._unlisted(error)
            return None, ()
        window = listed.vouched(Span(cycle.begin.first, cycle.begin.until))
        silent = [want for want in self._service.wants(listed.now) if not _is_asked(want, listed.now)]
        self._meter.add(spared_metrics=sum(billed(len(want.spec.brings)) for want in silent))
        return listed, tuple(one for want in silent if window for one in _nothing(want, window))

    def _listed_to(self, since: datetime | None) -> int | None:
        """Up to when the listings before vouch, after a start by what the store has of them; None: they do not."""
        if since is None or not self._progress.goes_on:
            return int(since.timestamp()) if since else None
        wants = (want for want in self._service.wants(Reporting()) if not want.stands and not want.spec.part)
        return self._progress.read_whole(self._questions.ask(one.subject, one.spec) for one in wants if _is_sparse(one))

    def _newcomers(self, begin: Begin, listed: Listed | None) -> Begin:
        """What is named for the first time is read from where the listing before no longer vouches for it.

        Where those before failed, nothing vouches: it is read as in a first look, whichever look this is.
        """
        empty_before = listed.empty_before if listed else None
        if listed and empty_before is None and self._listing_failed:
            return self._progress.late(begin)
        if empty_before is None or empty_before >= begin.start:
            return begin
        return replace(begin, start=empty_before, minutes_from=empty_before)

    def _unlisted(self, error: SourceError) -> Iterator[Gap]:
        """What would have been asked had it been listed."""
        for want in self._service.wants(Reporting()):
            for metric in sorted({metric for metric, _, _ in want.spec.brings} if not want.stands else ()):
                yield self._gap(want.subject, metric, error.reason, str(error))

    def _asks(self, cycle: _Cycle, listed: Listed | None) -> tuple[list[Ask], list[Ask]]:
        """Tripwires, and everything else that is asked of what there is; tells the rota how much that is."""
        reporting = listed.now if listed else Reporting()
        wires: list[Ask] = []
        rest: list[Ask] = []
        for want in self._service.wants(reporting):
            if _is_asked(want, reporting):
                ask = self._questions.ask(want.subject, want.spec, want.part)
                (wires if want.spec in self._service.wires else rest).append(ask)
        shares = shares_of(wires, rest, self._service.causes)
        self._rota.pages = listed.pages if listed else self._rota.pages
        self._rota.begin(self.id, cycle.begin.until, shares, lambda one: self._service.serves(one, reporting))
        for ask in self._once_more(listed, {ask.number for ask in (*wires, *rest)}) if listed else ():
            (wires if ask.spec in self._service.wires else rest).append(ask)
        self._wires = {(ask.subject, ask.slots[0].metric, ask.part): ask for ask in wires}
        return wires, rest

    def _once_more(self, listed: Listed, asked: Collection[int]) -> Iterator[Ask]:
        """What is named no more and was not read since it was."""
        for want in self._service.wants(listed.earlier):
            if _is_asked(want, listed.earlier):
                ask = self._questions.ask(want.subject, want.spec, want.part)
                read_to = self._progress.read_to(ask)
                if ask.number not in asked and (
                    read_to is None or read_to < listed.last_named(want.spec.name, _dimensions(want))
                ):
                    yield ask

    def _without_hours(self, planned: Iterable[Planned]) -> list[Planned]:
        """Of a metric by the hour nothing until another hour is over."""
        return [(ask, piece) for ask, piece in planned if piece.window.end > self._hours.get(ask.number, 0)]

    def _hours_read(self, planned: Iterable[Planned], look: Look) -> None:
        lost = {one.ask.number for one in look.missing}
        for ask, piece in planned:
            if ask.spec.period_s > OVERLAP_S and ask.number not in lost:
                self._hours[ask.number] = max(piece.window.end, self._hours.get(ask.number, 0))

    def _priced(self, planned: Iterable[Planned]) -> Price:
        metrics = more = 0
        for ask, _ in planned:
            metrics += billed(len(ask.slots))
            more += sum(billed(len(cause.brings)) for cause in self._service.causes(ask.spec))
        return Price(metrics=metrics, more=more)

    def _note(self, cycle: _Cycle, series: Iterable[Series]) -> None:
        """Take the tripwires out of what was read."""
        for one in series:
            wire = self._wires.get((one.subject, one.metric, one.dimension))
            if wire is not None:
                kept = replace(one, times=one.times.copy(), values=one.values.copy())  # not the whole page they lie in
                cycle.wires.append((wire, kept))

    def _causes(self, cycle: _Cycle) -> Iterator[Planned]:
        for wire, seen in cycle.wires:
            for spec in self._service.causes(wire.spec) if seen.values.any() else ():
                ask = self._questions.ask(wire.subject, spec, wire.part)
                self._generic[ask.number] = wire
                yield ask, Stretch(seen.period_s, seen.covered[0])

    def _quiet_causes(self, cycle: _Cycle) -> Iterator[Series]:
        """Where a tripwire is zero its parts are, by definition."""
        for wire, seen in cycle.wires:
            for spec in self._service.causes(wire.spec) if not seen.values.any() else ():
                self._meter.add(spared_metrics=billed(len(spec.brings)))
                for metric, _, _ in spec.brings:
                    yield empty(wire.subject, metric, seen.period_s, seen.covered[0], wire.part)

    def _closing_batch(self, cycle: _Cycle) -> Iterator[Batch]:
        not_asked = (gap for one in cycle.look.missing for gap in self._not_asked(one))
        gaps = {(gap.subject, gap.missing): gap for gap in (*not_asked, *self._reading.gaps(cycle.look), *cycle.gaps)}
        if gaps:
            yield Batch(source=self.id, at=cycle.at, gaps=tuple(gaps.values()))

    def _not_asked(self, missing: Missing) -> Iterator[Gap]:
        """The parts of a tripwire that could not be read."""
        generic = missing.ask.slots[0].metric
        detail = f"asked only where {generic} tells that something was refused, and that could not be read"
        for spec in self._service.causes(missing.ask.spec):
            for metric, _, _ in spec.brings:
                gap = self._gap(missing.ask.subject, metric, GapReason.NOT_ASKED, detail)
                yield replace(gap, span=missing.stretch.window)


def _is_asked(want: Want, reporting: Reporting) -> bool:
    return want.stands or reporting.has(want.spec.name, _dimensions(want))


def _is_sparse(want: Want) -> bool:
    """Whether all that a metric brings is known to be nothing where it is not listed."""
    brings = want.spec.brings
    return all(statistic is Statistic.SUM and METRICS[metric].absent_is_zero for metric, statistic, _ in brings)


def _dimensions(want: Want) -> tuple[tuple[str, str], ...]:
    return (*dimensions(want.subject), (want.spec.part, want.part))


def _nothing(want: Want, window: Span) -> Iterator[Series]:
    """The sparse counters that a metric brings, empty."""
    for metric, statistic, _ in want.spec.brings:
        if statistic is Statistic.SUM and METRICS[metric].absent_is_zero:
            yield empty(want.subject, metric, want.spec.period_s, window, want.part)
