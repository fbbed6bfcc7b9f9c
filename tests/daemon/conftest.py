"""A clock that runs fast, and a store that goes by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit.clock import Clock, FakeClock, ScaledClock
from stillfit.store.store import Store
from tests.daemon.bench import FAST


@pytest.fixture
def clock() -> Clock:
    return ScaledClock(FakeClock().now(), FAST)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()
