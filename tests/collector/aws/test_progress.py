"""Cursors: what each ask reads next, whatever failed."""

from datetime import timedelta

import pytest

from collector.aws.planner import Stretch
from collector.aws.progress import NEWCOMER_S, OVERLAP_S, RESTART_OVERLAP_S, REWOUND_S, Progress
from collector.aws.queries import CONSUMED, PROVISIONED, THROTTLES, Ask, Questions
from stillfit.model import Span
from tests.collector.aws.kit import NOON, ORDERS

LATER = NOON + 300


@pytest.fixture
def ask() -> Ask:
    return Questions().ask(ORDERS, CONSUMED[0])


@pytest.fixture
def progress() -> Progress:
    return Progress(timedelta(days=2), timedelta(hours=3))


def test_a_first_look_is_as_long_as_configured(progress: Progress, ask: Ask) -> None:
    found = progress.stretches(ask, progress.begin(None, NOON))

    assert (found[0].window.start, found[-1].window.end) == (NOON - 2 * 86_400, NOON)


@pytest.mark.parametrize("lost", ["all", "older"])
@pytest.mark.parametrize("period", [timedelta(minutes=5), timedelta(hours=1)])
def test_a_first_look_that_failed_is_read_no_finer_the_next_time(period: timedelta, lost: str, ask: Ask) -> None:
    progress = Progress(timedelta(days=14), timedelta(hours=3), period)
    older, newer = progress.stretches(ask, progress.begin(None, NOON))
    if lost == "older":
        progress.read(ask, newer)
    for piece in (older, newer) if lost == "all" else (older,):
        progress.failed(ask, piece)
    progress.end()

    for _ in range(2):
        again = progress.stretches(ask, progress.begin(NOON, LATER))
        assert again == (older, Stretch(60, Span(newer.window.start, LATER)))
        progress.failed(ask, again[0])


def test_the_older_part_that_was_not_known_before_a_start_stays_coarse_when_it_fails(ask: Ask) -> None:
    metric, known = ask.slots[0].metric, Span(NOON - 86_400, NOON - 600)
    progress = Progress(timedelta(days=10), timedelta(hours=3), reach=lambda: {(ORDERS, metric, ""): known})
    older, *_ = progress.stretches(ask, progress.begin(NOON - 600, NOON))
    assert (older.period_s, older.window.end) == (300, known.start)
    progress.failed(ask, older)
    progress.end()

    assert progress.stretches(ask, progress.begin(NOON, LATER)) == (older, Stretch(60, Span(known.start, LATER)))


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

    assert found[0].window.start == old.window.start


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

    assert found[0].period_s == 300
    assert found[-1].period_s == 60


def test_a_five_minute_metric_keeps_its_own_period(progress: Progress) -> None:
    ask = Questions().ask(ORDERS, PROVISIONED[0])
    progress.read(ask, Stretch(300, Span(NOON - 600, NOON)))
    (found,) = progress.stretches(ask, progress.begin(NOON, LATER + 59))

    assert found == Stretch(300, Span(NOON - OVERLAP_S, LATER))


def test_a_clock_that_went_back_reads_nothing(progress: Progress, ask: Ask) -> None:
    progress.read(ask, Stretch(60, Span(NOON, NOON + 7_200)))

    assert progress.stretches(ask, progress.begin(NOON, NOON)) == ()
