"""The fleet of bench.day_bill: which tables there are, when requests are refused at them, and what CloudWatch tells."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.aws.metrics.queries import CAUSES, CONSUMED, LATENCY, THROTTLED_REQUESTS, THROTTLES, Spec
from collector.aws.spending.plan import Tier
from stillfit.standins.aws import Metric, Points

MINUTE, HOUR = 60, 3_600
OPERATIONS = ("GetItem", "PutItem", "Query")
WIRES = tuple(THROTTLES.values())
EVERY_CAUSE: tuple[Spec, ...] = (*CAUSES["read"], *CAUSES["write"])
OF_INDEX = (*CONSUMED, *WIRES, *EVERY_CAUSE)
INDEX, INDEXED = "by-day", 1
"""The one index there is, and the number of its table, which serves."""
FEW = range(40, 201)
"""Events of a small episode, in all of its minutes: little more than the analyzer calls a handful."""
TOLD_FROM = 30
"""Events from which the analyzer tells (min_events of dynamodb/throttling)."""
_REFUSED = {"WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents"}


@dataclass(frozen=True, slots=True)
class Episode:
    """Requests refused at a table from a minute on, for a while: so many events in each minute."""

    table: int
    begins: int
    minutes: int
    events: int

    @property
    def is_small(self) -> bool:
        return self.events * self.minutes <= FEW[-1]

    @property
    def enough_at(self) -> int:
        """The end of the minute with which enough was refused to be told."""
        return self.begins + MINUTE * -(-TOLD_FROM // self.events)


class Fleet:
    """Tables of three kinds by number: every twentieth is called hot, two of five serve, the others are idle.

    Of each kind some have an episode of hundreds of refused requests a minute, and as many one of a few in all. One
    table has an index, which is dropped when half of the time is over.
    """

    def __init__(self, tables: int, start: int, hours: int, seed: int) -> None:
        rng = random.Random(seed)
        self.tables, self.start = tables, start
        self.drops = start + hours * HOUR // 2 - 5 * MINUTE  # on the beat of no cadence
        kinds = [[n for n in range(tables) if self.kind(n) is tier and n != INDEXED] for tier in Tier]
        chosen = [rng.sample(kind, min(len(kind), 2 * max(1, tables // 15))) for kind in kinds]
        last = start + MINUTE * max(31, hours * 60 - 90)
        self.episodes = tuple(
            _episode(table, rng.randrange(start + 30 * MINUTE, last, MINUTE), rng, few=place % 2 == 1)
            for kind in chosen
            for place, table in enumerate(kind)
        )

    def kind(self, table: int) -> Tier:
        return Tier.HOT if table % 20 == 0 else Tier.WARM if table % 5 in {1, 2} else Tier.COLD

    def name(self, table: int) -> str:
        return f"{self.kind(table)}-{table}"

    def description(self, table: int, at: float) -> Mapping[str, Any]:
        """As DescribeTable tells it."""
        index = {
            "IndexName": INDEX,
            "IndexStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
        }
        indexes = [index] if table == INDEXED and at < self.drops else []
        mode = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        return {"TableName": self.name(table), "GlobalSecondaryIndexes": indexes, **mode}

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        return (metric for metric in self.all() if (points := self.points(metric, start, end)) and len(points.times))

    def all(self) -> Iterator[Metric]:
        for table in range(self.tables):
            name = self.name(table)
            yield from (Metric.dynamodb(spec.name, TableName=name) for spec in (*CONSUMED, *WIRES, *EVERY_CAUSE))
            for operation in OPERATIONS:
                yield Metric.dynamodb(LATENCY.name, TableName=name, Operation=operation)
                yield Metric.dynamodb(THROTTLED_REQUESTS.name, TableName=name, Operation=operation)
        of_index = {"TableName": self.name(INDEXED), "GlobalSecondaryIndexName": INDEX}
        yield from (Metric.dynamodb(spec.name, **of_index) for spec in CONSUMED)

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        dimensions = dict(metric.dimensions)
        if "TableName" not in dimensions:
            return None  # of the account as a whole nothing is published
        table, is_index = int(dimensions["TableName"].rsplit("-", 1)[1]), "GlobalSecondaryIndexName" in dimensions
        first = max(self.start - 2 * HOUR, int(-(-start // MINUTE) * MINUTE))
        times = np.arange(first, int(min(end, self.drops) if is_index else end), MINUTE, dtype=np.int64)
        refused = self._refused(table, times)
        serves = np.full(len(times), self.kind(table) is not Tier.COLD) | (refused > 0)
        if metric.name.startswith("Consumed"):
            values = np.where(serves, 100.0 + (times // MINUTE + table) % 997, 0.0)
            return Points(times=times, sum=values, count=np.full(len(times), 3.0), maximum=values / 2)
        return None if is_index else self._told(metric.name, dimensions, times, refused, serves)

    def _told(
        self,
        name: str,
        dimensions: Mapping[str, str],
        times: NDArray[np.int64],
        refused: NDArray[np.float64],
        serves: NDArray[np.bool_],
    ) -> Points | None:
        """Of a table, what has points only in some minutes."""
        if name == LATENCY.name:
            return Points(
                times=times[serves], sum=np.full(int(serves.sum()), 400.0), count=np.full(int(serves.sum()), 50.0)
            )
        shown = refused > 0
        if name in _REFUSED:
            return Points(times=times[shown], sum=refused[shown], count=np.full(int(shown.sum()), 50.0))
        if name == THROTTLED_REQUESTS.name and dimensions["Operation"] == "PutItem":
            return Points(times=times[shown], sum=np.ceil(refused[shown] / 5))  # an item refused five times is one
        return None

    def _refused(self, table: int, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Events of each minute."""
        refused = np.zeros(len(times))
        for one in self.episodes:
            if one.table == table:
                refused[(times >= one.begins) & (times < one.begins + one.minutes * MINUTE)] += one.events
        return refused


def _episode(table: int, begins: int, rng: random.Random, *, few: bool) -> Episode:
    minutes = rng.randrange(8, 40)
    if not few:
        return Episode(table, begins, minutes, 400 + table)
    events = max(1, rng.choice(FEW) // minutes)
    return Episode(table, begins, max(minutes, -(-FEW[0] // events)), events)
