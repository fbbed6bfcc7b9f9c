from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cassandra.history import (
    COUNTER_SPREADS_S,
    GAUGE_STANDS_S,
    Mark,
    NodeHistory,
    Readings,
    Step,
    advance,
    series,
    standing_for,
)
from collector.cassandra.virtual_tables import Sample
from stillfit.model import Engine, Series, Span, Statistic, Subject

NODE = Subject(engine=Engine.CASSANDRA, scope=("prod", "dc1"), node="10.0.0.1")
READS = Sample(keyspace="shop", table="jobs", metric="reads", statistic=Statistic.SUM, value=100.0)
TOMBSTONES = Sample(keyspace="shop", table="jobs", metric="tombstones_per_read", statistic=Statistic.P99, value=310.0)


def test_readings_on_the_minute_give_each_minute_its_growth() -> None:
    mark, steps = advance(None, 600, 10)
    assert steps == ()

    assert advance(mark, 660, 70) == (Mark(660, 70, 70), (Step(600, 60),))


def test_growth_between_readings_is_cut_at_the_minutes() -> None:
    mark, steps = advance(Mark(630, 0, None), 750, 120)
    assert steps == (Step(660, 60),)  # the minute before is not whole: nothing is known of its first half

    assert advance(mark, 810, 240) == (Mark(810, 240, 180), (Step(720, 90),))


@pytest.mark.parametrize(
    ("mark", "at", "value"),
    [
        (Mark(600, 100, 100), 660, 99),
        (Mark(600, 100, 100), 600 + COUNTER_SPREADS_S + 1, 200),
        (Mark(600, 100, 100), 540, 200),
    ],
    ids=["it fell", "too long ago", "the clock went back"],
)
def test_what_cannot_be_told_begins_anew(mark: Mark, at: float, value: float) -> None:
    after, steps = advance(mark, at, value)

    assert steps == ()
    assert after[:2] == (at, value)


def test_the_same_reading_once_more_changes_nothing() -> None:
    mark = Mark(630, 100, 90)

    assert advance(mark, 630, 100) == (mark, ())


def test_growth_is_spread_over_the_longest_pause_allowed() -> None:
    _, steps = advance(Mark(600, 0, 0), 600 + COUNTER_SPREADS_S, 150)

    assert sum(step.growth for step in steps) == 150


@given(
    st.lists(st.tuples(st.floats(1, 600), st.integers(0, 10**12)), min_size=2, max_size=20),
    st.integers(0, 10**9),
)
def test_nothing_is_lost_doubled_or_negative(grown: list[tuple[float, int]], start: int) -> None:
    mark, at, value = None, float(start), 0
    steps: list[Step] = []
    for seconds, growth in grown:
        at, value = at + seconds, value + growth
        mark, found = advance(mark, at, value)
        steps += found

    assert all(step.growth >= 0 for step in steps)
    assert all(later.start - earlier.start == 60 for earlier, later in pairwise(steps))
    assert sum(step.growth for step in steps) <= value


@pytest.mark.parametrize(
    ("previous", "at", "starts"),
    [
        (None, 667, [600]),
        (None, 660, [600]),
        (607, 667, [600]),
        (600, 720, [600, 660]),
        (667, 690, [600]),
        (600, 600 + GAUGE_STANDS_S, [600, 660, 720, 780, 840]),
        (600, 600 + GAUGE_STANDS_S + 1, [840]),
    ],
)
def test_a_gauge_stands_for_the_full_minutes_since_the_reading_before(
    previous: float | None, at: float, starts: list[int]
) -> None:
    assert list(standing_for(previous, at)) == starts


def told(
    at: float, *samples: Sample, generation: int = 1, before: NodeHistory | None = None
) -> tuple[list[Series], NodeHistory]:
    found, after = series(Readings(at=at, generation=generation, samples=samples), before, lambda _: NODE)
    return list(found), after


def test_a_counter_needs_two_readings_and_a_gauge_one() -> None:
    first, memory = told(600, READS, TOMBSTONES)
    second, _ = told(660, replace(READS, value=160.0), TOMBSTONES, before=memory)

    assert [one.metric for one in first] == ["tombstones_per_read"]
    assert [(one.metric, list(one.values), one.covered) for one in second] == [
        ("reads", [60.0], (Span(600, 660),)),
        ("tombstones_per_read", [310.0], (Span(600, 660),)),
    ]


def test_a_restart_gives_no_growth_even_where_the_counter_is_higher() -> None:
    _, memory = told(600, READS)

    assert told(660, replace(READS, value=500.0), generation=2, before=memory)[0] == []


def test_a_gauge_that_recorded_nothing_is_covered_and_empty() -> None:
    (one,), _ = told(660, replace(TOMBSTONES, value=None))

    assert (list(one.times), one.times.dtype, one.covered) == ([], np.dtype(np.int64), (Span(600, 660),))


def test_a_table_that_appears_later_starts_with_its_own_first_reading() -> None:
    _, memory = told(600, READS)
    new = replace(READS, table="new", value=7.0)
    found, memory = told(660, READS, new, before=memory)
    assert len(found) == 1

    assert len(told(720, READS, new, before=memory)[0]) == 2
