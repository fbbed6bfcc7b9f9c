"""ListMetrics: filters, pages, what it forgets and what it does not know yet."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, Publication, World
from tests.standins.aws.kit import DAY, HOUR, NOW, REGION, put


def tables(answer: dict[str, Any]) -> list[str]:
    return [metric["Dimensions"][0]["Value"] for metric in answer["Metrics"]]


@pytest.mark.parametrize(
    ("silent_s", "listed"), [(14 * DAY - 60, True), (14 * DAY, True), (14 * DAY + 60, False)], ids=str
)
def test_what_was_silent_for_two_weeks_is_forgotten(world: World, cloudwatch: Any, silent_s: int, listed: bool) -> None:
    put(world, "orders", NOW - silent_s, [1])

    assert tables(cloudwatch.list_metrics()) == (["orders"] if listed else [])


@pytest.mark.parametrize(("age_s", "listed"), [(840, False), (900, False), (960, True)])
def test_a_new_metric_appears_after_fifteen_minutes(world: World, cloudwatch: Any, age_s: int, listed: bool) -> None:
    put(world, "orders", NOW - age_s, [1])

    assert tables(cloudwatch.list_metrics()) == (["orders"] if listed else [])


@pytest.mark.parametrize(("age_s", "listed"), [(3 * HOUR - 60, True), (3 * HOUR, True), (3 * HOUR + 60, False)])
def test_recently_active_means_three_hours(world: World, cloudwatch: Any, age_s: int, listed: bool) -> None:
    put(world, "orders", NOW - age_s, [1])

    assert tables(cloudwatch.list_metrics(RecentlyActive="PT3H")) == (["orders"] if listed else [])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["carts", "orders", "orders"]),
        ({"MetricName": "ConsumedReadCapacityUnits"}, ["carts", "orders"]),
        ({"Namespace": "AWS/DynamoDB"}, ["carts", "orders", "orders"]),
        ({"Namespace": "AWS/Cassandra"}, []),
        ({"Dimensions": [{"Name": "TableName", "Value": "orders"}]}, ["orders", "orders"]),
        ({"Dimensions": [{"Name": "TableName"}]}, ["carts", "orders", "orders"]),
        ({"Dimensions": [{"Name": "Operation"}]}, ["orders"]),
        ({"Dimensions": [{"Name": "TableName", "Value": "nowhere"}]}, []),
    ],
    ids=str,
)
def test_filters_narrow_the_list(world: World, cloudwatch: Any, filters: dict[str, Any], found: list[str]) -> None:
    put(world, "orders", NOW - HOUR, [1])
    put(world, "carts", NOW - HOUR, [1])
    latency = Metric.of("AWS/DynamoDB", "SuccessfulRequestLatency", {"TableName": "orders", "Operation": "Query"})
    world.put(DEFAULT_ACCOUNT, REGION, latency, Points.regular(start=int(NOW - HOUR), sum=[1.0], unit="Milliseconds"))

    metrics = cloudwatch.list_metrics(**filters)["Metrics"]

    assert [{d["Name"]: d["Value"] for d in metric["Dimensions"]}["TableName"] for metric in metrics] == found


@pytest.mark.parametrize(("metrics", "pages"), [(499, 1), (500, 1), (501, 2), (1_001, 3)])
def test_a_page_holds_five_hundred(world: World, cloudwatch: Any, metrics: int, pages: int) -> None:
    world.publication = Publication(listing_delay_s=0)
    for number in range(metrics):
        put(world, f"table-{number:04d}", NOW - HOUR, [1])

    listed = list(cloudwatch.get_paginator("list_metrics").paginate())

    assert len(listed) == pages
    assert [name for page in listed for name in tables(page)] == [f"table-{n:04d}" for n in range(metrics)]


def test_a_foreign_token_is_refused(cloudwatch: Any) -> None:
    with pytest.raises(ClientError) as refused:
        cloudwatch.list_metrics(NextToken="made-up")

    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_other_accounts_metrics_are_not_modelled(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="NotModelledByStandIn"):
        cloudwatch.list_metrics(IncludeLinkedAccounts=True)
