"""A world that sells and bills, served over HTTP, and a connection to its us-east-1."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.standins.aws import AwsStandIn, Faults, World
from tests.standins.hangup import PATIENT

OpenAccess = Callable[..., Access]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys that nobody registered, and no file of the person who runs the tests."""
    nowhere = str(tmp_path_factory.getbasetemp() / "no-such-file")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(now=lambda: clock.now().timestamp(), faults=Faults(seed=7, sleep=lambda _: None))


@pytest.fixture
def aws(world: World) -> Iterator[AwsStandIn]:
    with AwsStandIn(world) as stand_in:
        yield stand_in


@pytest.fixture
def access(aws: AwsStandIn, clock: FakeClock) -> Iterator[OpenAccess]:
    """access() signs in to us-east-1 of the stand-in."""
    made: list[Access] = []

    def open_one(**target: Any) -> Access:
        where = AwsTarget(**({"region": "us-east-1", "endpoint_url": aws.url} | target))
        made.append(Access(where, clock, patience=PATIENT))
        made[-1].open()
        return made[-1]

    yield open_one
    for each in made:
        each.close()
