"""The reports of tests/cases/observations, judged as `stillfit check` does, against tests/cases/labelled.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzers import ANALYZERS
from stillfit.case import judge
from stillfit.cli.check import snapshot_of
from stillfit.model import Answer, Finding, Unknown
from stillfit.observations import load

CASES = Path(__file__).parents[1] / "cases"
OBSERVATIONS = CASES / "observations"
LABELLED: list[dict[str, Any]] = yaml.safe_load((CASES / "labelled.yaml").read_text())


def answers(file: str) -> dict[str, Answer]:
    """Every detector's answer, by its id and the name of the subject."""
    snapshot = snapshot_of(load(OBSERVATIONS / file))
    judgements = (
        judge(one, case)
        for one in ANALYZERS
        for case in snapshot.cases(one, lambda analyzer, _: {line.name: line.value for line in analyzer.thresholds})
    )
    return {f"{judgement.detector} {judgement.subject.name}": judgement.answer for judgement in judgements}


def told(answer: Answer) -> dict[str, str] | str:
    if isinstance(answer, Finding):
        return {"finding": answer.cause, "confidence": answer.confidence.value, "severity": answer.severity.value}
    return "unknown" if isinstance(answer, Unknown) else "none"


def words(answer: Answer) -> str:
    return answer.summary if isinstance(answer, Finding) else answer.reason if isinstance(answer, Unknown) else ""


@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["file"][:3])
def test_a_real_report_is_judged_as_it_was_resolved(row: dict[str, Any]) -> None:
    given = answers(row["file"])

    for who, wanted in row["answers"].items():
        says = wanted.pop("says", "") if isinstance(wanted, dict) else ""
        assert told(given[who]) == wanted, words(given[who])
        assert says in words(given[who])


@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["file"][:3])
def test_no_answer_says_what_must_not_be_said(row: dict[str, Any]) -> None:
    said = " ".join(words(answer).lower() for answer in answers(row["file"]).values() if answer is not None)

    assert [word for word in row.get("never", ()) if word.lower() in said] == []


@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["file"][:3])
def test_no_detector_finds_what_the_table_does_not_list(row: dict[str, Any]) -> None:
    found = {who for who, answer in answers(row["file"]).items() if isinstance(answer, Finding)}

    assert found <= set(row["answers"])


def test_every_report_is_in_the_table() -> None:
    assert {row["file"] for row in LABELLED} == {path.name for path in OBSERVATIONS.glob("*.yaml")}
