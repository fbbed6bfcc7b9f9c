"""What each part of a table's description, and of the smaller answers, becomes."""

from typing import Any

import pytest

from collector.aws.source import AwsSource
from stillfit.attributes import ATTRIBUTES
from stillfit.clock import FakeClock
from stillfit.model import Value
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, World
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, REGION, cycle, on_demand, provisioned, put_table

NOON_TEXT = "2026-11-02T12:00:00+00:00"
KEY = f"arn:aws:kms:{REGION}:222233334444:key/0b6a"
STREAM = "arn:aws:kinesis:eu-west-1:1:stream/s"
KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}]
LOCAL = [
    {"IndexName": "by-day", "KeySchema": KEYS, "Projection": {"ProjectionType": "KEYS_ONLY"}},
    {
        "IndexName": "by-size",
        "KeySchema": KEYS,
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
    },
]
VECTOR = {
    "IndexName": "by-likeness",
    "Dimensions": 1024,
    "DistanceFunction": "COSINE",
    "IndexStatus": "ACTIVE",
}
REPLICAS = [
    {"RegionName": REGION, "ReplicaStatus": "ACTIVE"},
    {
        "RegionName": "us-east-1",
        "ReplicaStatus": "CREATING",
        "ProvisionedThroughputOverride": {"ReadCapacityUnits": 7},
        "ReplicaTableClassSummary": {"TableClass": "STANDARD"},
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-status", "OnDemandThroughputOverride": {"MaxReadRequestUnits": 9}},
            {"IndexName": "by-day", "OnDemandThroughputOverride": {"MaxReadRequestUnits": -1}},
        ],
    },
]
CHANGED = {"LastIncreaseDateTime": NOON, "LastDecreaseDateTime": NOON, "NumberOfDecreasesToday": 3}
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}

DESCRIBED: list[tuple[dict[str, Any], dict[str, Value]]] = [
    (
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}, "LatestStreamArn": "arn:s"},
        {"stream_enabled": True, "stream_view_type": "NEW_IMAGE", "stream_arn": "arn:s"},
    ),
    (
        {"LocalSecondaryIndexes": LOCAL},
        {
            "local_indexes": ("by-day", "by-size"),
            "local_index_projections": ("by-day=KEYS_ONLY", "by-size=INCLUDE(a,b)"),
        },
    ),
    (
        {"VectorIndexes": [VECTOR]},
        {"vector_indexes": ("by-likeness",), "vector_index_settings": ("by-likeness=1024,COSINE,ACTIVE",)},
    ),
    (
        {"Replicas": REPLICAS, "GlobalTableVersion": "2019.11.21", "MultiRegionConsistency": "EVENTUAL"},
        {
            "replica_regions": ("us-east-1",),
            "replica_statuses": ("us-east-1=CREATING",),
            "replica_overrides": (
                "us-east-1 read_units=7",
                "us-east-1 table_class=STANDARD",
                "us-east-1/by-status on_demand_max_read_units=9",
            ),
            "global_table_version": "2019.11.21",
            "multi_region_consistency": "EVENTUAL",
        },
    ),
    (
        {
            "MultiRegionConsistency": "STRONG",
            "GlobalTableWitnesses": [{"RegionName": "eu-west-2", "WitnessStatus": "ACTIVE"}],
        },
        {"multi_region_consistency": "STRONG", "witness_regions": ("eu-west-2=ACTIVE",)},
    ),
    (
        {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}},
        {"encryption": "KMS", "encryption_status": "ENABLED", "encryption_key_account": "222233334444"},
    ),
    (
        {
            "SSEDescription": {
                "Status": "ENABLED",
                "SSEType": "KMS",
                "KMSMasterKeyArn": KEY,
                "InaccessibleEncryptionDateTime": NOON,
            },
            "TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
        },
        {"encryption_inaccessible_since": NOON_TEXT, "status": "INACCESSIBLE_ENCRYPTION_CREDENTIALS"},
    ),
    ({"SSEDescription": {"Status": "DISABLED"}}, {"encryption": "AWS_OWNED"}),
    (
        {"TableStatus": "ARCHIVED", "ArchivalSummary": {"ArchivalDateTime": NOON, "ArchivalReason": "no key"}},
        {"archived": NOON_TEXT, "archival_reason": "no key"},
    ),
    (
        {"TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS", "LastUpdateDateTime": NOON}},
        {"table_class": "STANDARD_INFREQUENT_ACCESS", "table_class_since": NOON_TEXT},
    ),
    (
        {"ProvisionedThroughput": {**UNITS, **CHANGED}},
        {"last_increase": NOON_TEXT, "last_decrease": NOON_TEXT, "decreases_today": 3.0},
    ),
    (
        {"WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "UPDATING"}},
        {"warm_read_units": 12_000.0, "warm_status": "UPDATING"},
    ),
]


