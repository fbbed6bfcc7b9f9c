"""One suite for both databases: `url` is an empty SQLite folder or an empty PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit.clock import FakeClock
from stillfit.store.store import Store
from tests.store.builders import BALLAST

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/stillfit.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def store(url: str, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(url, clock=clock, ballast_bytes=BALLAST)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "stillfit.db"


@pytest.fixture
def sqlite_store(sqlite_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{sqlite_path}", clock=clock, ballast_bytes=BALLAST)
    yield opened
    opened.close()
