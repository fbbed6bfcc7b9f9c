"""A simulated account, a source that reads it, and what a cycle brought, in a form that tests can ask."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from collector.aws.source import AwsSource
from collector.aws.spending.plan import SHOWN_AFTER_S
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.model import AttributeChange, Batch, Engine, Gap, Series, Statistic, Subject, Value
from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, World

REGION = "eu-west-1"
SCOPE = (DEFAULT_ACCOUNT, REGION)
ORDERS = Subject(engine=Engine.DYNAMODB, scope=SCOPE, table="orders")
BY_STATUS = Subject(engine=Engine.DYNAMODB, scope=SCOPE, table="orders", index="by-status")
NOON = int(FakeClock().now().timestamp())
KNOWN_TO = NOON - SHOWN_AFTER_S
"""Up to where a look at noon vouches: what is younger may not be shown yet."""

OpenSource = Callable[..., AwsSource]


def provisioned(name: str = "orders", *, reads: int = 10, writes: int = 5, **more: Any) -> dict[str, Any]:
    """A table with one index, as DescribeTable tells it."""
    units = {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}
    index = {
        "IndexName": "by-status",
        "IndexStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "ProvisionedThroughput": units,
        "IndexSizeBytes": 500,
        "ItemCount": 5,
    }
    return {
        "TableName": name,
        "ProvisionedThroughput": units,
        "GlobalSecondaryIndexes": [index],
        "TableSizeBytes": 1_000,
        "ItemCount": 10,
        **more,
    }


def on_demand(name: str = "carts", **more: Any) -> dict[str, Any]:
    return {"TableName": name, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}, **more}


def put_table(world: World, description: dict[str, Any], *, region: str = REGION) -> None:
    world.dynamodb.put_table(DEFAULT_ACCOUNT, region, description)


def put(world: World, name: str, values: Iterable[float], *, end: int = NOON, unit: str = "Count", **dims: str) -> None:
    """Minute points of one metric that end at `end`; dimensions TableName="orders" unless given."""
    row = np.asarray(list(values), dtype=float)
    metric = Metric.dynamodb(name, **({"TableName": "orders"} | dims))
    world.put(DEFAULT_ACCOUNT, REGION, metric, Points.regular(start=end - 60 * len(row), sum=row, unit=unit))


@dataclass(frozen=True)
class Brought:
    """All batches of one cycle."""

    batches: tuple[Batch, ...]

    @property
    def series(self) -> tuple[Series, ...]:
        return tuple(series for batch in self.batches for series in batch.series)

    @property
    def listed(self) -> Batch:
        """The one that tells what there is, and how it is set."""
        return next((batch for batch in self.batches if batch.attributes or batch.inventory), self.batches[0])

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for batch in self.batches for gap in batch.gaps)

    @property
    def standing(self) -> tuple[Gap, ...]:
        """Without those before the tables were listed: there a look repeats why the one before could not list them."""
        first = self.batches.index(self.listed)
        return tuple(gap for batch in self.batches[first:] for gap in batch.gaps)

    @property
    def changes(self) -> tuple[AttributeChange, ...]:
        return tuple(change for batch in self.batches for change in batch.changes)

    def all(self, metric: str, subject: Subject = ORDERS, statistic: Statistic = Statistic.SUM) -> list[Series]:
        found = (one for one in self.series if (one.subject, one.metric, one.statistic) == (subject, metric, statistic))
        return sorted(found, key=lambda one: (one.covered, one.dimension))

    def one(self, metric: str, subject: Subject = ORDERS, statistic: Statistic = Statistic.SUM) -> Series:
        (found,) = self.all(metric, subject, statistic)
        return found

    def settings(self, subject: Subject = ORDERS) -> dict[str, Value]:
        (found,) = (one for batch in self.batches for one in batch.attributes if one.subject == subject)
        return dict(found.values)

    def missing(self, subject: Subject = ORDERS) -> dict[str, str]:
        """What is missing and why."""
        return {gap.missing: gap.reason.value for gap in self.gaps if gap.subject == subject}


def cycle(source: Source, clock: FakeClock, *, since_s: int | None = 300) -> Brought:
    """One cycle up to now; `since_s` seconds ago the last one ended, None for a first look."""
    until = clock.now()
    since: datetime | None = None if since_s is None else until - timedelta(seconds=since_s)
    return Brought(tuple(source.collect(since, until)))
