from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from stillfit.export.findings import document
from stillfit.export.schema import findings_schema
from tests.export.fleet import TURN, VIEW

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(findings_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def shown() -> dict[str, object]:
    told: dict[str, object] = json.loads(document(TURN, VIEW.gaps).model_dump_json())
    return told


def test_the_published_schema_is_made_from_the_document() -> None:
    assert (DOCS / "findings.schema.json").read_text(encoding="utf-8") == findings_schema()


def test_a_document_is_valid(validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(shown())) == []


@pytest.mark.parametrize("part", ["findings", "unknowns", "advice", "fit", "cost", "coverage", "gaps"])
def test_each_part_of_the_sample_says_something(part: str) -> None:
    assert shown()[part]


def test_a_missing_part_is_refused(validator: jsonschema.Draft202012Validator) -> None:
    told = shown()
    del told["unknowns"]

    assert [error.message for error in validator.iter_errors(told)] == ["'unknowns' is a required property"]


def test_an_old_reader_takes_a_new_field(validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors({**shown(), "forecast": []})) == []
