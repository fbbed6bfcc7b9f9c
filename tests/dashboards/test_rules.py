"""Rules as promtool sees them, and complete for whoever is woken by them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dashboards.expressions import DASHBOARDS, ROOT, RULES
from tests.servers.prometheus import promtool

TESTS = DASHBOARDS / "prometheus" / "tests" / "stillfit.tests.yml"
ALERTS = [
    pytest.param(rule, id=rule["alert"])
    for path in RULES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


@pytest.mark.parametrize("rule", ALERTS)
def test_every_alert_says_what_why_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}


@pytest.mark.parametrize("rule", ALERTS)
def test_every_runbook_is_a_heading_of_our_own_page(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("/blob/main/")[2].partition("#")

    assert f"### {anchor}\n" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", ALERTS)
def test_every_alert_is_tried(rule: dict[str, Any]) -> None:
    assert re.search(rf"\b{rule['alert']}\b", TESTS.read_text(encoding="utf-8"))


@pytest.mark.server("prometheus")
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_promtool_takes_the_rules(path: Path) -> None:
    checked = promtool("check", "rules", path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.server("prometheus")
def test_the_rules_fire_stay_silent_and_resolve() -> None:
    tried = promtool("test", "rules", TESTS)

    assert tried.returncode == 0, tried.stdout + tried.stderr


@pytest.mark.server("prometheus")
def test_promtool_takes_the_scrape_configuration() -> None:
    checked = promtool("check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "2 rule files found" in checked.stdout
