"""The bill counts what CloudWatch would."""

from itertools import chain
from typing import Any

import pytest

from stillfit.standins.aws import DEFAULT_ACCOUNT, World, billed_metrics
from tests.standins.aws.kit import NOW, REGION, ask, put, query, reads_of

ORDERS, CARTS = reads_of("orders"), reads_of("carts")


@pytest.mark.parametrize(
    ("asked", "billed"),
    [
        ([], 0),
        ([(ORDERS, "Sum")], 1),
        ([(ORDERS, "Sum"), (ORDERS, "Sum")], 1),
        ([(ORDERS, f"p{n}") for n in range(5)], 1),
        ([(ORDERS, f"p{n}") for n in range(6)], 2),
        ([(ORDERS, f"p{n}") for n in range(11)], 3),
        ([(ORDERS, "Sum"), (CARTS, "Sum")], 2),
        (list(chain.from_iterable([(ORDERS, f"p{n}"), (CARTS, f"p{n}")] for n in range(5))), 2),
    ],
    ids=["nothing", "one", "twice the same", "five", "six", "eleven", "two metrics", "interleaved"],
)
def test_five_statistics_of_one_metric_are_one(asked: list[Any], billed: int) -> None:
    assert billed_metrics(asked) == billed


def test_a_call_is_billed_by_metric_and_not_by_datapoint(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 600, [1.0] * 10)
    ask(cloudwatch, query("orders", id="s"), query("orders", id="m", stat="Maximum"), query("carts", id="c"))
    ask(cloudwatch, query("orders"))

    bill = world.bill
    assert (bill.calls["cloudwatch:GetMetricData"], bill.queries, bill.datapoints, bill.metrics) == (2, 4, 30, 3)
    assert bill.dollars == pytest.approx(3e-5)
    assert bill.metrics_by_place == {(DEFAULT_ACCOUNT, REGION): 3}


def test_a_following_page_is_billed_again_and_shown_apart(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 120, [1.0, 2.0])
    token = ask(cloudwatch, query("orders"), MaxDatapoints=1)["NextToken"]
    ask(cloudwatch, query("orders"), NextToken=token)

    assert (world.bill.metrics, world.bill.paged_metrics) == (2, 1)
