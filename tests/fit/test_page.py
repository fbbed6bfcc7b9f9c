from __future__ import annotations

from pathlib import Path

import pytest

from analyzers.cost_drift import ANALYZER
from stillfit.fit.declared import DECLARED
from stillfit.fit.knockouts import KNOCKOUTS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", [*DECLARED, *(knockout.id for knockout in KNOCKOUTS)])
def test_the_page_lists_every_question_and_every_knock_out(name: str) -> None:
    assert f"| `{name}` |" in (DOCS / "fit.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*ANALYZER.causes, *(line.name for line in ANALYZER.thresholds)])
def test_the_page_of_cost_drift_lists_every_cause_and_line(name: str) -> None:
    assert f"| `{name}` |" in (DOCS / "analyzers" / "cost_drift.md").read_text("utf-8")
