"""A simulated fleet of two accounts and three regions, as large as a test wants it, and profiles that sign in to it."""

from pathlib import Path

import numpy as np

from stillfit.standins.aws import Metric, Points, World
from tests.cli.cloud import DAY, REASON

ACCOUNTS = ("111122223333", "444455556666")
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
UNITS = {"ReadCapacityUnits": 50, "WriteCapacityUnits": 20}
KEYS = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}
INDEX = {
    "IndexName": "by-status",
    "IndexStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def fleet(world: World, tables: int) -> None:
    """So many tables, spread evenly: each tenth refuses writes, each fourth is not used, each fifth has an index."""
    places = [(account, region) for account in ACCOUNTS for region in REGIONS]
    for account in ACCOUNTS:
        world.regions.enable_only(account, *REGIONS)
    for number in range(tables):
        _put_table(world, number, *places[number % len(places)])
    for account, region in places[:2]:
        world.keyspaces.put_table(account, region, {"keyspaceName": "shop", "tableName": "jobs"})
    world.dax.put_cluster(ACCOUNTS[0], REGIONS[0], {"ClusterName": "front"}, nodes=2)


def profiles(folder: Path) -> Path:
    """An AWS configuration with one profile for each account, a and b, and c that is the same as a."""
    path = folder / "aws-config"
    keys = dict(zip("abc", (*ACCOUNTS, ACCOUNTS[0]), strict=True))
    path.write_text(
        "".join(
            f"[profile {name}]\nregion = {REGIONS[0]}\naws_access_key_id = {key}\naws_secret_access_key = s\n"
            for name, key in keys.items()
        )
    )
    return path


def _put_table(world: World, number: int, account: str, region: str) -> None:
    name = f"table-{number:03}"
    billing = {"BillingMode": "PROVISIONED" if number % 3 == 0 else "PAY_PER_REQUEST"}
    more = {"GlobalSecondaryIndexes": [INDEX]} if number % 5 == 0 else {}
    units = {"ProvisionedThroughput": UNITS} if number % 3 == 0 else {}
    created = world.now() - 400 * DAY
    world.dynamodb.put_table(
        account,
        region,
        {"TableName": name, "CreationDateTime": created, "BillingModeSummary": billing, **units, **KEYS, **more},
    )
    if number % 4:
        _serve(world, name, account, region)
    if number % 10 == 3:
        for metric in ("WriteThrottleEvents", REASON):
            _put(world, (account, region), Metric.dynamodb(metric, TableName=name), 900)


def _serve(world: World, name: str, account: str, region: str) -> None:
    """Two weeks of a steady load."""
    for metric in ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"):
        _put(world, (account, region), Metric.dynamodb(metric, TableName=name), 600, minutes=15 * 1_440)
    latency = Metric.dynamodb("SuccessfulRequestLatency", TableName=name, Operation="PutItem")
    _put(world, (account, region), latency, 6_000)


def _put(world: World, place: tuple[str, str], metric: Metric, value: float, *, minutes: int = 300) -> None:
    now = int(world.now()) // 60 * 60
    points = Points.regular(start=now - minutes * 60, sum=np.full(minutes, value))
    world.put(*place, metric, points)
