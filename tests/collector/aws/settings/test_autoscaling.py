"""What auto scaling may do, and what it did and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.aws.settings.autoscaling import LIMITS, SCHEDULES, TARGETS
from collector.aws.source import AwsSource
from stillfit.attributes import ATTRIBUTES
from stillfit.clock import FakeClock
from stillfit.model import AttributeChange
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, REGION, cycle, on_demand, put_table

READS = {"ResourceId": "table/orders", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
INDEX_WRITES = {"ResourceId": "table/orders/index/by-status", "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}


def scale(world: World, place: dict[str, str], aim: float) -> None:
    world.scaling.put_target(DEFAULT_ACCOUNT, REGION, {**place, "MinCapacity": 5, "MaxCapacity": 400})
    tracking = {"TargetValue": aim}
    policy = {"PolicyName": "p", **place, "TargetTrackingScalingPolicyConfiguration": tracking}
    world.scaling.put_policy(DEFAULT_ACCOUNT, REGION, policy)


def schedule(world: World, name: str, **more: Any) -> None:
    world.scaling.put_action(DEFAULT_ACCOUNT, REGION, {"ScheduledActionName": name, **READS, **more})


def activity(world: World, at: int, units: int, place: dict[str, str] = READS, **more: Any) -> None:
    told = {"Description": f"Setting read capacity units to {units}.", "Cause": "monitor alarm"}
    world.scaling.put_activity(DEFAULT_ACCOUNT, REGION, {**place, **told, "StartTime": at, "EndTime": at + 30, **more})


def test_limits_and_target_are_settings_of_table_and_index(world: World, source: AwsSource, clock: FakeClock) -> None:
    scale(world, READS, 70)
    scale(world, INDEX_WRITES, 50)
    got = cycle(source, clock)

    table = {name: value for name, value in got.settings().items() if name.startswith("autoscaling")}
    index = {name: value for name, value in got.settings(BY_STATUS).items() if name.startswith("autoscaling")}
    assert table == {"autoscaling_read_min": 5.0, "autoscaling_read_max": 400.0, "autoscaling_read_target": 70.0}
    assert index == {"autoscaling_write_min": 5.0, "autoscaling_write_max": 400.0, "autoscaling_write_target": 50.0}


def test_activities_are_dated_changes_that_know_the_one_before(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    activity(world, NOON - 900, 20)
    activity(world, NOON - 300, 40)

    assert cycle(source, clock).changes == (
        _change(None, 20.0, NOON - 870),
        _change(20.0, 40.0, NOON - 270),
    )


def test_what_scaled_nothing_else_is_no_change(world: World, source: AwsSource, clock: FakeClock) -> None:
    activity(world, NOON - 200, 40, Description="Attempting to scale due to alarm triggered")
    activity(world, NOON - 100, 40, StatusCode="Overridden")

    assert cycle(source, clock).changes == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"StatusCode": "Failed", "StatusMessage": "LimitExceeded"}, "Failed: LimitExceeded"),
        ({"StatusCode": "Failed"}, "Failed: monitor alarm"),
        (
            {"StatusCode": "Unfulfilled", "NotScaledReasons": [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}]},
            "AlreadyAtMaxCapacity (MaxCapacity=4)",
        ),
        ({"NotScaledReasons": [{"Code": "AutoScalingAnticipatedFlapping"}]}, "AutoScalingAnticipatedFlapping"),
    ],
    ids=["failed with a message", "failed without", "at its maximum", "to avoid flapping"],
)
def test_a_change_that_was_held_back_is_told_with_its_reason(
    world: World, source: AwsSource, clock: FakeClock, more: dict[str, Any], why: str
) -> None:
    activity(world, NOON - 300, 40, **more)
    (change,) = cycle(source, clock).changes

    assert (change.subject, change.name, change.after) == (ORDERS, "autoscaling_read_held_back", why)
    assert ATTRIBUTES[change.name].accepts(why)


def test_a_change_that_was_held_back_does_not_hide_what_was_set(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    activity(world, NOON - 900, 20)
    activity(world, NOON - 600, 40, StatusCode="Failed")
    activity(world, NOON - 300, 30)
    changes = cycle(source, clock).changes

    assert [(one.name, one.before) for one in changes] == [
        ("provisioned_read_units", None),
        ("autoscaling_read_held_back", None),
        ("provisioned_read_units", 20.0),
    ]


def test_scheduled_actions_are_told_in_words(world: World, source: AwsSource, clock: FakeClock) -> None:
    schedule(world, "night", Schedule="cron(0 22 * * ? *)", ScalableTargetAction={"MaxCapacity": 10})
    schedule(
        world,
        "day",
        Schedule="cron(0 6 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 50, "MaxCapacity": 400},
    )

    assert cycle(source, clock).settings()["autoscaling_read_schedule"] == (
        "day: cron(0 6 * * ? *) Europe/Berlin min=50 max=400",
        "night: cron(0 22 * * ? *) max=10",
    )


def test_a_removed_schedule_is_no_setting_any_more(world: World, source: AwsSource, clock: FakeClock) -> None:
    schedule(world, "night", Schedule="rate(1 day)", ScalableTargetAction={"MaxCapacity": 10})
    cycle(source, clock)
    world.scaling._records.clear()

    assert "autoscaling_read_schedule" not in cycle(source, clock).settings()


@pytest.mark.parametrize(
    ("operation", "blind"),
    [
        ("DescribeScalableTargets", LIMITS),
        ("DescribeScalingPolicies", TARGETS),
        ("DescribeScheduledActions", SCHEDULES),
    ],
)
def test_each_list_is_missed_for_itself_alone(
    world: World, source: AwsSource, clock: FakeClock, operation: str, blind: tuple[str, ...]
) -> None:
    scale(world, READS, 70)
    schedule(world, "night", Schedule="rate(1 day)", ScalableTargetAction={"MaxCapacity": 10})
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))
    got = cycle(source, clock)

    assert {name for name in got.missing() if name.startswith("autoscaling")} == set(blind)
    known = {name for name in got.settings() if name.startswith("autoscaling")}
    assert known == {name for name in ATTRIBUTES if name.startswith("autoscaling_read_") and "held" not in name} - set(
        blind
    )


def test_an_on_demand_table_misses_no_auto_scaling(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, on_demand("orders"))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, service="application-autoscaling"))

    assert not [name for name in cycle(source, clock).missing() if name.startswith("autoscaling")]


def test_what_belongs_to_a_table_that_is_gone_is_left_out(world: World, source: AwsSource, clock: FakeClock) -> None:
    gone = {"ResourceId": "table/gone", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scale(world, gone, 70)
    activity(world, NOON - 300, 40, gone)
    got = cycle(source, clock)

    assert got.changes == ()
    assert {one.subject.table for batch in got.batches for one in batch.attributes} - {""} == {"orders"}


def test_settings_stay_known_while_auto_scaling_does_not_answer(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    scale(world, READS, 70)
    before = cycle(source, clock).settings()
    world.faults.add(Fault(kind=FaultKind.THROTTLE, service="application-autoscaling"))
    got = cycle(source, clock)

    assert got.settings() == before
    assert got.missing()["autoscaling_read_target"] == "throttled"


def _change(before: float | None, after: float, at: int) -> AttributeChange:
    when = datetime.fromtimestamp(at, UTC)
    return AttributeChange(subject=ORDERS, name="provisioned_read_units", before=before, after=after, at=when)
