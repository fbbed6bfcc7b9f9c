from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.clock import FakeClock
from stillfit.model import Series, Span, Statistic, merge_spans
from stillfit.series import cut, merge
from stillfit.sheets import in_sheets
from stillfit.store.assemble import divided, joined, lay, sample_series
from stillfit.store.chunks import Block
from stillfit.store.store import Store
from tests.store.builders import BY_STATUS, CARTS, DAY, HOUR, NOON, NOON_S, ORDERS, READS, around_noon, batch, series


def test_values_empty_and_unknown_time_come_back_as_they_were(store: Store) -> None:
    written = series({-60: 3.0, -59: 0.125, -2: -7.5}, [(-60, -50), (-20, -1)])

    store.write(batch(written))

    assert store.series(around_noon()) == (written,)


def test_the_same_batch_twice_changes_nothing(store: Store) -> None:
    written = batch(series({-5: 1.0}, [(-10, 0)]), series({-5: 2.0}, [(-10, 0)], subject=BY_STATUS))
    store.write(written)
    once = store.series(around_noon())

    store.write(written)

    assert store.series(around_noon()) == once


def test_a_late_and_a_corrected_point_replace_what_was_there(store: Store) -> None:
    store.write(batch(series({-90: 1.0, -5: 1.0}, [(-90, -3)])))

    store.write(batch(series({-90: 4.0, -80: 2.0}, [(-90, -70)])))

    assert store.series(around_noon()) == (series({-90: 4.0, -80: 2.0, -5: 1.0}, [(-90, -3)]),)


def test_a_value_is_not_erased_by_a_later_empty_answer(store: Store) -> None:
    store.write(batch(series({-5: 1.0}, [(-6, -4)])))

    store.write(batch(series({}, [(-10, 0)])))

    assert store.series(around_noon()) == (series({-5: 1.0}, [(-10, 0)]),)


def test_only_what_is_asked_for_is_read(store: Store) -> None:
    reads, writes = series({-1: 1.0}, [(-1, 0)]), series({-1: 2.0}, [(-1, 0)], metric="consumed_write_units")
    carts, coarse = series({-1: 3.0}, [(-1, 0)], subject=CARTS), series({-1: 9.0}, [(-1, 0)], period_s=300)
    store.write(batch(reads, writes, carts, coarse))

    assert store.series(around_noon(), metrics=["consumed_write_units"]) == (writes,)
    assert store.series(around_noon(), subjects=[CARTS]) == (carts,)
    assert store.series(around_noon(), period_s=300) == (coarse,)
    assert store.series(Span(NOON_S, NOON_S + HOUR)) == ()


def test_sources_that_tell_the_same_series_are_merged(store: Store) -> None:
    store.write(batch(series({-5: 1.0}, [(-5, -4)]), source="cloudwatch"))
    store.write(batch(series({-2: 2.0}, [(-2, -1)]), source="prometheus"))

    assert store.series(around_noon()) == (series({-5: 1.0, -2: 2.0}, [(-5, -4), (-2, -1)]),)


def test_more_series_than_a_shard_holds_are_kept(store: Store) -> None:
    members = [series({-1: float(i)}, [(-2, 0)], dimension=f"operation {i}") for i in range(1203)]
    store.write(batch(*members[:700]))
    store.write(batch(*members))

    found = {one.dimension: one for one in store.series(around_noon())}

    assert found == {one.dimension: one for one in members}


def test_a_value_that_is_no_number_leaves_its_time_unknown(store: Store) -> None:
    store.write(batch(series({-3: 1.0, -2: float("nan"), -1: float("inf")}, [(-4, 0)])))

    assert store.series(around_noon()) == (series({-3: 1.0}, [(-4, -2)]),)


def test_collecting_resumes_at_the_newest_covered_time(store: Store) -> None:
    assert store.last_end("cloudwatch") is None
    store.write(batch(series({}, [(-10, -2)])))
    store.write(batch(series({}, [(-100, -50)])))

    assert store.last_end("cloudwatch") == NOON - timedelta(minutes=2)
    assert store.last_end("other") is None