@pytest.mark.parametrize(("more", "told"), DESCRIBED, ids=[next(iter(told)) for _, told in DESCRIBED])
def test_a_description_is_told_in_canonical_attributes(
    world: World, source: AwsSource, clock: FakeClock, more: dict[str, Any], told: dict[str, Value]
) -> None:
    put_table(world, provisioned(**more))
    settings = cycle(source, clock).settings()

    assert {name: settings.get(name) for name in told} == told
    assert [name for name, value in settings.items() if not ATTRIBUTES[name].accepts(value)] == []


def test_a_plain_table_has_none_of_what_only_some_have(world: World, source: AwsSource, clock: FakeClock) -> None:
    named = {name for _, told in DESCRIBED for name in told}
    always = {"stream_enabled", "local_indexes", "replica_regions", "encryption", "status", "table_class"}
    always |= {"decreases_today"}

    assert named & cycle(source, clock).settings().keys() - always == set()


def test_a_stream_that_was_switched_off_has_no_arn(world: World, source: AwsSource, clock: FakeClock) -> None:
    """DescribeTable goes on naming the last one, which can be read for a day."""
    put_table(world, provisioned(LatestStreamArn="arn:s"))
    settings = cycle(source, clock).settings()

    assert (settings["stream_enabled"], "stream_arn" in settings) == (False, False)


def test_an_on_demand_table_has_no_decreases(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, on_demand("orders", ProvisionedThroughput={**UNITS, **CHANGED}))

    assert not {"last_increase", "last_decrease", "decreases_today"} & cycle(source, clock).settings().keys()


def test_no_part_of_a_key_of_kms_is_told(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_table(world, provisioned(SSEDescription={"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}))

    assert "0b6a" not in str(cycle(source, clock).settings())


def test_an_index_tells_what_it_copies(world: World, source: AwsSource, clock: FakeClock) -> None:
    table = provisioned()
    table["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]}
    put_table(world, table)
    settings = cycle(source, clock).settings(BY_STATUS)

    assert (settings["projection"], settings["projected_attributes"]) == ("INCLUDE", ("a", "b"))


@pytest.mark.parametrize(
    ("recovery", "told"),
    [
        ({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7}, (True, 7.0)),
        ({"PointInTimeRecoveryStatus": "ENABLED"}, (True, None)),
        ({"PointInTimeRecoveryStatus": "DISABLED", "RecoveryPeriodInDays": 7}, (False, None)),
    ],
    ids=str,
)
def test_recovery_reaches_back_so_many_days_where_it_is_on(
    world: World, source: AwsSource, clock: FakeClock, recovery: dict[str, Any], told: tuple[bool, float | None]
) -> None:
    backups = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(), Extras(continuous_backups=backups))
    settings = cycle(source, clock).settings()

    assert (settings["point_in_time_recovery"], settings.get("recovery_period_days")) == told


@pytest.mark.parametrize(
    ("status", "attribute"), [("ENABLED", "at"), ("ENABLING", "at"), ("DISABLING", ""), ("DISABLED", "")]
)
def test_time_to_live_has_a_state(
    world: World, source: AwsSource, clock: FakeClock, status: str, attribute: str
) -> None:
    told = Extras(time_to_live={"TimeToLiveStatus": status, "AttributeName": "at"})
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(), told)
    settings = cycle(source, clock).settings()

    assert (settings["ttl_attribute"], settings["ttl_status"]) == (attribute, status)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, f"{STREAM}=ACTIVE,MILLISECOND"),
        ({"ApproximateCreationDateTimePrecision": "MICROSECOND"}, f"{STREAM}=ACTIVE,MICROSECOND"),
        ({"DestinationStatus": "ENABLE_FAILED"}, f"{STREAM}=ENABLE_FAILED,MILLISECOND"),
    ],
    ids=str,
)
def test_a_kinesis_destination_has_a_state_and_a_precision(
    world: World, source: AwsSource, clock: FakeClock, more: dict[str, str], told: str
) -> None:
    destination = {"StreamArn": STREAM, "DestinationStatus": "ACTIVE", **more}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(), Extras(kinesis=(destination,)))

    assert cycle(source, clock).settings(ORDERS)["kinesis_destinations"] == (told,)
