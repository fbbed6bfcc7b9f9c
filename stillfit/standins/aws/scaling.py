"""Application Auto Scaling, reads only. One function an operation; OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable

from stillfit.standins.aws.calls import Answer, Call, invalid
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.scaling_state import Record
from stillfit.standins.aws.world import World

PAGE, POLICY_PAGE = 50, 10  # the most and the default (API reference, MaxResults)
ACTIVITY_S = 42 * 86_400  # "from the previous six weeks" (API reference, DescribeScalingActivities)


def describe_scalable_targets(world: World, call: Call) -> Answer:
    return _page(world, call, ("ScalableTargets", PAGE), _selected(world, call, "ScalableTarget"))


def describe_scaling_policies(world: World, call: Call) -> Answer:
    names = call.parameters.get("PolicyNames")
    found = [policy for policy in _selected(world, call, "ScalingPolicy") if not names or policy["PolicyName"] in names]
    return _page(world, call, ("ScalingPolicies", POLICY_PAGE), found)


def describe_scheduled_actions(world: World, call: Call) -> Answer:
    names = call.parameters.get("ScheduledActionNames")
    found = [
        action
        for action in _selected(world, call, "ScheduledAction")
        if not names or action["ScheduledActionName"] in names
    ]
    return _page(world, call, ("ScheduledActions", PAGE), found)


def describe_scaling_activities(world: World, call: Call) -> Answer:
    every = call.parameters.get("IncludeNotScaledActivities", False)
    recent = [
        activity
        for activity in _selected(world, call, "ScalingActivity")
        if call.at - ACTIVITY_S <= activity["StartTime"] <= call.at and (every or not activity.get("NotScaledReasons"))
    ]
    recent.sort(key=_newest_first)
    return _page(world, call, ("ScalingActivities", PAGE), recent)


def _newest_first(activity: Record) -> tuple[float, str]:
    return -activity["StartTime"], activity["ActivityId"]


def _selected(world: World, call: Call, shape: str) -> list[Record]:
    """The records that fit namespace, resources and dimension; a filter left out, or empty, fits all."""
    asked = call.parameters
    resources = asked.get("ResourceIds") or ([asked["ResourceId"]] if "ResourceId" in asked else [])
    dimension = asked.get("ScalableDimension")
    if dimension and not resources:
        raise invalid("If you specify a scalable dimension, you must also specify a resource ID.")
    return [
        record
        for record in world.scaling.records(shape, call.account, call.region)
        if record["ServiceNamespace"] == asked["ServiceNamespace"]
        and (not resources or record["ResourceId"] in resources)
        and (not dimension or record.get("ScalableDimension") == dimension)
    ]


def _page(world: World, call: Call, form: tuple[str, int], found: list[Record]) -> Answer:
    member, most = form
    size = call.parameters.get("MaxResults", most)
    if not 1 <= size <= most:
        raise invalid(f"The value {size} for MaxResults is not between 1 and {most}.")
    position = world.tokens.redeem(call, refusal="InvalidNextTokenException") or Position(found)
    items, token = next_page(world, call, position, size)
    return {member: items, **token}


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "DescribeScalableTargets": describe_scalable_targets,
    "DescribeScalingPolicies": describe_scaling_policies,
    "DescribeScheduledActions": describe_scheduled_actions,
    "DescribeScalingActivities": describe_scaling_activities,
}
