"""Token buckets per account and region, off until set."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import World
from tests.standins.aws.conftest import Clock
from tests.standins.aws.kit import DAY, HOUR, NOW, ask, put, query


def served(client: Any, times: int) -> int:
    """How many of so many calls were served before the first refusal."""
    for number in range(times):
        try:
            client.list_metrics()
        except ClientError as refused:
            return number if refused.response["Error"]["Code"] == "Throttling" else -1
    return times


def test_without_a_limit_nothing_is_throttled(cloudwatch: Any) -> None:
    assert served(cloudwatch, 30) == 30


def test_a_bucket_empties_and_fills_with_time(world: World, cloudwatch: Any, clock: Clock) -> None:
    world.quotas.limit("ListMetrics", per_second=2, burst=5)

    first = served(cloudwatch, 10)
    clock.at += 1.5
    second = served(cloudwatch, 10)
    clock.at += HOUR

    assert (first, second, served(cloudwatch, 10)) == (5, 3, 5)


def test_each_account_and_region_has_its_own_bucket(world: World, connect: Callable[..., Any]) -> None:
    world.quotas.limit("ListMetrics", per_second=1)
    clients = [
        connect("cloudwatch"),
        connect("cloudwatch", region="us-east-1"),
        connect("cloudwatch", access_key="1" * 12),
    ]

    assert [served(client, 5) for client in clients] == [1, 1, 1]


def test_one_operations_limit_is_not_anothers(world: World, connect: Callable[..., Any]) -> None:
    world.quotas.limit("ListTables", per_second=1)

    assert served(connect("cloudwatch"), 5) == 5


@pytest.mark.parametrize(
    ("start", "calls"), [(NOW - 3 * HOUR, 2), (NOW - 3 * HOUR - 60, 4), (NOW - DAY, 4)], ids=["recent", "older", "old"]
)
def test_datapoints_of_recent_and_older_windows_have_a_quota_each(
    world: World, cloudwatch: Any, start: float, calls: int
) -> None:
    world.quotas.limit_datapoints(recent=20, older=40)
    put(world, "orders", NOW - 600, [1.0] * 10)
    ask(cloudwatch, query("orders"), start=start)

    for _ in range(calls - 1):
        ask(cloudwatch, query("orders"), start=start)
    with pytest.raises(ClientError, match="Rate exceeded"):
        ask(cloudwatch, query("orders"), start=start)
