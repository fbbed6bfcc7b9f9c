"""The simulated tables as a Provider of the AWS stand-in, and as boto3 sees them."""

from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest

from stillfit.demo.cloud import Cloud, furnish
from stillfit.demo.story import HOUR, MINUTE, Story, story
from stillfit.standins.aws import AwsStandIn, Metric, Points, World

ZERO = 1_793_491_200
NOW = ZERO + 30 * MINUTE
STORY = story(7)
HOT, INDEXED = STORY.tables[0], STORY.tables[1]


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return Cloud(STORY, ZERO)


def asked(cloud: Cloud, name: str, start: int, end: int, **dimensions: str) -> Points:
    points = cloud.points(Metric.dynamodb(name, **dimensions), start, end)
    assert points is not None
    return points


def test_every_metric_that_is_listed_has_points_and_every_other_has_none(cloud: Cloud) -> None:
    window = (ZERO - HOUR, ZERO)
    listed = set(cloud.metrics(*window))

    for metric in cloud._measures:
        points = cloud.points(metric, *window)
        assert points is not None
        assert (len(points.times) > 0) is (metric in listed)


def test_points_lie_inside_the_window_and_are_the_same_in_every_window(cloud: Cloud) -> None:
    for metric in cloud._measures:
        whole = cloud.points(metric, ZERO, ZERO + HOUR)
        part = cloud.points(metric, ZERO + 600, ZERO + 1_205)
        assert whole is not None
        assert part is not None
        wanted = whole.between(ZERO + 600, ZERO + 1_205)
        assert part.times.tolist() == wanted.times.tolist()
        assert part.sum.tolist() == wanted.sum.tolist()


def test_a_metric_nobody_publishes_is_not_known(cloud: Cloud) -> None:
    assert cloud.points(Metric.dynamodb("ConsumedReadCapacityUnits", TableName="nobody"), ZERO, ZERO + HOUR) is None


def test_a_minute_without_a_refusal_has_no_throttle_point(cloud: Cloud) -> None:
    begins = HOT.events[0].begins
    window = (ZERO + begins - 5 * MINUTE, ZERO + begins + 5 * MINUTE)

    events = asked(cloud, "WriteKeyRangeThroughputThrottleEvents", *window, TableName=HOT.name)

    assert events.times.tolist() == [ZERO + begins + minute * MINUTE for minute in range(5)]


def test_the_parts_of_the_throttle_events_make_the_whole(cloud: Cloud) -> None:
    index = INDEXED.indexes[0]
    for dimensions in ({"TableName": HOT.name}, {"TableName": INDEXED.name, "GlobalSecondaryIndexName": index.name}):
        names = (
            "WriteThrottleEvents",
            "WriteKeyRangeThroughputThrottleEvents",
            "WriteProvisionedThroughputThrottleEvents",
        )
        whole, *parts = (asked(cloud, name, ZERO, ZERO + HOUR, **dimensions).sum.sum() for name in names)
        assert whole == sum(parts) > 0


def test_writes_that_an_index_refuses_are_failed_requests_of_the_table_and_none_of_its_events(cloud: Cloud) -> None:
    window = (ZERO, ZERO + HOUR)

    failed = asked(cloud, "ThrottledRequests", *window, TableName=INDEXED.name, Operation="PutItem")
    own = asked(cloud, "WriteThrottleEvents", *window, TableName=INDEXED.name)

    assert (failed.sum.sum() > 0, len(own.times)) == (True, 0)


def test_every_seed_plays_the_same_roles_with_other_names() -> None:
    stories = [story(seed) for seed in range(1, 30)]

    assert {len(one.tables) for one in stories} == {12}
    assert all(len({table.name for table in one.tables}) == 12 for one in stories)
    assert len({one.tables[0].name for one in stories}) > 5
    assert {_roles(one) for one in stories} == {_roles(STORY)}


def _roles(one: Story) -> tuple[object, ...]:
    hot, indexed, grown, idle, misfit, *_ = one.tables
    return (
        hot.events[0].hot_key_share,
        len(indexed.indexes),
        grown.events[0].item_size,
        idle.read_capacity,
        misfit.declared,
    )


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    world = World(now=lambda: NOW)
    furnish(world, STORY, ZERO)
    with AwsStandIn(world) as server:
        yield server


def client(aws: AwsStandIn, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=STORY.region,
        aws_access_key_id=STORY.account,
        aws_secret_access_key="demo",
    )


def test_boto3_reads_the_tables_with_their_settings(aws: AwsStandIn) -> None:
    dynamodb = client(aws, "dynamodb")
    names = dynamodb.list_tables()["TableNames"]
    indexed = dynamodb.describe_table(TableName=INDEXED.name)["Table"]

    assert sorted(names) == sorted(table.name for table in STORY.tables)
    assert indexed["ProvisionedThroughput"]["WriteCapacityUnits"] == INDEXED.write_capacity
    (index,) = indexed["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == INDEXED.indexes[0].capacity


def test_boto3_reads_the_numbers_of_the_model(aws: AwsStandIn, cloud: Cloud) -> None:
    metric = {
        "Namespace": "AWS/DynamoDB",
        "MetricName": "ConsumedWriteCapacityUnits",
        "Dimensions": [{"Name": "TableName", "Value": HOT.name}],
    }
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    (answer,) = client(aws, "cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=ZERO, EndTime=NOW, ScanBy="TimestampAscending"
    )["MetricDataResults"]

    wanted = asked(cloud, "ConsumedWriteCapacityUnits", ZERO, NOW, TableName=HOT.name)

    assert len(answer["Values"]) > 20
    assert np.allclose(answer["Values"], wanted.sum[: len(answer["Values"])])
