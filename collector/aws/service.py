"""A service of one account and region as a source: its inventory, then what of its metrics is worth asking for.

    source = ServiceSource(access, Keyspaces(access))
    for batch in source.collect(since, until): ...

What a service has to say is in `Service`; how it is read is the same for all. What must not wait comes first, as in
`source`: the tripwires of what the look before found, and all of what hurts; that needs no listing, and goes on where
listing fails. Then a batch tells the inventory with all settings. Where there is nothing, that is all: no metric is
listed or asked, and nothing is paid. Then come the other metrics that stand and those that ListMetrics names, what
tripwires led to, a batch with every Gap of the metrics, and a slice of the past.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Protocol

from collector.aws.looks.history import family
from collector.aws.looks.passes import Passes
from collector.aws.looks.progress import OVERLAP_S, Begin
from collector.aws.looks.reading import Planned
from collector.aws.looks.rota import Rota, family_of, shares_of
from collector.aws.metered import MeteredSource
from collector.aws.metrics.operations import empty
from collector.aws.metrics.queries import Ask, Questions, Spec, dimensions
from collector.aws.metrics.reporting import Listed, Lister, Reporting
from collector.aws.metrics.wires import Name, Wires
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import Price, billed
from collector.aws.spending.plan import Load
from collector.aws.wire.access import Access
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.metrics import METRICS
from stillfit.model import AttributeChange, Attributes, Batch, Gap, Series, Span, Statistic, Subject


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

    begin: Begin
    passes: Passes[Wires]
    blind: tuple[Gap, ...] = ()
    """What cannot be listed. It is said with each batch, or what that one delivers would end it."""
    planned: list[Planned] = field(default_factory=list)
    hot: set[Subject] = field(default_factory=set)
    """Families that this look has shown to refuse requests."""


class ServiceSource(MeteredSource):
    """One service of an account and region, read as all of them are."""

    def __init__(self, access: Access, service: Service, budget: Budget | None = None) -> None:
        """`budget` is shared by all sources that it pays for."""
        source_id = f"aws/{'/'.join(service.scope.scope)}/{service.name}"
        super().__init__(access, service.scope, source_id, budget)
        self._service = service
        self._lister = Lister(access.connection, self._meter, self.id, service.namespace)
        self._questions = Questions()
        self._asked: tuple[Sequence[Ask], Sequence[Ask]] = ((), ())
        """Tripwires, and everything else that is asked of what the last look found."""
        self._wires: dict[Name, Ask] = {}
        self._reporting = Reporting()
        """What the last listing has named."""
        self._created: Mapping[Subject, datetime] = {}
        self._blind: tuple[Gap, ...] = ()
        """What the look before could not list."""
        self._generic: dict[int, Ask] = {}
        """By the number of an ask for a cause, the tripwire that led to it."""
        self._hours: dict[int, int] = {}
        """By the number of an ask that is read by the hour, the end of the last hour that was."""
        self._reading = self._reads(
            service.pool,
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
        cycle = _Cycle(begin, self._passes(until), self._blind)
        cycle.passes.note = lambda seen: cycle.hot.update(self._rota.heated(seen))
        yield from self._urgent(cycle)
        found = self._found(until, begin)
        inventory = self._inventory_batch(until, found)
        self._part(found, begin.until)
        if any(True for _ in self._service.wants(Reporting())):
            self._late = self._come_late(begin)
            yield from self._with_metrics(cycle, inventory, since)
        else:
            self._asked, self._wires = ((), ()), {}
            self._rota.rest(self.id)
            self._price = Price(metrics=0, more=0)
            yield inventory  # the service is not used here
        yield from self._read_last(cycle)
        if found.subjects and not self._access.target.once:
            yield from self._read_past(until, {self.scope, *found.subjects})
        self._progress.end()

    def _passes(self, at: datetime, wires: Mapping[Name, Ask] | None = None) -> Passes[Wires]:
        """`wires`: the tripwires by what comes back of them, where they are not those of what is there."""
        causes = self._service.causes
        return Passes(
            self.id,
            at,
            self._reading,
            self._meter,
            lambda: Wires(self._questions, self._wires if wires is None else wires, causes, self._generic),
        )

    def _part(self, found: Found, at: int) -> None:
        """Take note of what is no longer there, and ask nothing more of it. What cannot be described is."""
        there, unknown = {self.scope, *found.subjects}, {family(one) for one in found.undescribed}
        went = (ask for ask in chain(*self._asked) if ask.subject not in there and family(ask.subject) not in unknown)
        self._farewell.note(gone := dict.fromkeys(went), there, at)
        wires, rest = ([ask for ask in asks if ask not in gone] for asks in self._asked)
        self._asked, self._wires = (wires, rest), _by_name(wires)

    def _read_last(self, cycle: _Cycle) -> Iterator[Batch]:
        """What is gone, up to its end. It has no gaps any more."""
        alone, wires = self._budget.plan.wires_alone, self._service.wires
        planned = self._farewell.due(cycle.begin, self.pace, lambda ask: ask.spec in wires or not alone)
        passes = self._passes(cycle.passes.at, _by_name(ask for ask, _ in planned if ask.spec in wires))
        yield from passes.read(planned)
        yield from passes.follow()
        self._farewell.done(passes.missing, cycle.begin.until)

    def _urgent(self, cycle: _Cycle) -> Iterator[Batch]:
        """What must not wait, of what there was: tripwires, and all of what is hot."""
        self._rota.again(cycle.begin.until, lambda one: self._service.serves(one, self._reporting))
        self._late = self._come_late(cycle.begin)
        wires, rest = self._asked
        hot = [ask for ask in rest if self._rota.is_hot(ask.subject)]
        yield from self._pass(cycle, self._rota.due(wires, hot, cycle.begin, self._late))

    def _pass(self, cycle: _Cycle, planned: Iterable[Planned], known: Iterable[Series] = ()) -> Iterator[Batch]:
        """Asks that are read together, what their tripwires lead to, and all of what those show to hurt."""
        first = self._without_hours(planned)
        cycle.planned += first
        for batch in chain(cycle.passes.read(first), cycle.passes.follow(known=known, more=self._heated(cycle))):
            yield replace(batch, gaps=(*batch.gaps, *cycle.blind))
        self._hours_read(cycle)

    def _heated(self, cycle: _Cycle) -> Iterator[Planned]:
        """What is to be read at once because a pass has shown that it hurts."""
        rest = [ask for ask in self._asked[1] if family_of(ask.subject) in cycle.hot]
        more = self._without_hours(self._rota.due((), rest, cycle.begin, self._late))
        cycle.planned += more
        yield from more

    def _found(self, at: datetime, begin: Begin) -> Found:
        """Raises SourceError where what there is cannot be listed."""
        try:
            found = self._service.look(at, Span(begin.start, begin.until).starts_at)
        except SourceError as error:
            self._blind = (self._gap(self.scope, "*", error.reason, str(error)),)
            raise
        self._created, self._blind = found.created, ()
        return found

    def _come_late(self, begin: Begin) -> dict[Subject, Begin]:
        """What is new to us, but was there longer than a new one would be, is read as in a first look."""
        standing = [want for want in self._service.wants(Reporting()) if want.stands]
        asks = [self._questions.ask(want.subject, want.spec, want.part) for want in standing]
        read = {ask.subject for ask in asks if self._progress.read_to(ask) is not None}
        unread, created = {ask.subject for ask in asks} - read, self._created
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

    def _with_metrics(self, cycle: _Cycle, inventory: Batch, since: datetime | None) -> Iterator[Batch]:
        listed, quiet = self._listed(cycle, since)
        cycle.begin = self._newcomers(cycle.begin, listed)
        wires, rest = self._asks(cycle, listed)
        planned = self._without_hours(self._rota.due(wires, rest, cycle.begin, self._late))
        there = {ask.subject for ask in (*wires, *rest)}
        planned += chain.from_iterable(self._pasts(there) if self._access.target.once else ())
        self._price = self._priced(planned)
        yield inventory
        yield from self._pass(cycle, planned, quiet)
        yield from self._closing_batch(cycle.passes, there, cycle.blind)

    def _read_past(self, at: datetime, there: Container[Subject]) -> Iterator[Batch]:
        """A slice of what is owed, when all that is due is stored and told."""
        passes = self._passes(at)
        for planned in self._pasts(there):
            yield from passes.read(planned)
            yield from passes.follow()
        yield from self._closing_batch(passes, there)

    def _closing_batch(
        self, passes: Passes[Wires], there: Container[Subject], more: Iterable[Gap] = ()
    ) -> Iterator[Batch]:
        """What is missing of what there is: what went during the look is nobody's gap."""
        found = (gap for gap in (*passes.not_asked(), *passes.unread()) if gap.subject in there)
        gaps = {(gap.subject, gap.missing): gap for gap in (*found, *more)}
        if gaps:
            yield Batch(source=self.id, at=passes.at, gaps=tuple(gaps.values()))

    def _listed(self, cycle: _Cycle, since: datetime | None) -> tuple[Listed | None, tuple[Series, ...]]:
        """What has reported, and the counters that therefore are known to have counted nothing."""
        try:
            listed = self._lister.look(cycle.begin.until, lambda: self._listed_to(since))
        except SourceError as error:
            self._listing_failed = True
            cycle.blind = self._blind = tuple(self._unlisted(error))
            return None, ()
        self._reporting, cycle.blind = listed.now, ()
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
        """Tripwires, and everything else that is asked of what there is; tells the rota how much that is.

        Where that cannot be listed, what was named before stands.
        """
        reporting = self._reporting
        wires: list[Ask] = []
        rest: list[Ask] = []
        for want in self._service.wants(reporting):
            if _is_asked(want, reporting):
                ask = self._questions.ask(want.subject, want.spec, want.part)
                (wires if want.spec in self._service.wires else rest).append(ask)
        shares = shares_of(wires, rest, self._service.causes)
        self._rota.pages = listed.pages if listed else self._rota.pages
        self._rota.begin(cycle.begin.until, shares, lambda one: self._service.serves(one, reporting))
        for ask in self._once_more(listed, {ask.number for ask in (*wires, *rest)}) if listed else ():
            (wires if ask.spec in self._service.wires else rest).append(ask)
        self._wires = _by_name(wires)
        self._asked = wires, rest
        self._rota.tell(self.id)
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

    def _hours_read(self, cycle: _Cycle) -> None:
        lost = {one.ask.number for one in cycle.passes.missing}
        for ask, piece in cycle.planned:
            if ask.spec.period_s > OVERLAP_S and ask.number not in lost:
                self._hours[ask.number] = max(piece.window.end, self._hours.get(ask.number, 0))

    def _priced(self, planned: Iterable[Planned]) -> Price:
        metrics = more = 0
        for ask, _ in planned:
            metrics += billed(len(ask.slots))
            more += sum(billed(len(cause.brings)) for cause in self._service.causes(ask.spec))
        return Price(metrics=metrics, more=more)


def _by_name(asks: Iterable[Ask]) -> dict[Name, Ask]:
    return {(ask.subject, ask.slots[0].metric, ask.part): ask for ask in asks}


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
