"""Cost Explorer tells days that ripen, by group, for a cent a request."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from stillfit.standins.aws.cost_ledger import Commitment, CostLine
from tests.standins.aws.kit import DAY, NOW

TODAY = datetime.fromtimestamp(NOW, UTC).date()
USAGE = {"Type": "DIMENSION", "Key": "USAGE_TYPE"}
SERVICE = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon DynamoDB"]}}


@pytest.fixture
def costs(connect: Callable[..., Any]) -> Any:
    return connect("ce", region="us-east-1")


def line(day: date, **changes: Any) -> CostLine:
    usual = {"service": "Amazon DynamoDB", "usage_type": "EU-ReadRequestUnits", "region": "eu-west-1", "unblended": 2.0}
    return CostLine(**{"day": day, **usual, **changes})


def asked(start: date, end: date, *groups: dict[str, str], **options: Any) -> dict[str, Any]:
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    return {
        "TimePeriod": period,
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost", "AmortizedCost", "UsageQuantity"],
        "GroupBy": list(groups),
        **options,
    }


def cost(answer: dict[str, Any], number: int = 0) -> float:
    (group,) = answer["ResultsByTime"][number]["Groups"]
    return float(group["Metrics"]["UnblendedCost"]["Amount"])


@pytest.mark.parametrize(("age", "known"), [(1, 1.2), (2, 1.9), (3, 2.0)])
def test_a_day_ripens(world: World, costs: Any, age: int, known: float) -> None:
    day = TODAY - timedelta(days=age)
    world.ledger.put(DEFAULT_ACCOUNT, line(day))

    assert cost(costs.get_cost_and_usage(**asked(day, day + timedelta(days=1), USAGE))) == pytest.approx(known)


def test_nothing_is_known_on_the_day_itself(world: World, costs: Any) -> None:
    world.ledger.put(DEFAULT_ACCOUNT, line(TODAY))

    answer = costs.get_cost_and_usage(**asked(TODAY, TODAY + timedelta(days=1), USAGE))
    assert answer["ResultsByTime"][0]["Groups"] == []


def test_a_month_is_estimated_until_it_is_invoiced(world: World, costs: Any, clock: Any) -> None:
    day = TODAY - timedelta(days=3)
    answers = []
    for _ in range(2):
        answers.append(costs.get_cost_and_usage(**asked(day, day + timedelta(days=1), USAGE)))
        clock.at += 20 * DAY

    assert [one["ResultsByTime"][0]["Estimated"] for one in answers] == [True, False]


def test_groups_by_tag_carry_the_key(world: World, costs: Any) -> None:
    day = TODAY - timedelta(days=4)
    world.ledger.put(DEFAULT_ACCOUNT, line(day, tags=(("table", "orders"),)), line(day))
    answer = costs.get_cost_and_usage(**asked(day, TODAY, {"Type": "TAG", "Key": "table"}, Filter=SERVICE))

    assert {group["Keys"][0] for group in answer["ResultsByTime"][0]["Groups"]} == {"table$orders", "table$"}


def test_each_request_costs_a_cent(world: World, costs: Any) -> None:
    for _ in range(3):
        costs.get_cost_and_usage(**asked(TODAY - timedelta(days=2), TODAY, USAGE))

    assert world.bill.cost_requests == 3
    assert world.bill.dollars == pytest.approx(0.03)


def test_a_long_period_comes_in_pages(costs: Any) -> None:
    question = asked(TODAY - timedelta(days=40), TODAY, USAGE)
    first = costs.get_cost_and_usage(**question)
    second = costs.get_cost_and_usage(**question, NextPageToken=first["NextPageToken"])

    assert (len(first["ResultsByTime"]), len(second["ResultsByTime"])) == (31, 9)
    assert "NextPageToken" not in second


@pytest.mark.parametrize(
    "wrong",
    [
        asked(TODAY, TODAY, USAGE),
        asked(TODAY - timedelta(days=900), TODAY, USAGE),
        asked(TODAY - timedelta(days=2), TODAY, USAGE, Filter={**SERVICE, "Not": SERVICE}),
    ],
    ids=["empty period", "too long ago", "two roots"],
)
def test_a_question_against_the_rules_is_refused(world: World, costs: Any, wrong: dict[str, Any]) -> None:
    world.ledger.put(DEFAULT_ACCOUNT, line(TODAY - timedelta(days=2)))
    with pytest.raises(ClientError, match="ValidationException"):
        costs.get_cost_and_usage(**wrong)


def test_costs_by_resource_need_an_opt_in(world: World, costs: Any) -> None:
    day = TODAY - timedelta(days=4)
    world.ledger.put(DEFAULT_ACCOUNT, line(day, resource="arn:aws:dynamodb:eu-west-1:1:table/orders"))
    question = asked(day, TODAY, {"Type": "DIMENSION", "Key": "RESOURCE_ID"}, Filter=SERVICE)
    with pytest.raises(ClientError, match="DataUnavailableException"):
        costs.get_cost_and_usage_with_resources(**question)
    world.ledger.by_resource = True

    answer = costs.get_cost_and_usage_with_resources(**question)
    assert answer["ResultsByTime"][0]["Groups"][0]["Keys"] == ["arn:aws:dynamodb:eu-west-1:1:table/orders"]


def test_coverage_is_the_share_that_is_covered(world: World, costs: Any) -> None:
    day = TODAY - timedelta(days=2)
    one = Commitment(day=day, region="eu-west-1", covered=60, on_demand=20, bought=80)
    world.ledger.reserve(DEFAULT_ACCOUNT, one)
    world.ledger.commit(DEFAULT_ACCOUNT, one)
    period = {"TimePeriod": {"Start": day.isoformat(), "End": TODAY.isoformat()}, "Granularity": "DAILY"}

    reserved = costs.get_reservation_coverage(**period)
    planned = costs.get_savings_plans_coverage(**period)
    used = costs.get_reservation_utilization(**period)["Total"]["UtilizationPercentage"]

    covered = reserved["CoveragesByTime"][0]
    assert (covered["Groups"], covered["Total"]["CoverageHours"]["CoverageHoursPercentage"]) == ([], "75.000000")
    assert planned["SavingsPlansCoverages"][0]["Coverage"]["CoveragePercentage"] == "75.000000"
    assert (used, costs.get_savings_plans_utilization(**period)["Total"]["Utilization"]["UsedCommitment"]) == (
        "75.000000",
        "60.000000",
    )


@pytest.mark.parametrize(
    "operation", ["get_reservation_coverage", "get_reservation_utilization", "get_savings_plans_coverage"]
)
def test_a_day_of_a_commitment_is_not_told_by_group(world: World, costs: Any, operation: str) -> None:
    day = TODAY - timedelta(days=2)
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=day, region="eu-west-1", covered=60, on_demand=20, bought=80))
    period = {"TimePeriod": {"Start": day.isoformat(), "End": TODAY.isoformat()}, "Granularity": "DAILY"}

    with pytest.raises(ClientError, match=r"ValidationException.*not supported when specifying groupBy"):
        getattr(costs, operation)(**period, GroupBy=[{"Type": "DIMENSION", "Key": "REGION"}])


@pytest.mark.parametrize("operation", ["get_savings_plans_coverage", "get_reservation_coverage"])
def test_without_commitments_there_is_no_data(costs: Any, operation: str) -> None:
    period = {"Start": (TODAY - timedelta(days=2)).isoformat(), "End": TODAY.isoformat()}
    with pytest.raises(ClientError, match="DataUnavailableException"):
        getattr(costs, operation)(TimePeriod=period, Granularity="DAILY")
