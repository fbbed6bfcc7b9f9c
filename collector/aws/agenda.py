"""What is asked of each table in one look, by its tier and the plan's cadences. The arithmetic of money and lateness.

agenda = Agenda(questions, progress, plan, until)
planned = agenda.due(member, Tier.WARM, operations)      # at the start of a look
more = agenda.due(member, Tier.HOT, operations)          # after a tripwire: what has become due by that
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from collector.aws.inventory import Member
from collector.aws.meter import billed
from collector.aws.plan import Plan, Share, Tier
from collector.aws.progress import Begin, Progress
from collector.aws.queries import CAUSES, PER_OPERATION, THROTTLES, Ask, Questions, standing
from collector.aws.reading import Planned

_WIRES = frozenset(spec.name for spec in THROTTLES.values())
_CAUSES = sum(billed(len(spec.brings)) for specs in CAUSES.values() for spec in specs)


@dataclass(frozen=True, slots=True)
class Agenda:
    """One look of one source."""

    questions: Questions
    progress: Progress
    begin: Begin
    tick_s: int

    def due(self, plan: Plan, member: Member, tier: Tier, operations: Sequence[str]) -> Iterator[Planned]:
        """What of a table and its indexes is to be read now, and over which time."""
        cadence, phase = plan.cadences[tier], _phase(member.table.table)
        for ask in asks(self.questions, member, operations):
            every_s = cadence.wires_s if is_wire(ask) else cadence.rest_s
            if self.progress.is_due(ask, self.begin.until, every_s, self.tick_s, phase):
                yield from ((ask, piece) for piece in self.progress.stretches(ask, self.begin))


def asks(questions: Questions, member: Member, operations: Iterable[str]) -> Iterator[Ask]:
    """All that may be asked of a table and its indexes while nothing is refused."""
    for subject in member.subjects:
        yield from standing(questions, subject, provisioned=member.provisioned)
    for operation in operations:
        for spec in PER_OPERATION:
            yield questions.ask(member.table, spec, operation)


def share(questions: Questions, member: Member, tier: Tier, operations: Iterable[str]) -> Share:
    """Billed metrics of one table with its indexes in one reading; of a hot one with all causes, the most it can be."""
    wires = rest = 0
    for ask in asks(questions, member, operations):
        if is_wire(ask):
            wires += billed(len(ask.slots))
        else:
            rest += billed(len(ask.slots))
    causes = _CAUSES * len(member.subjects) if tier is Tier.HOT else 0
    return Share(tables=1, wires=wires, rest=rest + causes)


def is_wire(ask: Ask) -> bool:
    """Whether an ask is one of the two that tell of every refused request."""
    return ask.spec.name in _WIRES


def _phase(table: str) -> int:
    """A number of the table's own, so that hourly readings of a fleet are spread over the hour."""
    return int.from_bytes(sha256(table.encode()).digest()[:4])
