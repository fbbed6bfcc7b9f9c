"""Fault by operation: each ends in a Gap with its reason, or in a SourceError where nothing can be said without it.

A colleague's new operation joins by its permission (collector/aws/permissions.py) and a row in table.py.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from collector.aws.cloudwatch import WORKERS
from collector.aws.permissions import BY_ACTION
from collector.aws.target import Patience
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind
from tests.collector.aws.kit import cycle
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, HASTY, KEYSPACES, PATIENT, fleet, reading
from tests.collector.aws.matrix.table import ELSEWHERE, ENDLESS, FAULTS, ROWS, Row

AT_ONCE = 6
BETWEEN_S = 4_000
"""From one fault to the next: what was read an hour ago is read again, and what was denied asked again."""


def named(row: Row) -> str:
    return f"{row.source}-{row.operation}"


def test_every_permission_has_its_row() -> None:
    """A new one is tried against every fault, or says where it is tried."""
    assert set(BY_ACTION) - {row.action for row in ROWS} - set(ELSEWHERE) == set()


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_whatever_goes_wrong_with_a_call_is_a_gap_with_its_reason(row: Row) -> None:
    assert outcomes(row, FAULTS, PATIENT) == expected(row, FAULTS)


def test_what_never_ends_is_ended() -> None:
    """All rows at once: nearly all of it is waiting."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(ROWS, pool.map(lambda row: outcomes(row, ENDLESS, HASTY), ROWS), strict=True))

    wrong = {named(row): told for row, told in found.items() if told != expected(row, ENDLESS)}
    assert wrong == {}


def expected(row: Row, faults: dict[str, tuple[Fault, GapReason]]) -> dict[str, str]:
    return {name: "nothing" if reason in row.another_way else reason.value for name, (_, reason) in faults.items()}


def outcomes(row: Row, faults: dict[str, tuple[Fault, GapReason]], patience: Patience) -> dict[str, str]:
    """By fault, the reason for which what the row names is missing, or what else happened."""
    clock = FakeClock()
    world = fleet(clock)
    found: dict[str, str] = {}
    with AwsStandIn(world) as aws, reading(row.source, aws, clock, patience) as source:
        cycle(source, clock)
        for name, (fault, _) in faults.items():
            clock.advance(BETWEEN_S)
            row.arrange(world)
            world.faults.add(replace(fault, operation=row.operation))
            before = world.faults.struck[fault.kind]
            found[name] = outcome(row, source, clock)
            if world.faults.struck[fault.kind] == before:
                found[name] = f"{row.operation} was not called"
            world.faults.clear()
    return found


def outcome(row: Row, source: object, clock: FakeClock) -> str:
    try:
        missing = cycle(source, clock).missing(row.subject)  # type: ignore[arg-type]  # any of the sources
    except SourceError as error:
        return error.reason.value if not row.missing else f"the cycle ended: {error}"
    reasons = {missing.get(name, "nothing") for name in row.missing}
    return reasons.pop() if len(reasons) == 1 else f"{sorted(reasons)}"


@pytest.mark.parametrize("source", [DYNAMODB, KEYSPACES, DAX])
def test_a_region_that_is_down_is_one_reason_and_over_when_it_is_over(source: str) -> None:
    """The whole region refuses connections; STS too, so nobody can sign in either."""
    clock = FakeClock()
    world = fleet(clock)
    aws = AwsStandIn(world).start()
    port = aws.port
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
            assert cycle(opened, clock).gaps == ()


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
