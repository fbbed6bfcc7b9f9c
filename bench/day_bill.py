"""A simulated day of a fleet: what reading it costs beside a five-minute poller, how fresh it is, and what is missing.

    python -m bench.day_bill [--tables 60] [--hours 24] [--seed 7] [--budget USD_A_MONTH]

The AWS stand-in holds the fleet under a simulated clock and counts our bill. Ours is the daemon: its source, store and
judge; a message counts from the minute in which CloudWatch first shows enough refused requests to the turn that opens
the advice. The poller asks every five minutes for every metric that ours can tell of at the end, known zeros included;
the modest one asks only for what ListMetrics names. Their bills are a product: metrics times looks. Afterwards every
point that the stand-in holds is looked for in the store. Beside the ages stands what the plan promised, at worst; one
that is later, or a point that is lost, ends the run with an error.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import ExitStack, closing
from datetime import timedelta

import structlog

from bench._day_fleet import FEW, HOUR, MINUTE, OF_INDEX, OPERATIONS, Fleet
from collector.aws.metrics.queries import CONSUMED, LATENCY, THROTTLED_REQUESTS
from collector.aws.metrics.specs import SYSTEM_ERRORS, TABLE_ONLY
from collector.aws.source import AwsSource
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import USD_PER_METRIC, billed
from collector.aws.spending.month import MONTH_S
from collector.aws.spending.plan import Tier
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget
from stillfit import cycle
from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Series, Span, Statistic
from stillfit.parts import knowledge
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, World
from stillfit.standins.aws.metric_store import Publication
from stillfit.store.store import Store

REGION = "eu-west-1"
TICK_S = 300
SHOWN_AFTER_S = 60
LOOKBACK = timedelta(hours=3)


class Ours:
    """The daemon's parts on one stand-in, stepped by hand."""

    def __init__(self, source: AwsSource, store: Store, clock: FakeClock) -> None:
        self.source, self.store, self.clock = source, store, clock
        self.intake = Intake(store, clock, Health())
        self.knowledge = knowledge()
        self.told: dict[str, int] = {}
        """By table, when its advice on refused requests was opened."""
        self.promised: dict[Tier, int] = dict.fromkeys(Tier, 0)
        """Seconds, the most that the plan said at any time."""
        self._rules = {rule.id for rule in self.knowledge.rules if rule.detector == "dynamodb/throttling"}

    def collect(self) -> None:
        self.intake.collect(self.source)
        assert not [status.error for status in self.intake.statuses([self.source]) if status.error]
        plan = self.source.plan
        self.promised = {tier: max(most, plan.worst_age_s(tier)) for tier, most in self.promised.items()}

    def judge(self) -> None:
        snapshot = self.intake.snapshot([self.source], (), LOOKBACK)
        turn = cycle.turn(snapshot, self.knowledge, self.store.advice())
        self.store.commit(turn.advice, turn.transitions, (), epoch=None)
        opened = {step.advice_id for step in turn.transitions if step.after is AdviceState.OPEN}
        for record in turn.advice:
            if record.id in opened and record.rule in self._rules:
                self.told.setdefault(record.subject.table, int(self.clock.now().timestamp()))


_SPECS = {spec.name: spec for spec in (*OF_INDEX, LATENCY, THROTTLED_REQUESTS)}


def _key(one: Series) -> tuple[str, str, str, Statistic, str]:
    return one.subject.table, one.subject.index, one.metric, one.statistic, one.dimension


def of_poller(fleet: Fleet, *, listed: frozenset[tuple[str, str]] | None = None) -> int:
    """Billed metrics of one look of a poller: at all that can be told, or at what ListMetrics has `listed`.

    Of the index it asks in half of the looks.
    """
    billed_once = sum(billed(len(spec.brings)) for spec in (OF_INDEX if listed is None else CONSUMED)) // 2
    for table in range(fleet.tables):
        served = OPERATIONS if fleet.kind(table) is not Tier.COLD else ()
        asked = (*OF_INDEX, *TABLE_ONLY, *((LATENCY, SYSTEM_ERRORS, THROTTLED_REQUESTS) * len(served)))
        wanted = [spec for spec in asked if listed is None or (fleet.name(table), spec.name) in listed]
        billed_once += sum(billed(len(spec.brings)) for spec in wanted)
    return billed_once


def describe(world: World, fleet: Fleet) -> None:
    """Put the tables as they are now."""
    for table in range(fleet.tables):
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, fleet.description(table, world.now()))


def day(fleet: Fleet, ours: Ours, world: World, hours: int) -> None:
    """Minute by minute: a look every five, a turn wherever somebody waits to be told."""
    for minute in range(hours * 60):
        ours.clock.advance(MINUTE)
        now = int(ours.clock.now().timestamp())
        if fleet.drops <= now < fleet.drops + MINUTE:
            describe(world, fleet)
        if minute % 5 == 4:
            ours.collect()
        waiting = (one for one in fleet.episodes if fleet.name(one.table) not in ours.told)
        if any(one.enough_at <= now for one in waiting):
            ours.judge()


