from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from stillfit.model import Confidence, Evidence, EvidenceKind, Money, Severity, Span
from stillfit.store.codec import dump, load_advice, load_value, load_values
from tests.store.builders import advice

NUMBERS = st.floats(allow_nan=False)
INSTANTS = st.datetimes(timezones=st.just(UTC))
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = NUMBERS | WORDS | st.booleans() | st.lists(WORDS).map(tuple)
EVIDENCE = st.builds(
    Evidence,
    signal=WORDS,
    unit=WORDS,
    kind=st.sampled_from(EvidenceKind),
    source=WORDS,
    low=st.none() | NUMBERS,
    high=st.none() | NUMBERS,
    window=st.none() | st.builds(Span, st.integers(), st.integers()),
)
MONEY = st.builds(Money, low=NUMBERS, mid=NUMBERS, high=NUMBERS, price_date=INSTANTS, arithmetic=WORDS)
ADVICE = st.builds(
    replace,
    st.just(advice()),
    title=WORDS,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    saving=st.none() | MONEY,
    snooze_until=st.none() | INSTANTS,
    firing_s=st.integers(0, 10**9),
)


@given(ADVICE)
def test_advice_comes_back_exactly(one: object) -> None:
    assert load_advice(dump(one)) == one


@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_settings_come_back_with_value_and_type(values: dict[str, object]) -> None:
    read = load_values(dump(values))

    assert read == values
    assert {name: type(value) for name, value in read.items()} == {name: type(value) for name, value in values.items()}


@given(st.none() | VALUES)
def test_one_value_comes_back(value: object) -> None:
    assert load_value(dump(value)) == value
