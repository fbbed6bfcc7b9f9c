"""What is asked of each table in one look, by its tier and the plan's cadences. The arithmetic of money and lateness.

agenda = Agenda(questions, progress, begin, tick_s, known)
first = agenda.urgent(plan, member, Tier.WARM)     # at the start of a look
planned = agenda.due(plan, member, Tier.WARM)      # when the settings are known: all else
more = agenda.behind(member)                       # after a tripwire: all that this look has not read
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from collector.aws.looks.heat import phase
from collector.aws.looks.progress import Begin, Progress
from collector.aws.looks.reading import Planned
from collector.aws.looks.tripped import Lately
from collector.aws.metrics.features import featured, features
from collector.aws.metrics.operations import Named, Operations
from collector.aws.metrics.queries import (
    CAUSES,
    CONSUMED,
    THROTTLED_REQUESTS,
    THROTTLES,
    Ask,
    Questions,
    Spec,
    standing,
)
from collector.aws.metrics.specs import KINESIS
from collector.aws.settings.inventory import Member
from collector.aws.spending.meter import billed
from collector.aws.spending.plan import NEVER_S, Cadence, Plan, Share, Tier
from stillfit.model import Subject

NOTHING_KNOWN = Lately()
_WIRES = frozenset(spec.name for spec in THROTTLES.values())
_CAUSES = sum(billed(len(spec.brings)) for specs in CAUSES.values() for spec in specs)


@dataclass(frozen=True, slots=True)
class Agenda:
    """One look of one source: nothing is planned twice in it.

    `known` is what ListMetrics has named; None where it never could be asked.
    """

    questions: Questions
    progress: Progress
    begin: Begin
    tick_s: int
    known: Operations | None
    planned: set[int] = field(default_factory=set)
    """Numbers of the asks that this look has planned already."""

    def urgent(self, plan: Plan, member: Member, tier: Tier) -> Iterator[Planned]:
        """What must not wait: the tripwires, and all of a table that hurts."""
        if tier is Tier.HOT:
            yield from self.due(plan, member, tier)
            return
        every_s = plan.cadences[tier].wires_s
        yield from replace(self, begin=self._begin_of(member)).wires(member.subjects, every_s)

    def wires(self, subjects: Iterable[Subject], every_s: int) -> Iterator[Planned]:
        """Their tripwires alone."""
        for subject in subjects:
            for spec in THROTTLES.values():
                yield from self._of(self.questions.ask(subject, spec), self.begin, every_s, phase(subject.table))

    def due(self, plan: Plan, member: Member, tier: Tier) -> Iterator[Planned]:
        """What of a table and its indexes is to be read now, and over which time."""
        return self._due(member, plan.cadences[tier])

    def behind(self, member: Member) -> Iterator[Planned]:
        """All of a table and its indexes that this look has not read, whatever the plan."""
        return self._due(member, Cadence(self.tick_s, self.tick_s))

    def every(self, member: Member) -> Iterator[Ask]:
        """All that is asked of a table and its indexes, however seldom."""
        yield from asks(self.questions, member, self.known)
        for ask, named in named_asks(self.questions, member.table, self.known):
            if self._has_more(ask, named):
                yield ask

    def due_of(self, subject: Subject, spec: Spec, every_s: int) -> Iterator[Planned]:
        """One metric that has a cadence of its own."""
        return self._of(self.questions.ask(subject, spec), self.begin, every_s, 0)

    def due_named(self, subject: Subject, every_s: int, beat: int = 0) -> Iterator[Planned]:
        """What was named of a table, or of the account and region, and has more to tell than was read of it."""
        begin = self._named_begin()
        for ask, named in named_asks(self.questions, subject, self.known):
            if self._has_more(ask, named):
                yield from self._of(ask, begin, every_s, beat)

    def _due(self, member: Member, cadence: Cadence) -> Iterator[Planned]:
        begin, beat = self._begin_of(member), phase(member.table.table)
        for ask in asks(self.questions, member, self.known):
            yield from self._of(ask, begin, cadence.wires_s if is_wire(ask) else cadence.rest_s, beat)
        yield from replace(self, begin=begin).due_named(member.table, cadence.rest_s, beat)

    def _of(self, ask: Ask, begin: Begin, every_s: int, beat: int) -> Iterator[Planned]:
        """One ask, where it is due; what is not read any more is not begun with either."""
        if every_s == NEVER_S or ask.number in self.planned:
            return
        if not self.progress.is_due(ask, begin.until, every_s, self.tick_s, beat):
            return
        self.planned.add(ask.number)
        for piece in self.progress.stretches(ask, begin, every_s):
            yield ask, piece

    def _begin_of(self, member: Member) -> Begin:
        """A table that is new to us, but was there longer than a new one would be, is read as in a first look."""
        if self.progress.read_to(self.questions.ask(member.table, CONSUMED[0])) is not None:
            return self.begin
        made = member.created
        is_late = made is not None and made.timestamp() < self.begin.start
        return self.progress.late(self.begin) if is_late else self.begin

    def _has_more(self, ask: Ask, named: Named) -> bool:
        """Refused requests are read with the tripwire: the listing is for operations that it did not know."""
        assert self.known is not None
        if ask.spec is not THROTTLED_REQUESTS and self.known.is_current(named):
            return True
        read_to = self.progress.read_to(ask)
        return read_to is None or read_to < named.at

    def _named_begin(self) -> Begin:
        """What is named for the first time is read from where the listing before no longer vouches for it.

        Where none was whole before, nothing vouches: it is read as in a first look, whichever look this is.
        """
        empty_before = self.known.empty_before if self.known else None
        if empty_before is None:
            return self.progress.late(self.begin)
        if empty_before >= self.begin.start:
            return self.begin
        return replace(self.begin, start=empty_before, minutes_from=empty_before)


def asks(questions: Questions, member: Member, known: Operations | None) -> Iterator[Ask]:
    """All that is asked of a table and its indexes while nothing is refused, whatever was named."""
    delegated = known.delegated(member.table) if known else ()
    for subject in member.subjects:
        yield from standing(questions, subject, provisioned=member.provisioned)
        yield from featured(questions, subject, features(member, subject, delegated))


def named_asks(questions: Questions, subject: Subject, known: Operations | None) -> Iterator[tuple[Ask, Named]]:
    """What ListMetrics has named of a table, or of the account and region."""
    for named in known.named(subject) if known else ():
        if named.spec not in KINESIS:  # of these the name alone is wanted
            yield questions.ask(subject, named.spec, named.part), named


def share(
    questions: Questions, member: Member, tier: Tier, known: Operations | None, lately: Lately = NOTHING_KNOWN
) -> Share:
    """Billed metrics of one table with its indexes in one reading; of a hot one with its causes, as `lately` asked.

    Causes are read with the tripwire that leads to them, and refused requests by operation once a table (tripwire.py).
    """
    wires = rest = 0
    for ask in asks(questions, member, known):
        if is_wire(ask):
            wires += billed(len(ask.slots))
        else:
            rest += billed(len(ask.slots))
    rest += sum(
        billed(len(ask.slots))
        for ask, named in named_asks(questions, member.table, known)
        if known is not None and known.is_current(named) and ask.spec is not THROTTLED_REQUESTS
    )
    if tier is not Tier.HOT:
        return Share(tables=1, wires=wires, rest=rest)
    causes = _CAUSES * len(member.subjects)
    requests = billed(len(THROTTLED_REQUESTS.brings)) * len(known.of(member.table) if known else ())
    likely, assumed = causes * lately.wires + requests * lately.looks, (causes + requests) * lately.unknown
    return Share(tables=1, wires=wires, rest=rest, causes=causes + requests, likely=likely, assumed=assumed)


def is_wire(ask: Ask) -> bool:
    """Whether an ask is one of the two that tell of every refused request."""
    return ask.spec.name in _WIRES
