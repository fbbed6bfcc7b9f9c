"""A small world to try clients on: three tables in one region, with a day and a half of measurements."""

from collections.abc import Callable, Iterable

import numpy as np

from stillfit.standins.aws.dynamodb_state import Extras
from stillfit.standins.aws.identities import DEFAULT_ACCOUNT
from stillfit.standins.aws.points import Floats, Metric, Points, Times
from stillfit.standins.aws.world import World

REGION = "eu-west-1"
HISTORY_S = 36 * 3_600
DAY = 86_400
# Requests a minute at the top of the day, and the share of minutes with throttled ones.
TABLES = {"orders": (6_000.0, 0.05), "sessions": (1_500.0, 0.0), "audit-log": (20.0, 0.0)}


class DailyWave:
    """Provides consumed, served and throttled reads of TABLES as a function of time alone."""

    def __init__(self, since: float) -> None:
        self._since = int(since // 60 * 60)

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        every = (metric for table in TABLES for metric in _metrics_of(table))
        return [metric for metric in every if self._points(metric, start, end).times.size]

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        known = dict(metric.dimensions).get("TableName") in TABLES and metric.namespace == "AWS/DynamoDB"
        return self._points(metric, start, end) if known and metric in _metrics_of(_table(metric)) else None

    def _points(self, metric: Metric, start: float, end: float) -> Points:
        first = -(-max(start, self._since) // 60) * 60
        times = np.arange(first, max(first, end), 60, dtype=np.int64)
        return _measured(metric, times)


def sample_world(now: Callable[[], float]) -> World:
    world = World(now=now)
    world.provide(DEFAULT_ACCOUNT, REGION, DailyWave(now() - HISTORY_S))
    for table in TABLES:
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, _description(table), Extras(tags={"team": "shop"}))
    target = {"ResourceId": "table/orders", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    world.scaling.put_target(DEFAULT_ACCOUNT, REGION, {**target, "MinCapacity": 50, "MaxCapacity": 200})
    return world


def _description(table: str) -> dict[str, object]:
    if table == "orders":
        return {"TableName": table, "ProvisionedThroughput": {"ReadCapacityUnits": 90, "WriteCapacityUnits": 10}}
    return {"TableName": table, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}


def _table(metric: Metric) -> str:
    return dict(metric.dimensions)["TableName"]


def _metrics_of(table: str) -> tuple[Metric, ...]:
    names = ("ConsumedReadCapacityUnits", "ReadThrottleEvents")
    served = Metric.dynamodb("SuccessfulRequestLatency", TableName=table, Operation="GetItem")
    return (*(Metric.dynamodb(name, TableName=table) for name in names), served)


def _measured(metric: Metric, times: Times) -> Points:
    top, throttled_share = TABLES[_table(metric)]
    requests = np.floor(top * (0.6 + 0.4 * np.sin(2 * np.pi * times / DAY)))
    if metric.name == "ConsumedReadCapacityUnits":
        return Points(
            times=times, sum=requests * 0.5, count=requests, minimum=_same(times, 0.5), maximum=_same(times, 0.5)
        )
    if metric.name == "SuccessfulRequestLatency":
        low, high = _same(times, 1.5), _same(times, 9.0)
        return Points(times=times, sum=requests * 3.0, count=requests, minimum=low, maximum=high)
    refused = (times // 60 * 2_654_435_761 % 1_000) < 1_000 * throttled_share
    events = np.where(refused, np.floor(requests * 0.01), np.nan)  # no refusal, no point: the metric is sparse
    return Points(times=times, sum=events, count=events)


def _same(times: Times, value: float) -> Floats:
    return np.full(times.size, value)
