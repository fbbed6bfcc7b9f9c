"""Arithmetic on series, held against the slow and obvious way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.model import Series, Span, Statistic
from stillfit.series import bucket_lower_edge, coarser, covered_s, cut, dense, merge
from tests.builders import HOUR, series

CELLS = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=60, max_size=60)


def as_minutes(one: Series) -> dict[int, float]:
    return dict(zip(one.times.tolist(), one.values.tolist(), strict=True))


@given(CELLS, CELLS)
def test_where_pieces_meet_the_later_value_wins(early: list[float | None], late: list[float | None]) -> None:
    pieces = [series("reads", early, covered=()), series("reads", late, covered=())]

    assert as_minutes(merge(pieces)) == as_minutes(pieces[0]) | as_minutes(pieces[1])


def test_pieces_of_two_series_are_refused() -> None:
    with pytest.raises(ValueError, match="exactly one series"):
        merge([series("reads", 1.0), series("writes", 1.0)])


@given(CELLS, st.integers(0, 3600), st.integers(0, 3600))
def test_a_cut_keeps_exactly_what_lies_inside(cells: list[float | None], start: int, length: int) -> None:
    whole, span = series("reads", cells), Span(HOUR.start + start, HOUR.start + start + length)

    part = cut(whole, span)

    assert as_minutes(part) == {t: v for t, v in as_minutes(whole).items() if span.start <= t < span.end}
    assert covered_s(part, HOUR) == span.overlap(HOUR).seconds


def test_a_covered_minute_without_a_point_is_zero_only_for_a_sparse_counter() -> None:
    half = Span(HOUR.start, HOUR.start + 1800)
    sparse = series("reads", [None] * 59 + [7.0], covered=[half])

    assert np.nansum(dense(sparse, HOUR, absent_is_zero=True)) == 7.0
    assert np.isnan(dense(sparse, HOUR, absent_is_zero=True)).sum() == 29
    assert np.isnan(dense(sparse, HOUR, absent_is_zero=False)).sum() == 59


@pytest.mark.parametrize(("shown", "lower"), [(1, 0), (2, 1), (10, 8), (924, 770), (5722, 4768)])
def test_the_lower_edge_of_a_bucket_is_the_bound_before(shown: float, lower: float) -> None:
    assert bucket_lower_edge(shown) == lower


def test_a_bucket_never_hides_more_than_a_fifth() -> None:
    bounds = [2.0]
    while bounds[-1] < 1e6:
        bounds.append(max(bounds[-1] + 1, float(round(bounds[-1] * 1.2))))

    assert all(math.isclose(bucket_lower_edge(b), a) for a, b in itertools.pairwise(bounds))


@pytest.mark.parametrize(
    ("statistic", "told"),
    [
        (Statistic.SUM, 9.0),
        (Statistic.COUNT, 9.0),
        (Statistic.AVERAGE, 3.0),
        (Statistic.MINIMUM, 1.0),
        (Statistic.LAST, 2.0),
        (Statistic.P99, 6.0),
        (Statistic.MAXIMUM, 6.0),
    ],
    ids=str,
)
def test_minutes_are_told_as_five_minutes_by_what_they_mean(statistic: Statistic, told: float) -> None:
    minutes = np.array([1.0, np.nan, 6.0, 2.0, np.nan, *[np.nan] * 5])

    assert coarser(minutes, Span(0, 600), (60, 300), statistic) == pytest.approx([told, np.nan], nan_ok=True)


def test_a_window_without_a_long_bucket_has_none() -> None:
    assert not len(coarser(np.ones(4), Span(60, 300), (60, 300), Statistic.SUM))
