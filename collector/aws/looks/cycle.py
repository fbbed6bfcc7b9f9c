"""What one look at the tables of an account and region has found so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from collector.aws.looks.agenda import Agenda
from collector.aws.looks.farewell import Farewell
from collector.aws.looks.passes import Passes
from collector.aws.looks.progress import Begin
from collector.aws.looks.reading import Planned
from collector.aws.metrics.operations import Operations
from collector.aws.metrics.tripwire import Tripwire
from collector.aws.settings.inventory import Member
from collector.aws.spending.plan import Load, Plan, Tier, plan
from stillfit.model import Gap, Series, Subject


@dataclass(slots=True)
class Cycle:
    """What one cycle has found so far."""

    at: datetime
    begin: Begin
    passes: Passes[Tripwire]
    agenda: Agenda
    farewell: Farewell
    members: tuple[Member, ...] = ()
    plan: Plan = field(default_factory=lambda: plan(Load()))
    tiers: dict[Subject, Tier] = field(default_factory=dict)
    is_listed: bool = False
    """Whether what ListMetrics names was asked in this cycle."""
    waiting: Sequence[Member] = ()
    """Tables for which this look had no time."""
    gaps: list[Gap] = field(default_factory=list)
    refused: list[Series] = field(default_factory=list)
    """Refused requests, as they were read."""

    @property
    def subjects(self) -> Iterator[Subject]:
        return (subject for member in self.members for subject in member.subjects)

    @property
    def operations(self) -> Operations | None:
        return self.agenda.known

    def served(self, table: Subject) -> tuple[str, ...]:
        return self.operations.of(table) if self.operations else ()

    def which(self, wires: Sequence[Tripwire]) -> tuple[list[Series], list[Planned]]:
        """Which requests were refused, where it is known which operations a table serves."""
        return self.which_of(wires, (member.subjects for member in self.members))

    def which_of(
        self, wires: Sequence[Tripwire], families: Iterable[Sequence[Subject]]
    ) -> tuple[list[Series], list[Planned]]:
        """The same of tables with their indexes, the table first. An index that went is one of a table's until then."""
        quiet, asked = list[Series](), list[Planned]()
        together = Tripwire.together(wires)
        for family in families:
            operations, went = self.served(family[0]), self.farewell.indexes(family[0])
            quiet += together.quiet_requests(family, operations, went)
            asked += together.requests(family, operations, went)
        return quiet, asked
