"""Worlds with Keyspaces tables and DAX clusters, and the sources that read them."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from collector.aws.service import ServiceSource
from stillfit.model import Engine, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, World
from tests.collector.aws.kit import NOON, REGION, SCOPE

OpenService = Callable[..., ServiceSource]

SHOP = Subject(engine=Engine.KEYSPACES, scope=SCOPE, keyspace="shop")
JOBS = Subject(engine=Engine.KEYSPACES, scope=SCOPE, keyspace="shop", table="jobs")
FRONT = Subject(engine=Engine.DAX, scope=SCOPE, cluster="front")
NODE = Subject(engine=Engine.DAX, scope=SCOPE, cluster="front", node="front-a")
PROVISIONED = {"throughputMode": "PROVISIONED", "readCapacityUnits": 20, "writeCapacityUnits": 5}
_OF_JOBS = {"Keyspace": "shop", "TableName": "jobs"}


def put_jobs(world: World, table: str = "jobs", *, tags: dict[str, str] | None = None, **more: Any) -> None:
    """A table of the keyspace shop, as GetTable tells it."""
    world.keyspaces.put_table(DEFAULT_ACCOUNT, REGION, {"keyspaceName": "shop", "tableName": table, **more}, tags=tags)


def put_front(world: World, *, nodes: int = 2, tags: dict[str, str] | None = None, **more: Any) -> None:
    """The DAX cluster front."""
    world.dax.put_cluster(DEFAULT_ACCOUNT, REGION, {"ClusterName": "front", **more}, nodes=nodes, tags=tags)


def put_cassandra(world: World, name: str, values: Iterable[float], *, end: int = NOON, **dims: str) -> None:
    """Minute points of one AWS/Cassandra metric of shop.jobs."""
    _put(world, Metric.of("AWS/Cassandra", name, _OF_JOBS | dims), values, end)


def put_of_account(world: World, name: str, values: Iterable[float]) -> None:
    """Minute points of one AWS/Cassandra metric without dimensions."""
    _put(world, Metric.of("AWS/Cassandra", name), values, NOON)


def put_dax(world: World, name: str, values: Iterable[float], *, node: str = "", end: int = NOON) -> None:
    """Minute points of one AWS/DAX metric of front, or of a node of it."""
    dims = {"ClusterId": "front"} | ({"NodeId": node} if node else {})
    _put(world, Metric.of("AWS/DAX", name, dims), values, end)


def _put(world: World, metric: Metric, values: Iterable[float], end: int) -> None:
    row = np.asarray(list(values), dtype=float)
    world.put(DEFAULT_ACCOUNT, REGION, metric, Points.regular(start=end - 60 * len(row), sum=row))
