"""How pytest treats tests that need a real server, and those that take minutes.

`@pytest.mark.server("cassandra")`, or the mere use of one of the fixtures, says what a test needs. Where that is
missing the test is skipped, and one loud line at the end says what to install; with CI=true it fails. Tests of one
server share a worker of pytest-xdist (`--dist loadgroup`), so that each server starts once. `soak` tests run when `-m`
asks for them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

from tests.servers.components import COMPONENTS, in_order
from tests.servers.process import RUNNING

MISSING = "missing component"
NEEDED_BY_FIXTURE = {
    "cassandra": "cassandra",
    "keyspace": "cassandra",
    "make_cassandra": "cassandra",
    "postgresql": "postgresql",
    "postgresql_url": "postgresql",
    "make_postgresql": "postgresql",
    "make_prometheus": "prometheus",
    "make_victoriametrics": "victoriametrics",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out_soak(config, items)
    for item in items:
        if needed := needs(item):
            item.add_marker(pytest.mark.xdist_group(needed[0]))


def _leave_out_soak(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" in config.option.markexpr:
        return
    soak = [item for item in items if item.get_closest_marker("soak")]
    items[:] = [item for item in items if item not in soak]
    config.hook.pytest_deselected(items=soak)


def needs(item: pytest.Item) -> list[str]:
    """The components a test needs, by its marks and its fixtures."""
    marked = [name for mark in item.iter_markers("server") for name in mark.args]
    fixtures = getattr(item, "fixturenames", ())
    return in_order([*marked, *(NEEDED_BY_FIXTURE[name] for name in fixtures if name in NEEDED_BY_FIXTURE)])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in needs(item):
        component = COMPONENTS[name]
        if component.is_here():
            continue
        reason = f"needs {component.name}: {component.install}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        item.user_properties.append((MISSING, name))
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections.extend(_logs(needs(item)))
    return report


def _logs(names: list[str]) -> list[tuple[str, str]]:
    wanted = tuple(COMPONENTS[name].name for name in names)
    servers = [server for server in RUNNING.values() if server.command.name.startswith(wanted)]
    return [(f"last lines of {server.command.name}", server.tail()) for server in servers]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    missing = Counter(name for report in skipped for key, name in report.user_properties if key == MISSING)
    for name, tests in missing.items():
        terminalreporter.write_line(COMPONENTS[name].lacking(tests), red=True, bold=True)
