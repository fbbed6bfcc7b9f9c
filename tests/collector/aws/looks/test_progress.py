"""Cursors: what each ask reads next, whatever failed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.aws.looks.progress import (
    LONG_S,
    NEWCOMER_S,
    OVERLAP_S,
    OWED_AGAIN_S,
    RESTART_OVERLAP_S,
    REWOUND_S,
    Progress,
)
from collector.aws.metrics.planner import DAY, HOUR, Stretch
from collector.aws.metrics.queries import CONSUMED, PROVISIONED, THROTTLES, Ask, Questions
from stillfit.model import Span
from tests.collector.aws.kit import NOON, ORDERS

LATER = NOON + 300


@pytest.fixture
def ask() -> Ask:
    return Questions().ask(ORDERS, CONSUMED[0])


@pytest.fixture
def progress() -> Progress:
    return Progress(timedelta(days=2), timedelta(hours=3))


def owed(progress: Progress) -> dict[Ask, tuple[Stretch, ...]]:
    return {ask: progress.past(ask) for ask in progress.owed}


def test_a_first_look_reads_the_newest_hours_and_owes_the_rest(progress: Progress, ask: Ask) -> None:
    assert progress.stretches(ask, progress.begin(None, NOON)) == (Stretch(60, Span(NOON - 3 * HOUR, NOON)),)
    assert owed(progress) == {ask: (Stretch(300, Span(NOON - 2 * DAY, NOON - 3 * HOUR)),)}


def test_what_is_owed_is_read_once_and_moves_no_cursor(progress: Progress, ask: Ask) -> None:
    (newest,) = progress.stretches(ask, progress.begin(None, NOON))
    progress.read(ask, newest)
    (past,) = progress.past(ask)
    progress.read(ask, past)

    assert (owed(progress), progress.read_to(ask)) == ({}, NOON)


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_long_past_what_was_read_is_not_owed(first: int, ask: Ask) -> None:
    progress = Progress(timedelta(days=100), timedelta(hours=3))
    progress.stretches(ask, progress.begin(None, NOON))
    pieces = progress.past(ask)
    progress.read(ask, pieces[first])

    assert [one.period_s for one in pieces] == [3_600, 300]
    assert progress.past(ask) == (pieces[1 - first],)


def test_what_is_owed_for_days_is_read_as_finely_as_it_is_still_kept(ask: Ask) -> None:
    progress = Progress(timedelta(days=63), timedelta(hours=3))
    progress.stretches(ask, progress.begin(None, NOON))
    progress.begin(None, NOON + 7_200)

    assert [one.period_s for one in progress.past(ask)] == [3_600, 300]


@pytest.mark.parametrize(("after_s", "is_owed"), [(OWED_AGAIN_S - 60, False), (OWED_AGAIN_S, True)])
def test_a_past_that_failed_and_was_billed_waits(after_s: int, is_owed: bool, progress: Progress, ask: Ask) -> None:
    progress.stretches(ask, progress.begin(None, NOON))
    (past,) = progress.past(ask)
    progress.failed(ask, past)
    progress.waits(ask)
    progress.begin(None, NOON + after_s)

    assert (ask in progress.owed) is is_owed
    assert progress.past(ask) == (past,)


def test_a_past_that_is_refused_is_owed_no_longer(progress: Progress, ask: Ask) -> None:
    progress.stretches(ask, progress.begin(None, NOON))
    progress.failed(ask, *progress.past(ask), refused=True)

    assert owed(progress) == {}


def test_a_past_whose_causes_failed_is_owed_again_and_the_present_is_not_rewound(progress: Progress) -> None:
    wire = Questions().ask(ORDERS, THROTTLES["read"])
    (newest,) = progress.stretches(wire, progress.begin(None, NOON))
    progress.read(wire, newest)
    (past,) = progress.past(wire)
    progress.read(wire, past)
    progress.rewound(wire, past)

    assert (owed(progress), progress.read_to(wire)) == ({wire: (past,)}, NOON)


def test_what_is_gone_is_owed_nothing(progress: Progress, ask: Ask) -> None:
    progress.stretches(ask, progress.begin(None, NOON))
    progress.forget(lambda subject: subject == ORDERS)

    assert owed(progress) == {}


def test_a_first_look_that_was_cut_off_before_anything_was_read_leaves_no_hole(progress: Progress, ask: Ask) -> None:
    progress.stretches(ask, progress.begin(None, NOON))
    (past,) = progress.past(ask)
    later = progress.begin(None, NOON + 5 * HOUR)

    assert progress.stretches(ask, later) == (Stretch(60, Span(past.window.end, NOON + 5 * HOUR)),)
    assert owed(progress) == {ask: (past,)}


@pytest.mark.parametrize(("every_s", "behind_s", "is_cut"), [(0, 0, False), (0, 60, True), (DAY, 60, False)])
def test_of_what_is_far_behind_the_newest_hours_come_first(
    every_s: int, behind_s: int, is_cut: bool, progress: Progress, ask: Ask
) -> None:
    start = NOON - LONG_S - behind_s
    progress.begin(None, start)
    progress.read(ask, Stretch(60, Span(start, start + OVERLAP_S)))
    found = progress.stretches(ask, progress.begin(start, NOON), every_s)
    past = owed(progress).get(ask, ())

    assert [one.window for one in found] == [Span(NOON - 3 * HOUR if is_cut else start, NOON)]
    assert [one.window for one in past] == ([Span(start // HOUR * HOUR, NOON - 3 * HOUR)] if is_cut else [])
    assert {one.period_s for one in (*found, *past)} == {60}


def test_of_what_is_far_behind_the_newest_hours_come_first_where_a_past_is_owed_already(ask: Ask) -> None:
    """A first look is killed before its past, and we are down for five days; then nothing comes for one more."""
    known = Span(NOON - 3 * HOUR, NOON + HOUR)
    progress = Progress(timedelta(days=10), timedelta(hours=3))
    progress.reach = lambda: {(ORDERS, slot.metric, ""): known for slot in ask.slots}
    for now in (NOON + 5 * DAY, NOON + 6 * DAY):
        (newest,) = progress.stretches(ask, progress.begin(NOON, now))
        assert newest == Stretch(60, Span(now - 3 * HOUR, now))
        progress.failed(ask, newest)
        progress.end()

        first = Span(NOON - 5 * DAY, known.start)
        assert progress.past(ask) == (Stretch(300, first), Stretch(60, Span(known.start, newest.window.start)))


def test_what_is_owed_twice_is_read_whole(ask: Ask, progress: Progress) -> None:
    progress.stretches(ask, progress.begin(None, NOON))
    progress.read(ask, Stretch(60, Span(NOON - 3 * HOUR, NOON)))
    progress.end()
    (newest,) = progress.stretches(ask, progress.begin(NOON, NOON + DAY))
    progress.read(ask, newest)
    coarse, fine = progress.past(ask)
    for piece in (coarse, fine):
        progress.read(ask, piece)

    assert (coarse.window.end, fine.window.end) == (NOON - 3 * HOUR, newest.window.start)
    assert (owed(progress), progress.read_to(ask)) == ({}, NOON + DAY)


@pytest.mark.parametrize("period", [timedelta(minutes=5), timedelta(hours=1)])
def test_a_first_look_that_failed_is_read_no_finer_the_next_time(period: timedelta, ask: Ask) -> None:
    progress = Progress(timedelta(days=14), timedelta(hours=3), period)
    (newer,) = progress.stretches(ask, progress.begin(None, NOON))
    (older,) = progress.past(ask)
    for piece in (older, newer):
        progress.failed(ask, piece)
    progress.end()

    assert progress.stretches(ask, progress.begin(NOON, LATER)) == (Stretch(60, Span(newer.window.start, LATER)),)
    assert (older.period_s, progress.past(ask)) == (period.total_seconds(), (older,))


def test_the_older_part_that_was_not_known_before_a_start_stays_coarse_when_it_fails(ask: Ask) -> None:
    metric, known = ask.slots[0].metric, Span(NOON - 86_400, NOON - 600)
    progress = Progress(timedelta(days=10), timedelta(hours=3), reach=lambda: {(ORDERS, metric, ""): known})
    progress.stretches(ask, progress.begin(NOON - 600, NOON))
    (older,) = progress.past(ask)
    assert (older.period_s, older.window.end) == (300, known.start)
    progress.failed(ask, older)
    progress.end()

    assert progress.past(ask) == (older,)


def test_a_restart_reads_three_hours_more_than_it_must(progress: Progress, ask: Ask) -> None:
    (found,) = progress.stretches(ask, progress.begin(NOON - 600, NOON))

    assert found == Stretch(60, Span(NOON - 600 - RESTART_OVERLAP_S, NOON))


def test_a_newcomer_is_read_three_hours_back(progress: Progress, ask: Ask) -> None:
    progress.end()
    (found,) = progress.stretches(ask, progress.begin(NOON - 300, NOON))

    assert found.window.start == NOON - NEWCOMER_S


def test_what_was_read_is_read_again_by_the_overlap_only(progress: Progress, ask: Ask) -> None:
    progress.read(ask, Stretch(60, Span(NOON - 600, NOON)))
    (found,) = progress.stretches(ask, progress.begin(NOON, LATER))

    assert found.window == Span(NOON - OVERLAP_S, LATER)


def test_a_failed_stretch_is_read_again_though_a_newer_one_was_read(progress: Progress, ask: Ask) -> None:
    old, new = Stretch(300, Span(NOON - 86_400, NOON - 3_600)), Stretch(60, Span(NOON - 3_600, NOON))
    progress.read(ask, new)
    progress.failed(ask, old)
    found = progress.stretches(ask, progress.begin(NOON, LATER))

    assert (found[0].window.start, owed(progress)[ask][0].window.start) == (NOON - 2 * HOUR, old.window.start)


@pytest.mark.parametrize("age_s", [REWOUND_S - 60, REWOUND_S, REWOUND_S + 60])
def test_what_is_refused_goes_back_some_hours_at_most(age_s: int, progress: Progress, ask: Ask) -> None:
    progress.begin(None, NOON)
    progress.failed(ask, Stretch(60, Span(NOON - age_s - OVERLAP_S, NOON)), refused=True)

    assert progress.read_to(ask) == NOON - min(age_s, REWOUND_S)


def test_what_fails_in_passing_goes_back_as_far_as_it_failed(progress: Progress, ask: Ask) -> None:
    progress.begin(None, NOON)
    progress.failed(ask, Stretch(60, Span(NOON - 86_400, NOON)))

    assert progress.read_to(ask) == NOON - 86_400 + OVERLAP_S


@pytest.mark.parametrize("age_s", [REWOUND_S - 60, REWOUND_S, REWOUND_S + 60])
def test_a_tripwire_is_rewound_for_its_causes_some_hours_at_most(age_s: int, progress: Progress) -> None:
    wire, window = Questions().ask(ORDERS, THROTTLES["read"]), Span(NOON - age_s - OVERLAP_S, NOON)
    progress.begin(None, NOON)
    progress.read(wire, Stretch(60, window))
    progress.rewound(wire, Stretch(60, window))

    assert progress.read_to(wire) == NOON - min(age_s, REWOUND_S)


@pytest.mark.parametrize(
    ("is_billed", "after_s", "is_due"), [(False, 300, True), (True, 2_999, False), (True, 3_450, True)]
)
def test_what_was_billed_and_failed_waits_its_cadence(
    is_billed: bool, after_s: int, is_due: bool, progress: Progress, ask: Ask
) -> None:
    progress.begin(None, NOON)
    progress.failed(ask, Stretch(60, Span(NOON - 86_400, NOON)))
    if is_billed:
        progress.waits(ask)

    assert progress.is_due(ask, NOON + after_s, 3_600, 300, -NOON) is is_due


def test_a_gap_longer_than_minutes_are_kept_is_read_in_five_minutes(progress: Progress, ask: Ask) -> None:
    progress.read(ask, Stretch(60, Span(NOON - 20 * 86_400, NOON - 20 * 86_400 + 60)))
    found = progress.stretches(ask, progress.begin(NOON, LATER))

    assert [one.period_s for one in (*progress.past(ask), *found)] == [300, 60, 60, 60]


def test_a_five_minute_metric_keeps_its_own_period(progress: Progress) -> None:
    ask = Questions().ask(ORDERS, PROVISIONED[0])
    progress.read(ask, Stretch(300, Span(NOON - 600, NOON)))
    (found,) = progress.stretches(ask, progress.begin(NOON, LATER + 59))

    assert found == Stretch(300, Span(NOON - OVERLAP_S, LATER))


def test_a_clock_that_went_back_reads_nothing(progress: Progress, ask: Ask) -> None:
    progress.read(ask, Stretch(60, Span(NOON, NOON + 7_200)))

    assert progress.stretches(ask, progress.begin(NOON, NOON)) == ()


def test_what_ends_before_this_cycle_is_asked_as_it_is_still_kept(ask: Ask) -> None:
    progress = Progress(timedelta(days=1), timedelta(hours=3))
    progress.begin(NOON - 20 * DAY, NOON - 20 * DAY)
    progress.read(ask, Stretch(60, Span(NOON - 20 * DAY, NOON - 17 * DAY)))
    progress.end()
    begin = replace(progress.begin(None, NOON), until=NOON - 17 * DAY)

    assert {one.period_s for one in progress.stretches(ask, begin)} == {300}
