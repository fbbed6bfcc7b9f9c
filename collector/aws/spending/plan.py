"""How often each kind of table is read, what that costs a month, and how late a message may then be. Pure.

Throttle events are the tripwires: two metrics a table or index that tell of every refused request. They are read often;
all else of a quiet table is read rarely and brings just as many points, since CloudWatch bills metrics and not points.
What a plan saves by that is what makes the one-minute truth affordable (docs/decisions/0021, 0028).

Where an operator gives a monthly budget, the slowest readings are stretched first: what nobody is paged for, then what
the freshness promise leaves room for, and only then the tripwires, which breaks the promise. What is spent of the month
already counts, and so does how much of it is left. The causes of refused requests count as often as they were asked
lately: what a storm takes more is in the sum of the month by the next look. As long as what is left pays for the
tripwires with all their causes to the end of the month, no look may take of that. Where even the slowest reading goes
beyond the budget, it goes on until what is left just pays for them; from then on only those are read, and tables that
are hot. A table is never dropped (docs/decisions/0044).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate
from types import MappingProxyType

from collector.aws.spending.meter import USD_PER_LISTING, USD_PER_METRIC
from collector.aws.spending.month import MONTH_S, TYPICAL, Month

TICK_S = 300
MINUTE, HOUR = 60, 3_600
NEVER_S = 10**12
"""The cadence of what is not read any more in this month."""
MARGIN = 0.02
"""Share of a budget that must be to spare before anything is read faster again (ours: without it two steps that cost
nearly the same would change places at every look)."""
RESERVE = 0.01
"""Share of a budget by which more is kept than the tripwires will take (ours: for a reading of the rest that was under
way when the budget came to its end)."""
LOOK_S = HOUR
"""How far is looked ahead for it: by then the plan is made anew with what was really spent (ours: a look is made every
five minutes, but one may be late, and the other regions of an account look beside it)."""


class Tier(StrEnum):
    HOT = "hot"
    """Refused requests lately, is near a limit, or is named by the operator."""
    WARM = "warm"
    """Serves requests."""
    COLD = "cold"
    """Served nothing in three hours."""


PROMISE_S: Mapping[Tier, int] = MappingProxyType({Tier.HOT: 7 * MINUTE, Tier.WARM: 20 * MINUTE, Tier.COLD: 20 * MINUTE})
"""Worst age of a refused request in a message, from when CloudWatch shows it (ours: an AWS alarm on the same metric
with five minutes of data tells as soon; twenty minutes is how long ListMetrics may hide a new metric, and a margin)."""
READING_S = 60
"""What reading a region may take until its tripwires are stored (ours; bench/looks.py: 10,000 tables in less)."""

SHOWN_AFTER_S = 120
"""How long CloudWatch may take to show the first value of a minute (ours: usually one; later ones change it for up to
ten). Time that is younger is not vouched for, so that what was not shown yet never counts as nothing."""
SETTLE_S = 300
"""Points may still change for up to ten minutes, most of the change comes in the first few; a judgement waits five and
is made again with what came later, because every cycle reads the last 15 minutes anew."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a source looks, and how often what it read is judged; sending takes a second."""

    tick_s: int = TICK_S
    judged_every_s: int = 60


