"""A world under a fake clock, served over HTTP, and sources that read it: patient, but soon done with what hangs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.standins.aws import AwsStandIn, Faults, World
from tests.collector.aws.kit import REGION, OpenSource, provisioned, put_table
from tests.collector.aws.services import OpenService
from tests.standins.hangup import PATIENT, hanging_up


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


@pytest.fixture(autouse=True)
def hangs_up() -> Iterator[None]:
    """What never ends is ended at once, so that nobody is impatient with what is healthy."""
    with hanging_up():
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    """One account with the table orders and its index by-status."""
    world = World(now=lambda: clock.now().timestamp(), faults=Faults(seed=7, sleep=lambda _: None))
    put_table(world, provisioned())
    return world


@pytest.fixture
def aws(world: World) -> Iterator[AwsStandIn]:
    with AwsStandIn(world) as stand_in:
        yield stand_in


@pytest.fixture
def opened(aws: AwsStandIn, clock: FakeClock) -> Iterator[OpenSource]:
    """opened(include=..., attempts=2) gives a source, closed afterwards."""
    sources: list[AwsSource] = []

    def open_one(*, attempts: int = 1, **target: Any) -> AwsSource:
        where = AwsTarget(**({"region": REGION, "endpoint_url": aws.url} | target))
        sources.append(open_source(where, clock, patience=replace(PATIENT, attempts=attempts)))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


@pytest.fixture
def served(aws: AwsStandIn, clock: FakeClock) -> Iterator[OpenService]:
    """served(Keyspaces, include=..., attempts=2) gives a source of that service, closed afterwards."""
    sources: list[ServiceSource] = []

    def open_one(service: type[Keyspaces | Dax], *, attempts: int = 1, **target: Any) -> Any:
        where = AwsTarget(**({"region": REGION, "endpoint_url": aws.url} | target))
        access = Access(where, clock, patience=replace(PATIENT, attempts=attempts))
        sources.append(ServiceSource(access, service(access)))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


@pytest.fixture
def source(opened: OpenSource) -> AwsSource:
    return opened()
