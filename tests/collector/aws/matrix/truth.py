"""What the stand-in measured of the small fleet, by the minute, and what a source has vouched for of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from collector.aws.spending.plan import SETTLE_S
from stillfit.model import Series, Statistic, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, World
from tests.collector.aws.kit import BY_STATUS, ORDERS, REGION
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES
from tests.collector.aws.services import FRONT, JOBS

Key = tuple[Subject, str, Statistic]
Truth = Mapping[Key, Mapping[int, float]]
"""By metric, the value of each minute that has one."""

_OF_ORDERS = {"TableName": "orders"}
_OF_INDEX = _OF_ORDERS | {"GlobalSecondaryIndexName": "by-status"}
_OF_JOBS = {"Keyspace": "shop", "TableName": "jobs"}
MEASURED: Mapping[str, Mapping[Key, Metric]] = {
    DYNAMODB: {
        (ORDERS, "consumed_read_units", Statistic.SUM): Metric.dynamodb("ConsumedReadCapacityUnits", **_OF_ORDERS),
        (ORDERS, "read_throttle_events", Statistic.SUM): Metric.dynamodb("ReadThrottleEvents", **_OF_ORDERS),
        (ORDERS, "write_throttle_events", Statistic.SUM): Metric.dynamodb("WriteThrottleEvents", **_OF_ORDERS),
        (BY_STATUS, "consumed_write_units", Statistic.SUM): Metric.dynamodb("ConsumedWriteCapacityUnits", **_OF_INDEX),
        (BY_STATUS, "write_throttle_events", Statistic.SUM): Metric.dynamodb("WriteThrottleEvents", **_OF_INDEX),
    },
    KEYSPACES: {
        (JOBS, "keyspaces_consumed_read_units", Statistic.SUM): Metric.of(
            "AWS/Cassandra", "ConsumedReadCapacityUnits", _OF_JOBS
        ),
    },
    DAX: {
        (FRONT, "dax_requests", Statistic.SUM): Metric.of("AWS/DAX", "TotalRequestCount", {"ClusterId": "front"}),
    },
}


def measured(world: World, source: str, minutes: range, seed: int) -> Truth:
    """Put whole numbers for all minutes; throttles in one of eight, and no point otherwise."""
    chance = np.random.default_rng(seed)
    truth: dict[Key, dict[int, float]] = {}
    for key, metric in MEASURED[source].items():
        row = chance.integers(1, 1_000, len(minutes)).astype(float) * 3
        if is_throttling(key):
            row[chance.random(len(row)) > 1 / 8] = np.nan
        world.put(DEFAULT_ACCOUNT, REGION, metric, Points.regular(start=minutes[0], sum=row))
        truth[key] = {at: value for at, value in zip(minutes, row.tolist(), strict=True) if not np.isnan(value)}
    return truth


def is_throttling(key: Key) -> bool:
    return "throttle" in key[1]


@dataclass
class Known:
    """What was vouched for of one metric: the minutes, and the points in them."""

    points: dict[int, float] = field(default_factory=dict)
    minutes: set[int] = field(default_factory=set)

    def take(self, series: Series, now: int) -> None:
        """A later answer overrules an earlier one, as in the store. What is younger than settled nobody judges yet."""
        told = {at for span in series.covered for at in range(span.start, span.end, 60) if at < now - SETTLE_S}
        points = dict(zip(series.times.tolist(), series.values.tolist(), strict=True))
        self.points = {at: value for at, value in self.points.items() if at not in told}
        self.points |= {at: value for at, value in points.items() if at in told}
        self.minutes |= told


def key_of(series: Series) -> Key:
    return series.subject, series.metric, series.statistic


def twice(series: Iterable[Series]) -> list[tuple[object, int]]:
    """The points that came more than once."""
    found = Counter((one.key, at) for one in series for at in one.times.tolist())
    return [point for point, count in found.items() if count > 1]
