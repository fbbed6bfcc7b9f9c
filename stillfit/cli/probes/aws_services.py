"""How the permissions of Keyspaces and DAX are tried, where the configuration names those services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from collector.aws.connection import Connection

ABSENT = "stillfit-doctor-asks"
"""A cluster that does not exist: "not found" from it proves the permission as well as an answer does."""

Ask = Callable[[Connection, str, datetime], object]
"""Asks with a connection, for REGION:ACCOUNT, at a time. Raises SourceError."""


def asks_of(services: Iterable[str]) -> Iterator[tuple[str, Ask]]:
    """Each permission of these services with how it is tried."""
    for service in dict.fromkeys(services):
        yield from ASKS.get(service, {}).items()


def _keyspaces(connection: Connection, _place: str, _now: datetime) -> object:
    return connection.call("keyspaces", "ListKeyspaces", "the doctor", expect="keyspaces")


def _clusters(connection: Connection, _place: str, _now: datetime) -> object:
    return connection.call("dax", "DescribeClusters", "the doctor", expect="Clusters")


def _parameters(connection: Connection, _place: str, _now: datetime) -> object:
    asked = {"ParameterGroupName": ABSENT}
    return connection.call("dax", "DescribeParameters", "the doctor", expect="Parameters", **asked)


def _tags(connection: Connection, place: str, _now: datetime) -> object:
    arn = f"arn:aws:dax:{place}:cache/{ABSENT}"
    return connection.call("dax", "ListTags", "the doctor", expect="Tags", ResourceName=arn)


ASKS: Mapping[str, Mapping[str, Ask]] = {
    "keyspaces": {"cassandra:Select": _keyspaces},
    "dax": {"dax:DescribeClusters": _clusters, "dax:DescribeParameters": _parameters, "dax:ListTags": _tags},
}
