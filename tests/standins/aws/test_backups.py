"""DynamoDB's backups and exports: what is listed, in which order and pages, and what outlives its table."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.standins.aws.kit import DAY, NOW, REGION

HERE = (DEFAULT_ACCOUNT, REGION)
ARN = f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT}:table/orders"


@pytest.fixture
def dynamodb(world: World, connect: Callable[..., Any]) -> Any:
    world.dynamodb.put_table(*HERE, {"TableName": "orders"})
    return connect("dynamodb")


def put_backup(world: World, age_s: float, **more: Any) -> str:
    return world.backups.put_backup(
        *HERE, {"TableName": "orders", "BackupCreationDateTime": NOW - age_s, "BackupName": f"{age_s:.0f}", **more}
    )


def names(listed: dict[str, Any]) -> list[str]:
    return [one["BackupName"] for one in listed["BackupSummaries"]]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["1"]),
        ({"BackupType": "ALL"}, ["2", "1"]),
        ({"BackupType": "AWS_BACKUP"}, ["3"]),
        ({"BackupType": "ALL", "TimeRangeUpperBound": NOW - 1}, ["2"]),
        ({"BackupType": "ALL", "TimeRangeLowerBound": NOW - 1}, ["1"]),
        ({"TableName": "orders"}, ["1"]),
        ({"TableName": ARN}, ["1"]),
        ({"TableName": "carts"}, []),
    ],
    ids=str,
)
def test_backups_are_listed_by_kind_time_and_table(
    world: World, dynamodb: Any, asked: dict[str, Any], found: list[str]
) -> None:
    put_backup(world, 1)
    put_backup(world, 2, BackupType="SYSTEM")
    put_backup(world, 3, BackupType="AWS_BACKUP")

    assert names(dynamodb.list_backups(**asked)) == found


@pytest.mark.parametrize(("backups", "pages"), [(0, 1), (100, 1), (101, 2), (201, 3)])
def test_backups_come_a_hundred_a_page(world: World, dynamodb: Any, backups: int, pages: int) -> None:
    for number in range(backups):
        put_backup(world, backups - number)

    listed = list(dynamodb.get_paginator("list_backups").paginate())

    assert len(listed) == pages
    assert [name for page in listed for name in names(page)] == [str(backups - number) for number in range(backups)]


def test_an_empty_page_of_backups_loses_none(world: World, dynamodb: Any) -> None:
    put_backup(world, 1)
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, operation="ListBackups", count=1))
    first = dynamodb.list_backups()

    assert names(first) == []
    assert names(dynamodb.list_backups(ExclusiveStartBackupArn=first["LastEvaluatedBackupArn"])) == ["1"]


def test_a_backup_outlives_its_table_and_keeps_its_id(world: World, dynamodb: Any) -> None:
    put_backup(world, 1)
    own = dynamodb.describe_table(TableName="orders")["Table"]["TableId"]
    world.dynamodb.delete_table(*HERE, "orders")

    assert [one["TableId"] for one in dynamodb.list_backups()["BackupSummaries"]] == [own]


def test_exports_of_ninety_days_are_listed_newest_first(world: World, dynamodb: Any) -> None:
    arns = [
        world.backups.put_export(*HERE, "orders", {"ExportTime": NOW - age}) for age in (90 * DAY + 1, 90 * DAY, DAY)
    ]

    listed = dynamodb.list_exports()["ExportSummaries"]

    assert [one["ExportArn"] for one in listed] == [arns[2], arns[1]]
    assert set(listed[0]) == {"ExportArn", "ExportStatus", "ExportType"}


def test_exports_come_in_pages_of_twenty_five(world: World, dynamodb: Any) -> None:
    for number in range(26):
        world.backups.put_export(*HERE, "orders", {"ExportTime": NOW - number})
    first = dynamodb.list_exports()
    second = dynamodb.list_exports(NextToken=first["NextToken"])

    assert (len(first["ExportSummaries"]), len(second["ExportSummaries"]), "NextToken" in second) == (25, 1, False)


def test_exports_of_one_table_are_asked_by_its_arn(world: World, dynamodb: Any) -> None:
    world.backups.put_export(*HERE, "orders", {"ExportTime": NOW})
    world.backups.put_export(*HERE, "carts", {"ExportTime": NOW})

    assert len(dynamodb.list_exports(TableArn=ARN)["ExportSummaries"]) == 1


def test_an_export_is_described_with_what_it_was_billed_for(world: World, dynamodb: Any) -> None:
    arn = world.backups.put_export(*HERE, "orders", {"ExportTime": NOW, "BilledSizeBytes": 7_000})

    assert dynamodb.describe_export(ExportArn=arn)["ExportDescription"]["BilledSizeBytes"] == 7_000


def test_an_export_that_is_not_there_is_named_not_found(dynamodb: Any) -> None:
    with pytest.raises(ClientError) as refused:
        dynamodb.describe_export(ExportArn=f"{ARN}/export/00000000000000-00000000")

    assert refused.value.response["Error"]["Code"] == "ExportNotFoundException"


def test_a_misshapen_backup_is_refused_when_put(world: World) -> None:
    with pytest.raises(ValueError, match="backupStatus"):
        put_backup(world, 1, BackupStatus="FINE")


def test_a_misshapen_export_is_refused_when_put(world: World) -> None:
    with pytest.raises(ValueError, match="exportStatus"):
        world.backups.put_export(*HERE, "orders", {"ExportTime": NOW, "ExportStatus": "FINE"})


def test_backups_belong_to_their_account_and_region(world: World, connect: Callable[..., Any]) -> None:
    put_backup(world, 1)

    assert names(connect("dynamodb", region="us-east-1").list_backups()) == []
