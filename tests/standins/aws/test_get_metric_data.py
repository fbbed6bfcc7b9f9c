"""GetMetricData by its documented rules: ids, windows, periods, statistics, units, pages."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, Publication, World
from tests.standins.aws.conftest import Clock
from tests.standins.aws.kit import DAY, HOUR, NOW, REGION, ask, points, put, query, reads_of

NAN = float("nan")


def refusal(client: Any, *queries: dict[str, Any], **options: Any) -> str:
    with pytest.raises(ClientError) as refused:
        ask(client, *queries, **options)
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


# Windows


def test_the_start_is_inclusive_and_the_end_is_exclusive(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 300, [1, 2, 3, 4, 5])

    [result] = ask(cloudwatch, query("orders"), start=NOW - 240, end=NOW - 60)["MetricDataResults"]

    assert points(result) == [(-240, 2), (-180, 3), (-120, 4)]


def test_a_missing_minute_stays_missing(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 300, [1, NAN, NAN, 4, NAN])

    [result] = ask(cloudwatch, query("orders"))["MetricDataResults"]

    assert points(result) == [(-300, 1), (-120, 4)]


def test_an_unknown_metric_is_complete_and_empty(cloudwatch: Any) -> None:
    [result] = ask(cloudwatch, query("nowhere"))["MetricDataResults"]

    assert (result["StatusCode"], result["Values"]) == ("Complete", [])


def test_the_future_is_never_served(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 120, [1, 2, 3, 4])

    [result] = ask(cloudwatch, query("orders"), end=NOW + HOUR)["MetricDataResults"]

    assert points(result) == [(-120, 1), (-60, 2)]


def test_a_minute_is_served_once_it_is_over(world: World, cloudwatch: Any, clock: Clock) -> None:
    put(world, "orders", NOW, [7])
    shown = []
    for clock.at in (NOW + 59, NOW + 60):
        shown.append(points(ask(cloudwatch, query("orders"), end=NOW + HOUR)["MetricDataResults"][0]))

    assert shown == [[], [(0, 7)]]


@pytest.mark.parametrize(
    ("age", "offset", "rounded"),
    [(HOUR, 59, 0), (15 * DAY - 60, 59, 0), (15 * DAY + 600, 299, 0), (63 * DAY + 7200, 3599, 0)],
    ids=["a minute", "just below 15 days", "five minutes", "an hour"],
)
def test_the_start_is_rounded_down_by_age(world: World, cloudwatch: Any, age: int, offset: int, rounded: int) -> None:
    put(world, "orders", NOW - age, [5.0])

    [result] = ask(cloudwatch, query("orders", period=3600), start=NOW - age + offset)["MetricDataResults"]

    assert points(result) == [(-age + rounded, 5.0)]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [(NOW, NOW, "must not equal"), (NOW, NOW - 60, "must be less than")],
    ids=["empty", "backwards"],
)
def test_a_window_must_go_forward(cloudwatch: Any, start: float, end: float, message: str) -> None:
    assert message in refusal(cloudwatch, query("orders"), start=start, end=end)


# Periods and statistics


@pytest.mark.parametrize(
    ("statistic", "values"),
    [
        ("Sum", [11.0, 9.0]),
        ("SampleCount", [5.0, 3.0]),
        ("Average", [2.2, 3.0]),
        ("Minimum", [0.5, 2.0]),
        ("Maximum", [6.0, 4.0]),
    ],
)
def test_a_longer_period_combines_its_minutes(
    world: World, cloudwatch: Any, statistic: str, values: list[float]
) -> None:
    minutes = {"count": [2, 2, 1, NAN, 3], "minimum": [1, 0.5, 4, NAN, 2], "maximum": [2, 6, 4, NAN, 4]}
    put(world, "orders", NOW - 600, [3.0, 4.0, 4.0, NAN, 9.0], **minutes)

    [result] = ask(cloudwatch, query("orders", stat=statistic, period=180), start=NOW - 600)["MetricDataResults"]

    assert points(result) == [(-600, values[0]), (-420, values[1])]


def test_periods_are_counted_from_the_start_of_the_window(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 600, [1] * 10)

    [result] = ask(cloudwatch, query("orders", period=300), start=NOW - 540)["MetricDataResults"]

    assert points(result) == [(-540, 5), (-240, 4)]


@pytest.mark.parametrize("period", [1, 5, 10, 20, 30, 60, 120, 300, 86_400])
def test_a_legal_period_is_accepted(cloudwatch: Any, period: int) -> None:
    assert ask(cloudwatch, query("orders", period=period))["MetricDataResults"][0]["StatusCode"] == "Complete"


@pytest.mark.parametrize("period", [2, 40, 59, 61, 90, 86_460])
def test_an_illegal_period_is_refused(cloudwatch: Any, period: int) -> None:
    assert refusal(cloudwatch, query("orders", period=period)).startswith("ValidationError: The value")


@pytest.mark.parametrize(("period", "days"), [(60, 15), (120, 15), (300, 63), (600, 63), (3600, 455)], ids=str)
def test_points_are_kept_as_long_as_their_period_allows(world: World, cloudwatch: Any, period: int, days: int) -> None:
    for age in (days * DAY, days * DAY + period):
        put(world, f"aged-{age}", NOW - age, [1])
        world.put(DEFAULT_ACCOUNT, REGION, reads_of("orders"), Points.regular(start=int(NOW - age), sum=[1.0]))

    [result] = ask(cloudwatch, query("orders", period=period), start=NOW - 500 * DAY)["MetricDataResults"]

    assert [when for when, _ in points(result)] == [-days * DAY]


def test_percentiles_come_from_what_was_measured(world: World, cloudwatch: Any) -> None:
    measured = Points.regular(
        start=int(NOW - 60), sum=[100.0], count=[10], minimum=[2], maximum=[50], percentiles={50: [8.0], 99: [40.0]}
    )
    world.put(DEFAULT_ACCOUNT, REGION, reads_of("orders"), measured)
    asked = [query("orders", id=f"q{n}", stat=stat) for n, stat in enumerate(("p50", "p99", "p25", "p100", "p99.5"))]

    results = ask(cloudwatch, *asked)["MetricDataResults"]

    assert [result["Values"] for result in results] == [[8.0], [40.0], [5.0], [50.0], [45.0]]


def test_without_a_distribution_a_percentile_needs_equal_extremes(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 120, [6, 6], count=[2, 2], minimum=[3, 1], maximum=[3, 5])

    [result] = ask(cloudwatch, query("orders", stat="p90"))["MetricDataResults"]

    assert points(result) == [(-120, 3)]


def test_a_percentile_over_a_longer_period_is_weighted_by_samples(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 120, [1, 1], count=[1, 3], minimum=[0, 0], maximum=[9, 9], percentiles={90: [4, 8]})

    [result] = ask(cloudwatch, query("orders", stat="p90", period=120), start=NOW - 120)["MetricDataResults"]

    assert points(result) == [(-120, 7)]


@pytest.mark.parametrize("stat", ["sum", "p", "p101", "p1000", "Median", ""])
def test_a_statistic_that_does_not_exist_is_refused(cloudwatch: Any, stat: str) -> None:
    assert refusal(cloudwatch, query("orders", stat=stat)).startswith("ValidationError")


@pytest.mark.parametrize("stat", ["tm90", "IQM", "PR(1:10)", "WM(10%:90%)"])
def test_a_statistic_the_stand_in_lacks_is_never_taken_for_the_service(cloudwatch: Any, stat: str) -> None:
    assert refusal(cloudwatch, query("orders", stat=stat)).startswith("NotModelledByStandIn")


# Identity of a metric


def test_dimensions_match_exactly_or_not_at_all(world: World, cloudwatch: Any) -> None:
    index = Metric.dynamodb("ConsumedReadCapacityUnits", TableName="orders", GlobalSecondaryIndexName="by-day")
    world.put(DEFAULT_ACCOUNT, REGION, index, Points.regular(start=int(NOW - 60), sum=[9.0]))
    asked = query("orders", id="index")
    asked["MetricStat"]["Metric"]["Dimensions"].insert(0, {"Name": "GlobalSecondaryIndexName", "Value": "by-day"})

    table, gsi = ask(cloudwatch, query("orders"), asked)["MetricDataResults"]

    assert (table["Values"], gsi["Values"]) == ([], [9.0])


def test_accounts_and_regions_are_worlds_apart(world: World, connect: Callable[..., Any]) -> None:
    put(world, "orders", NOW - 60, [1])
    here, elsewhere = connect("cloudwatch"), connect("cloudwatch", region="us-east-1")
    other = connect("cloudwatch", access_key="111122223333")

    seen = [ask(client, query("orders"))["MetricDataResults"][0]["Values"] for client in (here, elsewhere, other)]

    assert seen == [[1.0], [], []]


def test_a_unit_filters_and_without_one_all_units_are_mixed(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 60, [4], unit="Count")
    put(world, "orders", NOW - 60, [3], unit="Bytes")
    asked = [query("orders", id="c", unit="Count"), query("orders", id="p", unit="Percent"), query("orders", id="m")]

    results = ask(cloudwatch, *asked)["MetricDataResults"]

    assert [result["Values"] for result in results] == [[4.0], [], [7.0]]


# The request


def test_the_default_order_is_newest_first(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 120, [1, 2])

    answer = cloudwatch.get_metric_data(MetricDataQueries=[query("orders")], StartTime=NOW - HOUR, EndTime=NOW)

    assert points(answer["MetricDataResults"][0]) == [(-60, 2), (-120, 1)]


def test_a_query_without_return_data_is_not_returned_but_billed(world: World, cloudwatch: Any) -> None:
    answer = ask(cloudwatch, query("orders"), query("other", id="b", ReturnData=False))

    assert [result["Id"] for result in answer["MetricDataResults"]] == ["a"]
    assert world.bill.metrics == 2


def test_ids_must_differ(cloudwatch: Any) -> None:
    assert "not unique" in refusal(cloudwatch, query("orders"), query("other"))


@pytest.mark.parametrize(("count", "served"), [(499, True), (500, True), (501, False)])
def test_five_hundred_queries_are_the_most(cloudwatch: Any, count: int, served: bool) -> None:
    queries = [query("orders", id=f"q{n}") for n in range(count)]

    if served:
        assert len(ask(cloudwatch, *queries)["MetricDataResults"]) == count
    else:
        assert "size greater than 500" in refusal(cloudwatch, *queries)


def test_a_metric_query_or_an_expression_but_not_neither(cloudwatch: Any) -> None:
    assert "one of Expression and MetricStat" in refusal(cloudwatch, {"Id": "a"})
    assert "exclude each other" in refusal(cloudwatch, query("orders", Expression="a * 2"))
    assert refusal(cloudwatch, {"Id": "a", "Expression": "b * 2"}).startswith("NotModelledByStandIn")


# Pages


def all_pages(client: Any, *queries: dict[str, Any], **options: Any) -> dict[str, list[tuple[float, float]]]:
    merged: dict[str, list[tuple[float, float]]] = {}
    token: dict[str, Any] = {}
    while True:
        page = ask(client, *queries, **options, **token)
        for result in page["MetricDataResults"]:
            merged.setdefault(result["Id"], []).extend(points(result))
        if "NextToken" not in page:
            return merged
        token = {"NextToken": page["NextToken"]}


@pytest.mark.parametrize("size", [1, 7, 59, 60, 61, 179, 180, 181])
def test_pages_of_any_size_add_up_to_the_whole(world: World, cloudwatch: Any, size: int) -> None:
    for number, table in enumerate(("orders", "empty", "carts", "users")):
        put(world, table, NOW - HOUR, [float(number * 100 + minute) if number != 1 else NAN for minute in range(60)])
    queries = [query(table, id=table) for table in ("orders", "empty", "carts", "users")]

    assert all_pages(cloudwatch, *queries, MaxDatapoints=size) == all_pages(cloudwatch, *queries)


def test_a_cut_result_says_partial_data(world: World, cloudwatch: Any) -> None:
    put(world, "orders", NOW - 300, [1, 2, 3, 4, 5])

    page = ask(cloudwatch, query("orders"), query("carts", id="b"), MaxDatapoints=4)

    assert [(result["Id"], result["StatusCode"]) for result in page["MetricDataResults"]] == [("a", "PartialData")]


def test_a_request_beyond_100800_datapoints_pages_by_itself(world: World, cloudwatch: Any) -> None:
    for table in ("orders", "carts", "users", "items", "sales", "spill"):
        world.put(
            DEFAULT_ACCOUNT, REGION, reads_of(table), Points.regular(start=int(NOW - 14 * DAY), sum=np.ones(20_160))
        )
    queries = [query(table, id=table) for table in ("orders", "carts", "users", "items", "sales", "spill")]

    first = ask(cloudwatch, *queries, start=NOW - 14 * DAY)
    second = ask(cloudwatch, *queries, start=NOW - 14 * DAY, NextToken=first["NextToken"])

    assert sum(len(result["Values"]) for result in first["MetricDataResults"]) == 100_800
    assert [(result["Id"], len(result["Values"])) for result in second["MetricDataResults"]] == [("spill", 20_160)]


def test_later_pages_answer_for_the_moment_of_the_first(world: World, cloudwatch: Any, clock: Clock) -> None:
    put(world, "orders", NOW - 120, [1, 2, 3, 4])
    first = ask(cloudwatch, query("orders"), end=NOW + HOUR, MaxDatapoints=1)
    clock.at += 600

    second = ask(cloudwatch, query("orders"), end=NOW + HOUR, NextToken=first["NextToken"])

    assert points(second["MetricDataResults"][0]) == [(-60, 2)]


def test_a_token_belongs_to_its_request_and_its_caller(world: World, connect: Callable[..., Any]) -> None:
    put(world, "orders", NOW - 120, [1, 2])
    client = connect("cloudwatch")
    token = ask(client, query("orders"), MaxDatapoints=1)["NextToken"]

    assert "InvalidNextToken" in refusal(client, query("carts"), NextToken=token)
    assert "InvalidNextToken" in refusal(client, query("orders"), NextToken=token + "x")
    assert "InvalidNextToken" in refusal(connect("cloudwatch", region="us-east-1"), query("orders"), NextToken=token)


@pytest.mark.parametrize("size", [0, 100_801])
def test_a_page_size_out_of_range_is_refused(cloudwatch: Any, size: int) -> None:
    assert "MaxDatapoints" in refusal(cloudwatch, query("orders"), MaxDatapoints=size)


# Publication


def test_a_publication_delay_hides_the_newest_minutes(world: World, cloudwatch: Any) -> None:
    world.publication = Publication(delay_s=120)
    put(world, "orders", NOW - 300, [1, 2, 3, 4, 5])

    assert points(ask(cloudwatch, query("orders"))["MetricDataResults"][0]) == [(-300, 1), (-240, 2), (-180, 3)]


def test_a_converging_minute_grows_to_its_value(world: World, cloudwatch: Any, clock: Clock) -> None:
    world.publication = Publication(converges_in_min=4)
    put(world, "orders", NOW - 60, [100], count=[10])
    seen = []
    for minute in range(5):
        clock.at = NOW + 60 * minute
        seen += ask(cloudwatch, query("orders"), query("orders", id="n", stat="SampleCount"))["MetricDataResults"]

    assert [result["Values"] for result in seen[::2]] == [[25.0], [50.0], [75.0], [100.0], [100.0]]
    assert [result["Values"] for result in seen[1::2]] == [[3.0], [5.0], [8.0], [10.0], [10.0]]
