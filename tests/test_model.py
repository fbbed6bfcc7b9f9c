"""The nouns: what a subject is called, and how stretches of time join."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.model import Engine, Level, Span, Subject, merge_spans
from tests.builders import BY_STATUS, JOBS, JOBS_ON_1, ORDERS, cassandra_subject

NAMES = st.text(max_size=20)
SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda pair: Span(*pair)), max_size=12)


SUBJECTS = st.builds(
    Subject,
    engine=st.sampled_from(Engine),
    scope=st.tuples(NAMES, NAMES),
    keyspace=NAMES,
    table=NAMES,
    index=NAMES,
    node=NAMES,
)


@given(SUBJECTS)
def test_any_name_survives_the_text_form(subject: Subject) -> None:
    assert Subject.parse(str(subject)) == subject


@pytest.mark.parametrize(
    "text", ["", "orders", "dynamodb/1", "dynamodb/1/2/table", "dynamodb/1/2/colour=red", "sql/1/2"]
)
def test_what_is_no_subject_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"subject|Engine"):
        Subject.parse(text)


@pytest.mark.parametrize(
    ("subject", "level", "name"),
    [
        (ORDERS, Level.TABLE, "orders"),
        (BY_STATUS, Level.INDEX, "orders/by-status"),
        (JOBS, Level.TABLE, "shop.jobs"),
        (JOBS_ON_1, Level.REPLICA, "shop.jobs on 10.0.0.1"),
        (cassandra_subject("", keyspace="", node="10.0.0.1"), Level.NODE, "10.0.0.1"),
        (cassandra_subject("", keyspace="shop"), Level.KEYSPACE, "shop"),
        (cassandra_subject("", keyspace=""), Level.SCOPE, "prod/dc1"),
    ],
    ids=str,
)
def test_a_subject_knows_what_it_is_and_what_operators_call_it(subject: Subject, level: Level, name: str) -> None:
    assert (subject.level, subject.name) == (level, name)


def test_indexes_and_replicas_belong_to_their_table() -> None:
    assert (BY_STATUS.parent, JOBS_ON_1.parent, ORDERS.parent) == (ORDERS, JOBS, ORDERS)


@given(SPANS)
def test_merged_spans_cover_the_same_seconds_without_touching(spans: list[Span]) -> None:
    merged = merge_spans(spans)

    assert {s for span in merged for s in range(*span)} == {s for span in spans for s in range(*span)}
    assert all(before.end < after.start for before, after in itertools.pairwise(merged))
