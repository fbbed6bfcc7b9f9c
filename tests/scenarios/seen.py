"""Lets a scenario tell its steps where everybody sees them: at the end of the test run, captured or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

STEP = "scenario step"

Say = Callable[[str], None]


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """`say("...")`: one line of what just happened."""

    def told(line: str) -> None:
        print(line)
        request.node.user_properties.append((STEP, line))

    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for report in reports:
        steps = [line for key, line in report.user_properties if key == STEP and report.when == "call"]
        if steps:
            terminalreporter.section(f"{report.nodeid.rpartition('::')[2]}: {report.outcome}")
            for line in steps:
                terminalreporter.write_line(line)
