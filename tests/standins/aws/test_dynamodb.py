"""DynamoDB's control plane: inventory, descriptions, and what is said about a table that is not there."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, World
from tests.standins.aws.kit import NOW, REGION

HERE = (DEFAULT_ACCOUNT, REGION)
ARN = f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT}:table/"


@pytest.fixture
def dynamodb(connect: Callable[..., Any]) -> Any:
    return connect("dynamodb")


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def test_a_description_comes_back_as_it_was_put(world: World, dynamodb: Any) -> None:
    index = {
        "IndexName": "by-day",
        "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "IndexStatus": "ACTIVE",
        "WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"},
    }
    world.dynamodb.put_table(*HERE, {"TableName": "orders", "GlobalSecondaryIndexes": [index], "ItemCount": 12})

    table = dynamodb.describe_table(TableName="orders")["Table"]

    assert (table["GlobalSecondaryIndexes"], table["ItemCount"]) == ([index], 12)
    assert (table["TableArn"], table["TableStatus"]) == (ARN + "orders", "ACTIVE")
    assert table["CreationDateTime"].timestamp() == NOW


def test_a_table_is_found_by_its_arn(world: World, dynamodb: Any) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders"})

    assert dynamodb.describe_table(TableName=ARN + "orders")["Table"]["TableName"] == "orders"


def test_a_changed_table_keeps_its_birthday_and_its_extras(world: World, dynamodb: Any) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders", "CreationDateTime": 1.0}, Extras(tags={"team": "shop"}))
    world.dynamodb.put_table(*HERE, {"TableName": "orders", "ItemCount": 5})

    table = dynamodb.describe_table(TableName="orders")["Table"]

    assert (table["CreationDateTime"].timestamp(), table["ItemCount"]) == (1.0, 5)
    assert dynamodb.list_tags_of_resource(ResourceArn=ARN + "orders")["Tags"] == [{"Key": "team", "Value": "shop"}]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"ItemCuont": 1}, "ItemCuont"), ({"ItemCount": "1"}, "itemCount"), ({"TableStatus": "FINE"}, "enum")],
    ids=["unknown", "type", "enum"],
)
def test_a_misshapen_description_is_refused_when_put(world: World, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        world.dynamodb.put_table(*HERE, {"TableName": "orders", **changes})


@pytest.mark.parametrize(
    ("tables", "limit", "pages"), [(0, None, 1), (100, None, 1), (101, None, 2), (5, 2, 3), (4, 2, 2)]
)
def test_tables_are_listed_by_name_in_pages(
    world: World, dynamodb: Any, tables: int, limit: int | None, pages: int
) -> None:
    for number in reversed(range(tables)):
        world.dynamodb.put_table(*HERE, {"TableName": f"table-{number:03d}"})

    listed = list(dynamodb.get_paginator("list_tables").paginate(**({"Limit": limit} if limit else {})))

    assert len(listed) == pages
    assert [name for page in listed for name in page["TableNames"]] == [f"table-{n:03d}" for n in range(tables)]


def test_a_deleted_table_is_gone(world: World, dynamodb: Any) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders"})
    world.dynamodb.delete_table(*HERE, "orders")

    assert dynamodb.list_tables()["TableNames"] == []
    assert code_of(dynamodb.describe_table, TableName="orders") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("describe_table", "ResourceNotFoundException"),
        ("describe_time_to_live", "ResourceNotFoundException"),
        ("describe_contributor_insights", "ResourceNotFoundException"),
        ("describe_continuous_backups", "TableNotFoundException"),
    ],
)
def test_a_table_that_is_not_there_is_named_not_found(dynamodb: Any, operation: str, code: str) -> None:
    assert code_of(getattr(dynamodb, operation), TableName="nowhere") == code
    assert code_of(getattr(dynamodb, operation), TableName=ARN.replace(REGION, "us-east-1") + "orders") == code


@pytest.mark.parametrize("name", ["ab", "or ders", "ünder", "x" * 256])
def test_an_illegal_name_is_a_validation_error(dynamodb: Any, name: str) -> None:
    assert code_of(dynamodb.describe_table, TableName=name) == "ValidationException"


def test_what_was_never_switched_on_is_disabled(world: World, dynamodb: Any) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders"})
    asked = {"TableName": "orders"}

    backups = dynamodb.describe_continuous_backups(**asked)["ContinuousBackupsDescription"]

    assert dynamodb.describe_time_to_live(**asked)["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}
    assert backups["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert dynamodb.describe_contributor_insights(**asked)["ContributorInsightsStatus"] == "DISABLED"
    assert dynamodb.list_tags_of_resource(ResourceArn=ARN + "orders")["Tags"] == []


def test_contributor_insights_are_told_per_index(world: World, dynamodb: Any) -> None:
    insights = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}
    table = {"TableName": "orders", "GlobalSecondaryIndexes": [{"IndexName": "by-day"}]}
    world.dynamodb.put_table(*HERE, table, Extras(contributor_insights={"by-day": insights}))

    described = dynamodb.describe_contributor_insights(TableName="orders", IndexName="by-day")

    assert (described["IndexName"], described["ContributorInsightsMode"]) == ("by-day", "THROTTLED_KEYS")
    absent = {"TableName": "orders", "IndexName": "by-week"}
    assert code_of(dynamodb.describe_contributor_insights, **absent) == "ResourceNotFoundException"


def test_limits_are_the_defaults_until_set(world: World, connect: Callable[..., Any]) -> None:
    world.dynamodb.set_limits(*HERE, TableMaxReadCapacityUnits=99)

    here, there = (connect("dynamodb", region=region).describe_limits() for region in (REGION, "us-east-1"))

    assert (here["TableMaxReadCapacityUnits"], there["TableMaxReadCapacityUnits"]) == (99, 40_000)
    assert here["AccountMaxReadCapacityUnits"] == 80_000


@pytest.mark.parametrize(
    ("arn", "code"), [("orders", "ValidationException"), (ARN + "nowhere", "ResourceNotFoundException")]
)
def test_tags_need_the_arn_of_a_table(dynamodb: Any, arn: str, code: str) -> None:
    assert code_of(dynamodb.list_tags_of_resource, ResourceArn=arn) == code


def test_a_simulator_is_brought_up_to_now_before_each_answer(world: World, dynamodb: Any) -> None:
    world.before_call.append(
        lambda call: world.dynamodb.put_table(*HERE, {"TableName": "orders", "ItemCount": int(call.at)})
    )

    assert dynamodb.describe_table(TableName="orders")["Table"]["ItemCount"] == int(NOW)


def test_contributor_insights_of_a_region_are_listed_where_they_are_not_off(world: World, dynamodb: Any) -> None:
    enabled = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}
    failed = {"ContributorInsightsStatus": "FAILED"}
    world.dynamodb.put_table(*HERE, {"TableName": "orders"}, Extras(contributor_insights={None: enabled, "by": failed}))
    off = {"ContributorInsightsStatus": "DISABLED", "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS"}
    world.dynamodb.put_table(*HERE, {"TableName": "carts"}, Extras(contributor_insights={None: off}))
    listed = dynamodb.list_contributor_insights()["ContributorInsightsSummaries"]

    assert listed == [{"TableName": "orders", **enabled}, {"TableName": "orders", "IndexName": "by", **failed}]
    assert dynamodb.list_contributor_insights(TableName="carts")["ContributorInsightsSummaries"] == []


def test_kinesis_destinations_are_told_as_they_were_put(world: World, dynamodb: Any) -> None:
    destination = {"StreamArn": "arn:aws:kinesis:eu-west-1:1:stream/s", "DestinationStatus": "ACTIVE"}
    world.dynamodb.put_table(*HERE, {"TableName": "orders"}, Extras(kinesis=(destination,)))
    told = dynamodb.describe_kinesis_streaming_destination(TableName="orders")

    assert told["KinesisDataStreamDestinations"] == [destination]
    assert code_of(dynamodb.describe_kinesis_streaming_destination, TableName="nowhere") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("status", "ask", "code"),
    [
        ("CREATING", "describe_time_to_live", "ValidationException"),
        ("DELETING", "describe_time_to_live", "ValidationException"),
        ("CREATING", "describe_continuous_backups", "TableNotFoundException"),
        ("DELETING", "describe_continuous_backups", "TableNotFoundException"),
        ("CREATING", "describe_kinesis_streaming_destination", "ResourceNotFoundException"),
    ],
)
def test_a_table_that_comes_or_goes_is_described_and_knows_nothing_else(
    world: World, dynamodb: Any, status: str, ask: str, code: str
) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders", "TableStatus": status})

    assert dynamodb.describe_table(TableName="orders")["Table"]["TableStatus"] == status
    assert code_of(getattr(dynamodb, ask), TableName="orders") == code


def test_an_index_that_is_not_there_is_told_from_its_table(world: World, dynamodb: Any) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": "orders"})
    with pytest.raises(ClientError, match="Index: by-day not found for table: orders"):
        dynamodb.describe_contributor_insights(TableName="orders", IndexName="by-day")
