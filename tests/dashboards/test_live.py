"""Every query that we ship, asked of a real Prometheus that scrapes the real daemon on its simulated fleet."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards.expressions import BOARDS, RULES, Asked, of_board, of_rules, substituted
from tests.servers.process import free_ports, running
from tests.servers.prometheus import PrometheusServer

pytestmark = [pytest.mark.server("prometheus"), pytest.mark.xdist_group("live dashboards")]

MAY_BE_EMPTY = {
    "annotation Advice opened": "advice opens at a moment; it is asked for over the whole run below",
}
SETTLED = "count(stillfit_advice_active == 1) >= 3 and count(stillfit_target_up == 1) == 2"
SHOWN = [pytest.param(one, id=one.where) for path in BOARDS for one in of_board(path) if one.where not in MAY_BE_EMPTY]
RECORDED = [pytest.param(one, id=one.where) for path in RULES for one in of_rules(path)]
START_S = 600.0


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that has scraped a demo long enough for its story to show."""
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("demo") / "log"
    program = "from stillfit.cli import main; main()"
    command = [sys.executable, "-c", program, "demo", "--headless", f"--port={port}", "--speed=120"]
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as demo:
        try:
            with running(PrometheusServer(f"127.0.0.1:{port}", rule_files=RULES)) as server:
                _settle(server, demo, log)
                yield server
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(120)


def _settle(server: PrometheusServer, demo: subprocess.Popen[bytes], log: Path) -> None:
    try:
        server.wait_for(SETTLED, timeout=START_S)
        server.wait_for("rate(stillfit_collect_duration_seconds_count[5s])")
    except AssertionError as late:
        said = log.read_text()[-4_000:]
        raise AssertionError(f"{late}; the demo ended with {demo.poll()} and said:\n{said}") from late


@pytest.mark.parametrize("asked", SHOWN)
def test_every_panel_variable_and_annotation_has_rows(prometheus: PrometheusServer, asked: Asked) -> None:
    """At some time: a gauge goes away while what it tells of is not known, as on a machine too busy for this pace."""
    rows = prometheus.wait_for(substituted(asked.expr), timeout=START_S)

    assert not all(math.isnan(row.value) for row in rows)


@pytest.mark.parametrize("asked", RECORDED)
def test_every_rule_can_be_evaluated(prometheus: PrometheusServer, asked: Asked) -> None:
    prometheus.query(substituted(asked.expr))


def test_advice_that_opened_is_marked(prometheus: PrometheusServer) -> None:
    (asked,) = (one for path in BOARDS for one in of_board(path) if one.where in MAY_BE_EMPTY)

    over_the_run = substituted(asked.expr, "10m").replace("> 0", ">= 0")

    assert prometheus.query(over_the_run)


def test_standing_advice_becomes_an_alert(prometheus: PrometheusServer) -> None:
    rows = prometheus.wait_for('ALERTS{alertname=~"StillfitAdvice.*",alertstate="firing"}')

    assert {row.labels["severity"] for row in rows} <= {"critical", "warning", "info"}


def test_a_healthy_daemon_raises_no_alarm_on_itself(prometheus: PrometheusServer) -> None:
    firing = 'ALERTS{alertname=~"Stillfit(Down|StoreRefuses|LoopHangs|JobCrashes)",alertstate="firing"}'

    assert prometheus.query(firing) == []


def test_ratios_are_ratios(prometheus: PrometheusServer) -> None:
    rows = [*prometheus.query("stillfit_evidence_coverage"), *prometheus.query("stillfit_target_up")]

    assert all(0.0 <= row.value <= 1.0 for row in rows)
