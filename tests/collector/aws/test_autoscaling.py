"""What auto scaling may do, and what it did and when."""

from datetime import UTC, datetime
from typing import Any

from collector.aws.source import AwsSource
from stillfit.clock import FakeClock
from stillfit.model import AttributeChange
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, REGION, cycle

READS = {"ResourceId": "table/orders", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
INDEX_WRITES = {"ResourceId": "table/orders/index/by-status", "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}


def scale(world: World, place: dict[str, str], aim: float) -> None:
    world.scaling.put_target(DEFAULT_ACCOUNT, REGION, {**place, "MinCapacity": 5, "MaxCapacity": 400})
    tracking = {"TargetValue": aim}
    policy = {"PolicyName": "p", **place, "TargetTrackingScalingPolicyConfiguration": tracking}
    world.scaling.put_policy(DEFAULT_ACCOUNT, REGION, policy)


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


def test_what_failed_or_was_not_done_is_no_change(world: World, source: AwsSource, clock: FakeClock) -> None:
    activity(world, NOON - 300, 40, StatusCode="Failed")
    activity(world, NOON - 200, 40, Description="Attempting to scale due to alarm triggered")

    assert cycle(source, clock).changes == ()


def test_what_belongs_to_a_table_that_is_gone_is_left_out(world: World, source: AwsSource, clock: FakeClock) -> None:
    gone = {"ResourceId": "table/gone", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scale(world, gone, 70)
    activity(world, NOON - 300, 40, gone)
    got = cycle(source, clock)

    assert got.changes == ()
    assert {one.subject.table for batch in got.batches for one in batch.attributes} == {"orders"}


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
