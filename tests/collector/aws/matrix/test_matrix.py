"""Fault by operation: each ends in a Gap with its reason, or in a SourceError where nothing can be said without it.

And once it has passed, the next look leaves no hole, no wrong point, none twice and no Gap, for what a look costs.

A colleague's new operation joins by its permission (collector/aws/permissions.py) and a row in table.py.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from collector.aws.metrics.cloudwatch import WORKERS
from collector.aws.permissions import BY_ACTION
from collector.aws.spending.plan import SETTLE_S
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, Brought, cycle
from tests.collector.aws.matrix.cost import EVERYTHING
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES, fleet, reading
from tests.collector.aws.matrix.table import ELSEWHERE, ENDLESS, FAULTS, ROWS, Row
from tests.collector.aws.matrix.truth import Key, Known, Truth, key_of, measured, twice
from tests.servers.process import free_ports

AT_ONCE = 6
BETWEEN_S = 3 * 3_600
"""From one look to the next: whatever was read is due again, and what was denied asked again."""
MINUTES = range(NOON - 4 * 3_600, NOON + (2 * len(FAULTS) + 1) * BETWEEN_S, 60)
WHOLE = "whole again"


def named(row: Row) -> str:
    return f"{row.source}-{row.operation}"


def test_every_permission_has_its_row() -> None:
    """A new one is tried against every fault, or says where it is tried."""
    assert set(BY_ACTION) - {row.action for row in ROWS} - set(ELSEWHERE) == set()


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_whatever_goes_wrong_with_a_call_is_a_gap_with_its_reason_and_made_good(row: Row) -> None:
    assert outcomes(row, FAULTS) == expected(row, FAULTS)


def test_what_never_ends_is_ended_and_made_good() -> None:
    """All rows at once: nearly all of it is waiting."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(ROWS, pool.map(lambda row: outcomes(row, ENDLESS), ROWS), strict=True))

    wrong = {named(row): told for row, told in found.items() if told != expected(row, ENDLESS)}
    assert wrong == {}


def expected(row: Row, faults: dict[str, tuple[Fault, GapReason]]) -> dict[str, tuple[str, str]]:
    reasons = {name: reason for name, (_, reason) in faults.items()}
    return {name: ("nothing" if why in row.another_way else why.value, WHOLE) for name, why in reasons.items()}


def outcomes(row: Row, faults: dict[str, tuple[Fault, GapReason]]) -> dict[str, tuple[str, str]]:
    """By fault, the reason for which what the row names is missing, or what else happened; and what came after it."""
    clock = FakeClock()
    world = fleet(clock)
    truth = measured(world, row.source, MINUTES, seed=7)
    found: dict[str, tuple[str, str]] = {}
    with AwsStandIn(world) as aws, reading(row.source, aws, clock) as source:
        seen = Seen(source, clock, {key: Known() for key in truth})
        seen.cycle()
        for name, (fault, _) in faults.items():
            clock.advance(BETWEEN_S)
            row.arrange(world)
            world.faults.add(replace(fault, operation=row.operation))
            before = world.faults.struck[fault.kind]
            told = outcome(row, seen)
            if world.faults.struck[fault.kind] == before:
                told = f"{row.operation} was not called"
            world.faults.clear()
            found[name] = (told, aftermath(row, world, seen, truth))
    return found


@dataclass
class Seen:
    """A source, and what of its metrics it has vouched for."""

    source: Source
    clock: FakeClock
    known: dict[Key, Known]

    def cycle(self) -> Brought:
        batches = []
        now = self.clock.now()
        for batch in self.source.collect(now - timedelta(seconds=BETWEEN_S), now):  # what comes before an error counts
            batches.append(batch)
            for one in batch.series:
                if key_of(one) in self.known:
                    self.known[key_of(one)].take(one, int(now.timestamp()))
        return Brought(tuple(batches))


def outcome(row: Row, seen: Seen) -> str:
    try:
        missing = seen.cycle().missing(row.subject)
    except SourceError as error:
        return error.reason.value if not row.missing else f"the cycle ended: {error}"
    reasons = {missing.get(name, "nothing") for name in row.missing}
    return reasons.pop() if len(reasons) == 1 else f"{sorted(reasons)}"


def aftermath(row: Row, world: World, seen: Seen, truth: Truth) -> str:
    """What is wrong with the next look, at which nothing fails."""
    seen.clock.advance(BETWEEN_S)
    before = world.bill.metrics
    got = seen.cycle()
    cost, now = world.bill.metrics - before, int(seen.clock.now().timestamp())
    settled = [at for at in MINUTES if at < now - SETTLE_S and at >= NOON - 3 * 3_600]
    wrong: dict[str, list[object]] = {
        "gaps": [gap.detail for gap in got.standing],
        "points that came twice": [*twice(got.series)],
        "holes": [key for key, one in seen.known.items() if not one.minutes.issuperset(settled)],
        "wrong points": [
            key
            for key, one in seen.known.items()
            if one.points != {at: value for at, value in truth[key].items() if at in one.minutes}
        ],
        "cost": [cost] if cost not in EVERYTHING[row.source] else [],
    }
    return WHOLE if not any(wrong.values()) else f"{ {name: found[:3] for name, found in wrong.items() if found} }"


@pytest.mark.parametrize("source", [DYNAMODB, KEYSPACES, DAX])
def test_a_region_that_is_down_is_one_reason_and_over_when_it_is_over(source: str) -> None:
    """The whole region refuses connections; STS too, so nobody can sign in either."""
    clock = FakeClock()
    world = fleet(clock)
    (port,) = free_ports(1)  # nobody else's while nobody listens there
    aws = AwsStandIn(world, port=port).start()
    with reading(source, aws, clock) as opened:
        cycle(opened, clock)
        aws.stop()
        for _ in range(3):
            clock.advance(300)
            with pytest.raises(SourceError, match="could not reach the service") as lost:
                cycle(opened, clock)
            assert lost.value.reason is GapReason.UNREACHABLE
        with AwsStandIn(world, port=port):
            clock.advance(300)
            assert cycle(opened, clock).standing == ()


def test_an_operation_that_gets_no_answer_is_given_up_for_the_cycle() -> None:
    """An outage of one operation must not cost its time-out for each of a thousand tables."""
    clock = FakeClock()
    world = fleet(clock)
    for number in range(100):
        world.dynamodb.put_table("123456789012", "eu-west-1", {"TableName": f"table{number:03}"})
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="DescribeTable"))
    with AwsStandIn(world) as aws, reading(DYNAMODB, aws, clock) as source:
        got = cycle(source, clock)

    assert 5 <= world.faults.struck[FaultKind.UNAVAILABLE] <= 5 + WORKERS  # those that were under way already
    assert len([gap for gap in got.gaps if gap.missing == "*"]) == 101