def test_a_backfill_of_two_weeks_reads_back(store: Store) -> None:
    minutes = range(-14 * 24 * 60, 0, 7)
    written = series({minute: float(minute % 97) for minute in minutes}, [(-14 * 24 * 60, 0)])

    store.write(batch(written))

    assert store.series(around_noon(15 * 24)) == (written,)
    (hourly,) = store.hourly(around_noon(15 * 24))
    assert hourly.values.sum() == written.values.sum()
    assert hourly.covered == written.covered


def test_export_gives_every_point_with_its_names(store: Store) -> None:
    store.write(batch(series({-2: 1.5}, [(-3, 0)], dimension="GetItem")))

    assert list(store.samples(around_noon())) == [(ORDERS, READS, "sum", "GetItem", 60, NOON_S - 120, 1.5)]


SUBJECTS = (ORDERS, BY_STATUS, CARTS)
POINTS = st.dictionaries(st.integers(-200, 199), st.floats(-1e9, 1e9), max_size=8)
SPANS = st.lists(st.tuples(st.integers(-200, 180), st.integers(0, 60)), max_size=4)


@st.composite
def pieces(draw: st.DrawFn) -> Series:
    points = draw(POINTS)
    covered = [(start, start + length) for start, length in draw(SPANS)] + [(point, point + 1) for point in points]
    made = replace(series(points, covered), subject=draw(st.sampled_from(SUBJECTS)))
    return replace(made, covered=merge_spans(made.covered))


def lay_each(block: Block, members: Sequence[Series], window: Span) -> None:
    """As the store does; a subject's place among SUBJECTS is its row."""
    sheets = in_sheets(members)
    places = [np.array([SUBJECTS.index(subject) for subject in sheet.roster.subjects]) for sheet in sheets]
    for points in joined(sheets, places):
        for _, part in divided(points):
            lay(block, part, window)


