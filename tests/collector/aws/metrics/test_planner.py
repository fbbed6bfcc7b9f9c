"""Packing and windows: the limits of GetMetricData, the price of a split metric, what is still kept."""

import re
from itertools import pairwise

import orjson
import pytest

from collector.aws.metrics.planner import DAY, HOUR, MAX_DATAPOINTS, MAX_QUERIES, Stretch, pack, stretches
from collector.aws.metrics.queries import CONSUMED, LATENCY, THROTTLES, Questions
from stillfit.model import Engine, Span, Subject

NOW = 1_793_620_800  # a whole hour


def subject(number: int) -> Subject:
    return Subject(engine=Engine.DYNAMODB, scope=("1", "r"), table=f"t{number}")


@pytest.mark.parametrize("points", [1, 201, 202, 1_440, 20_160])
def test_no_request_can_page(points: int) -> None:
    questions, stretch = Questions(), Stretch(60, Span(0, 60 * points))
    asks = [questions.ask(subject(n), spec) for n in range(300) for spec in (*CONSUMED, LATENCY)]
    requests = list(pack((ask, stretch) for ask in asks))

    assert all(one.queries <= MAX_QUERIES and one.datapoints <= MAX_DATAPOINTS for one in requests)
    assert [ask for one in requests for ask in one.asks] == asks


def test_a_full_request_leaves_before_the_rest_is_planned() -> None:
    questions, stretch = Questions(), Stretch(60, Span(0, 300))
    planned = ((questions.ask(subject(n), LATENCY), stretch) for n in range(1_000))

    full = next(pack(planned))
    assert full.queries == MAX_QUERIES
    assert len(list(planned)) == 1_000 - 100 - 1  # one more was planned to see that it does not fit


def test_asks_of_two_stretches_in_turn_fill_two_requests() -> None:
    questions = Questions()
    ends = (300, 600) * 100
    wanted = [(questions.ask(subject(n), LATENCY), Stretch(60, Span(0, end))) for n, end in enumerate(ends)]

    assert [(one.stretch.window.end, one.queries) for one in pack(wanted)] == [(300, 500), (600, 500)]


def test_201_points_are_the_most_with_which_500_queries_fit() -> None:
    questions = Questions()
    asks = [questions.ask(subject(n), LATENCY) for n in range(100)]

    assert len(list(pack((ask, Stretch(60, Span(0, 60 * 201))) for ask in asks))) == 1
    assert len(list(pack((ask, Stretch(60, Span(0, 60 * 202))) for ask in asks))) == 2


def test_the_statistics_of_a_metric_travel_side_by_side() -> None:
    (request,) = pack([(Questions().ask(subject(1), CONSUMED[0]), Stretch(60, Span(0, 300)))])
    queries = orjson.loads(request.body)

    assert [query["MetricStat"]["Stat"] for query in queries] == ["Sum", "SampleCount", "Maximum"]
    assert [query["Id"] for query in queries] == ["q0_0", "q1", "q2"]


def test_different_windows_never_share_a_request() -> None:
    ask = Questions().ask(subject(1), THROTTLES["read"])
    wanted = [(ask, Stretch(60, Span(0, 300))), (ask, Stretch(60, Span(60, 300)))]

    assert [one.stretch for one in pack(wanted)] == [stretch for _, stretch in wanted]


def test_windows_begin_and_end_on_whole_periods() -> None:
    wanted = Span(NOW - 1_000, NOW - 7)

    assert stretches(wanted, 60, now=NOW, minutes_from=wanted.start) == (Stretch(60, Span(NOW - 1_020, NOW - 60)),)
    assert stretches(wanted, 300, now=NOW, minutes_from=wanted.start) == (Stretch(300, Span(NOW - 1_200, NOW - 300)),)


def test_a_window_shorter_than_a_period_is_not_read() -> None:
    assert stretches(Span(NOW, NOW + 59), 60, now=NOW, minutes_from=NOW) == ()


def test_a_first_look_is_coarse_up_to_a_whole_hour_and_fine_from_there() -> None:
    now = NOW + 1_500
    found = stretches(Span(now - DAY, now), 60, now=now, minutes_from=now - 3 * HOUR)

    assert [(one.period_s, one.window.end) for one in found] == [(300, NOW - 2 * HOUR), (60, now)]
    assert found[0].window.end == found[1].window.start


@pytest.mark.parametrize(("days", "periods"), [(14, [60]), (15, [300, 60]), (16, [300, 60])])
def test_minutes_are_asked_only_where_they_are_kept(days: int, periods: list[int]) -> None:
    wanted = Span(NOW - days * DAY, NOW)

    found = stretches(wanted, 60, now=NOW, minutes_from=wanted.start)
    assert list(dict.fromkeys(one.period_s for one in found)) == periods
    assert all(one.window.end == other.window.start for one, other in pairwise(found))


@pytest.mark.parametrize(("days", "periods"), [(62, [300, 60]), (63, [3_600, 300, 60]), (454, [3_600, 300, 60])])
def test_five_minutes_are_asked_only_where_they_are_kept(days: int, periods: list[int]) -> None:
    wanted = Span(NOW - days * DAY, NOW)
    found = stretches(wanted, 60, now=NOW, minutes_from=wanted.start)

    assert list(dict.fromkeys(one.period_s for one in found)) == periods
    assert found[0].window.start == wanted.start
    assert all(one.window.end == other.window.start for one, other in pairwise(found))


def test_nothing_older_than_455_days_is_asked() -> None:
    found = stretches(Span(NOW - 500 * DAY, NOW), 60, now=NOW, minutes_from=NOW - HOUR)

    assert found[0] == Stretch(HOUR, Span(NOW - 455 * DAY + HOUR, NOW - 63 * DAY + HOUR))


@pytest.mark.parametrize("days", [20, 100])
def test_coarse_points_make_whole_hours(days: int) -> None:
    (first, *_) = stretches(Span(NOW - days * DAY + 2_700, NOW), 60, now=NOW, minutes_from=NOW)

    assert first.window.start == NOW - days * DAY


def test_a_stretch_too_long_for_five_statistics_is_cut_in_time() -> None:
    wanted = Span(NOW - 21_000 * 300, NOW)
    (first, *_) = stretches(wanted, 60, now=NOW - 5 * DAY, minutes_from=NOW)

    assert first.points * 5 <= MAX_DATAPOINTS


def test_ids_are_what_the_service_takes_and_the_first_tells_whose_answer_it_is() -> None:
    """GetMetricData API reference: a lower-case letter first, then letters, digits and underscores, 255 at most."""
    questions, stretch = Questions(), Stretch(60, Span(0, 300))
    first, second = pack((questions.ask(subject(n), LATENCY), stretch) for n in range(101))

    assert len(set(first.ids)) == 500
    assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]{0,254}", one) for one in first.ids)
    assert first.ids[0] != second.ids[0]
    assert [query["Id"] for query in orjson.loads(first.body)] == first.ids
