"""One id = one module = one page = one file of cases = one line in ANALYZERS."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzers
from analyzers import ANALYZERS
from stillfit.case import Analyzer
from stillfit.metrics import METRICS

ROOT = Path(__file__).parents[2]
MODULES = {path.stem for path in (ROOT / "analyzers").glob("*.py") if not path.stem.startswith("_")}
each_analyzer = pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda one: one.id)


def stem(analyzer: Analyzer) -> str:
    return analyzer.id.replace("/", "_")


def page(analyzer: Analyzer) -> str:
    return (ROOT / "docs" / "analyzers" / f"{stem(analyzer)}.md").read_text(encoding="utf-8")


def test_every_module_is_listed_and_every_line_has_its_module() -> None:
    assert {stem(one) for one in ANALYZERS} == MODULES


def test_ids_are_listed_once() -> None:
    assert len({one.id for one in ANALYZERS}) == len(ANALYZERS)


@each_analyzer
def test_the_module_holds_the_analyzer_of_its_name(analyzer: Analyzer) -> None:
    assert getattr(analyzers, stem(analyzer)).ANALYZER is analyzer


@each_analyzer
def test_cases_that_a_dba_can_extend_are_there(analyzer: Analyzer) -> None:
    assert (ROOT / "tests" / "cases" / f"{stem(analyzer)}.yaml").exists()


@each_analyzer
def test_the_page_explains_every_cause_and_threshold(analyzer: Analyzer) -> None:
    text = page(analyzer)

    assert [cause for cause in analyzer.causes if f"`{cause}`" not in text] == []
    assert [line.name for line in analyzer.thresholds if f"`{line.name}`" not in text] == []


@each_analyzer
@pytest.mark.parametrize(
    "heading",
    ["What it means", "What it costs to ignore it", "When it is wrong", "How to tune it", "How to silence it"],
)
def test_the_page_answers_what_an_operator_asks(analyzer: Analyzer, heading: str) -> None:
    assert f"## {heading}" in page(analyzer)


@each_analyzer
def test_every_line_says_why_it_stands_there(analyzer: Analyzer) -> None:
    assert [line.name for line in analyzer.thresholds if len(line.why) < 10] == []


@each_analyzer
def test_only_known_metrics_of_its_engines_are_asked_for(analyzer: Analyzer) -> None:
    asked = analyzer.needs | analyzer.wants

    assert asked <= METRICS.keys()
    assert {METRICS[name].engine for name in asked} <= analyzer.engines
