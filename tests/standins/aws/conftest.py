"""One world at a fixed time, served over HTTP, and boto3 clients for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stillfit.standins.aws import AwsStandIn, Faults, World
from tests.standins.aws.kit import NOW, client


class Clock:
    """Epoch seconds that tests move by hand; also the faults' sleep."""

    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(now=clock.now, faults=Faults(seed=7, sleep=clock.sleep))


@pytest.fixture
def aws(world: World) -> Iterator[AwsStandIn]:
    with AwsStandIn(world) as stand_in:
        yield stand_in


@pytest.fixture
def connect(aws: AwsStandIn) -> Iterator[Callable[..., Any]]:
    """connect("cloudwatch", region=..., access_key=..., protocol=...) gives a boto3 client, closed afterwards."""
    opened: list[Any] = []

    def open_client(service: str, **options: str) -> Any:
        opened.append(client(aws.url, service, **options))
        return opened[-1]

    yield open_client
    for each in opened:
        each.close()


@pytest.fixture
def cloudwatch(connect: Callable[..., Any]) -> Any:
    return connect("cloudwatch")