USUAL = Rhythm()


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between two readings of the tripwires, and of everything else."""

    wires_s: int
    rest_s: int


@dataclass(frozen=True, slots=True)
class Share:
    """Billed metrics of one tier in one reading."""

    tables: int = 0
    wires: int = 0
    rest: int = 0
    causes: int = 0
    """What its tripwires lead to at most, where each of them tells of refused requests; they are read with those."""
    likely: float = 0.0
    """The part of `causes` that a reading has lately led to (collector/aws/looks/tripped.py)."""
    assumed: float = 0.0
    """The part of `likely` that no reading has shown, because nothing is known yet."""

    def __add__(self, other: Share) -> Share:
        return Share(
            self.tables + other.tables,
            self.wires + other.wires,
            self.rest + other.rest,
            self.causes + other.causes,
            self.likely + other.likely,
            self.assumed + other.assumed,
        )

    @property
    def at_most(self) -> Share:
        """With all causes in each reading."""
        return replace(self, likely=float(self.causes))

    @property
    def seen(self) -> Share:
        """Without what is only assumed."""
        return replace(self, likely=max(0.0, self.likely - self.assumed), assumed=0.0)


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to read: of tables by tier, listings an hour, and reports of hot keys."""

    shares: Mapping[Tier, Share] = field(default_factory=dict)
    listings_an_hour: float = 0.0
    reports_an_hour: float = 0.0
    """Billed metrics of the reports that are asked whatever happens (insights.py), and of the account (account.py); no
    budget stretches them, and when it is used up they are not asked."""

    @property
    def tables(self) -> int:
        return sum(share.tables for share in self.shares.values())

    def of(self, tier: Tier) -> Share:
        return self.shares.get(tier, Share())

    @property
    def at_most(self) -> Load:
        """With all causes in each reading of what is hot."""
        return replace(self, shares={tier: share.at_most for tier, share in self.shares.items()})

    @property
    def seen(self) -> Load:
        """With the causes that readings have shown, and none that is only assumed."""
        return replace(self, shares={tier: share.seen for tier, share in self.shares.items()})

    @property
    def quiet(self) -> Load:
        """With no causes: nothing refuses requests."""
        return replace(self, shares={tier: replace(share, likely=0.0) for tier, share in self.shares.items()})

    @property
    def causes_share(self) -> float | None:
        """Of the causes that hot tables can lead to, how many are counted; None where none can be."""
        causes = sum(share.causes for share in self.shares.values())
        return sum(share.likely for share in self.shares.values()) / causes if causes else None

    def __add__(self, other: Load) -> Load:
        shares = {tier: self.of(tier) + other.of(tier) for tier in Tier}
        listings = self.listings_an_hour + other.listings_an_hour
        return Load(shares, listings, self.reports_an_hour + other.reports_an_hour)


