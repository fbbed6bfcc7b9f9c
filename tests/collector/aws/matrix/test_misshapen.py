"""Answers of another shape, at random: a cycle ends in batches of the declared types or in a SourceError.

STILLFIT_FAULT_SEED=17 pytest tests/collector/aws/matrix/test_misshapen.py        # repeats one bad day
STILLFIT_FAULT_SEED=random STILLFIT_FAULT_LOOKS=200 pytest tests/collector/aws/matrix/test_misshapen.py
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest

from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Batch, Subject
from stillfit.standins.aws import AwsStandIn, Extras, Fault, FaultKind, Metric, Points, World
from stillfit.standins.aws.insight_rules import rule_name
from tests.collector.aws.kit import NOON, SCOPE, provisioned
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, ENCRYPTED, KEYSPACES, fleet, put_export, reading
from tests.collector.aws.matrix.table import ROWS

TOLD = os.environ.get("STILLFIT_FAULT_SEED") or "20261121"
SEED = random.SystemRandom().randrange(1_000_000) if TOLD == "random" else int(TOLD)
LOOKS = int(os.environ.get("STILLFIT_FAULT_LOOKS", "25"))
HOUR = 3_600
SCALED = (
    ("cassandra", "keyspace/shop/table/jobs", "cassandra:table:ReadCapacityUnits"),
    ("dynamodb", "table/orders", "dynamodb:table:ReadCapacityUnits"),
)
METRICS = (
    Metric.dynamodb("ConsumedReadCapacityUnits", TableName="orders"),
    Metric.dynamodb("SuccessfulRequestLatency", TableName="orders", Operation="GetItem"),
    Metric.dynamodb("ReadThrottleEvents", TableName="orders"),
    Metric.dynamodb("ConditionalCheckFailedRequests", TableName="orders"),
    Metric.of(
        "AWS/Cassandra", "SuccessfulRequestLatency", {"Keyspace": "shop", "TableName": "jobs", "Operation": "SELECT"}
    ),
    Metric.of("AWS/Cassandra", "ReadThrottleEvents", {"Keyspace": "shop", "TableName": "jobs", "Operation": "SELECT"}),
    Metric.of("AWS/DAX", "TotalRequestCount", {"ClusterId": "front"}),
    Metric.of("AWS/DAX", "GetItemRequestCount", {"ClusterId": "front"}),
)
OPERATIONS = {
    source: sorted({row.operation for row in ROWS if row.source == source}) for source in (DYNAMODB, KEYSPACES, DAX)
}


@pytest.mark.parametrize("source", [DYNAMODB, KEYSPACES, DAX])
def test_answers_of_another_shape_end_in_data_or_in_a_source_error(source: str) -> None:
    print(f"STILLFIT_FAULT_SEED={SEED}")  # shown where it fails
    clock = FakeClock()
    world = rich(fleet(clock, SEED))
    with AwsStandIn(world) as aws, reading(source, aws, clock) as opened:
        take_a_cycle(opened, clock)
        for look in range(LOOKS):
            put_export(world)
            for operation in OPERATIONS[source]:
                world.faults.add(Fault(kind=FaultKind.MISSHAPEN, operation=operation, probability=0.3))
            take_a_cycle(opened, clock)
            world.faults.clear()
            if look % 5 == 4:  # what is known keeps many a call from being made
                take_a_cycle(opened, clock)

    assert world.faults.struck[FaultKind.MISSHAPEN] >= LOOKS


def rich(world: World) -> World:
    """Something to tell in every listing."""
    stream = {"StreamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/a", "DestinationStatus": "ACTIVE"}
    names = [rule_name(kind, "orders") for kind in ("PKC", "PKT")]
    insights = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": names}
    told = Extras(tags={"team": "shop"}, contributor_insights={None: insights}, kinesis=(stream,))
    world.dynamodb.put_table(*SCOPE, provisioned(**ENCRYPTED), told)
    minutes = range(NOON, NOON + (2 * LOOKS + 3) * HOUR, 60)
    for name in names:
        world.insights.put(*SCOPE, name, {("a",): dict.fromkeys(minutes, 9.0)})
    world.backups.put_backup(*SCOPE, {"TableName": "orders", "BackupCreationDateTime": NOON})
    for space, resource, dimension in SCALED:
        where = {"ServiceNamespace": space, "ResourceId": resource, "ScalableDimension": dimension}
        world.scaling.put_target(*SCOPE, {**where, "MinCapacity": 5, "MaxCapacity": 50})
        aim = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
        world.scaling.put_policy(*SCOPE, {**where, "PolicyName": "reads", **aim})
        did = {"Description": "Setting read capacity units to 40.", "Cause": "alarm", "StartTime": NOON + HOUR}
        world.scaling.put_activity(*SCOPE, {**where, **did})
    night = {"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)"}
    world.scaling.put_action(*SCOPE, {**where, **night, "ScalableTargetAction": {"MaxCapacity": 10}})
    row = np.ones(len(minutes))
    for metric in METRICS:
        world.put(*SCOPE, metric, Points.regular(start=NOON, sum=row))
    return world


def take_a_cycle(opened: Source, clock: FakeClock) -> None:
    """Everything but a SourceError fails the test."""
    clock.advance(3_600)
    with suppress(SourceError):
        for batch in opened.collect(clock.now() - timedelta(hours=1), clock.now()):
            assert strange(batch) == []


def strange(batch: Batch) -> list[object]:
    """What of a batch is not of the type that the model declares."""
    named = [
        *(*batch.subjects_seen, *batch.undescribed),
        *(*(one.subject for one in batch.series), *(one.subject for one in batch.gaps)),
    ]
    told = [(one.subject, pair) for one in batch.attributes for pair in one.values]
    changed = [(one.subject, (one.name, value)) for one in batch.changes for value in (one.before, one.after)]
    texts: list[object] = [one.dimension for one in batch.series]
    return [
        *(one for one in (*named, *(subject for subject, _ in (*told, *changed))) if not is_subject(one)),
        *(pair for _, pair in told if not is_value(pair[1])),
        *(pair for _, pair in changed if pair[1] is not None and not is_value(pair[1])),
        *(text for text in texts if not isinstance(text, str)),
    ]


def is_subject(one: Subject) -> bool:
    parts = (*one.scope, one.cluster, one.keyspace, one.table, one.index, one.node)
    return all(isinstance(part, str) for part in parts) and Subject.parse(str(one)) == one


def is_value(value: object) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(part, str) for part in value)
    return isinstance(value, str | float | bool)
