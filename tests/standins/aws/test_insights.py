"""GetInsightRuleReport and DescribeInsightRules: what they answer, in which order, what they refuse, what they cost."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from stillfit.standins.aws.insight_rules import rule_name
from tests.standins.aws.kit import NOW, PROTOCOLS, REGION, client

HERE = (DEFAULT_ACCOUNT, REGION)
KEYS, ITEMS = rule_name("PKC", "orders"), rule_name("SKC", "orders-by-day")
MINUTES = [int(NOW) - 60 * back for back in (3, 2, 1)]


@pytest.fixture(autouse=True)
def rules(world: World) -> None:
    steady, bursty = (dict(zip(MINUTES, row, strict=True)) for row in ([50.0, 60.0, 70.0], [0.0, 150.0, 0.0]))
    world.insights.put(*HERE, KEYS, {("steady",): steady, ("bursty",): bursty, ("idle",): {MINUTES[0]: 0.0}})
    world.insights.put(*HERE, ITEMS, {("ann", "2026"): steady})


def report(cloudwatch: Any, **asked: Any) -> dict[str, Any]:
    window = {"StartTime": NOW - 300, "EndTime": NOW, "Period": 60}
    answer: dict[str, Any] = cloudwatch.get_insight_rule_report(**{"RuleName": KEYS, **window, **asked})
    return answer


def keys(answer: dict[str, Any]) -> list[str]:
    return [one["Keys"][0] for one in answer["Contributors"]]


def test_contributors_come_with_the_minutes_in_which_they_appeared(cloudwatch: Any) -> None:
    bursty = report(cloudwatch, OrderBy="Maximum")["Contributors"][0]

    assert (bursty["Keys"], bursty["ApproximateAggregateValue"]) == (["bursty"], 150.0)
    assert [(one["Timestamp"].timestamp(), one["ApproximateValue"]) for one in bursty["Datapoints"]] == [
        (MINUTES[1], 150.0)
    ]


@pytest.mark.parametrize(("order", "first"), [("Sum", "steady"), ("Maximum", "bursty")])
def test_they_are_ranked_as_asked_and_those_that_did_nothing_are_left_out(
    cloudwatch: Any, order: str, first: str
) -> None:
    assert keys(report(cloudwatch, OrderBy=order)) == [first, {"steady", "bursty"}.difference({first}).pop()]


def test_they_are_ranked_by_sum_unless_asked_otherwise(cloudwatch: Any) -> None:
    assert keys(report(cloudwatch, MaxContributorCount=1)) == ["steady"]


def test_only_the_largest_contributor_and_the_maximum_mean_something(cloudwatch: Any) -> None:
    wanted = ["MaxContributorValue", "Maximum", "Sum", "UniqueContributors"]
    rows = report(cloudwatch, Metrics=wanted)["MetricDatapoints"]

    assert [(row["MaxContributorValue"], row["Maximum"]) for row in rows] == [(50, 50), (150, 150), (70, 70)]
    assert {(row["Sum"], row["UniqueContributors"]) for row in rows} == {(0.0, 0.0)}


def test_over_a_longer_period_the_largest_contributor_adds_up_and_the_maximum_does_not(cloudwatch: Any) -> None:
    (row,) = report(cloudwatch, Period=300, Metrics=["MaxContributorValue", "Maximum"])["MetricDatapoints"]

    assert (row["MaxContributorValue"], row["Maximum"]) == (180.0, 150.0)


def test_a_rule_of_sort_keys_has_two_keys_a_contributor(cloudwatch: Any) -> None:
    answer = report(cloudwatch, RuleName=ITEMS)

    assert answer["KeyLabels"] == ["PartitionKey", "SortKey"]
    assert answer["Contributors"][0]["Keys"] == ["ann", "2026"]


def test_nothing_is_told_outside_the_window_nor_of_a_minute_that_is_not_over(world: World, cloudwatch: Any) -> None:
    world.insights.put(*HERE, KEYS, {("late",): {int(NOW): 9.0}, ("early",): {int(NOW) - 360: 9.0}})
    answer = report(cloudwatch, EndTime=NOW + 60)

    assert (answer["Contributors"], answer["MetricDatapoints"]) == ([], [])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_says_the_same(aws: Any, protocol: str) -> None:
    own = client(aws.url, "cloudwatch", protocol=protocol)
    answer = report(own, Metrics=["Maximum"])
    own.close()

    assert [row["Maximum"] for row in answer["MetricDatapoints"]] == [50.0, 150.0, 70.0]
    assert (answer["AggregateValue"], answer["ApproximateUniqueCount"]) == (330.0, 2)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"RuleName": "DynamoDBContributorInsights-PKC-carts-1"}, "ResourceNotFoundException"),
        ({"MaxContributorCount": 0}, "InvalidParameterValue"),
        ({"MaxContributorCount": 101}, "InvalidParameterValue"),
        ({"OrderBy": "Average"}, "InvalidParameterValue"),
        ({"Metrics": ["p99"]}, "InvalidParameterValue"),
        ({"Period": 90}, "InvalidParameterValue"),
        ({"StartTime": NOW}, "InvalidParameterValue"),
    ],
    ids=["no such rule", "none", "too many", "order", "metric", "period", "empty window"],
)
def test_what_the_service_would_not_answer_is_refused(
    world: World, cloudwatch: Any, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        report(cloudwatch, **asked)

    assert refused.value.response["Error"]["Code"] == code
    assert world.bill.report_metrics == 0


@pytest.mark.parametrize(("metrics", "billed"), [([], 1), (["Maximum"], 1), (["MaxContributorValue", "Maximum"], 2)])
def test_a_report_is_billed_like_metric_data(world: World, cloudwatch: Any, metrics: list[str], billed: int) -> None:
    report(cloudwatch, **({"Metrics": metrics} if metrics else {}))

    assert world.bill.report_metrics == billed
    assert world.bill.dollars == pytest.approx(billed * 1e-5)


def test_the_rules_are_listed_as_managed_ones_page_by_page(cloudwatch: Any) -> None:
    first = cloudwatch.describe_insight_rules(MaxResults=1)
    second = cloudwatch.describe_insight_rules(MaxResults=1, NextToken=first["NextToken"])

    assert [page["InsightRules"][0]["Name"] for page in (first, second)] == [KEYS, ITEMS]
    assert first["InsightRules"][0]["ManagedRule"]
    assert "NextToken" not in second


def test_a_rule_that_was_removed_is_gone(world: World, cloudwatch: Any) -> None:
    world.insights.remove(*HERE, KEYS)

    with pytest.raises(ClientError, match="does not exist"):
        report(cloudwatch)


@pytest.mark.parametrize(
    ("name", "contributors", "said"),
    [
        ("mine", {}, "is no name of a DynamoDB rule"),
        (KEYS, {("a", "b"): {}}, "has 1 keys, 2 were given"),
        (KEYS, {("a",): {61: 1.0}}, "not the start of one"),
    ],
)
def test_a_world_is_filled_with_sense(world: World, name: str, contributors: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        world.insights.put(*HERE, name, contributors)
