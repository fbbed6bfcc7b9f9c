"""A fault inside an answer that says 200: values, timestamps, results and pages that are not as they should be."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.standins.aws.kit import NOW, PROTOCOLS, REGION, ask, points, put, query

Connect = Callable[..., Any]
WHOLE = [(60.0 * minute - 600, float(minute)) for minute in range(10)]


@pytest.fixture
def orders(world: World) -> World:
    put(world, "orders", NOW - 600, [float(minute) for minute in range(10)])
    return world


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FaultKind.NAN_VALUES, math.nan),
        (FaultKind.INFINITE_VALUES, math.inf),
        (FaultKind.NEGATIVE_VALUES, -1.0),
        (FaultKind.HUGE_VALUES, 1e300),
    ],
)
def test_every_second_value_can_be_one_that_cannot_be(
    orders: World, connect: Connect, protocol: str, kind: FaultKind, value: float
) -> None:
    orders.faults.add(Fault(kind=kind, metric="ConsumedReadCapacityUnits"))
    (result,) = ask(connect("cloudwatch", protocol=protocol), query("orders"))["MetricDataResults"]

    assert result["Values"][1::2] == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert {str(float(one)) for one in result["Values"][::2]} == {str(value)}


def test_an_hour_can_come_twice(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.REPEATED_HOUR))

    assert points(ask(cloudwatch, query("orders"))["MetricDataResults"][0]) == WHOLE + WHOLE


def test_timestamps_can_be_off_every_period(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.SHIFTED_TIMESTAMPS))
    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert shown == [(second + 7, value) for second, value in WHOLE]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.RESULT_INTERNAL_ERROR, "InternalError"), (FaultKind.RESULT_FORBIDDEN, "Forbidden")],
)
def test_one_result_fails_and_the_other_does_not(
    orders: World, connect: Connect, protocol: str, kind: FaultKind, status: str
) -> None:
    put(orders, "carts", NOW - 60, [5])
    orders.faults.add(Fault(kind=kind, count=1))

    bad, good = ask(connect("cloudwatch", protocol=protocol), query("orders"), query("carts", id="b"))[
        "MetricDataResults"
    ]

    assert (bad["StatusCode"], bad["Values"], len(bad["Messages"])) == (status, [], 1)
    assert (good["StatusCode"], good["Values"]) == ("Complete", [5.0])


def test_a_result_fault_can_be_bound_to_a_metric(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadThrottleEvents"))

    results = ask(cloudwatch, query("orders"), query("orders", id="t", name="ReadThrottleEvents"))["MetricDataResults"]

    assert [result["StatusCode"] for result in results] == ["Complete", "Forbidden"]


def test_partial_data_without_a_token_is_half_the_points(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.PARTIAL_DATA))

    answer = ask(cloudwatch, query("orders"))

    assert (answer["MetricDataResults"][0]["StatusCode"], "NextToken" in answer) == ("PartialData", False)
    assert points(answer["MetricDataResults"][0]) == WHOLE[:5]


def test_duplicated_timestamps_come_in_order(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.DUPLICATE_TIMESTAMPS))

    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert len(shown) == 15
    assert sorted(set(shown)) == WHOLE
    assert shown == sorted(shown)


def test_unordered_timestamps_keep_their_values(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.UNORDERED_TIMESTAMPS))

    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert shown != WHOLE
    assert sorted(shown) == WHOLE


def pages(client: Any) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    while True:
        page = ask(client, query("orders"), **token)
        yield page
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def joined(answers: Iterator[dict[str, Any]]) -> list[tuple[float, float]]:
    return [point for answer in answers for result in answer["MetricDataResults"] for point in points(result)]


def test_pages_cut_at_random_add_up_to_the_whole(orders: World, cloudwatch: Any) -> None:
    put(orders, "orders", NOW - 600, [float(minute) for minute in range(10)])
    orders.faults.add(Fault(kind=FaultKind.CUT_PAGE, probability=0.9))

    for _ in range(20):
        assert joined(pages(cloudwatch)) == WHOLE


def test_an_empty_page_is_followed_by_what_it_left_out(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=2))

    answers = list(pages(cloudwatch))

    assert [len(answer["MetricDataResults"]) for answer in answers] == [0, 0, 1]
    assert joined(iter(answers)) == WHOLE


def test_a_repeated_token_goes_on_for_ever(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=1), Fault(kind=FaultKind.REPEATED_TOKEN))

    tokens = [page["NextToken"] for page in islice(pages(cloudwatch), 5)]

    assert len(tokens) == 5
    assert len(set(tokens)) == 1


def test_lists_of_every_service_have_empty_pages_and_repeated_tokens(world: World, connect: Connect) -> None:
    for number in range(3):
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": f"table-{number}"})
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=1))
    dynamodb = connect("dynamodb")

    empty = dynamodb.list_tables(Limit=2)
    full = dynamodb.list_tables(Limit=2, ExclusiveStartTableName=empty["LastEvaluatedTableName"])
    world.faults.add(Fault(kind=FaultKind.REPEATED_TOKEN))
    again = dynamodb.list_tables(Limit=2, ExclusiveStartTableName=full["LastEvaluatedTableName"])

    assert (empty["TableNames"], full["TableNames"]) == ([], ["table-0", "table-1"])
    assert again["LastEvaluatedTableName"] == full["LastEvaluatedTableName"]
