"""What the rules rely on in cel-expr-python: our contract with it, for another version to be tried against."""

from __future__ import annotations

from typing import Any

import pytest

from stillfit.model import Value
from stillfit.rules.cel import Mistake, Outcome, bind, compile_clause, compile_number

A, B, BOOL, TEXT, NAMES = (
    "cost_current_usd",
    "cost_on_demand_usd",
    "stream_enabled",
    "billing_mode",
    "clustering_types",
)


def came_to(text: str, **values: Any) -> bool | float | None:
    return compile_clause(text).evaluate(bind(values)).value


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (f"{A} > 1.0", {}, None),
        (f"{A} > 1.0 && {BOOL}", {BOOL: False}, False),
        (f"{BOOL} && {A} > 1.0", {BOOL: False}, False),
        (f"{A} > 1.0 || {BOOL}", {BOOL: True}, True),
        (f"{A} > 1.0 || {BOOL}", {BOOL: False}, None),
        (f"{A} > 1.0 && {BOOL}", {BOOL: True}, None),
        (f"!({A} > 1.0)", {}, None),
        (f"{BOOL} ? {A} > 1.0 : true", {A: 2.0}, None),
        (f"{A} in [1.0, 2.0]", {}, None),
    ],
)
def test_an_absent_signal_is_unknown_unless_it_cannot_matter(
    text: str, values: dict[str, Value], expected: bool | None
) -> None:
    assert came_to(text, **values) is expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), True, "5", ()])
def test_what_is_no_number_is_absent_to_a_number(value: Value) -> None:
    assert came_to(f"{A} > 1.0 || {A} <= 1.0", **{A: value}) is None


def test_none_is_absent() -> None:
    assert compile_clause(f"{A} > 1.0").evaluate(bind({A: None})).value is None  # type: ignore[dict-item]  # loose input


@pytest.mark.parametrize(("name", "value"), [(BOOL, 1.0), (TEXT, 1.0), (NAMES, "one")])
def test_a_value_of_another_type_is_absent(name: str, value: Value) -> None:
    assert bind({name: value}) is not None
    assert came_to({BOOL: BOOL, TEXT: f"{TEXT} == 'x'", NAMES: f"size({NAMES}) > 0"}[name], **{name: value}) is None


def test_an_int_counts_as_a_double() -> None:
    assert came_to(f"{A} > {B}", **{A: 3, B: 2.5}) is True


@pytest.mark.parametrize(
    "text",
    [
        f"{A} / {B} > 1.0",
        f"{A} / ({B} - {B}) > 1.0",
        f"1.0 / {B} > 1.0 || 1.0 / -{B} > 1.0",
        f"{A} / ({A} / {B}) < 1.0",
        f"{A} / double('0') > 1.0",
        f"{A} / 0.0 > 1.0",
        "size(clustering_types) / 0 > 1",
    ],
)
def test_a_division_by_zero_is_unknown_and_not_infinity(text: str) -> None:
    assert came_to(text, **{A: 5.0, B: 0.0, NAMES: ("int",)}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{A} / {B} == 2.0", True),
        (f"{A} / 2.0 / {B} == 1.0", True),
        (f"({A} + 2.0) / ({B} + 1.0) * 2.0 == 4.0", True),
        (f"{B} > 9.0 && {A} / ({B} - 5.0) > 1.0", False),
        (f"{TEXT} == 'a / b'", True),
    ],
)
def test_a_division_keeps_its_meaning(text: str, *, expected: bool) -> None:
    assert came_to(text, **{A: 10.0, B: 5.0, TEXT: "a / b"}) is expected


def test_a_false_clause_absorbs_a_division_by_zero() -> None:
    assert came_to(f"{B} > 0.0 && {A} / {B} > 1.0", **{A: 5.0, B: 0.0}) is False


def test_an_endless_loop_is_stopped_and_unknown() -> None:
    outcome = compile_clause(f"{NAMES}.exists(x, x == {TEXT})").evaluate(bind({NAMES: ("int",) * 10_001, TEXT: "no"}))

    assert outcome.value is None
    assert "budget" in outcome.fault


def test_a_catastrophic_pattern_is_linear() -> None:
    assert came_to(f"{TEXT}.matches('(a+)+$')", **{TEXT: "a" * 5_000 + "b"}) is False


def test_text_that_is_no_unicode_is_still_comparable() -> None:
    assert came_to(f"{TEXT} == 'x'", **{TEXT: "\ud800"}) is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cost_curent_usd > 1.0", "did you mean 'cost_current_usd'?"),
        (f"{A} > 1", "numbers are doubles: write 2.0 and not 2"),
        (f"{TEXT} > 1.0", "no matching overload"),
        (f"{A} +", "Syntax error"),
        (f"{A}", "must be true or false, this is of type double"),
        ("", "Syntax error"),
        (f"{NAMES}.exists(x, {NAMES}.exists(y, {NAMES}.exists(z, z == x)))", "nested deeper than 2"),
        (f"has({A})", "has() argument must be a field selection"),
    ],
)
def test_a_clause_that_cannot_be_used_is_refused_when_loaded(text: str, sentence: str) -> None:
    with pytest.raises(Mistake) as refused:
        compile_clause(text)

    assert sentence in str(refused.value)


def test_every_unknown_name_is_named_at_once() -> None:
    with pytest.raises(Mistake) as refused:
        compile_clause("nothing_here > 1.0 && nor_here == 'x'")

    assert [sentence.split("'")[1] for sentence in refused.value.sentences] == ["nothing_here", "nor_here"]


def test_two_loops_inside_each_other_are_allowed() -> None:
    assert came_to(f"{NAMES}.exists(x, {NAMES}.exists(y, x != y))", **{NAMES: ("int", "text")}) is True


def test_loops_beside_each_other_are_not_nested() -> None:
    text = " || ".join([f"{NAMES}.exists(x, x == 'int')"] * 3)
    assert came_to(text, **{NAMES: ("int",)}) is True


def test_a_number_must_be_a_double() -> None:
    assert compile_number(f"{A} * 2.0").evaluate(bind({A: 4.0})) == Outcome(8.0)
    with pytest.raises(Mistake, match="a number is needed, this is of type bool"):
        compile_number(f"{A} > 2.0")


def test_the_names_of_a_clause_are_its_signals() -> None:
    clause = compile_clause(f"{NAMES}.exists(x, x == {TEXT}) && {A} > 1.0 && {TEXT} != '{B}' && size({NAMES}) > 0")
    assert clause.names == (NAMES, TEXT, A)