Cadences = Mapping[Tier, Cadence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read how often, for how much. `rung` counts the steps by which the budget has stretched it."""

    load: Load
    cadences: Cadences
    rung: int = 0
    budget_usd: float | None = None
    rhythm: Rhythm = USUAL
    month: Month = TYPICAL

    def worst_age_s(self, tier: Tier) -> int:
        """From when CloudWatch shows a refused request to the message, at most, while nothing fails.

        How bad it is shows by what was consumed, which a tripwire has read at once unless its table is hot already.
        """
        cadence = self.cadences[tier]
        waits = cadence.rest_s if tier is Tier.HOT else cadence.wires_s
        return waits + READING_S + self.rhythm.judged_every_s

    @property
    def metrics_a_month(self) -> float:
        reports = 0.0 if self.wires_alone else self.load.reports_an_hour * MONTH_S / HOUR
        return reports + sum(_a_month(self.load.of(tier), cadence) for tier, cadence in self.cadences.items())

    @property
    def usd_a_month(self) -> float:
        """At list price and the present mix of tiers; causes of hot tables are counted as lately asked (agenda.py)."""
        return self.metrics_a_month * USD_PER_METRIC + self.listings_usd_a_month

    @property
    def listings_usd_a_month(self) -> float:
        """The part of ListMetrics, which no budget stretches."""
        return self.load.listings_an_hour * MONTH_S / HOUR * USD_PER_LISTING

    @property
    def causes_usd_a_month(self) -> float:
        """The part of what tripwires lead to."""
        per_s = sum(self.load.of(tier).likely / cadence.wires_s for tier, cadence in self.cadences.items())
        return per_s * MONTH_S * USD_PER_METRIC

    @property
    def expected_usd(self) -> float:
        """What the month comes to, with what is spent of it already and this plan to its end."""
        return self.month.expects(self.usd_a_month)

    @property
    def is_within_budget(self) -> bool:
        return self.keeps(0.0)

    def keeps(self, spare: float) -> bool:
        """Whether the month comes to no more than the budget less this share of it."""
        return self.budget_usd is None or self.expected_usd <= self.budget_usd * (1.0 - spare)

    @property
    def wires_alone(self) -> bool:
        """Whether of tables that are not hot only tripwires are read: what is left is kept for those."""
        return self.cadences[Tier.WARM].rest_s == NEVER_S

    @property
    def is_used_up(self) -> bool:
        """Whether what is left pays for tripwires at best; else it is kept for their causes, which may not come."""
        return self.wires_alone and not replace(self, load=self.load.quiet).keeps(MARGIN)

    @property
    def is_doubted(self) -> bool:
        """Whether the month goes beyond the budget only by causes that no reading has shown."""
        return not self.is_within_budget and replace(self, load=self.load.seen).is_within_budget

    @property
    def kept_for(self) -> Plan:
        """The least that is read to the end of the month, where all hot tables refuse requests."""
        last = without_rest(list(ladder(self.rhythm.tick_s))[-1])
        return replace(self, cadences=last, load=self.load.at_most)

    @property
    def late(self) -> Mapping[Tier, int]:
        """The tiers whose promise does not hold, with the seconds that a message may take."""
        ages = {tier: self.worst_age_s(tier) for tier in self.cadences}
        return {tier: age for tier, age in ages.items() if age > PROMISE_S[tier]}

    @property
    def lag_s(self) -> int:
        """How far what tripwires vouch for may end before the settled time at a judgement, while nothing fails."""
        rarest = max(cadence.wires_s for cadence in self.cadences.values())
        return max(0, rarest + READING_S + self.rhythm.judged_every_s + SHOWN_AFTER_S - SETTLE_S)


def plan(
    load: Load,
    budget_usd: float | None = None,
    rhythm: Rhythm = USUAL,
    *,
    month: Month = TYPICAL,
    before: Plan | None = None,
) -> Plan:
    """The freshest plan by which the month keeps to the budget; where none does the slowest, and at last the tripwires.

    `before`: the plan in force. One that is fresher than that needs MARGIN of the budget to spare, unless a new month
    has begun.
    """
    bare = Plan(load=load, cadences={}, budget_usd=budget_usd, rhythm=rhythm, month=month)
    plans = [replace(bare, cadences=one, rung=rung) for rung, one in enumerate(ladder(rhythm.tick_s))]
    in_force = before.rung if before and before.budget_usd is not None and before.month.name == month.name else 0
    kept_for = plans[-1].kept_for
    for one in plans:
        spare = MARGIN if one.rung < in_force else 0.0
        if one.keeps(spare) and _leaves(one, kept_for, spare):
            return one
    last, spare = plans[-1], MARGIN if in_force > plans[-1].rung else 0.0
    if kept_for.keeps(spare or RESERVE):
        return last
    is_doubt = replace(last, load=load.seen).keeps(spare) and _leaves(last, kept_for, spare)
    return last if is_doubt else replace(bare, cadences=without_rest(last.cadences), rung=len(plans))


def _leaves(one: Plan, kept_for: Plan, spare: float) -> bool:
    """Whether after one more look by it, in which all hot tables refuse requests, what is left pays for `kept_for`.

    When that is no longer so, nothing could correct the sum. True where it is not so now: nothing can be kept for it.
    """
    if not kept_for.is_within_budget:
        return True
    ahead_s = min(LOOK_S, one.month.left_s)
    look_usd = replace(one, load=one.load.at_most).usd_a_month * ahead_s / MONTH_S
    then = replace(one.month, spent_usd=one.month.spent_usd + look_usd, left_s=one.month.left_s - ahead_s)
    return replace(kept_for, month=then).keeps(spare)


def slowest(load: Load, rhythm: Rhythm = USUAL) -> Plan:
    """The last plan of the ladder, which still reads everything."""
    return [Plan(load=load, cadences=one, rhythm=rhythm) for one in ladder(rhythm.tick_s)][-1]


def without_rest(cadences: Cadences) -> Cadences:
    """Nothing but tripwires of tables that are not hot."""
    return {tier: one if tier is Tier.HOT else replace(one, rest_s=NEVER_S) for tier, one in cadences.items()}


def cheapest_on_time(load: Load, rhythm: Rhythm = USUAL) -> float:
    """The least dollars a month for which no message is later than in the freshest plan."""
    first, *rest = (Plan(load=load, cadences=cadences, rhythm=rhythm) for cadences in ladder(rhythm.tick_s))
    return min(one.usd_a_month for one in (first, *rest) if one.late == first.late)


def ladder(tick_s: int = TICK_S) -> Iterable[Cadences]:
    """Every plan there is, the freshest first; each differs from the one before in one number."""
    first: Cadences = {
        Tier.HOT: Cadence(tick_s, tick_s),
        Tier.WARM: Cadence(tick_s, max(tick_s, HOUR)),
        Tier.COLD: Cadence(3 * tick_s, max(3 * tick_s, 3 * HOUR)),
    }
    return accumulate(_STEPS, _stepped, initial=first)


_Step = tuple[Tier, str, int]
_STEPS: tuple[_Step, ...] = (
    *((Tier.COLD, "rest_s", 6 * HOUR), (Tier.WARM, "rest_s", 2 * HOUR), (Tier.COLD, "rest_s", 12 * HOUR)),
    *((Tier.WARM, "rest_s", 3 * HOUR), (Tier.COLD, "rest_s", 24 * HOUR), (Tier.WARM, "rest_s", 6 * HOUR)),
    *((Tier.WARM, "rest_s", 12 * HOUR), (Tier.WARM, "wires_s", 10 * MINUTE), (Tier.WARM, "wires_s", 15 * MINUTE)),
    (Tier.WARM, "rest_s", 24 * HOUR),
    # from here on the promise does not hold
    *((Tier.COLD, "wires_s", 30 * MINUTE), (Tier.WARM, "wires_s", 30 * MINUTE), (Tier.COLD, "wires_s", HOUR)),
    *((Tier.HOT, "rest_s", 10 * MINUTE), (Tier.WARM, "wires_s", HOUR), (Tier.HOT, "rest_s", 15 * MINUTE)),
    *((Tier.HOT, "rest_s", 30 * MINUTE), (Tier.HOT, "wires_s", 10 * MINUTE), (Tier.HOT, "rest_s", HOUR)),
    *((Tier.HOT, "wires_s", 15 * MINUTE), (Tier.COLD, "wires_s", 3 * HOUR), (Tier.HOT, "wires_s", 30 * MINUTE)),
    *((Tier.WARM, "wires_s", 3 * HOUR), (Tier.HOT, "wires_s", HOUR)),
)
"""Which reading waits longer next, and for how long then: what hurts least comes first (ours). A day is the longest,
because what is judged by the day must be known the next."""


def _stepped(before: Cadences, step: _Step) -> Cadences:
    tier, which, seconds = step
    slower = replace(before[tier], **{which: max(seconds, getattr(before[tier], which))})
    return {**before, tier: replace(slower, rest_s=max(slower.rest_s, slower.wires_s))}


def _a_month(share: Share, cadence: Cadence) -> float:
    """Billed metrics, causes included."""
    return fixed(share, cadence) + share.likely * MONTH_S / cadence.wires_s


def fixed(share: Share, cadence: Cadence) -> float:
    """Billed metrics that are asked whatever happens."""
    return share.wires * MONTH_S / cadence.wires_s + share.rest * MONTH_S / cadence.rest_s


def told(seconds: int) -> str:
    """A cadence as people say it."""
    return f"{seconds // HOUR} h" if seconds % HOUR == 0 else f"{seconds / MINUTE:g} min"
