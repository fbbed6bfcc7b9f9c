"""What dashboards and rules ask for exists: metrics, labels and label values, before any server is asked."""

from __future__ import annotations

import re

import pytest

from stillfit.export.catalogue import EXPORTED
from stillfit.export.exported import Exported
from stillfit.export.reference import reference
from tests.dashboards.expressions import (
    BOARDS,
    DERIVED,
    RULES,
    Asked,
    of_board,
    of_rules,
    selectors,
)

EVERY = [
    pytest.param(asked, id=f"{path.stem}: {asked.where}")
    for paths, of in ((BOARDS, of_board), (RULES, of_rules))
    for path in paths
    for asked in of(path)
]
SCRAPED = {"job", "instance"}
GROUPING = re.compile(r"\b(?:by|on|group_left)\s*\(([^)]*)\)")


def exported(name: str) -> Exported:
    """The catalogue's entry; a histogram is asked for by the parts that it is scraped in."""
    return EXPORTED.get(name) or EXPORTED[re.sub(r"_(sum|count|bucket)$", "", name)]


@pytest.mark.parametrize("asked", EVERY)
def test_every_metric_and_label_is_one_that_we_export(asked: Asked) -> None:
    for one in selectors(asked.expr):
        if one.metric not in DERIVED:
            known = exported(one.metric)
            assert {label for label, _, _ in one.matchers} <= {*known.labels, *SCRAPED}, one


@pytest.mark.parametrize("asked", EVERY)
def test_every_value_that_is_asked_for_is_one_that_we_can_say(asked: Asked) -> None:
    for one in selectors(asked.expr):
        closed = dict(exported(one.metric).values) if one.metric not in DERIVED else {}
        for label, operator, value in one.matchers:
            if label in closed and operator in {"MatchOp.Equal", "MatchOp.NotEqual"}:
                assert value in closed[label], one


@pytest.mark.parametrize("asked", EVERY)
def test_every_label_that_is_grouped_by_exists(asked: Asked) -> None:
    known = {
        label for one in selectors(asked.expr) if one.metric not in DERIVED for label in exported(one.metric).labels
    }

    for group in GROUPING.findall(asked.expr):
        assert {label.strip() for label in group.split(",")} <= known | SCRAPED


def test_closed_values_are_really_compared() -> None:
    """Guards the test above against a parser that names its operators otherwise."""
    operators = {op for one in EVERY for found in selectors(one.values[0].expr) for _, op, _ in found.matchers}  # type: ignore[union-attr]

    assert operators == {"MatchOp.Equal", "MatchOp.NotEqual", "MatchOp.Re", "MatchOp.NotRe"}


@pytest.mark.parametrize("name", EXPORTED)
def test_every_exported_metric_is_described_where_people_look(name: str) -> None:
    assert f"### {name}\n" in reference()
