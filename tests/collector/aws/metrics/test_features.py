"""What is asked of a table follows from what is on there."""

from typing import Any

import pytest

from collector.aws.source import AwsSource
from stillfit.clock import FakeClock
from stillfit.model import Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, World
from tests.collector.aws.kit import (
    BY_STATUS,
    KNOWN_TO,
    ORDERS,
    REGION,
    Brought,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
)
from tests.collector.aws.kit import put as put_points

LABEL = "2026-11-01T00:00:00.000"
STREAM = f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT}:table/orders/stream/{LABEL}"


def with_features(world: World, extras: Extras | None = None, **settings: Any) -> None:
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(**settings), extras)


def kinesis(status: str) -> Extras:
    arn = f"arn:aws:kinesis:{REGION}:{DEFAULT_ACCOUNT}:stream/changes"
    return Extras(kinesis=({"StreamArn": arn, "DestinationStatus": status},))


def metrics(got: Brought) -> set[str]:
    """What was read of the table and its index, by name."""
    return {one.metric for one in got.series if one.subject in {ORDERS, BY_STATUS}}


def test_a_plain_table_is_asked_for_no_feature(world: World, source: AwsSource, clock: FakeClock) -> None:
    got = metrics(cycle(source, clock))

    assert not {name for name in got if name.startswith(("stream", "repl", "kinesis", "vector", "index_build", "on_"))}


def test_a_stream_is_read_by_its_label(world: World, source: AwsSource, clock: FakeClock) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    with_features(world, StreamSpecification=stream, LatestStreamArn=STREAM, LatestStreamLabel=LABEL)
    put_points(world, "ReturnedBytes", [9.0], unit="Bytes", Operation="GetRecords", StreamLabel=LABEL)
    got = cycle(source, clock)

    assert (got.one("stream_bytes").values.tolist(), got.one("stream_bytes").dimension) == ([9.0], LABEL)
    assert metrics(got) >= {"stream_requests", "stream_latency_ms", "stream_records"}


def test_replication_is_read_by_receiving_region_and_writes_by_source(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    regions = [{"RegionName": name, "ReplicaStatus": "ACTIVE"} for name in ("us-east-1", REGION, "us-west-2")]
    with_features(world, Replicas=regions, GlobalTableVersion="2019.11.21")
    put_points(world, "ConsumedWriteCapacityUnits", [5.0], Source="GlobalTable")
    got = cycle(source, clock)
    latency = got.all("replication_latency_ms", statistic=Statistic.AVERAGE)

    assert sorted(one.dimension for one in latency) == ["us-east-1", "us-west-2"]
    assert [one.values.tolist() for one in got.all("write_units_by_source")] == [[], [5.0]]
    assert {one.dimension for one in got.all("write_units_by_source", BY_STATUS)} == {"Customer", "GlobalTable"}
    assert "pending_replications" not in metrics(got)


def test_pending_replications_are_asked_of_the_old_kind_only(world: World, source: AwsSource, clock: FakeClock) -> None:
    regions = [{"RegionName": "us-east-1", "ReplicaStatus": "ACTIVE"}]
    with_features(world, Replicas=regions, GlobalTableVersion="2017.11.29")

    assert "pending_replications" in metrics(cycle(source, clock))


def test_an_index_is_asked_for_its_building_while_it_is_built(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    table = provisioned()
    table["GlobalSecondaryIndexes"][0] |= {"IndexStatus": "CREATING", "Backfilling": True}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, table)
    put_points(world, "OnlineIndexPercentageProgress", [40.0] * 5, GlobalSecondaryIndexName="by-status")
    progress = cycle(source, clock).one("index_build_percent", BY_STATUS, Statistic.MAXIMUM)

    assert (progress.values.tolist(), progress.period_s) == ([40.0], 300)


def test_a_cap_on_demand_is_read_where_one_is_set(world: World, opened: OpenSource, clock: FakeClock) -> None:
    capped = on_demand("orders", OnDemandThroughput={"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": -1})
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, capped)
    got = metrics(cycle(opened(), clock))

    assert {name for name in got if name.startswith("on_demand_max")} == {"on_demand_max_read_units"}


def test_a_vector_index_is_read_by_its_name(world: World, source: AwsSource, clock: FakeClock) -> None:
    with_features(world, VectorIndexes=[{"IndexName": "by-meaning", "IndexStatus": "ACTIVE"}])
    put_points(world, "VectorSearchRequestBytes", [100.0] * 5, unit="Bytes", VectorIndexName="by-meaning")
    got = cycle(source, clock).one("vector_search_bytes")

    assert (got.dimension, got.values.tolist()) == ("by-meaning", [500.0])


def test_delivery_to_kinesis_is_read_by_the_name_that_is_listed(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    with_features(world, kinesis("ACTIVE"))
    put_points(world, "AgeOfOldestUnreplicatedRecord", [7.0] * 60, unit="Milliseconds", DelegatedOperation="delivery")
    got = cycle(source, clock)

    age = got.one("kinesis_oldest_record_age_ms", statistic=Statistic.MAXIMUM)
    assert (age.dimension, age.values.max()) == ("delivery", 7.0)
    assert "kinesis_failed_records" in metrics(got)


@pytest.mark.parametrize(("status", "reason"), [("ACTIVE", "no data"), ("DISABLED", "not configured")])
def test_delivery_that_stands_still_says_why(
    status: str, reason: str, world: World, source: AwsSource, clock: FakeClock
) -> None:
    with_features(world, kinesis(status))

    assert cycle(source, clock).missing()["kinesis_oldest_record_age_ms"] == reason


def test_without_kinesis_nothing_is_listed_for_it(world: World, source: AwsSource, clock: FakeClock) -> None:
    listed: list[str] = []
    world.before_call.append(lambda call: listed.append(str(call.parameters.get("MetricName"))))
    got = cycle(source, clock)

    assert "AgeOfOldestUnreplicatedRecord" not in listed
    assert not [gap for gap in got.gaps if gap.missing.startswith("kinesis") and gap.missing.endswith("ms")]


def test_a_feature_that_was_switched_on_is_read_from_then_on(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    with_features(world, Replicas=[{"RegionName": "us-east-1", "ReplicaStatus": "ACTIVE"}])
    clock.advance(300)
    got = cycle(source, clock).one("replication_latency_ms", statistic=Statistic.MAXIMUM)

    assert got.covered[0].end == KNOWN_TO + 300
