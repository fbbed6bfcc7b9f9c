"""The fleet's tables as CloudWatch and DynamoDB tell them: metrics on demand, settings as descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from stillfit.demo.noise import Floats, Times, uniform
from stillfit.demo.story import IndexPlan, Story, TablePlan
from stillfit.demo.tables import Minutes, TableModel
from stillfit.standins.aws import Metric, Points, World

MINUTE = 60

Measure = Callable[[Times], Points]


class Cloud:
    """Answers for one region of the story; the same question always gets the same answer."""

    def __init__(self, story: Story, zero: int) -> None:
        self._measures: dict[Metric, Measure] = {}
        for plan in story.tables:
            model = TableModel(plan, zero=zero, seed=story.seed)
            self._measures.update(_measures(model, story.seed))

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        """What has a point in the window; throttle metrics exist only where something was refused."""
        return [metric for metric, measure in self._measures.items() if len(measure(_minutes(start, end)).times)]

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        measure = self._measures.get(metric)
        return measure(_minutes(start, end)) if measure else None


def furnish(world: World, story: Story, zero: int) -> None:
    """Put the whole story into a simulated AWS."""
    place = (story.account, story.region)
    world.provide(*place, Cloud(story, zero))
    for plan in story.tables:
        model = TableModel(plan, zero=zero, seed=story.seed)
        world.dynamodb.put_table(*place, _description(plan, model.size_bytes(zero)))
        for target in _scalable_targets(plan):
            world.scaling.put_target(*place, target)
            world.scaling.put_policy(*place, _policy(target))


def _minutes(start: float, end: float) -> Times:
    first = -(-int(start) // MINUTE) * MINUTE
    return np.arange(first, int(np.ceil(end)), MINUTE, dtype=np.int64)


def _measures(model: TableModel, seed: int) -> Iterator[tuple[Metric, Measure]]:
    name = model.plan.name
    for direction, behaviour in (("Read", model.reads), ("Write", model.writes)):
        operation = "Query" if direction == "Read" else "PutItem"
        yield from _capacity(direction, behaviour, {"TableName": name})
        yield from _requests(operation, behaviour, name, seed)
        capacity = model.plan.read_capacity if direction == "Read" else model.plan.write_capacity
        if capacity:
            yield _level(f"Provisioned{direction}CapacityUnits", capacity, {"TableName": name})
    for index in model.plan.indexes:
        dimensions = {"TableName": name, "GlobalSecondaryIndexName": index.name}
        yield from _capacity("Read", model.index_reads, dimensions)
        yield from _capacity("Write", _of_index(model, index), dimensions)
        if index.capacity:
            yield _level("ProvisionedWriteCapacityUnits", index.capacity, dimensions)


def _of_index(model: TableModel, index: IndexPlan) -> Callable[[Times], Minutes]:
    return lambda times: model.index_writes(index, times)


def _capacity(
    direction: str, behaviour: Callable[[Times], Minutes], dimensions: Mapping[str, str]
) -> Iterator[tuple[Metric, Measure]]:
    def consumed(times: Times) -> Points:
        rows = behaviour(times)
        units = np.round(rows.consumed * MINUTE)
        return Points(
            times=times, sum=units, count=np.maximum(rows.served, 1), minimum=rows.unit, maximum=rows.unit * 4
        )

    yield Metric.dynamodb(f"Consumed{direction}CapacityUnits", **dimensions), consumed
    refusals: tuple[tuple[str, Callable[[Minutes], Floats]], ...] = (
        ("", lambda rows: rows.refused),
        ("KeyRangeThroughput", lambda rows: rows.refused_key_range),
        ("ProvisionedThroughput", lambda rows: rows.refused_provisioned),
    )
    for reason, count in refusals:
        yield Metric.dynamodb(f"{direction}{reason}ThrottleEvents", **dimensions), _events(behaviour, count)


def _events(behaviour: Callable[[Times], Minutes], count: Callable[[Minutes], Floats]) -> Measure:
    """A sparse counter: a minute in which nothing was refused has no point."""

    def events(times: Times) -> Points:
        refused = count(behaviour(times))
        return Points(times=times, sum=np.where(refused > 0, refused, np.nan), count=np.maximum(refused, 1))

    return events


def _requests(
    operation: str, behaviour: Callable[[Times], Minutes], table: str, seed: int
) -> Iterator[tuple[Metric, Measure]]:
    def latency(times: Times) -> Points:
        served = np.maximum(behaviour(times).served, 0)
        mean = 2.5 + 2.0 * uniform(times, f"{table}/{operation}/latency", seed)
        return Points(
            times=times,
            sum=np.where(served > 0, mean * served, np.nan),
            count=np.maximum(served, 1),
            minimum=mean * 0.4,
            maximum=mean * 9,
            percentiles={50.0: mean * 0.9, 99.0: mean * 3.2},
            unit="Milliseconds",
        )

    yield Metric.dynamodb("SuccessfulRequestLatency", TableName=table, Operation=operation), latency
    failed = _events(behaviour, lambda rows: rows.failed)
    yield Metric.dynamodb("ThrottledRequests", TableName=table, Operation=operation), failed


def _level(name: str, value: float, dimensions: Mapping[str, str]) -> tuple[Metric, Measure]:
    def level(times: Times) -> Points:
        kept = times[times % 300 == 0]  # published every five minutes
        row = np.full(len(kept), float(value))
        return Points(times=kept, sum=row, count=np.ones(len(kept)), minimum=row, maximum=row)

    return Metric.dynamodb(name, **dimensions), level


def _description(plan: TablePlan, size_bytes: int) -> dict[str, Any]:
    keys = {"id", *(index.key for index in plan.indexes)}
    return {
        "TableName": plan.name,
        "TableStatus": "ACTIVE",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST" if plan.on_demand else "PROVISIONED"},
        "ProvisionedThroughput": _throughput(plan.read_capacity, plan.write_capacity),
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in sorted(keys)],
        "TableSizeBytes": size_bytes,
        "ItemCount": plan.items,
        **(
            {"GlobalSecondaryIndexes": [_index(plan, index, size_bytes) for index in plan.indexes]}
            if plan.indexes
            else {}
        ),
    }


def _index(plan: TablePlan, index: IndexPlan, size_bytes: int) -> dict[str, Any]:
    return {
        "IndexName": index.name,
        "IndexStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": index.key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": _throughput(plan.read_capacity, index.capacity),
        "IndexSizeBytes": size_bytes,
        "ItemCount": plan.items,
    }


def _throughput(reads: int, writes: int) -> dict[str, int]:
    return {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes, "NumberOfDecreasesToday": 0}


def _scalable_targets(plan: TablePlan) -> Iterator[dict[str, Any]]:
    if plan.on_demand or plan.indexes:
        return  # the starved index belongs to a table whose capacity somebody set by hand
    for kind, capacity in (("Read", plan.read_capacity), ("Write", plan.write_capacity)):
        yield {
            "ResourceId": f"table/{plan.name}",
            "ScalableDimension": f"dynamodb:table:{kind}CapacityUnits",
            "MinCapacity": capacity,
            "MaxCapacity": capacity * 4,
        }


def _policy(target: Mapping[str, Any]) -> dict[str, Any]:
    kind = "Read" if "Read" in target["ScalableDimension"] else "Write"
    return {
        "PolicyName": f"{target['ResourceId']}-{kind}",
        "ResourceId": target["ResourceId"],
        "ScalableDimension": target["ScalableDimension"],
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": f"DynamoDB{kind}CapacityUtilization"},
        },
    }
