"""A missing server is loud, and in CI it is a failure; tests of one server share a worker; soak waits to be asked."""

from pathlib import Path

import pytest

from tests.servers.components import in_order

ROOT = Path(__file__).parents[2]
CONFTEST = """
import dataclasses
from tests.servers import components
from tests.servers.plugin import *

chromium = components.COMPONENTS["chromium"]
components.COMPONENTS["chromium"] = dataclasses.replace(chromium, is_here=lambda: False)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}\nmarkers =\n  server\n  soak\n")
    pytester.makeconftest(CONFTEST)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_a_missing_server_is_one_loud_line(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n@pytest.mark.server('chromium')\n@pytest.mark.parametrize('n', [1, 2])\ndef test(n): 0"
    )

    result = run(project, "-n", "2")

    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines("NOT RUN: 2 tests need Chromium: install it (Debian: apt-get install chromium)")


def test_a_missing_server_fails_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    project.makepyfile("import pytest\n@pytest.mark.server('chromium')\ndef test(): pass")

    result = run(project)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*needs Chromium: install it (Debian: apt-get install chromium)*")


def test_tests_of_one_server_run_in_one_worker(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.replace("False", "True"))
    project.makepyfile(
        """
        import pytest
        SEEN = []
        @pytest.mark.server("chromium")
        @pytest.mark.parametrize("n", range(4))
        def test(n):
            SEEN.append(n)
            assert len(SEEN) == n + 1
        """
    )

    run(project, "-n", "2", "--dist", "loadgroup").assert_outcomes(passed=4)


@pytest.mark.parametrize(("chosen", "passed"), [("", 1), ("soak", 1), ("soak or not soak", 2)])
def test_soak_runs_only_when_asked_for(project: pytest.Pytester, chosen: str, passed: int) -> None:
    project.makepyfile("import pytest\n@pytest.mark.soak\ndef test_long(): 0\ndef test_short(): 0")

    run(project, "-m", chosen).assert_outcomes(passed=passed, deselected=2 - passed)


def test_the_dearest_server_decides_the_worker() -> None:
    assert in_order(["prometheus", "cassandra", "prometheus"]) == ["cassandra", "prometheus"]


def test_an_unknown_server_is_a_mistake_in_the_test() -> None:
    with pytest.raises(ValueError, match="no such server: cassandre; there are cassandra, postgresql"):
        in_order(["cassandre"])
