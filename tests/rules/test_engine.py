"""A rule fires, is quiet, or cannot tell; and says what it rests on."""

from __future__ import annotations

from typing import Any

import pytest

from stillfit.model import Engine, Subject, Unknown
from stillfit.rules.engine import ask
from tests.rules.builders import facts, rule

ANY = [
    {"id": "reads", "expr": "read_throttle_events > 0.0", "because": "reads"},
    {"id": "writes", "expr": "write_throttle_events > 0.0", "because": "writes"},
]


def test_a_rule_fires_where_all_clauses_hold() -> None:
    example = rule()
    answer = ask(example, facts(example, cause="provisioned", billing_mode="PROVISIONED"))

    assert (answer.fires, answer.clears, answer.missing) == (True, False, ())
    assert [clause.because for clause in answer.clauses] == ["the provisioned limit refuses", "it is PROVISIONED"]


def test_a_false_clause_wins_over_an_absent_signal() -> None:
    example = rule()
    answer = ask(example, facts(example, cause="key_range"))

    assert (answer.fires, answer.clears) == (False, True)


def test_an_absent_signal_is_unknown_and_named() -> None:
    example = rule()
    answer = ask(example, facts(example, cause="provisioned"))

    assert (answer.fires, answer.clears, answer.missing) == (None, False, ("billing_mode",))


def test_what_the_detector_lacks_is_what_is_missing() -> None:
    example = rule()
    unknown = Unknown("nothing was seen", ("write_throttle_events",))
    answer = ask(example, facts(example, answer=unknown, billing_mode="PROVISIONED"))

    assert (answer.fires, answer.clears, answer.missing) == (None, None, ("write_throttle_events",))


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        ({"read_throttle_events": 1}, True),
        ({"read_throttle_events": 0, "write_throttle_events": 1}, True),
        ({"read_throttle_events": 0, "write_throttle_events": 0}, False),
        ({"read_throttle_events": 0}, None),
        ({}, None),
    ],
)
def test_of_several_grounds_one_is_enough(given: dict[str, Any], fires: bool | None) -> None:
    example = rule({"when.any": ANY, "tests.0.given.read_throttle_events": 1})
    told = facts(example, cause="provisioned", billing_mode="PROVISIONED", **given)

    assert ask(example, told).fires is fires


def test_a_needed_signal_that_is_absent_keeps_a_rule_from_firing() -> None:
    example = rule(
        {
            "needs": ["cause", "region", "saving_on_demand_usd"],
            "option.summary": "In {region} it saves {saving_on_demand_usd}.",
            "tests.0.given.saving_on_demand_usd": 5,
        }
    )
    answer = ask(example, facts(example, cause="provisioned", billing_mode="PROVISIONED"))

    assert (answer.fires, answer.missing) == (None, ("saving_on_demand_usd",))


def test_a_rule_says_nothing_of_another_engine() -> None:
    example = rule()
    elsewhere = Subject(engine=Engine.CASSANDRA, scope=("main", "dc1"), keyspace="shop", table="jobs")
    answer = ask(example, facts(example, about=elsewhere, cause="provisioned", billing_mode="PROVISIONED"))

    assert (answer.fires, answer.clears, answer.clauses) == (False, True, ())


def test_between_the_two_lines_a_rule_neither_fires_nor_clears() -> None:
    example = rule(
        {
            "when.all.1.expr": "cost_current_usd > 100.0",
            "clear_when": "cost_current_usd < 90.0",
            "when.all.1.because": "dear",
            "tests": [
                {"name": "a", "given": {"cause": "provisioned", "cost_current_usd": 101}, "expect": "fires"},
                {"name": "b", "given": {"cause": "provisioned", "cost_current_usd": 100}, "expect": "quiet"},
                {"name": "c", "given": {"cause": "provisioned"}, "expect": "unknown"},
            ],
        }
    )

    def at(usd: float) -> tuple[bool | None, bool | None]:
        answer = ask(example, facts(example, cause="provisioned", cost_current_usd=usd))
        return answer.fires, answer.clears

    assert [at(101), at(100), at(95), at(90), at(89)] == [(True, False), *[(False, False)] * 3, (False, True)]


def test_each_clause_brings_its_own_evidence_once() -> None:
    example = rule()
    answer = ask(example, facts(example, cause="provisioned", billing_mode="PROVISIONED"))

    assert [one.signal for one in answer.evidence] == ["cause", "billing_mode"]
