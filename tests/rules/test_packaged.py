"""The rules that stillfit comes with: their examples hold, their names are real, each has its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzers import ANALYZERS
from stillfit.advice import Advice
from stillfit.cli.check import snapshot_of
from stillfit.cycle import look
from stillfit.model import Engine
from stillfit.observations import load
from stillfit.parts import knowledge
from stillfit.rulebook import packaged_rules, packaged_texts
from stillfit.rules.examples import outcome
from stillfit.rules.rule import Rule, RuleTest
from stillfit.signals import SIGNALS, Origin

CAUSES = {one.id: frozenset(one.causes) for one in ANALYZERS}
RULES: dict[str, Rule] = {one.id: one for one in packaged_rules(CAUSES)}
EXAMPLES = [(one, test) for one in RULES.values() for test in one.tests]
LABELLED: list[dict[str, Any]] = yaml.safe_load(Path("tests/cases/rules/labelled.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("one", "test"), EXAMPLES, ids=[f"{one.id}: {test.name}" for one, test in EXAMPLES])
def test_what_a_rule_shows_of_itself_holds(one: Rule, test: RuleTest) -> None:
    assert outcome(one, dict(test.given)) == test.expect


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_a_rule_that_knows_nothing_says_nothing(one: Rule) -> None:
    assert outcome(one, {}) == "unknown"


def test_a_rule_has_a_file_of_its_name() -> None:
    files = {Path(name).stem for name in packaged_texts()}
    assert files == {id_.replace("/", "_") for id_ in RULES}


def test_kinds_of_options_are_unique() -> None:
    kinds = [one.option for one in RULES.values()]
    assert len(kinds) == len(set(kinds))


def test_every_cause_but_the_harmless_has_a_rule() -> None:
    """More traffic and a new price are facts, not faults; a mixture has no one remedy."""
    told = {cause for one in RULES.values() for text in _clauses(one) for cause in re.findall(r"'([a-z_]+)'", text)}
    silent = {"more_traffic", "price_change", "storage_growth", "mixed", "cannot_tell"}
    missing = {cause for causes in CAUSES.values() for cause in causes} - told - silent

    assert missing == set()


def _clauses(one: Rule) -> list[str]:
    return [clause.expression.text for clause in (*one.all, *one.any)]


def test_evidence_that_a_rule_may_name_is_brought_by_a_detector() -> None:
    named = {name for one in RULES.values() for name in one.names if SIGNALS[name].origin is Origin.EVIDENCE}
    written = "".join(path.read_text(encoding="utf-8") for path in Path("analyzers").glob("*.py"))
    written += "".join(f'"{name.replace(" ", "_")}_ratio"' for name in re.findall(r'\("([a-z ]+)", parts', written))

    assert {name for name in named if f'"{name}"' not in written} == set()


def test_money_is_advised_in_order() -> None:
    """What refuses requests, then right-size, then mode."""
    ranks = {id_: one.rank for id_, one in RULES.items() if one.group == "capacity"}
    mode = {ranks.pop(f"dynamodb/switch_to_{name}") for name in ("on_demand", "provisioned")}
    size = ranks.pop("dynamodb/right_size_capacity")

    assert max(ranks.values()) < size < min(mode)


def test_a_rule_on_cassandra_never_names_gc_grace_as_a_number_of_its_own() -> None:
    for one in RULES.values():
        if Engine.CASSANDRA in one.engines:
            said = " ".join((*one.texts.steps, *one.texts.commands))
            assert not re.search(r"gc_grace_seconds\s*(=|to|:)\s*\d", said), one.id


@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["file"][:3])
def test_a_real_report_is_advised_as_it_was_resolved(row: dict[str, Any]) -> None:
    shown = _shown(row["file"])
    said = " ".join(_words(one) for one in shown)

    assert [one.option.kind for one in shown] == row["advised"]
    assert [word for word in row.get("says", ()) if not re.search(word, said)] == []
    assert [word for word in row["never"] if re.search(word, said)] == []


def _shown(file: str) -> list[Advice]:
    turn = look(snapshot_of(load(Path("tests/cases/observations") / file)), knowledge())
    return [one for one in turn.advice if not one.superseded_by]


def _words(one: Advice) -> str:
    option = one.option
    said = (one.title, one.summary, *option.steps, *option.commands, option.effect, option.risk, option.rollback)
    return " ".join(said)


PAGES = Path("docs/rules")


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_a_page_tells_every_line_that_its_rule_draws(one: Rule) -> None:
    page = (PAGES / f"{one.id.replace('/', '_')}.md").read_text(encoding="utf-8")

    assert page.startswith(f"# {one.id}\n")
    drawn = (*_clauses(one), one.clear_when.text, *one.sources)
    assert [text for text in drawn if text not in page] == []
    assert "## When it is wrong" in page


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_a_page_tells_when_its_rule_speaks_and_what_it_advises(one: Rule) -> None:
    page = (PAGES / f"{one.id.replace('/', '_')}.md").read_text(encoding="utf-8")
    waits = f"after {_length(one.fire_after_s)} of observed firing time" if one.fire_after_s else "at once"

    assert f"It is told {waits}. It is resolved after {_length(one.clear_after_s)} in which this held" in page
    assert f"not opened again for {_length(one.cooldown_s)}." in page
    assert [line for line in page.splitlines() if re.match(r"\d+\. ", line)] == [
        f"{number}. {step}" for number, step in enumerate(one.texts.steps, 1)
    ]


def _length(seconds: int) -> str:
    return next(
        f"{seconds // unit}{name}" for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")) if seconds >= unit
    )


def test_every_page_has_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {id_.replace("/", "_") for id_ in RULES} | {"README"}