@given(st.lists(pieces(), min_size=1, max_size=6))
def test_writing_pieces_is_merging_those_of_each_series(members: list[Series]) -> None:
    whole = Span(NOON_S - 4 * HOUR, NOON_S + 4 * HOUR)
    block = Block.unknown(len(SUBJECTS), whole.seconds // 60)

    lay_each(block, members, whole)

    by_subject = [[one for one in members if one.subject == subject] for subject in SUBJECTS]
    merged = [merge(alike) for alike in by_subject if alike]
    keys = {row: replace(members[0], subject=subject).key for row, subject in enumerate(SUBJECTS)}
    assert list(sample_series(keys, block, whole.start)) == [one for one in merged if one.covered]


@given(st.lists(pieces(), min_size=1, max_size=3, unique_by=lambda one: one.subject))
def test_laying_in_windows_is_laying_at_once(members: list[Series]) -> None:
    for half in (Span(NOON_S - 4 * HOUR, NOON_S), Span(NOON_S, NOON_S + 4 * HOUR)):
        block = Block.unknown(len(SUBJECTS), half.seconds // 60)
        lay_each(block, members, half)

        keys = {SUBJECTS.index(one.subject): one.key for one in members}
        assert list(sample_series(keys, block, half.start)) == [
            part for one in members if (part := cut(one, half)).covered
        ]


def test_covered_time_that_cuts_a_period_does_not_vouch_for_it() -> None:
    block = Block.unknown(1, 10)
    odd = Series(
        subject=ORDERS, metric=READS, statistic=Statistic.SUM, period_s=60, covered=(Span(NOON_S + 30, NOON_S + 200),),
        times=np.array([NOON_S + 65]), values=np.array([1.0]),
    )  # fmt: skip
    lay_each(block, [series({}), odd], Span(NOON_S, NOON_S + 600))

    (found,) = sample_series({0: odd.key}, block, NOON_S)

    assert found.covered == (Span(NOON_S + 60, NOON_S + 180),)
    assert found.times.tolist() == [NOON_S + 60]


@pytest.mark.parametrize(
    ("statistic", "metric", "expected"),
    [
        (Statistic.SUM, READS, 6.0),
        (Statistic.COUNT, READS, 6.0),
        (Statistic.MAXIMUM, READS, 4.0),
        (Statistic.P99, "request_latency_ms", 4.0),
        (Statistic.MINIMUM, "provisioned_read_units", -1.0),
        (Statistic.LAST, "item_count", -1.0),
        (Statistic.AVERAGE, "provisioned_read_units", 2.0),
    ],
)
def test_an_hour_is_folded_as_its_statistic_allows(
    store: Store, statistic: Statistic, metric: str, expected: float
) -> None:
    store.write(batch(series({-60: 3.0, -40: 4.0, -30: -1.0}, [(-60, 0)], statistic=statistic, metric=metric)))

    (hour,) = store.hourly(around_noon())

    assert (hour.times.tolist(), hour.values.tolist()) == ([NOON_S - HOUR], [expected])
    assert (hour.period_s, hour.covered) == (HOUR, (Span(NOON_S - HOUR, NOON_S),))


def test_averages_of_requests_are_not_averaged_again(store: Store) -> None:
    store.write(batch(series({-60: 3.0}, [(-60, 0)], statistic=Statistic.AVERAGE, metric="request_latency_ms")))

    assert store.hourly(around_noon()) == ()


def test_an_hour_known_in_part_says_how_much(store: Store) -> None:
    store.write(batch(series({-120: 5.0}, [(-120, -80)]), series({}, [(-55, 0)], subject=CARTS)))

    by_subject = {one.subject: one for one in store.hourly(around_noon())}

    assert by_subject[ORDERS].covered == (Span(NOON_S - 2 * HOUR, NOON_S - 2 * HOUR + 2400),)
    assert (by_subject[CARTS].covered, len(by_subject[CARTS].times)) == ((Span(NOON_S - HOUR, NOON_S - 300),), 0)


def test_a_corrected_hour_is_summed_anew(store: Store) -> None:
    store.write(batch(series({-130: 5.0}, [(-180, 0)])))

    store.write(batch(series({-130: 7.0, -125: 1.0}, [(-180, 0)])))

    assert store.hourly(around_noon())[0].values.tolist() == [8.0]


def test_the_open_hour_is_read_from_its_minutes(store: Store, clock: FakeClock) -> None:
    store.write(batch(series({1: 2.0}, [(0, 5)])))
    assert store.hourly(around_noon())[0].values.tolist() == [2.0]

    clock.advance(2 * HOUR)
    store.prune(clock.now())

    assert store.hourly(around_noon())[0].values.tolist() == [2.0]


def test_weeks_are_read_by_the_hour_after_their_minutes_are_gone(store: Store, clock: FakeClock) -> None:
    store.write(batch(series({-60: 4.0}, [(-120, 0)])))
    clock.advance(20 * DAY)
    store.prune(clock.now())

    store.write(batch(series({-30: 1.0}, [(-30, -29)]), at=clock.now()))

    assert [one.period_s for one in store.series(around_noon())] == [60]
    assert store.hourly(around_noon())[0].values.tolist() == [4.0]


def test_hourly_series_are_read_as_they_are(store: Store) -> None:
    written = series({-3: 4.0}, [(-3, 0)], period_s=HOUR)
    store.write(batch(written))

    assert store.hourly(around_noon()) == (written,)


@pytest.mark.parametrize("period_s", [7, 300, 1000, 3600, 86400])
def test_other_periods_are_kept_exactly(store: Store, period_s: int) -> None:
    origin = NOON_S // period_s * period_s
    made = series({-3: 4.0}, [(-5, 2)], period_s=period_s)
    shift = origin - NOON_S
    moved = Series(
        subject=made.subject,
        metric=made.metric,
        statistic=made.statistic,
        period_s=period_s,
        times=made.times + shift,
        values=made.values,
        covered=tuple(Span(part.start + shift, part.end + shift) for part in made.covered),
    )
    store.write(batch(moved))

    assert store.series(around_noon(24 * 10)) == (moved,)
    assert datetime.fromtimestamp(moved.covered[0].end, UTC) == store.last_end("cloudwatch")


def test_a_series_that_is_known_is_written_beside_a_new_one_of_another_period(store: Store) -> None:
    store.write(batch(series({-1: 1.0}, [(-1, 0)])))
    store.write(batch(series({-1: 2.0}, [(-1, 0)]), series({-1: 9.0}, [(-1, 0)], period_s=300)))

    assert [one.values.tolist() for one in store.series(around_noon())] == [[2.0], [9.0]]
