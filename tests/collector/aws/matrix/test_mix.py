"""Everything at once, at random, for two hours: no wrong value, nothing missing told as known, no crash, no hang.

    STILLFIT_FAULT_SEED=17 pytest tests/collector/aws/matrix/test_mix.py        # repeats one bad day
    STILLFIT_FAULT_SEED=random pytest tests/collector/aws/matrix/test_mix.py    # another one; a failure prints its seed

What is vouched for is compared with what the stand-in holds after every cycle, and by a checksum over all points after
the last: by then every metric must be known without a hole.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pytest

from collector.aws.plan import SETTLE_S
from collector.aws.target import Patience
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason, Series, Statistic, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, Metric, Points, Publication, World
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, REGION
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES, fleet, reading
from tests.collector.aws.services import FRONT, JOBS

TOLD = os.environ.get("STILLFIT_FAULT_SEED") or "20261121"
SEED = random.SystemRandom().randrange(1_000_000) if TOLD == "random" else int(TOLD)
BAD_S, CALM_S, STEP_S = 7_200, 7_200, 300
PATIENCE = Patience(connect_s=5.0, read_s=0.4, attempts=2, whole_s=0.8)

LOST_CALLS = (
    *(FaultKind.THROTTLE, FaultKind.INTERNAL_ERROR, FaultKind.UNAVAILABLE, FaultKind.EXPIRED_TOKEN),
    *(FaultKind.CLOCK_SKEW, FaultKind.RESET, FaultKind.RESET_MIDWAY, FaultKind.TRUNCATED, FaultKind.GARBAGE),
    *(FaultKind.HTML, FaultKind.EMPTY_PAGE, FaultKind.REPEATED_TOKEN, FaultKind.CUT_PAGE),
)
LIES = (
    *(FaultKind.PARTIAL_DATA, FaultKind.RESULT_INTERNAL_ERROR, FaultKind.RESULT_FORBIDDEN),
    *(FaultKind.DUPLICATE_TIMESTAMPS, FaultKind.UNORDERED_TIMESTAMPS, FaultKind.REPEATED_HOUR),
    *(FaultKind.SHIFTED_TIMESTAMPS, FaultKind.NAN_VALUES, FaultKind.INFINITE_VALUES, FaultKind.NEGATIVE_VALUES),
)
"""What a client can see. A single number that is huge, and true in every other way, nobody can."""
ENDLESS = (FaultKind.HANG, FaultKind.SLOW_DRIP, FaultKind.SLOW_HEAD)

ALL_MINUTES = range(NOON - 3_600, NOON + BAD_S + CALM_S, 60)

Key = tuple[Subject, str, Statistic]
_OF_ORDERS = {"TableName": "orders"}
_OF_INDEX = _OF_ORDERS | {"GlobalSecondaryIndexName": "by-status"}
_OF_JOBS = {"Keyspace": "shop", "TableName": "jobs"}
MEASURED: dict[str, dict[Key, Metric]] = {
    DYNAMODB: {
        (ORDERS, "consumed_read_units", Statistic.SUM): Metric.dynamodb("ConsumedReadCapacityUnits", **_OF_ORDERS),
        (ORDERS, "read_throttle_events", Statistic.SUM): Metric.dynamodb("ReadThrottleEvents", **_OF_ORDERS),
        (ORDERS, "write_throttle_events", Statistic.SUM): Metric.dynamodb("WriteThrottleEvents", **_OF_ORDERS),
        (BY_STATUS, "consumed_write_units", Statistic.SUM): Metric.dynamodb("ConsumedWriteCapacityUnits", **_OF_INDEX),
        (BY_STATUS, "write_throttle_events", Statistic.SUM): Metric.dynamodb("WriteThrottleEvents", **_OF_INDEX),
    },
    KEYSPACES: {
        (JOBS, "keyspaces_consumed_read_units", Statistic.SUM): Metric.of(
            "AWS/Cassandra", "ConsumedReadCapacityUnits", _OF_JOBS
        ),
    },
    DAX: {
        (FRONT, "dax_requests", Statistic.SUM): Metric.of("AWS/DAX", "TotalRequestCount", {"ClusterId": "front"}),
    },
}


@dataclass
class Known:
    """What was vouched for of one metric: the minutes, and the points in them."""

    points: dict[int, float] = field(default_factory=dict)
    minutes: set[int] = field(default_factory=set)

    def take(self, series: Series, now: int) -> None:
        """A later answer overrules an earlier one, as in the store. What is younger than settled nobody judges yet."""
        told = {at for span in series.covered for at in range(span.start, span.end, 60) if at < now - SETTLE_S}
        points = dict(zip(series.times.tolist(), series.values.tolist(), strict=True))
        self.points = {at: value for at, value in self.points.items() if at not in told}
        self.points |= {at: value for at, value in points.items() if at in told}
        self.minutes |= told


@pytest.mark.parametrize("source", [DYNAMODB, KEYSPACES, DAX])
def test_two_bad_hours_at_random_bring_only_the_truth_and_afterwards_all_of_it(source: str) -> None:
    print(f"STILLFIT_FAULT_SEED={SEED}")  # shown where it fails
    clock = FakeClock()
    world = fleet(clock, SEED)
    world.publication = Publication(delay_s=60, converges_in_min=3)
    truth = measured(world, source)
    known = {key: Known() for key in truth}
    with AwsStandIn(world) as aws, reading(source, aws, clock, PATIENCE) as opened:
        arm(world, random.Random(SEED))
        for _ in range((BAD_S + CALM_S) // STEP_S):
            take_a_cycle(opened, clock, known)
            assert {key: one.points for key, one in known.items()} == {
                key: {at: value for at, value in truth[key].items() if at in one.minutes} for key, one in known.items()
            }
        answered = opened.bill.metrics

    assert {key for key, one in known.items() if not one.minutes >= set(must_be_known())} == set()
    assert checksum(one.points for one in known.values()) == checksum(truth.values())
    assert 0 <= world.bill.metrics - answered <= lost_on_the_way(world)


def measured(world: World, source: str) -> dict[Key, dict[int, float]]:
    """Whole numbers for every minute from an hour before noon; throttles in one of eight, and no point otherwise."""
    chance = np.random.default_rng(SEED)
    truth: dict[Key, dict[int, float]] = {}
    for key, metric in MEASURED[source].items():
        row = chance.integers(1, 1_000, len(ALL_MINUTES)).astype(float) * 3
        if "throttle" in key[1]:
            row[chance.random(len(row)) > 1 / 8] = np.nan
        world.put(DEFAULT_ACCOUNT, REGION, metric, Points.regular(start=ALL_MINUTES[0], sum=row))
        truth[key] = {at: value for at, value in zip(ALL_MINUTES, row.tolist(), strict=True) if not np.isnan(value)}
    return truth


def arm(world: World, chance: random.Random) -> None:
    """One call and one result in five goes wrong, until the two hours are over; a few never end."""
    until = NOON + BAD_S
    for kind in chance.sample(LOST_CALLS, len(LOST_CALLS)):
        status = chance.choice([200, 403, 500, 503])
        world.faults.add(Fault(kind=kind, probability=0.2 / len(LOST_CALLS), until=until, status=status))
    for kind in LIES:
        world.faults.add(Fault(kind=kind, probability=0.2 / len(LIES), until=until))
    for kind in ENDLESS:
        world.faults.add(Fault(kind=kind, probability=0.01, count=3, until=until, seconds=0.02))


def take_a_cycle(opened: Source, clock: FakeClock, known: dict[Key, Known]) -> None:
    """A cycle ends in batches or in a SourceError; anything else fails the test. What was brought before it counts."""
    try:
        for batch in opened.collect(clock.now() - timedelta(seconds=STEP_S), clock.now()):
            for series in batch.series:
                if (key := (series.subject, series.metric, series.statistic)) in known:
                    known[key].take(series, int(clock.now().timestamp()))
    except SourceError as error:
        if error.reason is GapReason.NO_DATA:
            raise  # an error must never be told as emptiness
    clock.advance(STEP_S)


def must_be_known() -> range:
    """All but the newest hour and a bit: the rarest tier comes round once an hour."""
    return ALL_MINUTES[: -(3_600 + SETTLE_S + STEP_S) // 60]


def checksum(rows: Iterable[Mapping[int, float]]) -> str:
    """Of all points that must be known, in order."""
    must = set(must_be_known())
    told = [sorted((at, value) for at, value in row.items() if at in must) for row in rows]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def lost_on_the_way(world: World) -> int:
    """Most that may have been billed for answers which never arrived: the largest request, each time."""
    spoilt = (FaultKind.RESET_MIDWAY, FaultKind.TRUNCATED, FaultKind.GARBAGE, FaultKind.HTML, FaultKind.SLOW_DRIP)
    return 500 * sum(world.faults.struck[kind] for kind in spoilt)
