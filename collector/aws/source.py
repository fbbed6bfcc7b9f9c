"""One AWS account and region as a source: inventory and settings, auto scaling, then the metrics, in one cycle.

    source = open_source(AwsTarget(region="eu-west-1"), clock)
    for batch in source.collect(since, until): ...

What must not wait comes first: the tripwires of the tables as the look before found them, and all of what hurts. Then
they are listed and described, the tripwires of new ones are read, and a batch tells the inventory with all settings.
Then comes the rest, one batch a hundred requests, and a batch with every Gap of the metrics; last a slice of the past.

Who looks only once (`AwsTarget.once`) gets the inventory as the first batch: no metric has been paid for yet then, and
`price` tells what going on will cost. Whoever does not want that asks for no second batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from collector.aws.account import Account, metrics_an_hour
from collector.aws.looks.agenda import Agenda, asks, is_wire, share
from collector.aws.looks.cycle import Cycle
from collector.aws.looks.history import PIECE_S
from collector.aws.looks.passes import Passes
from collector.aws.looks.progress import Begin
from collector.aws.looks.reading import Planned
from collector.aws.looks.tiers import Tiers
from collector.aws.looks.turns import Turns
from collector.aws.metered import MeteredSource
from collector.aws.metrics.cloudwatch import WORKERS
from collector.aws.metrics.features import delivers_to_kinesis, standing_still
from collector.aws.metrics.insights import Insights
from collector.aws.metrics.operations import EVERY_S as LISTED_EVERY_S
from collector.aws.metrics.operations import UNLISTED, Listings
from collector.aws.metrics.planner import Stretch
from collector.aws.metrics.queries import TABLE_ONLY, Ask, Questions
from collector.aws.metrics.tripwire import Tripwire, may_lead_to, origin, refusals
from collector.aws.settings.autoscaling import Autoscaling, Scaling
from collector.aws.settings.inventory import Found, Inventory, Member
from collector.aws.settings.table_history import sizes, switches
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import Price, billed
from collector.aws.spending.plan import HOUR, Load, Share, Tier
from collector.aws.wire.access import Access
from collector.aws.wire.pool import Pool
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import Clock
from stillfit.errors import SourceError
from stillfit.model import AttributeChange, Attributes, Batch, Engine, Gap, GapReason, Series, Span, Subject

CHANGES_AGAIN = timedelta(hours=1)
"""How far before the window dated changes are read again: an activity is listed when it has ended."""


@dataclass(frozen=True, slots=True)
class _Scaled:
    """What auto scaling told of a region. `unread`: why it did not tell what it has done since `since`."""

    settings: Scaling
    since: datetime
    changes: tuple[AttributeChange, ...]
    unread: SourceError | None = None


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
        self._inventory = Inventory(connection, target, scope, self._pool, meter=self._meter)
        self._of_account = Account(connection, access.quotas, scope, self.id)
        self._autoscaling = Autoscaling(connection, scope, self.id)
        self._scaling: Scaling | None = None
        self._insights = Insights(connection, self._meter, self._pool, self.id, target.redaction)
        self._listings = Listings(connection, self._meter, self.id)
        self._questions = Questions()
        self._reading = self._reads(self._pool, origin=lambda ask: origin(self._questions, ask), leads=is_wire)
        self._tiers = Tiers(target.calls_hot)
        self._load = Load()
        self._turns = Turns()
        self._unlisted: SourceError | None = None
        """Why the look before could not tell which tables there are."""

    def _cycle(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        begin = self._progress.begin(int(since.timestamp()) if since else None, int(until.timestamp()))
        cycle = self._begun(until, begin)
        yield from self._urgent(cycle)
        try:
            named = self._inventory.listed(self._clock.monotonic())
        except SourceError as error:
            self._unlisted = error
            raise
        yield from self._named(cycle, named)
        fresh = self._inventory.begin()
        scaled = self._pool.submit(self._scaled, begin.start) if fresh or self._inventory.known else None
        yield from self._new(cycle, fresh)
        found = self._inventory.found()
        self._unlisted = None
        self._part(cycle, found)
        if found.members and scaled is not None:
            yield from self._with_tables(cycle, found, scaled.result(), since)
        else:
            yield self._without_tables(found, until)
        yield from self._read_last(cycle)
        if found.members and not self._access.target.once:
            yield from self._read_past(cycle)
        self._progress.end()

    def _urgent(self, cycle: Cycle) -> Iterator[Batch]:
        """What must not wait, of the tables as they were: to list and to describe thousands takes a minute and more.

        Where the look before could not list them, that is said with each batch, or what is delivered would end it.
        """
        cycle.members = self._inventory.known
        self._tier(cycle)
        plan, why = self._budget.plan, self._unlisted
        gaps = () if why is None else (self._gap(self.scope, "*", why.reason, str(why)),)
        due = (cycle.agenda.urgent(plan, member, cycle.tiers[member.table]) for member in cycle.members)
        for batch in self._read(cycle, chain.from_iterable(due)):
            yield replace(batch, gaps=(*batch.gaps, *gaps))

    def _named(self, cycle: Cycle, tables: Sequence[Subject]) -> Iterator[Batch]:
        """At a start the tripwires of tables that are only listed yet, and of the indexes that the store knows of them.

        To describe thousands takes a minute. Later it is known only then how long a new table has been there.
        """
        if not tables or not self._progress.is_first or self._access.target.once:
            return
        yield Batch(source=self.id, at=cycle.at, subjects_seen=tuple(tables))
        listed = set(tables)
        known = (one for one in self._progress.remembered if one.index and replace(one, index="") in listed)
        indexes = sorted(known, key=str)
        self._farewell.remember(indexes, cycle.begin.until)
        every_s = self._budget.plan.cadences[Tier.WARM].wires_s
        yield from cycle.passes.read(cycle.agenda.wires(chain(tables, indexes), every_s))
        yield from cycle.passes.follow(None)

    def _new(self, cycle: Cycle, fresh: tuple[Member, ...]) -> Iterator[Batch]:
        """The tripwires of new tables, before their settings. Who looks once pays nothing before the price is told."""
        if not fresh or self._access.target.once:
            return
        seen = tuple(subject for member in fresh for subject in member.subjects)
        yield Batch(source=self.id, at=cycle.at, subjects_seen=seen)
        plan = self._budget.plan
        tiers = {one.table: self._tiers.of(one, cycle.begin.until, serves=None) for one in fresh}
        due = (cycle.agenda.urgent(plan, member, tiers[member.table]) for member in fresh)
        yield from cycle.passes.read(chain.from_iterable(due))
        yield from cycle.passes.follow(None)

    def _read(self, cycle: Cycle, planned: Iterable[Planned], known: Iterable[Series] = ()) -> Iterator[Batch]:
        """A pass of tables whose operations are known, and all of those that it shows to hurt."""
        yield from cycle.passes.read(planned)
        yield from cycle.passes.follow(cycle.which, known=known, more=self._heated(cycle))

    def _without_tables(self, found: Found, at: datetime) -> Batch:
        """All that there is to tell: nothing is listed or asked, and nothing is paid."""
        self._tiers.begin(())
        self._load, self._price = Load(), Price(metrics=0, more=0)
        self._budget.share(self.id, self._load)
        return Batch(source=self.id, at=at, gaps=found.gaps, inventory=found.whole, undescribed=found.undescribed)

    def _with_tables(self, cycle: Cycle, found: Found, scaled: _Scaled, since: datetime | None) -> Iterator[Batch]:
        cycle.members = found.members
        self._of_account.look(self._clock.monotonic())
        self._tiers.begin(found.members)
        self._insights.look(found.members, self._clock.monotonic())
        inventory = self._inventory_batch(cycle, found, scaled)
        self._list(cycle, since)
        self._plan_for(cycle)
        always = [*self._of_account.due(cycle.agenda, cycle.members, cycle.plan), *self._rest(cycle, cycle.members)]
        if self._access.target.once:
            always += chain.from_iterable(self._pasts({self.scope, *cycle.subjects}))
        self._price = _priced(always, cycle) + self._insights.price(cycle.begin.until)
        yield inventory
        yield from self._read(cycle, always, self._known_empty(cycle) if cycle.is_listed else ())
        while cycle.waiting and self._has_time():
            yield from self._read(cycle, self._rest(cycle, cycle.waiting))
        self._insights.note(cycle.refused)
        yield from self._insights.batches(cycle.at, refused_alone=cycle.plan.wires_alone)
        yield from self._details(cycle)
        yield from self._closing_batch(cycle)

    def _part(self, cycle: Cycle, found: Found) -> None:
        """Take note of tables and indexes that are no longer there. What cannot be described is."""
        there = {subject for member in found.members for subject in member.subjects}
        unknown = {subject.table for subject in found.undescribed}
        before = [one for one in cycle.members if one.table.table not in unknown and not there.issuperset(one.subjects)]
        gone = (ask for member in before for ask in cycle.agenda.every(member) if ask.subject not in there)
        self._farewell.note(gone, there, cycle.begin.until)

    def _read_last(self, cycle: Cycle) -> Iterator[Batch]:
        """What is gone, up to its end. It has no gaps any more."""
        alone = self._budget.plan.wires_alone
        planned = self._farewell.due(cycle.begin, self.pace, lambda ask: is_wire(ask) or not alone)
        passes = Passes(self.id, cycle.at, self._reading, self._meter, self._wires)
        yield from passes.read(planned)
        yield from passes.follow(lambda wires: cycle.which_of(wires, self._farewell.tables))
        self._farewell.done(passes.missing, cycle.begin.until)

    def _read_past(self, cycle: Cycle) -> Iterator[Batch]:
        """A slice of what is owed, when all that is due is stored and told."""
        there = {self.scope, *cycle.subjects}
        passes = Passes(self.id, cycle.at, self._reading, self._meter, self._wires)
        for planned in self._pasts(there):
            yield from passes.read(planned)
            yield from passes.follow(cycle.which)
        gaps = tuple(gap for gap in (*passes.not_asked(), *passes.unread()) if gap.subject in there)
        if gaps:
            yield Batch(source=self.id, at=cycle.at, gaps=gaps)

    def _details(self, cycle: Cycle) -> Iterator[Batch]:
        """Settings that were left for after the metrics, because they are asked slowly."""
        if not self._access.target.once:
            return
        found = self._inventory.details()
        attributes = tuple(self._attributes(found.members, cycle.at))
        yield Batch(source=self.id, at=cycle.at, attributes=attributes, gaps=found.gaps)

    def _begun(self, at: datetime, begin: Begin) -> Cycle:
        refused: list[Series] = []

        def note(seen: Sequence[Series]) -> None:
            self._tiers.note(seen)
            refused.extend(refusals(seen))

        agenda = Agenda(self._questions, self._progress, begin, self._budget.tick_s, self._listings.known)
        passes = Passes(self.id, at, self._reading, self._meter, self._wires, note=note)
        return Cycle(at=at, begin=begin, passes=passes, agenda=agenda, farewell=self._farewell, refused=refused)

    def _wires(self) -> Tripwire:
        return Tripwire(self._questions)

    def _tier(self, cycle: Cycle) -> None:
        """Put each table into its tier."""
        for member in cycle.members:
            serves = bool(cycle.served(member.table)) if cycle.operations else None
            cycle.tiers[member.table] = self._tiers.of(member, cycle.begin.until, serves=serves)

    def _plan_for(self, cycle: Cycle) -> None:
        """Ask the budget how often the tables of each tier are read."""
        self._tier(cycle)
        self._tiers.turn(cycle.tiers)
        shares: dict[Tier, Share] = {tier: Share() for tier in Tier}
        for member in cycle.members:
            tier, lately = cycle.tiers[member.table], self._tiers.lately(member.table)
            shares[tier] += share(self._questions, member, tier, cycle.operations, lately)
        others = self._insights.metrics_an_hour + metrics_an_hour(cycle.members)
        self._load = Load(shares, self._listings.pages * HOUR / LISTED_EVERY_S, others)
        cycle.plan = self._budget.share(self.id, self._load)

    def _to_read(self) -> Load:
        return self._load

    def _stop(self) -> None:
        self._inventory.stop()
        self._pool.stop()

    def _inventory_batch(self, cycle: Cycle, found: Found, scaled: _Scaled) -> Batch:
        self._scaling = scaled.settings
        return Batch(
            source=self.id,
            at=cycle.at,
            series=tuple(sizes(found.members, cycle.begin.until)),
            attributes=(self._of_account.attributes(cycle.at), *self._attributes(found.members, cycle.at)),
            changes=tuple(self._changes(cycle, scaled)),
            gaps=(*found.gaps, *self._scaling_gaps(found.members, scaled), *self._of_account.gaps()),
            subjects_seen=tuple(cycle.subjects),
            inventory=found.whole,
            undescribed=found.undescribed,
        )

    def _scaled(self, start: int) -> _Scaled:
        """What auto scaling may do, and did since shortly before `start`; what cannot be read stays as it was."""
        since = datetime.fromtimestamp(start, UTC) - CHANGES_AGAIN
        settings = self._autoscaling.look()
        try:
            return _Scaled(settings, since, self._autoscaling.changes(since))
        except SourceError as error:
            return _Scaled(settings, since, (), error)

    def _scaling_gaps(self, members: Iterable[Member], scaled: _Scaled) -> Iterator[Gap]:
        """On failure the last known stays, and a Gap for each that may have some."""
        scalable = [subject for member in members if member.provisioned for subject in member.subjects]
        for name, error in scaled.settings.missing:
            for subject in scalable:
                yield self._gap(subject, name, error.reason, str(error))
        if scaled.unread is not None:
            yield self._gap(self.scope, "scaling_activities", scaled.unread.reason, str(scaled.unread))

    def _changes(self, cycle: Cycle, scaled: _Scaled) -> Iterator[AttributeChange]:
        yield from switches(cycle.members, scaled.since)
        known = set(cycle.subjects)
        yield from (one for one in scaled.changes if one.subject in known)

    def _attributes(self, members: Iterable[Member], at: datetime) -> Iterator[Attributes]:
        for member in members:
            for subject, settings in member.settings.items():
                scaling = self._scaling.of(subject) if self._scaling else {}
                yield Attributes.of(subject, at, {**settings, **scaling})

    def _list(self, cycle: Cycle, since: datetime | None) -> None:
        """What has happened lately; where that cannot be listed, what was known of it stands."""
        before, kinesis = self._listed_to(cycle, since), delivers_to_kinesis(cycle.members)
        try:
            cycle.is_listed = self._listings.look(cycle.begin.until, since=before, kinesis=kinesis)
        except SourceError as error:
            unlisted = [(member.table, name) for member in cycle.members for name in UNLISTED]
            for subject, name in (*unlisted, (self.scope, "user_errors")):
                cycle.gaps.append(self._gap(subject, name, error.reason, str(error)))
        cycle.agenda = replace(cycle.agenda, known=self._listings.known)

    def _listed_to(self, cycle: Cycle, since: datetime | None) -> int | None:
        """Up to when the listings before vouch, after a start by what the store has of them; None: they do not."""
        if since is None or not self._progress.goes_on:
            return int(since.timestamp()) if since else None
        return self._progress.read_whole(self._questions.ask(one.table, TABLE_ONLY[0]) for one in cycle.members)

    def _rest(self, cycle: Cycle, members: Sequence[Member]) -> list[Planned]:
        """A piece of what is due; all of it where nobody looks again."""
        planned, cycle.waiting = self._turns.of(
            members,
            lambda member: cycle.agenda.due(cycle.plan, member, cycle.tiers[member.table]),
            float("inf") if self._access.target.once else PIECE_S * self.pace,
        )
        return planned

    def _heated(self, cycle: Cycle) -> Iterator[Planned]:
        """What of a table is to be read at once because a pass has shown that it hurts."""
        for member in cycle.members:
            was = cycle.tiers[member.table]
            if was is not Tier.HOT and self._tiers.of(member, cycle.begin.until, serves=None) is Tier.HOT:
                yield from cycle.agenda.behind(member)

    def _known_empty(self, cycle: Cycle) -> Iterator[Series]:
        """What a new listing vouches for."""
        window = Span(cycle.begin.first, cycle.begin.until)
        yield from self._of_account.quiet(cycle.agenda, window)
        for member in cycle.members:
            yield from cycle.operations.quiet(member.table, window) if cycle.operations else ()

    def _closing_batch(self, cycle: Cycle) -> Iterator[Batch]:
        """What is missing of what there is: a table that went during the look is nobody's gap."""
        there = {self.scope, *cycle.subjects}
        still = (gap for member in cycle.members for gap in self._standing_still(cycle, member))
        found = (gap for gap in (*cycle.passes.not_asked(), *cycle.passes.unread()) if gap.subject in there)
        gaps = {(gap.subject, gap.missing): gap for gap in (*still, *self._waiting(cycle), *found, *cycle.gaps)}
        if gaps:
            yield Batch(source=self.id, at=cycle.at, gaps=tuple(gaps.values()))

    def _waiting(self, cycle: Cycle) -> Iterator[Gap]:
        """What was never read of tables for which there was no time."""
        detail = f"{len(cycle.waiting)} tables wait for the next look: this one had no time for all of what is new"
        for member in cycle.waiting:
            for ask in asks(self._questions, member, cycle.operations):
                if self._progress.read_to(ask) is None:
                    for metric in {slot.metric for slot in ask.slots}:
                        yield self._gap(ask.subject, metric, GapReason.NOT_ASKED, detail)

    def _standing_still(self, cycle: Cycle, member: Member) -> Iterator[Gap]:
        delegated = cycle.operations.delegated(member.table) if cycle.operations else ()
        return standing_still(member, delegated, self.id)


def open_source(
    target: AwsTarget, clock: Clock, *, patience: Patience | None = None, calls_per_s: float | None = None
) -> AwsSource:
    """Sign in and ask whose account it is. Raises SourceError where that fails or it is another than configured."""
    return AwsSource(Access(target, clock, patience=patience, calls_per_s=calls_per_s))


def _priced(always: Iterable[tuple[Ask, Stretch]], cycle: Cycle) -> Price:
    """Each piece of an ask is billed; each piece of a tripwire may lead to all that it stands for."""
    metrics = more = 0
    for ask, _ in always:
        metrics += billed(len(ask.slots))
        more += may_lead_to(ask, cycle.served(ask.subject))
    return Price(metrics=metrics, more=more)
