"""Sheets read as the series that stand in them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stillfit.model import Series, Span, Subject
from stillfit.sheets import Sheets, covered, in_sheets, named, of_metrics, points, subjects
from tests.store.builders import BY_STATUS, NOON_S, ORDERS, READS, series

WRITES = "consumed_write_units"


@st.composite
def members(draw: st.DrawFn) -> Series:
    minutes = draw(st.dictionaries(st.integers(-9, 9), st.floats(0, 9), max_size=4))
    spans = draw(st.sampled_from([(), ((-9, 10),), ((-9, -5), (0, 10))]))
    made = series(minutes, spans, period_s=draw(st.sampled_from([60, 300])))
    return replace(
        made, subject=draw(st.sampled_from([ORDERS, BY_STATUS])), metric=draw(st.sampled_from([READS, WRITES]))
    )


@given(st.lists(members(), max_size=8))
def test_every_series_stands_in_a_sheet_and_reads_as_it_was(given_: list[Series]) -> None:
    sheets = Sheets(in_sheets(given_))

    assert len(sheets) == len(given_)
    assert all(any(one == other for other in given_) for one in sheets)
    assert [sheets[place] for place in range(len(sheets))] == list(sheets) == list(sheets[:])


@given(st.lists(members(), max_size=8))
def test_pieces_of_one_series_keep_their_order(given_: list[Series]) -> None:
    sheets = Sheets(in_sheets(given_))

    for one in given_:
        assert [two for two in sheets if two.key == one.key] == [two for two in given_ if two.key == one.key]


@given(st.lists(members(), max_size=8))
def test_what_is_told_of_sheets_is_told_of_their_series(given_: list[Series]) -> None:
    sheets = Sheets(in_sheets(given_))

    assert points(sheets) == points(given_) == sum(len(one.times) for one in given_)
    assert subjects(sheets) == subjects(given_) == {one.subject for one in given_}
    assert covered(sheets) == covered(given_) == {one.covered for one in given_}
    ends: dict[tuple[Subject, str], int] = {}
    for one in (one for one in given_ if one.covered and one.metric == READS):
        ends[one.subject, READS] = max(one.covered[-1].end, ends.get((one.subject, READS), 0))
    assert named(sheets, [READS]) == ends
    assert len(list(of_metrics(sheets, [READS]))) == len([one for one in given_ if one.metric == READS])


def test_series_that_are_covered_alike_share_a_sheet() -> None:
    alike = [series({0: 1.0}, [(0, 5)], subject=one) for one in (ORDERS, BY_STATUS)]

    sheet, _ = in_sheets([alike[0], series({}, [], metric=WRITES, period_s=300), alike[1]])

    assert sheet.covered == (Span(NOON_S, NOON_S + 300),)
    assert Sheets([sheet]) == alike


def test_sheets_equal_what_holds_the_same_series() -> None:
    one, other = series({0: 1.0}, [(0, 5)]), series({0: 2.0}, [(0, 5)])

    assert Sheets(in_sheets([one])) == (one,)
    assert Sheets(in_sheets([one])) != (other,)
    assert Sheets() == ()
