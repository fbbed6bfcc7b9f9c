"""The life of advice under any sequence of answers that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from stillfit.advice import LIVE_STATES
from stillfit.lifecycle import exclusive, snooze
from stillfit.model import Severity, Span
from tests.builders import NOON
from tests.rules.lives import (
    BETWEEN,
    FIRES,
    PENDING,
    QUIET,
    RULE,
    UNKNOWN,
    Life,
)

LOOKS = st.lists(
    st.tuples(
        st.sampled_from([FIRES, FIRES, QUIET, QUIET, UNKNOWN, BETWEEN]),
        st.integers(min_value=0, max_value=1800),
        st.integers(min_value=0, max_value=7200),
        st.sampled_from(list(Severity)),
    ),
    max_size=120,
)


def lived(looks: list[tuple[str, int, int, Severity]]) -> Life:
    return looked(Life(), looks)


def looked(life: Life, looks: list[tuple[str, int, int, Severity]]) -> Life:
    for said, later_s, length_s, severity in looks:
        life.at += timedelta(seconds=later_s)
        end = int(life.at.timestamp())
        life.look(said, Span(end - length_s, end), severity)
    return life


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_the_same_inputs_give_the_same_transitions(looks: list[tuple[str, int, int, Severity]]) -> None:
    one, other = lived(looks), lived(looks)
    assert (one.record, one.told) == (other.record, other.told)


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_transitions_are_numbered_without_a_gap_and_fit_together(looks: list[tuple[str, int, int, Severity]]) -> None:
    life = lived(looks)

    assert [one.number for one in life.told] == list(range(1, len(life.told) + 1))
    assert all(one.after is two.before for one, two in zip(life.told, life.told[1:], strict=False))
    assert not life.told or life.told[0].before is PENDING


K = 4
"""An episode opens, rises twice and ends; the next may not open within the cool-down of an hour after that."""


@given(LOOKS)
@settings(max_examples=200, deadline=None)
def test_no_input_makes_more_than_k_transitions_an_hour(looks: list[tuple[str, int, int, Severity]]) -> None:
    times = [one.at for one in lived(looks).told]
    assert all(later - first >= timedelta(hours=1) for first, later in zip(times, times[K:], strict=False))


@given(LOOKS, LOOKS)
@settings(max_examples=100, deadline=None)
def test_snoozed_advice_makes_no_more_transitions_than_an_episode(
    before: list[tuple[str, int, int, Severity]], after: list[tuple[str, int, int, Severity]]
) -> None:
    life = lived(before)
    if life.record is None or life.advice.state not in LIVE_STATES:
        return
    life.person(snooze(life.advice, life.at + timedelta(days=30), life.at, by="ana"))
    since = len(life.told)
    looked(life, after)

    times = [one.at for one in life.told[since:]]
    assert all(later - first >= timedelta(hours=1) for first, later in zip(times, times[K:], strict=False))


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_unknown_moves_nothing_and_stops_both_clocks(looks: list[tuple[str, int, int, Severity]]) -> None:
    life = lived(looks)
    before, told = life.record, life.told
    life.see(*[UNKNOWN] * 50)

    assert life.told == told
    if before is not None:
        assert life.advice == replace(before, judged_until=life.advice.judged_until)


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_it_opens_only_after_firing_time_that_was_seen(looks: list[tuple[str, int, int, Severity]]) -> None:
    """The clock can never show more than the time that passed since the record was made."""
    life = lived(looks)
    if life.record is not None:
        assert life.record.firing_s <= (life.at - NOON).total_seconds()
        assert life.record.state not in LIVE_STATES or life.record.transitions > 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FIRES, QUIET, UNKNOWN]),
            st.sampled_from([FIRES, QUIET, UNKNOWN]),
            st.integers(min_value=0, max_value=3600),
        ),
        max_size=80,
    )
)
@settings(max_examples=100, deadline=None)
def test_two_options_of_a_group_are_never_shown_together(looks: list[tuple[str, str, int]]) -> None:
    size = Life(rule=replace(RULE, id="dynamodb/size", group="capacity", rank=1))
    mode = Life(rule=replace(RULE, id="dynamodb/mode", group="capacity", rank=3))
    for one, other, later_s in looks:
        size.see(one, every=timedelta(seconds=later_s))
        mode.see(other, every=timedelta(seconds=later_s))
        records = tuple(record for record in (size.record, mode.record) if record is not None)
        settled = {record.rule: record for record in exclusive(records, size.at)[0]}
        size.record, mode.record = settled.get("dynamodb/size"), settled.get("dynamodb/mode")

        assert sum(record.state in LIVE_STATES for record in settled.values()) <= 1
