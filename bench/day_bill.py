"""A simulated day of a fleet: what reading it costs beside a five-minute poller, how fresh it is, and what is missing.

    python -m bench.day_bill [--tables 60] [--hours 24] [--seed 7]

The AWS stand-in holds the fleet under a simulated clock and counts our bill. Ours is the daemon: its source, store and
judge; a message counts from the minute in which CloudWatch first shows the refused requests to the turn that opens
the advice. The poller asks every five minutes for every metric that ours can tell of at the end, known zeros included;
the modest one asks only for what ListMetrics names. Their bills are a product: metrics times looks. Afterwards every
point that the stand-in holds is looked for in the store.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import structlog
from numpy.typing import NDArray

from collector.aws.meter import billed
from collector.aws.plan import PROMISE_S, Tier
from collector.aws.queries import CAUSES, CONSUMED, LATENCY, THROTTLED_REQUESTS, THROTTLES, Spec
from collector.aws.source import AwsSource, open_source
from collector.aws.specs import SYSTEM_ERRORS, TABLE_ONLY
from collector.aws.target import AwsTarget
from stillfit import cycle
from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Series, Span, Statistic
from stillfit.parts import knowledge
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World
from stillfit.standins.aws.metric_store import Publication
from stillfit.store.store import Store

REGION = "eu-west-1"
TICK_S, MINUTE, HOUR = 300, 60, 3_600
SHOWN_AFTER_S = 60
OPERATIONS = ("GetItem", "PutItem", "Query")
LOOKBACK = timedelta(hours=3)
GOAL = 1 / 8


@dataclass(frozen=True, slots=True)
class Episode:
    """Requests refused at a table from a minute on, for a while."""

    table: int
    begins: int
    minutes: int


class Fleet:
    """Tables of three kinds by number: every fifth is called hot, two of five serve, the others are idle."""

    def __init__(self, tables: int, start: int, hours: int, seed: int) -> None:
        rng = random.Random(seed)
        self.tables, self.start = tables, start
        kinds = [[n for n in range(tables) if self.kind(n) is tier] for tier in Tier]
        chosen = [table for kind in kinds for table in rng.sample(kind, min(len(kind), max(1, tables // 15)))]
        last = hours * 60 - 90
        self.episodes = tuple(
            Episode(table, start + MINUTE * rng.randrange(30, max(31, last)), rng.randrange(8, 40)) for table in chosen
        )

    def kind(self, table: int) -> Tier:
        return Tier.HOT if table % 20 == 0 else Tier.WARM if table % 5 in {1, 2} else Tier.COLD

    def name(self, table: int) -> str:
        return f"{self.kind(table)}-{table}"

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        return (metric for metric in self.all() if (points := self.points(metric, start, end)) and len(points.times))

    def all(self) -> Iterator[Metric]:
        for table in range(self.tables):
            name = self.name(table)
            yield from (Metric.dynamodb(spec.name, TableName=name) for spec in (*CONSUMED, *_wires(), *_causes()))
            for operation in OPERATIONS:
                yield Metric.dynamodb(LATENCY.name, TableName=name, Operation=operation)
                yield Metric.dynamodb(THROTTLED_REQUESTS.name, TableName=name, Operation=operation)

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        dimensions = dict(metric.dimensions)
        if "TableName" not in dimensions:
            return None  # of the account as a whole nothing is published
        table = int(dimensions["TableName"].rsplit("-", 1)[1])
        first = max(self.start - 2 * HOUR, int(-(-start // MINUTE) * MINUTE))
        times = np.arange(first, int(end), MINUTE, dtype=np.int64)
        refused = self._refused(table, times)
        serves = refused if self.kind(table) is Tier.COLD else np.ones(len(times), bool)
        if metric.name.startswith("Consumed"):
            values = np.where(serves, 100.0 + (times // MINUTE + table) % 997, 0.0)
            return Points(times=times, sum=values, count=np.full(len(times), 3.0), maximum=values / 2)
        shown = serves if metric.name == LATENCY.name else refused
        if metric.name in {"WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents", LATENCY.name}:
            times = times[shown]
            return Points(times=times, sum=np.full(len(times), 400.0 + table), count=np.full(len(times), 50.0))
        if metric.name == THROTTLED_REQUESTS.name and dimensions["Operation"] == "PutItem":
            return Points(times=times[shown], sum=np.full(int(shown.sum()), 90.0))
        return None

    def _refused(self, table: int, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        refused = np.zeros(len(times), bool)
        for one in self.episodes:
            if one.table == table:
                refused |= (times >= one.begins) & (times < one.begins + one.minutes * MINUTE)
        return refused


class Ours:
    """The daemon's parts on one stand-in, stepped by hand."""

    def __init__(self, source: AwsSource, store: Store, clock: FakeClock) -> None:
        self.source, self.store, self.clock = source, store, clock
        self.intake = Intake(store, clock, Health())
        self.knowledge = knowledge()
        self.told: dict[str, int] = {}
        """By table, when its advice on refused requests was opened."""
        self._rules = {rule.id for rule in self.knowledge.rules if rule.detector == "dynamodb/throttling"}

    def collect(self) -> None:
        self.intake.collect(self.source)
        assert not [status.error for status in self.intake.statuses([self.source]) if status.error]

    def judge(self) -> None:
        snapshot = self.intake.snapshot([self.source], (), LOOKBACK)
        turn = cycle.turn(snapshot, self.knowledge, self.store.advice())
        self.store.commit(turn.advice, turn.transitions, (), epoch=None)
        opened = {step.advice_id for step in turn.transitions if step.after is AdviceState.OPEN}
        for record in turn.advice:
            if record.id in opened and record.rule in self._rules:
                self.told.setdefault(record.subject.table, int(self.clock.now().timestamp()))


