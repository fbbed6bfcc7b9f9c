"""Everything at once, at random, for two hours: no wrong value, nothing missing told as known, no crash, no hang.

    STILLFIT_FAULT_SEED=17 pytest tests/collector/aws/matrix/test_mix.py        # repeats one bad day
    STILLFIT_FAULT_SEED=random pytest tests/collector/aws/matrix/test_mix.py    # another one; a failure prints its seed

What is vouched for is compared with what the stand-in holds after every cycle, and by a checksum over all points after
the last: by then every metric must be known without a hole. What it cost is held to what the plan asks, counted by hand
(cost.py): exactly once nothing fails any more, and for the whole of it with what was spoilt paid once more.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from collector.aws.spending.plan import SETTLE_S
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, Publication, World
from tests.collector.aws.kit import NOON
from tests.collector.aws.matrix.cost import LOOKS_AN_HOUR, STEP_S, NotedFaults, planned
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES, fleet, reading
from tests.collector.aws.matrix.truth import Key, Known, key_of, measured
from tests.standins.hangup import PATIENT

TOLD = os.environ.get("STILLFIT_FAULT_SEED") or "20261121"
SEED = random.SystemRandom().randrange(1_000_000) if TOLD == "random" else int(TOLD)
BAD_S, CALM_S = 7_200, 7_200
LOOKS = range((BAD_S + CALM_S) // STEP_S)
LAST_HOUR = LOOKS[-LOOKS_AN_HOUR:]
PATIENCE = replace(PATIENT, attempts=2)

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


@pytest.mark.parametrize("source", [DYNAMODB, KEYSPACES, DAX])
def test_two_bad_hours_at_random_bring_only_the_truth_and_afterwards_all_of_it(source: str) -> None:
    print(f"STILLFIT_FAULT_SEED={SEED}")  # shown where it fails
    clock, faults = FakeClock(), NotedFaults(SEED)
    world = fleet(clock, faults)
    world.publication = Publication(delay_s=60, converges_in_min=3)
    truth = measured(world, source, ALL_MINUTES, SEED)
    known = {key: Known() for key in truth}
    billed = [0]
    with AwsStandIn(world) as aws, reading(source, aws, clock, PATIENCE) as opened:
        arm(world, random.Random(SEED))
        for _ in LOOKS:
            take_a_cycle(opened, clock, known)
            billed.append(world.bill.metrics)
            assert {key: one.points for key, one in known.items()} == {
                key: {at: value for at, value in truth[key].items() if at in one.minutes} for key, one in known.items()
            }
        answered, at_most = opened.bill.metrics, opened.bill.metrics + opened.bill.lost_metrics

    assert {key for key, one in known.items() if not one.minutes >= set(must_be_known())} == set()
    assert checksum(one.points for one in known.values()) == checksum(truth.values())
    assert 0 <= billed[-1] - answered <= lost_on_the_way(faults)
    assert billed[-1] <= at_most
    assert billed[-1] - billed[LAST_HOUR[0]] == planned(source, LAST_HOUR, truth)
    assert billed[-1] <= planned(source, LOOKS, truth) + sum(faults.spoilt.values())


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
                if (key := key_of(series)) in known:
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


def lost_on_the_way(faults: NotedFaults) -> int:
    """Most that may have been billed for answers which never arrived."""
    ways = (FaultKind.RESET_MIDWAY, FaultKind.TRUNCATED, FaultKind.GARBAGE, FaultKind.HTML, FaultKind.SLOW_DRIP)
    return sum(faults.spoilt[kind] for kind in ways)
