"""One AWS account and region as a source: inventory and settings, auto scaling, then the metrics, in one cycle.

    source = open_source(AwsTarget(region="eu-west-1"), clock)
    for batch in source.collect(since, until): ...

The first batch is the inventory with all settings; then one batch a request, as answers come; the last one has what the
tripwires led to and every Gap of the metrics. With the first batch no metric has been paid for yet, and `price` tells
what going on will cost: whoever does not want that asks for no second batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from collector.aws.access import Access
from collector.aws.account import Account, metrics_an_hour
from collector.aws.agenda import Agenda, is_wire, share
from collector.aws.autoscaling import Autoscaling, Scaling
from collector.aws.budget import Budget
from collector.aws.cloudwatch import WORKERS, MetricReader
from collector.aws.features import delivers_to_kinesis, standing_still
from collector.aws.insights import Insights
from collector.aws.inventory import Found, Inventory, Member
from collector.aws.meter import Price, billed
from collector.aws.metered import MeteredSource
from collector.aws.operations import EVERY_S as LISTED_EVERY_S
from collector.aws.operations import UNLISTED, Listings, Operations
from collector.aws.plan import HOUR, Load, Plan, Share, Tier, plan
from collector.aws.planner import Stretch
from collector.aws.pool import Pool
from collector.aws.progress import Begin
from collector.aws.queries import CAUSES, CONSUMED, TABLE_ONLY, THROTTLES, Ask, Questions
from collector.aws.reading import Look, Planned, Reading
from collector.aws.table_history import sizes, switches
from collector.aws.target import AwsTarget, Patience
from collector.aws.tiers import Tiers
from collector.aws.tripwire import Tripwire, may_lead_to, origin
from stillfit.clock import Clock
from stillfit.errors import SourceError
from stillfit.model import (
    AttributeChange,
    Attributes,
    Batch,
    Engine,
    Gap,
    Series,
    Span,
    Subject,
)
from stillfit.sheets import of_metrics

CHANGES_AGAIN = timedelta(hours=1)
"""How far before the window dated changes are read again: an activity is listed when it has ended."""
WATCHED = frozenset(
    metric
    for spec in (*CONSUMED, *THROTTLES.values(), *CAUSES["read"], *CAUSES["write"])
    for metric, _, _ in spec.brings
)
"""What tripwires, tiers and reports of keys look at as it comes; the rest goes by without an object for each series."""


@dataclass(slots=True)
class _Cycle:
    """What one cycle has found so far."""

    at: datetime
    look: Look
    begin: Begin
    members: tuple[Member, ...]
    tripwire: Tripwire
    agenda: Agenda
    plan: Plan = field(default_factory=lambda: plan(Load()))
    tiers: dict[Subject, Tier] = field(default_factory=dict)
    is_listed: bool = False
    """Whether what ListMetrics names was asked in this cycle."""
    gaps: list[Gap] = field(default_factory=list)

    @property
    def subjects(self) -> Iterator[Subject]:
        return (subject for member in self.members for subject in member.subjects)

    @property
    def operations(self) -> Operations | None:
        return self.agenda.known

    def served(self, table: Subject) -> tuple[str, ...]:
        return self.operations.of(table) if self.operations else ()


class AwsSource(MeteredSource):
    """DynamoDB of one account and region."""

    def __init__(self, access: Access, budget: Budget | None = None) -> None:
        """`budget` is shared by all sources that it pays for. Raises SourceError where nobody can be signed in."""
        target, connection = access.target, access.connection
        account = access.account()
        scope = Subject(engine=Engine.DYNAMODB, scope=(account, target.region))
        super().__init__(access, scope, f"aws/{account}/{target.region}", budget)
        self._clock = access.clock
        self._pool = Pool(WORKERS, self.id)
        self._inventory = Inventory(connection, target, scope, self._pool)
        self._of_account = Account(connection, access.quotas, scope, self.id)
        self._autoscaling = Autoscaling(connection, scope, self.id)
        self._scaling: Scaling | None = None
        self._insights = Insights(connection, self._meter, self._pool, self.id, target.redaction)
        self._listings = Listings(connection, self._meter, self.id)
        self._questions = Questions()
        self._reading = Reading(
            self.id,
            MetricReader(connection, access.limiter, self._meter, self._pool, self.id),
            self._progress,
            origin=lambda ask: origin(self._questions, ask),
        )
        self._tiers = Tiers(target.calls_hot)
        self._load = Load()

    def _cycle(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        begin = self._progress.begin(int(since.timestamp()) if since else None, int(until.timestamp()))
        found = self._inventory.look(self._clock.monotonic())
        if found.members:
            yield from self._with_tables(found, begin, (since, until))
        else:
            yield self._without_tables(found, until)
        self._progress.end()

    def _without_tables(self, found: Found, at: datetime) -> Batch:
        """All that there is to tell: nothing is listed or asked, and nothing is paid."""
        self._tiers.begin(())
        self._load, self._price = Load(), Price(metrics=0, more=0)
        self._budget.share(self.id, self._load)
        return Batch(source=self.id, at=at, gaps=found.gaps, inventory=found.whole, undescribed=found.undescribed)

    def _with_tables(self, found: Found, begin: Begin, between: tuple[datetime | None, datetime]) -> Iterator[Batch]:
        since, until = between
        self._of_account.look(self._clock.monotonic())
        self._tiers.begin(found.members)
        self._insights.look(found.members, self._clock.monotonic())
        cycle = self._begun(until, begin, found.members)
        inventory = self._inventory_batch(cycle, found)
        self._list(cycle, since)
        self._plan_for(cycle)
        always = self._always(cycle)
        self._price = _priced(always, cycle) + self._insights.price(begin.until)
        yield inventory
        yield from self._metrics(always, cycle)
        yield from self._insights.batches(until)
        yield from self._details(cycle)
        yield from self._closing_batch(cycle)

    def _details(self, cycle: _Cycle) -> Iterator[Batch]:
        """Settings that were left for after the metrics, because they are asked slowly."""
        if not self._access.target.details_last:
            return
        found = self._inventory.details()
        attributes = tuple(self._attributes(found.members, cycle.at))
        yield Batch(source=self.id, at=cycle.at, attributes=attributes, gaps=found.gaps)

    def _begun(self, at: datetime, begin: Begin, members: tuple[Member, ...]) -> _Cycle:
        tripwire = Tripwire()

        def note(series: Iterable[Series]) -> None:
            seen = tuple(of_metrics(series, WATCHED))
            tripwire.note(seen)
            self._tiers.note(seen)
            self._insights.note(seen)

        agenda = Agenda(self._questions, self._progress, begin, self._budget.tick_s, self._listings.known)
        return _Cycle(at=at, look=Look(at, note), begin=begin, members=members, tripwire=tripwire, agenda=agenda)

    def _plan_for(self, cycle: _Cycle) -> None:
        """Put each table into its tier and ask the budget how often those are read."""
        shares: dict[Tier, Share] = {tier: Share() for tier in Tier}
        for member in cycle.members:
            serves = bool(cycle.served(member.table)) if cycle.operations else None
            tier = cycle.tiers[member.table] = self._tiers.of(member, cycle.begin.until, serves=serves)
            shares[tier] += share(self._questions, member, tier, cycle.operations)
        others = self._insights.metrics_an_hour + metrics_an_hour(cycle.members)
        self._load = Load(shares, self._listings.pages * HOUR / LISTED_EVERY_S, others)
        cycle.plan = self._budget.share(self.id, self._load)

    def _to_read(self) -> Load:
        return self._load

    def _stop(self) -> None:
        self._inventory.stop()
        self._pool.stop()

    def _inventory_batch(self, cycle: _Cycle, found: Found) -> Batch:
        scaling_gaps = tuple(self._read_scaling(found.members))
        changes, change_gaps = self._changes(cycle)
        return Batch(
            source=self.id,
            at=cycle.at,
            series=tuple(sizes(found.members, cycle.begin.until)),
            attributes=(self._of_account.attributes(cycle.at), *self._attributes(found.members, cycle.at)),
            changes=changes,
            gaps=(*found.gaps, *scaling_gaps, *change_gaps, *self._of_account.gaps()),
            subjects_seen=tuple(cycle.subjects),
            inventory=found.whole,
            undescribed=found.undescribed,
        )

    def _read_scaling(self, members: Iterable[Member]) -> Iterator[Gap]:
        """Refresh what auto scaling may do; on failure the last known stays, and a Gap for each that may have some."""
        self._scaling = self._autoscaling.look()
        scalable = [subject for member in members if member.provisioned for subject in member.subjects]
        for name, error in self._scaling.missing:
            for subject in scalable:
                yield self._gap(subject, name, error.reason, str(error))

    def _changes(self, cycle: _Cycle) -> tuple[tuple[AttributeChange, ...], tuple[Gap, ...]]:
        since = datetime.fromtimestamp(cycle.begin.start, UTC) - CHANGES_AGAIN
        switched = tuple(switches(cycle.members, since))
        try:
            known = set(cycle.subjects)
            done = self._autoscaling.changes(since)
        except SourceError as error:
            gap = self._gap(self.scope, "scaling_activities", error.reason, str(error))
            return switched, (gap,)
        return (*switched, *(one for one in done if one.subject in known)), ()

    def _attributes(self, members: Iterable[Member], at: datetime) -> Iterator[Attributes]:
        for member in members:
            for subject, settings in member.settings.items():
                scaling = self._scaling.of(subject) if self._scaling else {}
                yield Attributes.of(subject, at, {**settings, **scaling})

    def _list(self, cycle: _Cycle, since: datetime | None) -> None:
        """What has happened lately; where that cannot be listed, what was known of it stands."""
        before, kinesis = self._listed_to(cycle, since), delivers_to_kinesis(cycle.members)
        try:
            cycle.is_listed = self._listings.look(cycle.begin.until, since=before, kinesis=kinesis)
        except SourceError as error:
            unlisted = [(member.table, name) for member in cycle.members for name in UNLISTED]
            for subject, name in (*unlisted, (self.scope, "user_errors")):
                cycle.gaps.append(self._gap(subject, name, error.reason, str(error)))
        cycle.agenda = replace(cycle.agenda, known=self._listings.known)

    def _listed_to(self, cycle: _Cycle, since: datetime | None) -> int | None:
        """Up to when the listings before vouch, after a start by what the store has of them; None: they do not."""
        if since is None or not self._progress.goes_on:
            return int(since.timestamp()) if since else None
        return self._progress.read_whole(self._questions.ask(one.table, TABLE_ONLY[0]) for one in cycle.members)

    def _always(self, cycle: _Cycle) -> list[tuple[Ask, Stretch]]:
        due = (cycle.agenda.due(cycle.plan, member, cycle.tiers[member.table]) for member in cycle.members)
        own = self._of_account.due(cycle.agenda, cycle.members)
        return [*own, *(one for each in due for one in each)]

    def _metrics(self, always: list[tuple[Ask, Stretch]], cycle: _Cycle) -> Iterator[Batch]:
        """First what is always asked, then what its tripwires call for."""
        yield from self._reading.batches(always, cycle.look)
        yield Batch(source=self.id, at=cycle.at, series=tuple(self._known_empty(cycle)))
        yield from self._reading.batches(list(self._called_for(cycle)), cycle.look)

    def _called_for(self, cycle: _Cycle) -> Iterator[tuple[Ask, Stretch]]:
        yield from cycle.tripwire.causes(self._questions)
        for member in cycle.members:
            yield from cycle.tripwire.requests(self._questions, member.subjects, cycle.served(member.table))
            yield from self._heated(cycle, member)

    def _heated(self, cycle: _Cycle, member: Member) -> Iterator[Planned]:
        """What of a table is to be read at once because this look has shown that it hurts."""
        was = cycle.tiers[member.table]
        if was is not Tier.HOT and self._tiers.of(member, cycle.begin.until, serves=None) is Tier.HOT:
            yield from cycle.agenda.behind(member)

    def _known_empty(self, cycle: _Cycle) -> Iterator[Series]:
        spared = 0
        if cycle.is_listed:
            yield from self._of_account.quiet(cycle.agenda, Span(cycle.begin.first, cycle.begin.until))
        for series in cycle.tripwire.quiet_causes():
            spared += billed(1)
            yield series
        for member in cycle.members:
            served = cycle.served(member.table)
            for series in cycle.tripwire.quiet_requests(member.subjects, served):
                spared += billed(1)
                yield series
            if cycle.is_listed and cycle.operations:
                yield from cycle.operations.quiet(member.table, Span(cycle.begin.first, cycle.begin.until))
        self._meter.add(spared_metrics=spared)

    def _closing_batch(self, cycle: _Cycle) -> Iterator[Batch]:
        unread = {one.ask.subject: None for one in cycle.look.missing if is_wire(one.ask)}
        not_asked = (gap for subject in unread for gap in cycle.tripwire.not_asked(subject, self.id))
        still = (gap for member in cycle.members for gap in self._standing_still(cycle, member))
        found = (*still, *not_asked, *self._reading.gaps(cycle.look), *cycle.gaps)
        gaps = {(gap.subject, gap.missing): gap for gap in found}
        if gaps:
            yield Batch(source=self.id, at=cycle.at, gaps=tuple(gaps.values()))

    def _standing_still(self, cycle: _Cycle, member: Member) -> Iterator[Gap]:
        delegated = cycle.operations.delegated(member.table) if cycle.operations else ()
        return standing_still(member, delegated, self.id)


def open_source(
    target: AwsTarget, clock: Clock, *, patience: Patience | None = None, calls_per_s: float | None = None
) -> AwsSource:
    """Sign in and ask whose account it is. Raises SourceError where that fails or it is another than configured."""
    return AwsSource(Access(target, clock, patience=patience, calls_per_s=calls_per_s))


def _priced(always: Iterable[tuple[Ask, Stretch]], cycle: _Cycle) -> Price:
    """Each piece of an ask is billed; each piece of a tripwire may lead to all that it stands for."""
    metrics = more = 0
    for ask, _ in always:
        metrics += billed(len(ask.slots))
        more += may_lead_to(ask, cycle.served(ask.subject))
    return Price(metrics=metrics, more=more)