def ages(fleet: Fleet, ours: Ours) -> dict[tuple[Tier, bool], list[float]]:
    """Minutes from when enough refused requests could be seen to the message, by tier and by whether they were few.

    Infinite where there was none.
    """
    found: dict[tuple[Tier, bool], list[float]] = {(tier, few): [] for tier in Tier for few in (False, True)}
    for one in fleet.episodes:
        age_s = ours.told.get(fleet.name(one.table), float("inf")) - (one.enough_at + SHOWN_AFTER_S)
        found[fleet.kind(one.table), one.is_small].append(age_s / MINUTE)
    return found


def missing(fleet: Fleet, ours: Ours, span: Span) -> tuple[int, int]:
    """Points that the stand-in holds, and how many of them the store has not with their values."""
    stored = {
        _key(one): dict(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for one in ours.store.series(span, period_s=MINUTE)
    }
    held = lost = 0
    for metric in fleet.all():
        dimensions = dict(metric.dimensions)
        points = fleet.points(metric, span.start, span.end)
        name, statistic, asked = _SPECS[metric.name].brings[0]
        column = None if points is None else points.sum if asked == "Sum" else points.counts()
        index, operation = (dimensions.get(which, "") for which in ("GlobalSecondaryIndexName", "Operation"))
        have = stored.get((dimensions["TableName"], index, name, statistic, operation), {})
        for at, value in () if points is None or column is None else zip(points.times.tolist(), column, strict=True):
            held += 1
            lost += have.get(at) != value
    return held, lost


def report(fleet: Fleet, ours: Ours, metrics: int, hours: int) -> bool:
    """Print it; whether no message was later than promised."""
    named = fleet.metrics(fleet.start, fleet.start + hours * HOUR)
    listed = frozenset((dict(one.dimensions)["TableName"], one.name) for one in named)
    looks = hours * HOUR // TICK_S
    everything, modest = looks * of_poller(fleet), looks * of_poller(fleet, listed=listed)
    listings = ours.source.bill.listings
    paid = metrics + listings  # at one price
    usd = paid * USD_PER_METRIC
    print(f"  ours: {metrics:,} metrics and {listings:,} listings = {usd:.4f} USD, by the stand-in's count")
    print(f"  five-minute poller of the same metrics: {everything:,}: ours is 1/{everything / paid:.1f} (goal 1/8)")
    print(f"  five-minute poller of listed metrics:   {modest:,}: ours is 1/{modest / paid:.1f}")
    if (budget := ours.source.budget.usd_a_month) is not None:
        print(f"  {usd * MONTH_S / (hours * HOUR):.2f} USD a month, of a budget of {budget:g}")
    for (tier, few), found in ages(fleet, ours).items():
        worst = f"worst {max(found):.1f} min of {len(found)}" if found else "none"
        kind = f"{FEW[0]} to {FEW[-1]} events in all" if few else "hundreds of events a minute"
        print(f"  {tier}, {kind}: {worst}, promised {ours.promised[tier] / MINUTE:g} min")
    return all(age * MINUTE <= ours.promised[tier] for (tier, _), found in ages(fleet, ours).items() for age in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--budget", type=float, help="USD a month that all reading is stretched to; none: the freshest plan"
    )
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    clock = FakeClock()
    start = int(clock.now().timestamp())
    fleet = Fleet(chosen.tables, start, chosen.hours, chosen.seed)
    what = f"{len(fleet.episodes)} episodes of throttling, seed {chosen.seed}"
    print(f"{chosen.tables} tables over {chosen.hours} h, {what}")
    with ExitStack() as stack:
        if not run(stack, fleet, clock, chosen):
            raise SystemExit("later than promised, or incomplete")


def run(stack: ExitStack, fleet: Fleet, clock: FakeClock, chosen: argparse.Namespace) -> bool:
    """Whether every message came as early as promised, and no point is missing."""
    world = World(now=lambda: clock.now().timestamp())
    world.publication = Publication(delay_s=SHOWN_AFTER_S)
    world.provide(DEFAULT_ACCOUNT, REGION, fleet)
    describe(world, fleet)
    standin = stack.enter_context(AwsStandIn(world))
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    store = stack.enter_context(closing(Store.open(f"sqlite:///{folder}/day.db", clock=clock)))
    target = AwsTarget(region=REGION, endpoint_url=standin.url, hot=("hot-*",), first_look=timedelta(hours=3))
    source = AwsSource(Access(target, clock), Budget(chosen.budget))
    ours = Ours(stack.enter_context(closing(source)), store, clock)
    ours.collect()
    first = world.bill.metrics
    day(fleet, ours, world, chosen.hours)
    metrics, end = world.bill.metrics - first, int(clock.now().timestamp())
    timely = report(fleet, ours, metrics, chosen.hours)
    for _ in range(rarest_s(ours) // HOUR + 1):  # what is read most rarely has its turn once more
        clock.advance(HOUR)
        ours.collect()
    held, lost = missing(fleet, ours, Span(fleet.start, end))
    print(f"  complete: {held - lost:,} of {held:,} points are in the store with their values, a dropped index's too")
    return timely and not lost


def rarest_s(ours: Ours) -> int:
    """How long what is read most rarely waits."""
    return max(cadence.rest_s for cadence in ours.source.plan.cadences.values())


if __name__ == "__main__":
    main()
