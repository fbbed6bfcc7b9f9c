"""How often each kind of table is read, what that costs a month, and how late a message may then be. Pure.

Throttle events are the tripwires: two metrics a table or index that tell of every refused request. They are read often;
all else of a quiet table is read rarely and brings just as many points, since CloudWatch bills metrics and not points.
What a plan saves by that is what makes the one-minute truth affordable (docs/decisions/0021, 0028).

Where an operator gives a monthly budget, the slowest readings are stretched first: what nobody is paged for, then what
the freshness promise leaves room for, and only then the tripwires, which breaks the promise. What is spent of the month
already counts, and so does how much of it is left. The causes of refused requests count as often as they were asked
lately: what a storm takes more is in the sum of the month by the next look. Where even the slowest reading would go
beyond the budget, it goes on until what is left of that just pays for the tripwires, with all their causes; from then
on only those are read, and tables that are hot. A table is never dropped (docs/decisions/0044).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

    def __add__(self, other: Share) -> Share:
        return Share(
            self.tables + other.tables,
            self.wires + other.wires,
            self.rest + other.rest,
            self.causes + other.causes,
            self.likely + other.likely,
        )

    @property
    def at_most(self) -> Share:
        """With all causes in each reading."""
        return replace(self, likely=float(self.causes))


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
        """Whether of tables that are not hot only tripwires are read, because the budget of the month is used up."""
        return self.cadences[Tier.WARM].rest_s == NEVER_S

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
    alone = replace(bare, cadences=without_rest(plans[-1].cadences), rung=len(plans))
    in_force = before.rung if before and before.budget_usd is not None and before.month.name == month.name else 0
    for one in plans:
        if one.keeps(MARGIN if one.rung < in_force else 0.0):
            return one
    kept_for = replace(alone, load=load.at_most)  # when it is used up, nothing is left that could correct the sum
    return plans[-1] if kept_for.keeps(MARGIN if in_force > plans[-1].rung else RESERVE) else alone


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
    return _fixed(share, cadence) + share.likely * MONTH_S / cadence.wires_s


def _fixed(share: Share, cadence: Cadence) -> float:
    """Billed metrics that are asked whatever happens."""
    return share.wires * MONTH_S / cadence.wires_s + share.rest * MONTH_S / cadence.rest_s


def told(seconds: int) -> str:
    """A cadence as people say it."""
    return f"{seconds // HOUR} h" if seconds % HOUR == 0 else f"{seconds / MINUTE:g} min"


def budget_lines(one: Plan) -> Iterator[str]:
    """What the month has come to and will, and what that makes of the budget; nothing where neither is known."""
    budget = f"the budget of {one.budget_usd or 0.0:,.2f} USD"
    if one.month.name:
        spent = f"{one.month.spent_usd:,.2f} USD spent in {one.month.name} (UTC)"
        of = f", of {budget}" if one.budget_usd is not None else ""
        yield f"{spent}, {one.expected_usd:,.2f} expected by its end{of}"
    if one.wires_alone:
        yield f"{budget} is used up: until the month ends only tripwires are read, and tables that are hot"
        if one.load.listings_an_hour:
            yield f"which metrics there are is still listed, for {one.listings_usd_a_month:,.2f} USD a month"
        if not one.is_within_budget:
            beyond = one.expected_usd - (one.budget_usd or 0.0)
            yield f"even those go beyond it, by {beyond:,.2f} USD: they are read all the same"
    elif not one.is_within_budget:
        yield f"as slow as can be, and still above {budget}: when that is nearly used up, only tripwires will be read"
    elif one.rung:
        yield f"stretched by {one.rung} step{'' if one.rung == 1 else 's'} to keep to {budget}"


def _causes_line(one: Plan) -> Iterator[str]:
    """What is assumed of causes, where any table is hot."""
    counted, usd = one.load.causes_share, one.causes_usd_a_month
    if counted is None:
        return
    most = replace(one, load=one.load.at_most).causes_usd_a_month
    as_seen = f"with {counted:.0%} of the tripwires of hot tables, as lately seen ({most:.2f} if with all)"
    assumed = "with every tripwire of hot tables, the most it can be" if counted == 1.0 else as_seen
    yield f"causes of refused requests: counted {assumed}; {usd:.2f} USD a month"


def lines(one: Plan) -> Iterator[str]:
    """The plan, its price and its worst ages, a line each."""
    for tier, cadence in one.cadences.items():
        share = one.load.of(tier)
        tables = f"{share.tables:,} table{'' if share.tables == 1 else 's'}"
        rest = "nothing else" if cadence.rest_s == NEVER_S else f"the rest every {told(cadence.rest_s)}"
        often = f"tripwires every {told(cadence.wires_s)}, {rest}"
        usd = _fixed(share, cadence) * USD_PER_METRIC
        age = f"a message at most {told(one.worst_age_s(tier))} late"
        yield f"{tier}: {tables}, {often}; {age}; {usd:.2f} USD a month"
    yield from _causes_line(one)
    if (reports := one.load.reports_an_hour) and not one.wires_alone:
        usd = reports * MONTH_S / HOUR * USD_PER_METRIC
        noun = "metric" if round(reports) == 1 else "metrics"
        yield f"limits of the account, reports of hot keys: {reports:,.0f} {noun} an hour; {usd:.2f} USD a month"
    if listings := one.load.listings_an_hour:
        usd = one.listings_usd_a_month
        yield f"which metrics there are: {listings:,.0f} listings an hour; {usd:.2f} USD a month"
