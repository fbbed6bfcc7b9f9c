"""A world under a fake clock, served over HTTP, and sources that read it with little patience."""

from collections.abc import Iterator
from typing import Any

import pytest

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import FakeClock
from stillfit.standins.aws import AwsStandIn, Faults, World
from stillfit.standins.aws.services import SERVICES
from tests.collector.aws.kit import REGION, OpenSource, provisioned, put_table
from tests.collector.aws.services import OpenService


@pytest.fixture(scope="session", autouse=True)
def models() -> None:
    """The stand-in reads a service's model when it is first asked, which is no part of half a second's patience."""
    for service in SERVICES:
        assert service.model.operation_names


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
    """opened(include=..., attempts=2, read_s=20.0) gives a source, closed afterwards."""
    sources: list[AwsSource] = []

    def open_one(*, attempts: int = 1, read_s: float = 0.5, **target: Any) -> AwsSource:
        where = AwsTarget(**({"region": REGION, "endpoint_url": aws.url} | target))
        patience = Patience(connect_s=1.0, read_s=read_s, attempts=attempts)
        sources.append(open_source(where, clock, patience=patience))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


@pytest.fixture
def served(aws: AwsStandIn, clock: FakeClock) -> Iterator[OpenService]:
    """served(Keyspaces, include=..., attempts=2) gives a source of that service, closed afterwards."""
    sources: list[ServiceSource] = []

    def open_one(service: type[Keyspaces | Dax], *, attempts: int = 1, read_s: float = 0.5, **target: Any) -> Any:
        where = AwsTarget(**({"region": REGION, "endpoint_url": aws.url} | target))
        access = Access(where, clock, patience=Patience(connect_s=1.0, read_s=read_s, attempts=attempts))
        sources.append(ServiceSource(access, service(access)))
        return sources[-1]

    yield open_one
    for source in sources:
        source.close()


@pytest.fixture
def source(opened: OpenSource) -> AwsSource:
    return opened()
