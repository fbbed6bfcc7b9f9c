"""Application Auto Scaling: filters, pages, and activities with their reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from tests.standins.aws.kit import DAY, NOW, REGION

HERE = (DEFAULT_ACCOUNT, REGION)
READ, WRITE = "dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits"


@pytest.fixture
def scaling(connect: Callable[..., Any]) -> Any:
    return connect("application-autoscaling")


def put_target(world: World, table: str, dimension: str = READ) -> None:
    target = {"ResourceId": f"table/{table}", "ScalableDimension": dimension, "MinCapacity": 5, "MaxCapacity": 100}
    world.scaling.put_target(*HERE, target)


def put_activity(world: World, age_s: float, **more: Any) -> None:
    base = {"ResourceId": "table/orders", "ScalableDimension": READ, "Description": f"{age_s:.0f}", "Cause": "alarm"}
    world.scaling.put_activity(*HERE, {**base, "StartTime": NOW - age_s, **more})


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["carts R", "orders R", "orders W"]),
        ({"ResourceIds": ["table/orders"]}, ["orders R", "orders W"]),
        ({"ResourceIds": ["table/orders"], "ScalableDimension": WRITE}, ["orders W"]),
        ({"ResourceIds": ["table/nowhere"]}, []),
    ],
    ids=str,
)
def test_targets_are_filtered(world: World, scaling: Any, filters: dict[str, Any], found: list[str]) -> None:
    put_target(world, "carts")
    put_target(world, "orders")
    put_target(world, "orders", WRITE)

    targets = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", **filters)["ScalableTargets"]

    shown = [f"{each['ResourceId'].removeprefix('table/')} {each['ScalableDimension'][15]}" for each in targets]
    assert shown == found


def test_another_namespace_has_its_own_targets(world: World, scaling: Any) -> None:
    put_target(world, "orders")

    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


@pytest.mark.parametrize(("policies", "pages"), [(10, 1), (11, 2), (21, 3)])
def test_policies_come_ten_a_page(world: World, scaling: Any, policies: int, pages: int) -> None:
    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
    }
    for number in range(policies):
        policy = {"PolicyName": f"p{number:02d}", "ResourceId": f"table/t{number}", "ScalableDimension": READ}
        world.scaling.put_policy(*HERE, {**policy, "TargetTrackingScalingPolicyConfiguration": tracking})

    listed = list(scaling.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="dynamodb"))

    names = [policy["PolicyName"] for page in listed for policy in page["ScalingPolicies"]]
    assert (len(listed), names) == (pages, [f"p{n:02d}" for n in range(policies)])


def test_policies_and_actions_are_found_by_name(world: World, scaling: Any) -> None:
    for name in ("night", "day"):
        action = {"ScheduledActionName": name, "ResourceId": "table/orders", "Schedule": "cron(0 1 * * ? *)"}
        world.scaling.put_action(*HERE, {**action, "ScalableDimension": READ})
        world.scaling.put_policy(*HERE, {"PolicyName": name, "ResourceId": "table/orders", "ScalableDimension": READ})
    asked = {"ServiceNamespace": "dynamodb"}

    [action] = scaling.describe_scheduled_actions(**asked, ScheduledActionNames=["day"])["ScheduledActions"]
    [policy] = scaling.describe_scaling_policies(**asked, PolicyNames=["night"])["ScalingPolicies"]

    assert (action["ScheduledActionName"], policy["PolicyName"]) == ("day", "night")


def test_activities_come_newest_first_for_six_weeks(world: World, scaling: Any) -> None:
    for age in (42 * DAY + 1, 42 * DAY, 60, 3_600, -60):
        put_activity(world, age)

    activities = scaling.describe_scaling_activities(ServiceNamespace="dynamodb")["ScalingActivities"]

    assert [activity["Description"] for activity in activities] == ["60", "3600", str(42 * DAY)]


def test_what_was_not_scaled_is_told_only_when_asked(world: World, scaling: Any) -> None:
    put_activity(world, 60, NotScaledReasons=[{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 100}])
    asked = {"ServiceNamespace": "dynamodb", "ResourceId": "table/orders"}

    silent = scaling.describe_scaling_activities(**asked)["ScalingActivities"]
    [told] = scaling.describe_scaling_activities(**asked, IncludeNotScaledActivities=True)["ScalingActivities"]

    assert silent == []
    assert told["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 100}]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ScalableDimension": READ}, "ValidationException"),
        ({"MaxResults": 0}, "ValidationException"),
        ({"MaxResults": 51}, "ValidationException"),
        ({"NextToken": "made-up"}, "InvalidNextTokenException"),
        ({"ServiceNamespace": "dynamo"}, "ValidationException"),
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(scaling: Any, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        scaling.describe_scalable_targets(**{"ServiceNamespace": "dynamodb", **asked})

    assert refused.value.response["Error"]["Code"] == code


def test_a_misshapen_record_is_refused_when_put(world: World) -> None:
    with pytest.raises(ValueError, match="maxCapacity"):
        world.scaling.put_target(*HERE, {"ResourceId": "table/orders", "ScalableDimension": READ, "MinCapacity": 1})
