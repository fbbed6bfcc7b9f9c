"""History of one account and region, read into a store: five-minute points of everything, then minutes where needed.

    backfill = Backfill(access, "aws/123456789012/eu-west-1", store, Wish(days=60))
    backfill.look()                      # tables and operations; nothing is paid for yet
    print(backfill.estimate())
    for batch in backfill.batches(): store.write(batch)

The store is its only memory: what is known there is not asked, so that it may be killed at any time and begun again.
Stretches are planned shortly before they are asked, because what is about to be asked may not grow older than
CloudWatch keeps it. Minutes answer the questions of bursts: they are read of tables that refused requests or came near
their capacity within five minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collector.aws.backfill.bursts import bursting
from collector.aws.backfill.causes import Causes
from collector.aws.backfill.cover import Covers, Kept, Name
from collector.aws.backfill.price import Estimate, priced
from collector.aws.looks.agenda import asks, named_asks
from collector.aws.looks.reading import POINTS_A_BATCH, Planned
from collector.aws.metrics.cloudwatch import MetricReader
from collector.aws.metrics.decode import Missing
from collector.aws.metrics.features import delivers_to_kinesis
from collector.aws.metrics.operations import Listings, Operations
from collector.aws.metrics.planner import (
    DAY,
    FIVE_MINUTES_KEPT_S,
    HOUR,
    HOURS_KEPT_S,
    MINUTES_KEPT_S,
    SAFETY_S,
    pack,
    stretches,
)
from collector.aws.metrics.queries import CONSUMED, FIVE_MINUTES, MINUTE, THROTTLED_REQUESTS, THROTTLES, Ask, Questions
from collector.aws.settings.inventory import Inventory, Member
from collector.aws.spending.meter import Bill, Meter
from collector.aws.wire.access import Access
from collector.aws.wire.limiter import CALLS_PER_S, StoppedError
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import Batch, Engine, Gap, Series, Span, Subject
from stillfit.sheets import Sheet, Sheets, points

SETTLED_S = 900
"""What is younger may still change and is the daemon's to read (late values converge within about 10 minutes)."""
WORKERS = 8
ANSWERS_A_BATCH = 10
"""What a kill may cost at most, beside what is under way: an answer counts once it is stored (ours)."""
MEMBERS_AT_ONCE = 100
"""Tables that are planned together: at CloudWatch's quota their minutes take a few of the 60 minutes that SAFETY_S
leaves between planning and asking (ours)."""
_BURST = (*CONSUMED, *THROTTLES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be read."""

    days: int
    tables: str = "*"
    """Pattern (* and ?) of table names, among those that are watched."""
    minutes: bool = False
    """By the minute of every table, whatever happened there."""
    minutes_kept_s: int = MINUTES_KEPT_S
    """How long the store keeps minutes: what it would remove again is neither read nor paid for."""
    hours_kept_s: int = HOURS_KEPT_S
    """How long the store keeps hours."""


@dataclass(slots=True)
class _Looked:
    members: tuple[Member, ...] = ()
    operations: Operations | None = None
    gaps: list[Gap] = field(default_factory=list)


class Backfill:
    """One at a time for each source. `bill` may be read by any thread."""

    def __init__(self, access: Access, source: str, kept: Kept, wish: Wish) -> None:
        """`source` is the id under which the daemon stores what it reads there. Raises SourceError."""
        self.source = source
        self.scope = Subject(engine=Engine.DYNAMODB, scope=(access.account(), access.target.region))
        self.missing: list[Missing] = []
        """What could not be read."""
        self.by_minute: set[str] = set()
        """Tables that were, or are being, read by the minute."""
        self._access = access
        self._clock = access.clock
        self._wish = wish
        self._kept = kept
        self._meter = Meter(access.target.spending)
        self._pool = Pool(WORKERS, f"backfill {source}")
        self._questions = Questions()
        self._looked = _Looked()
        self._reader = MetricReader(access.connection, access.limiter, self._meter, self._pool, source)
        access.open()

    @property
    def bill(self) -> Bill:
        """What it has cost so far."""
        return self._meter.bill

    @property
    def members(self) -> tuple[Member, ...]:
        return self._looked.members

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the look could not find out."""
        return tuple(self._looked.gaps)

    def look(self) -> None:
        """Find the tables, and the operations of two weeks. Raises SourceError where tables cannot be listed."""
        connection = self._access.connection
        connection.begin_cycle()
        inventory = Inventory(connection, self._access.target, self.scope, self._pool, meter=self._meter)
        found = inventory.look(self._clock.monotonic())
        self._access.quotas.look(self._clock.monotonic(), self.source)
        chosen = tuple(one for one in found.members if fnmatchcase(one.table.table, self._wish.tables))
        gaps = [gap for gap in found.gaps if fnmatchcase(gap.subject.table, self._wish.tables)]
        self._looked = _Looked(chosen, None, gaps)
        try:
            listings = Listings(connection, self._meter, self.source)
            now = int(self._clock.now().timestamp())
            listings.look(now, since=None, kinesis=delivers_to_kinesis(chosen))
            self._looked.operations = listings.known
        except SourceError as error:
            gap = Gap(subject=self.scope, missing="*", reason=error.reason, detail=str(error), source=self.source)
            self._looked.gaps.append(gap)

    def estimate(self) -> Estimate:
        """What it will cost, from what the store lacks now."""
        coarse, fine = self._coarse(), self._fine()
        first = priced(self._fives(self.members, coarse), self._served)
        known = priced(self._causes(coarse).asked(self.members), self._served)
        burst = priced(self._minutes(self._may_burst(coarse), fine), self._served)
        calls_per_s = self._access.quotas.calls_per_s or CALLS_PER_S
        return Estimate(
            fives=first + known, minutes=burst, minutes_are_sure=self._wish.minutes, calls_per_s=calls_per_s
        )

    def batches(self) -> Iterator[Batch]:
        """All that is missing, in pieces that are to be stored one by one. Ends early after `stop`."""
        try:
            coarse = self._coarse()
            yield from self._each(self.members, lambda members: self._fives(members, coarse))
            yield from self._caused(self.members, self._coarse())
            chosen = self.members if self._wish.minutes else bursting(self.members, self._kept, self._fine().span)
            self.by_minute = {member.table.table for member in chosen}
            fine = self._fine()
            yield from self._each(chosen, lambda members: self._minutes(members, fine))
            yield from self._caused(chosen, self._fine())
        except StoppedError:
            return

    def stop(self) -> None:
        """End soon; from another thread."""
        self._access.stop()
        self._pool.stop()

    def close(self) -> None:
        self.stop()
        self._access.close()

    def _span(self, kept_s: int) -> Span:
        """Whole hours that are settled, as far back as wished and kept."""
        now = int(self._clock.now().timestamp())
        end = (now - SETTLED_S) // HOUR * HOUR
        oldest = -(-(now - kept_s + SAFETY_S) // HOUR) * HOUR
        return Span(min(end, max(end - self._wish.days * DAY, oldest)), end)

    def _coarse(self) -> Covers:
        return Covers(
            self._kept, self.source, self._span(min(HOURS_KEPT_S, self._wish.hours_kept_s)), self._five_minutes_from()
        )

    def _fine(self) -> Covers:
        span = self._span(min(MINUTES_KEPT_S, self._wish.minutes_kept_s))
        return Covers(self._kept, self.source, span, span.start, MINUTE)

    def _five_minutes_from(self) -> int:
        now = int(self._clock.now().timestamp())
        return -(-(now - FIVE_MINUTES_KEPT_S + SAFETY_S) // HOUR) * HOUR

    def _served(self, table: Subject) -> tuple[str, ...]:
        return self._looked.operations.of(table) if self._looked.operations else ()

    def _asks(self, member: Member) -> Iterator[Ask]:
        """What the daemon reads of a table with its indexes, the causes of throttling aside."""
        yield from asks(self._questions, member, self._looked.operations)
        for ask, _ in named_asks(self._questions, member.table, self._looked.operations):
            if ask.spec is not THROTTLED_REQUESTS:
                yield ask

    def _fives(self, members: Iterable[Member], covers: Covers) -> Iterator[Planned]:
        for ask in (ask for member in members for ask in self._asks(member)):
            yield from self._planned(ask, covers.holes(_names(ask), ask.spec.period_s), coarse=True)

    def _minutes(self, members: Iterable[Member], covers: Covers) -> Iterator[Planned]:
        for ask in (ask for member in members for ask in self._asks(member)):
            if ask.spec.period_s == MINUTE and (self._wish.minutes or ask.spec in _BURST):
                yield from self._planned(ask, covers.holes(_names(ask), MINUTE), coarse=False)

    def _planned(self, ask: Ask, holes: Iterable[Span], *, coarse: bool) -> Iterator[Planned]:
        now = int(self._clock.now().timestamp())
        for hole in holes:
            fine_from = now if coarse else hole.start
            for one in stretches(hole, ask.spec.period_s, now=now, minutes_from=fine_from, coarse_s=FIVE_MINUTES):
                yield ask, one

    def _causes(self, covers: Covers) -> Causes:
        def planned(ask: Ask, hole: Span) -> Iterator[Planned]:
            return self._planned(ask, (hole,), coarse=covers.longest_s != MINUTE)

        return Causes(self._questions, covers, self._kept, self._served, planned)

    def _caused(self, members: Sequence[Member], covers: Covers) -> Iterator[Batch]:
        """What the tripwires in the store lead to; where nothing was refused it is known to be nothing, for free."""
        causes = self._causes(covers)
        for some in _groups(members):
            quiet = tuple(causes.quiet(some))
            if quiet:
                yield self._batch(quiet)
        yield from self._each(members, causes.asked)

    def _may_burst(self, coarse: Covers) -> Iterator[Member]:
        """Whose five-minute points will, or already do, ask for minutes."""
        if self._wish.minutes:
            yield from self.members
            return
        known = {one.table for one in bursting(self.members, self._kept, self._fine().span)}
        for member in self.members:
            if member.table in known or any(True for _ in self._fives((member,), coarse)):
                yield member

    def _each(
        self, members: Sequence[Member], plan: Callable[[Sequence[Member]], Iterable[Planned]]
    ) -> Iterator[Batch]:
        for some in _groups(members):
            yield from self._read(plan(some))

    def _read(self, planned: Iterable[Planned]) -> Iterator[Batch]:
        answers: list[Sheets] = []
        for _, got in self._reader.read(pack(planned)):
            self.missing += got.missing
            answers.append(got.series)
            if len(answers) >= ANSWERS_A_BATCH or sum(map(points, answers)) >= POINTS_A_BATCH:
                yield self._batch(_together(answers))
                answers.clear()
        if answers:
            yield self._batch(_together(answers))

    def _batch(self, series: Sequence[Series]) -> Batch:
        return Batch(source=self.source, at=self._clock.now(), series=series)


def _names(ask: Ask) -> tuple[Name, ...]:
    return tuple(dict.fromkeys((ask.subject, slot.metric, ask.part) for slot in ask.slots))


def _together(answers: Iterable[Sheets]) -> Sheets:
    sheets: list[Sheet] = [sheet for one in answers for sheet in one.parts]
    return Sheets(sheets)


def _groups(members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    return (members[first : first + MEMBERS_AT_ONCE] for first in range(0, len(members), MEMBERS_AT_ONCE))
