"""Which calls a fault strikes, how often and when."""

from typing import Any

import pytest

from stillfit.standins.aws import DEFAULT_ACCOUNT, Call, Fault, FaultKind, Faults, World
from tests.standins.aws.kit import NOW, REGION

CALL = Call(
    service="cloudwatch",
    operation="ListMetrics",
    account=DEFAULT_ACCOUNT,
    region=REGION,
    arn="arn:aws:iam::123456789012:user/stillfit",
    user_id="AIDA",
    at=NOW,
    parameters={},
)


@pytest.mark.parametrize(
    ("bound", "struck"),
    [
        ({}, True),
        ({"operation": "ListMetrics"}, True),
        ({"operation": "GetMetricData"}, False),
        ({"service": "cloudwatch", "region": REGION, "account": DEFAULT_ACCOUNT}, True),
        ({"service": "dynamodb"}, False),
        ({"region": "us-east-1"}, False),
        ({"account": "111122223333"}, False),
        ({"since": NOW}, True),
        ({"since": NOW + 1}, False),
        ({"until": NOW + 1}, True),
        ({"until": NOW}, False),
        ({"count": 0}, False),
        ({"probability": 0.0}, False),
    ],
    ids=str,
)
def test_a_fault_strikes_only_what_it_is_bound_to(
    world: World, cloudwatch: Any, bound: dict[str, Any], struck: bool
) -> None:
    world.faults.add(Fault(kind=FaultKind.LATENCY, **bound))
    cloudwatch.list_metrics()

    assert world.faults.struck[FaultKind.LATENCY] == int(struck)


def test_a_fault_is_over_when_its_count_is(world: World, cloudwatch: Any) -> None:
    world.faults.add(Fault(kind=FaultKind.LATENCY, count=2))
    for _ in range(5):
        cloudwatch.list_metrics()

    assert world.faults.struck[FaultKind.LATENCY] == 2


def test_the_same_seed_makes_the_same_bad_day() -> None:
    def day(seed: int) -> list[bool]:
        faults = Faults(seed=seed)
        faults.add(Fault(kind=FaultKind.THROTTLE, probability=0.3))
        return [faults.strike({FaultKind.THROTTLE}, CALL) is not None for _ in range(50)]

    assert day(1) == day(1) != day(2)
    assert 5 <= sum(day(1)) <= 25


def test_cleared_faults_are_over(world: World, cloudwatch: Any) -> None:
    world.faults.add(Fault(kind=FaultKind.THROTTLE))
    world.faults.clear()

    assert cloudwatch.list_metrics()["Metrics"] == []
