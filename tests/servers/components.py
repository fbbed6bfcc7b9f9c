"""The real servers that tests may ask for: which are here, and what to install for those that are not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.servers.cassandra_files import VERSION, library
from tests.servers.chromium import chromium
from tests.servers.java import java
from tests.servers.postgresql import binaries


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    name: str
    is_here: Callable[[], bool]
    install: str

    def lacking(self, tests: int) -> str:
        return f"NOT RUN: {tests} test{'s need' if tests != 1 else ' needs'} {self.name}: {self.install}"


def _cassandra_is_here() -> bool:
    return java() is not None and (library() / f"cassandra-all-{VERSION}.jar").exists()


def _prometheus_is_here() -> bool:
    return all(map(shutil.which, ("prometheus", "promtool")))


# The order says who shares a worker with whom: a test of several components runs with the first, which is the dearest.
COMPONENTS = {
    "cassandra": Component(
        name="Cassandra", is_here=_cassandra_is_here, install="install a JDK 17 (or 11) and Maven, then `make servers`"
    ),
    "postgresql": Component(
        name="PostgreSQL",
        is_here=lambda: binaries() is not None,
        install="install its server (Debian: apt-get install postgresql)",
    ),
    "prometheus": Component(
        name="Prometheus", is_here=_prometheus_is_here, install="install it (Debian: apt-get install prometheus)"
    ),
    "victoriametrics": Component(
        name="VictoriaMetrics",
        is_here=lambda: shutil.which("victoria-metrics") is not None,
        install="install it (Debian: apt-get install victoria-metrics)",
    ),
    "chromium": Component(
        name="Chromium",
        is_here=lambda: chromium() is not None,
        install="install it (Debian: apt-get install chromium)",
    ),
    "aws-cli": Component(
        name="AWS CLI",
        is_here=lambda: shutil.which("aws") is not None,
        install="install it (Debian: apt-get install awscli)",
    ),
}


def in_order(names: Iterable[str]) -> list[str]:
    """The names as COMPONENTS lists them; an unknown one is a mistake in a test."""
    wanted = set(names)
    if unknown := wanted - COMPONENTS.keys():
        raise ValueError(f"no such server: {', '.join(sorted(unknown))}; there are {', '.join(COMPONENTS)}")
    return [name for name in COMPONENTS if name in wanted]