def _wires() -> tuple[Spec, ...]:
    return tuple(THROTTLES.values())


def _causes() -> tuple[Spec, ...]:
    return (*CAUSES["read"], *CAUSES["write"])


_SPECS = {spec.name: spec for spec in (*CONSUMED, *_wires(), *_causes(), LATENCY, THROTTLED_REQUESTS)}


def _key(one: Series) -> tuple[str, str, Statistic, str]:
    return one.subject.table, one.metric, one.statistic, one.dimension


def of_poller(fleet: Fleet, *, listed: frozenset[tuple[str, str]] | None = None) -> int:
    """Billed metrics of one look of a poller: at all that can be told, or at what ListMetrics has `listed`."""
    billed_once = 0
    for table in range(fleet.tables):
        served = OPERATIONS if fleet.kind(table) is not Tier.COLD else ()
        of_table = (*CONSUMED, *_wires(), *_causes(), *TABLE_ONLY)
        asked = (*of_table, *((LATENCY, SYSTEM_ERRORS, THROTTLED_REQUESTS) * len(served)))
        wanted = [spec for spec in asked if listed is None or (fleet.name(table), spec.name) in listed]
        billed_once += sum(billed(len(spec.brings)) for spec in wanted)
    return billed_once


def day(fleet: Fleet, ours: Ours, hours: int) -> None:
    """Minute by minute: a look every five, a turn wherever somebody waits to be told."""
    for minute in range(hours * 60):
        ours.clock.advance(MINUTE)
        if minute % 5 == 4:
            ours.collect()
        now = int(ours.clock.now().timestamp())
        waiting = (one for one in fleet.episodes if fleet.name(one.table) not in ours.told)
        if any(one.begins + MINUTE <= now for one in waiting):
            ours.judge()


def ages(fleet: Fleet, ours: Ours) -> dict[Tier, list[int]]:
    """Seconds from when enough refused requests could be seen to the message, by the tier of the table."""
    found: dict[Tier, list[int]] = {tier: [] for tier in Tier}
    for one in fleet.episodes:
        shown = one.begins + MINUTE + SHOWN_AFTER_S  # the first minute alone has more than the detector's 300 events
        found[fleet.kind(one.table)].append(ours.told[fleet.name(one.table)] - shown)
    return found


def missing(fleet: Fleet, ours: Ours, span: Span) -> tuple[int, int]:
    """Points that the stand-in holds, and how many of them the store has not, with their values."""
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
        have = stored.get((dimensions["TableName"], name, statistic, dimensions.get("Operation", "")), {})
        for at, value in () if points is None or column is None else zip(points.times.tolist(), column, strict=True):
            held += 1
            lost += have.get(at) != value
    return held, lost


def report(fleet: Fleet, ours: Ours, metrics: int, looks: int) -> None:
    named = fleet.metrics(fleet.start, fleet.start + 86_400)
    listed = frozenset((dict(one.dimensions)["TableName"], one.name) for one in named)
    everything, modest = looks * of_poller(fleet), looks * of_poller(fleet, listed=listed)
    bill = ours.source.bill
    paid = metrics + bill.listings
    print(f"  ours: {metrics:,} metrics and {bill.listings:,} listings = {bill.usd:.4f} USD, by the stand-in's count")
    print(f"  five-minute poller of the same metrics: {everything:,}: ours is 1/{everything / paid:.1f} (goal 1/8)")
    print(f"  five-minute poller of listed metrics:   {modest:,}: ours is 1/{modest / paid:.1f}")
    for tier, found in ages(fleet, ours).items():
        worst = f"worst {max(found) / MINUTE:.1f} min of {len(found)}" if found else "none"
        print(f"  {tier}: {worst}, promised {PROMISE_S[tier] / MINUTE:g} min")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    clock = FakeClock()
    start = int(clock.now().timestamp())
    fleet = Fleet(chosen.tables, start, chosen.hours, chosen.seed)
    what = f"{len(fleet.episodes)} episodes of throttling, seed {chosen.seed}"
    print(f"{chosen.tables} tables over {chosen.hours} h, {what}")
    with ExitStack() as stack:
        run(stack, fleet, clock, chosen.hours)


def run(stack: ExitStack, fleet: Fleet, clock: FakeClock, hours: int) -> None:
    world = World(now=lambda: clock.now().timestamp())
    world.publication = Publication(delay_s=SHOWN_AFTER_S)
    world.provide(DEFAULT_ACCOUNT, REGION, fleet)
    for table in range(fleet.tables):
        mode = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": fleet.name(table), **mode})
    standin = stack.enter_context(AwsStandIn(world))
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    store = stack.enter_context(closing(Store.open(f"sqlite:///{folder}/day.db", clock=clock)))
    target = AwsTarget(region=REGION, endpoint_url=standin.url, hot=("hot-*",), first_look=timedelta(hours=3))
    ours = Ours(stack.enter_context(closing(open_source(target, clock))), store, clock)
    ours.collect()
    first = world.bill.metrics
    day(fleet, ours, hours)
    metrics, end = world.bill.metrics - first, int(clock.now().timestamp())
    report(fleet, ours, metrics, hours * HOUR // TICK_S)
    for _ in range(4 * HOUR // TICK_S):  # what is read every three hours has its turn once more
        clock.advance(TICK_S)
        ours.collect()
    held, lost = missing(fleet, ours, Span(fleet.start, end))
    print(f"  complete: {held - lost:,} of {held:,} points are in the store with their values ({lost:,} are not)")


if __name__ == "__main__":
    main()
