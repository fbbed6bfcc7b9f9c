"""Tables of a simulated account, as tests of the command line put them."""

from typing import Any

import numpy as np

from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, World
from stillfit.standins.aws.dynamodb_state import Extras
from stillfit.standins.aws.insight_rules import rule_name

REGION = "eu-west-1"
DAY = 86_400
REASON = "WriteKeyRangeThroughputThrottleEvents"


def put(world: World, name: str, value: float, *, minutes: int = 300, region: str = REGION, **dims: str) -> None:
    """A metric of so many points a minute up to now."""
    now = int(world.now()) // 60 * 60
    points = Points.regular(start=now - minutes * 60, sum=np.full(minutes, value))
    world.put(DEFAULT_ACCOUNT, region, Metric.dynamodb(name, **({"TableName": "orders"} | dims)), points)


def put_table(world: World, name: str, *, region: str = REGION, **more: Any) -> None:
    keys = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "CreationDateTime": world.now() - 400 * DAY,
    }
    world.dynamodb.put_table(DEFAULT_ACCOUNT, region, {"TableName": name, **keys, **more})


def record_keys(world: World, table: str, **contributors: float) -> None:
    """Switch Contributor Insights on, and have each key consume so much a minute for half an hour."""
    rule, now = rule_name("PKC", table), int(world.now()) // 60 * 60
    on = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": [rule]}
    description = {"TableName": table, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, description, Extras(contributor_insights={None: on}))
    minutes = [now - 60 * back for back in range(1, 31)]
    keys: dict[tuple[str, ...], dict[int, float]] = {
        (key,): dict.fromkeys(minutes, value) for key, value in contributors.items()
    }
    world.insights.put(DEFAULT_ACCOUNT, REGION, rule, keys)
