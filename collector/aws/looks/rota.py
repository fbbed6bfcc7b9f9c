"""How often what of a service is read: each table or cluster by its tier, at the cadences of the common budget.

The same tiers as DynamoDB's (collector/aws/spending/plan.py): hot is what refused requests lately or what the operator
calls hot, cold is what served none in three hours. A node is read as often as its cluster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from collector.aws.looks.heat import Heat, phase
from collector.aws.looks.progress import Begin, Progress
from collector.aws.looks.reading import Planned
from collector.aws.looks.tripped import Lately, Tripped
from collector.aws.metrics.queries import Ask, Spec
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import billed
from collector.aws.spending.plan import HOUR, NEVER_S, Load, Share, Tier
from stillfit.model import Series, Subject

NOTHING_LATE: Mapping[Subject, Begin] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FamilyShare:
    """Billed metrics of one family in one reading, and those that its tripwires may lead to."""

    usual: Share
    causes: int = 0

    def of(self, tier: Tier, lately: Lately) -> Share:
        """Of a hot family with its causes, as `lately` asked: they are read with the tripwire (see agenda.py)."""
        if tier is not Tier.HOT:
            return self.usual
        return self.usual + Share(
            causes=self.causes, likely=self.causes * lately.wires, assumed=self.causes * lately.unknown
        )


@dataclass(slots=True)
class Rota:
    """Of one source. Used by one thread."""

    budget: Budget
    progress: Progress
    called_hot: Callable[[str], bool]
    pages: int = 1
    """How many requests the last listing took."""
    load: Load = field(default_factory=Load)
    """What there was to read in the last look."""
    _heat: Heat[Subject] = field(default_factory=Heat)
    _tiers: dict[Subject, Tier] = field(default_factory=dict)
    _tripped: Tripped[Subject] = field(default_factory=Tripped)
    _planned: set[int] = field(default_factory=set)
    """Numbers of the asks that this look has planned already."""

    def begin(self, now: int, shares: Mapping[Subject, FamilyShare], serving: Callable[[Subject], bool]) -> None:
        """Put each family into its tier. `shares` are by family; `now` is epoch seconds. Does not fail."""
        self._heat.keep(shares)
        self._tiers = {family: self._tier(family, now, serving) for family in shares}
        self._tripped.turn(family for family, tier in self._tiers.items() if tier is Tier.HOT)
        by_tier = {tier: Share() for tier in Tier}
        for family, share in shares.items():
            by_tier[self._tiers[family]] += share.of(self._tiers[family], self._tripped.of(family))
        self.load = Load(by_tier, self.pages * HOUR / self.budget.tick_s)

    def tell(self, source: str) -> None:
        """Tell the budget what there is to read. Raises StoreError where it cannot be known what is spent of a month.

        So it comes after all else that a look sets: the next one goes by that, whatever fails here.
        """
        self.budget.share(source, self.load)

    def again(self, now: int, serving: Callable[[Subject], bool]) -> None:
        """A look begins: the families of the one before it in the tiers of now, and nothing is planned yet."""
        self._tiers = {family: self._tier(family, now, serving) for family in self._tiers}
        self._planned.clear()

    def is_hot(self, subject: Subject) -> bool:
        return self._tiers.get(family_of(subject)) is Tier.HOT

    def rest(self, source: str) -> None:
        """There is nothing to read, and nothing of the budget is taken. Raises StoreError as `tell` does."""
        self.load = Load()
        self.tell(source)

    def due(
        self, wires: Iterable[Ask], rest: Iterable[Ask], begin: Begin, late: Mapping[Subject, Begin] = NOTHING_LATE
    ) -> Iterator[Planned]:
        """What of these is to be read now, and over which time; what of `late` was never read begins elsewhere.

        Nothing is planned twice in a look.
        """
        cadences = self.budget.plan.cadences
        for asks, is_wire in ((wires, True), (rest, False)):
            for ask in asks:
                family = family_of(ask.subject)
                cadence = cadences[self._tiers[family]]
                every_s = cadence.wires_s if is_wire else cadence.rest_s
                if every_s == NEVER_S or ask.number in self._planned:  # not begun with either
                    continue
                if self.progress.is_due(ask, begin.until, every_s, self.budget.tick_s, phase(str(family))):
                    self._planned.add(ask.number)
                    yield from (
                        (ask, piece) for piece in self.progress.stretches(ask, late.get(ask.subject, begin), every_s)
                    )

    def heated(self, wires: Iterable[Series]) -> frozenset[Subject]:
        """The families that a look has shown to refuse requests and that were not hot before it."""
        fresh: set[Subject] = set()
        for one in wires:
            family, hot = family_of(one.subject), one.times[one.values > 0]
            self._tripped.note(family, one.values)
            if len(hot):
                self._heat.seen(family, int(hot[-1]) + one.period_s)
                fresh |= {family} if self._tiers[family] is not Tier.HOT else set()
        self._tiers |= dict.fromkeys(fresh, Tier.HOT)
        return frozenset(fresh)

    def _tier(self, family: Subject, now: int, serving: Callable[[Subject], bool]) -> Tier:
        return self._heat.tier(family, now, called_hot=self.called_hot(family.name), serves=serving(family))


def shares_of(
    wires: Iterable[Ask], rest: Iterable[Ask], causes: Callable[[Spec], Iterable[Spec]]
) -> dict[Subject, FamilyShare]:
    """Billed metrics by family in one reading of all. What belongs to the account as a whole counts as no table.

    `causes`: what a tripwire leads to.
    """
    usual: defaultdict[Subject, Share] = defaultdict(Share)
    more: defaultdict[Subject, int] = defaultdict(int)
    for ask in wires:
        family = family_of(ask.subject)
        usual[family] += Share(wires=billed(len(ask.slots)))
        more[family] += sum(billed(len(cause.brings)) for cause in causes(ask.spec))
    for ask in rest:
        usual[family_of(ask.subject)] += Share(rest=billed(len(ask.slots)))
    tables = {family: Share(tables=int(bool(family.table or family.cluster))) for family in usual}
    return {family: FamilyShare(tables[family] + share, more[family]) for family, share in usual.items()}


def family_of(subject: Subject) -> Subject:
    """Whose tier decides: the cluster of a node, and everything else its own."""
    return replace(subject, node="") if subject.node else subject
