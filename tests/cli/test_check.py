"""`stillfit check --observations`: what people read, and what programs read."""

import json

import jsonschema
import pytest

from tests.cli.conftest import ROOT, Stillfit
from tests.cli.golden import CASES, FOLDER, SHOWN, printed

FILES = sorted(CASES.glob("*.yaml"))


@pytest.mark.parametrize("name", SHOWN)
def test_the_report_is_as_it_was_read_and_approved(name: str) -> None:
    assert printed(name) == (FOLDER / f"{name}.txt").read_text()


def test_json_over_all_cases_is_valid_by_the_published_schema(stillfit: Stillfit) -> None:
    told = stillfit("check", "-o", CASES, "--format", "json")
    schema = json.loads((ROOT / "docs/findings.schema.json").read_text())

    jsonschema.validate(json.loads(told.out), schema)
    assert told.code == 1


def test_a_gap_ends_as_an_unknown_that_names_it(stillfit: Stillfit) -> None:
    told = json.loads(stillfit("check", "-o", CASES, "--format", "json").out)

    assert told["gaps"]
    assert {one["detector"] for one in told["unknowns"]}


def test_several_files_are_judged_together(stillfit: Stillfit) -> None:
    told = json.loads(stillfit("check", "-o", FILES[0], "-o", FILES[1], "--format", "json").out)

    assert sum(row["found"] + row["nothing"] + row["unknown"] for row in told["coverage"]) > 2
