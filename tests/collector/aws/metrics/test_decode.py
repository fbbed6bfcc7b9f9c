"""Answers to series: only what is Complete, sorted, unique, finite and inside the window."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.aws.metrics.decode import decode
from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import CONSUMED, THROTTLES, Questions
from collector.aws.wire.failures import GarbledError
from stillfit.model import GapReason, Span
from tests.collector.aws.kit import ORDERS

START = 1_793_620_800
WINDOW = Span(START, START + 300)


def request(*specs: Any) -> Request:
    questions = Questions()
    asks = tuple(questions.ask(ORDERS, spec) for spec in specs or (THROTTLES["read"],))
    return Request(stretch=Stretch(60, WINDOW), asks=asks)


def result(times: list[Any], values: list[Any], *, id_: str = "q0_0", status: str = "Complete") -> dict[str, Any]:
    return {"Id": id_, "Label": "x", "Timestamps": times, "Values": values, "StatusCode": status}


def page(*results: dict[str, Any]) -> dict[str, Any]:
    return {"MetricDataResults": list(results)}


def minutes(*numbers: int) -> list[int]:
    return [START + 60 * number for number in numbers]


def test_a_complete_answer_vouches_for_its_window() -> None:
    (series,) = decode(request(), [page(result(minutes(0, 2), [1, 3.5]))]).series

    assert (series.metric, series.covered) == ("read_throttle_events", (WINDOW,))
    assert (series.times.tolist(), series.values.tolist()) == (minutes(0, 2), [1.0, 3.5])


def test_an_empty_complete_answer_is_covered_and_empty() -> None:
    (series,) = decode(request(), [page(result([], []))]).series

    assert (len(series.times), series.covered) == (0, (WINDOW,))


@pytest.mark.parametrize(
    ("status", "reason", "again"),
    [
        ("PartialData", GapReason.PARTIAL, True),
        ("InternalError", GapReason.UNREACHABLE, True),
        ("Forbidden", GapReason.DENIED, False),
        ("SomethingNew", GapReason.PARTIAL, True),
    ],
)
def test_what_is_not_complete_is_missing_with_its_reason(status: str, reason: GapReason, again: bool) -> None:
    got = decode(request(), [page(result(minutes(0), [1], status=status))])

    assert got.series == ()
    assert [(one.reason, one.again) for one in got.missing] == [(reason, again)]


def test_an_ask_that_is_left_out_of_the_answer_is_missing() -> None:
    got = decode(request(*THROTTLES.values()), [page(result([], []))])

    assert [one.ask.spec for one in got.missing] == [THROTTLES["write"]]


OTHERS = [result(minutes(1), [777], id_=id_) for id_ in ("q0_7", "q1")]


@pytest.mark.parametrize("own", [[], [result([], [], id_=id_) for id_ in ("q0_0", "q1")]], ids=["alone", "behind ours"])
def test_an_answer_to_another_request_says_nothing_of_this_one(own: list[dict[str, Any]]) -> None:
    with pytest.raises(GarbledError, match="answers another request"):
        decode(request(*THROTTLES.values()), [page(*own), page(*OTHERS)])


def test_one_failed_statistic_fails_its_metric_and_no_other() -> None:
    good = [result(minutes(1), [1], id_=id_) for id_ in ("q0_0", "q1")]
    got = decode(request(CONSUMED[0], THROTTLES["read"]), [page(*good, result([], [], id_="q3"))])

    assert [one.metric for one in got.series] == ["read_throttle_events"]
    assert [one.ask.spec for one in got.missing] == [CONSUMED[0]]


def test_pages_are_joined_and_the_last_status_counts() -> None:
    pages = [page(result(minutes(0, 1), [1, 2], status="PartialData")), page(result(minutes(2), [3]))]
    (series,) = decode(request(), pages).series

    assert series.values.tolist() == [1, 2, 3]


def test_disorder_is_sorted_and_of_doubles_the_later_counts() -> None:
    (series,) = decode(request(), [page(result(minutes(3, 1, 3, 2), [9, 1, 3, 2]))]).series

    assert (series.times.tolist(), series.values.tolist()) == (minutes(1, 2, 3), [1, 2, 3])


def test_a_step_back_between_two_results_is_no_disorder() -> None:
    got = decode(
        request(*THROTTLES.values()),
        [page(result(minutes(3, 4), [1, 2]), result([], [], id_="q1"))],
    )

    assert [len(one.times) for one in got.series] == [2, 0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -0.5, None, "NaN", "1.5", True])
def test_a_value_that_cannot_be_is_counted_and_nothing_around_it_is_vouched_for(value: Any) -> None:
    """With only that minute dropped, it would read as a minute in which nothing happened."""
    got = decode(request(), [page(result(minutes(0, 1), [value, 7]))])

    assert (list(got.series), got.dropped, got.datapoints) == ([], 1, 2)
    assert [(one.reason, one.again) for one in got.missing] == [(GapReason.GARBLED, True)]


@pytest.mark.parametrize("second", [-60, 300, 7], ids=["before the window", "at its end", "between two ticks"])
def test_a_time_that_cannot_be_is_counted_and_nothing_around_it_is_vouched_for(second: int) -> None:
    got = decode(request(), [page(result([START + second], [1]))])

    assert (list(got.series), got.dropped) == ([], 1)
    assert [one.reason for one in got.missing] == [GapReason.GARBLED]


@pytest.mark.parametrize("form", ["2026-11-02T12:00:00Z", "2026-11-02T12:00:00+00:00", START, float(START)])
def test_every_protocols_timestamps_are_read(form: Any) -> None:
    (series,) = decode(request(), [page(result([form], [1]))]).series

    assert series.times.tolist() == [START]
    assert series.times.dtype == np.int64


@pytest.mark.parametrize(
    "nonsense",
    [
        {"Id": "q0_0", "Timestamps": [START], "Values": []},
        {"Id": "q0_0", "Timestamps": [START], "Values": 1, "StatusCode": "Complete"},
        {"Id": "q0_0", "Timestamps": [START], "Values": [10**400], "StatusCode": "Complete"},
        {"Id": "q0_0", "Timestamps": [float("nan")], "Values": [1], "StatusCode": "Complete"},
        {"Id": "q0_0", "Timestamps": ["soon"], "Values": [1], "StatusCode": "Complete"},
        {"Id": "q0_0"},
        {"Id": "q0_0", "Timestamps": [], "Values": [], "StatusCode": ["Complete"]},
        {"Id": ["q0_0"], "Timestamps": [], "Values": [], "StatusCode": "Complete"},
        {"Id": None, "Timestamps": [], "Values": [], "StatusCode": {}},
        "text",
    ],
)
def test_nonsense_is_garbled_and_never_a_value(nonsense: Any) -> None:
    with pytest.raises(GarbledError):
        decode(request(), [{"MetricDataResults": [nonsense]}])


FORMS = (float, int, lambda second: datetime.fromtimestamp(second, UTC).isoformat())
"""How the protocols write an instant: JSON and CBOR as numbers, the query protocol as text."""


@st.composite
def answers(draw: st.DrawFn, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Whole answers and broken ones: results left out, twice, in any order, in pieces, with points that cannot be."""
    order = draw(st.one_of(st.just(list(ids)), st.lists(st.sampled_from(ids), max_size=12)))
    form = draw(st.sampled_from(FORMS))
    ticks = st.integers(-1, 6).map(lambda minute: START + 60 * minute)
    times = draw(st.sampled_from([ticks, ticks.map(lambda second: second + 1), st.just(START)]))
    results = []
    for id_ in order:
        at = draw(st.lists(times, max_size=4))
        values = [draw(st.sampled_from([0.0, 1.5, 7, -1.0, float("nan"), None])) for _ in at]
        status = draw(st.sampled_from(["Complete", "Complete", "Complete", "PartialData", "Forbidden"]))
        results.append(result([form(second) for second in at], values, id_=id_, status=status))
    border = draw(st.integers(0, len(results)))
    return [page(*results[:border]), page(*results[border:])]


def simply(one: Request, pages: Sequence[dict[str, Any]]) -> list[tuple[Any, list[int], list[float]]]:
    """What an answer says, slot by slot and point by point."""
    found = []
    results = [result for page in pages for result in page["MetricDataResults"]]
    ids = iter(one.ids)
    for ask in one.asks:
        by_slot = [[result for result in results if result["Id"] == id_] for id_ in islice(ids, len(ask.slots))]
        if not all(mine and mine[-1]["StatusCode"] == "Complete" and not _lies(mine) for mine in by_slot):
            continue
        for slot, mine in zip(ask.slots, by_slot, strict=True):
            points: dict[int, float] = {}
            for each in mine:
                for at, value in zip(each["Timestamps"], each["Values"], strict=True):
                    points.update([(_second(at), value)] if _can_be(at, value) else [])
            key = (ask.subject, slot.metric, slot.statistic, 60, ask.part)
            found.append((key, sorted(points), [points[second] for second in sorted(points)]))
    return found


def _lies(results: Sequence[dict[str, Any]]) -> bool:
    complete = [one for one in results if one["StatusCode"] == "Complete"]
    return not all(_can_be(*point) for one in complete for point in zip(one["Timestamps"], one["Values"], strict=True))


def _can_be(at: Any, value: Any) -> bool:
    return _second(at) in range(WINDOW.start, WINDOW.end, 60) and value is not None and value >= 0


def _second(at: Any) -> int:
    return int(datetime.fromisoformat(at).timestamp() if isinstance(at, str) else at)


ASKED = request(*CONSUMED, *THROTTLES.values())


@given(answers(ASKED.ids))
def test_any_answer_says_what_it_says_point_by_point(pages: list[dict[str, Any]]) -> None:
    got = decode(ASKED, pages)

    assert [(one.key, one.times.tolist(), one.values.tolist()) for one in got.series] == simply(ASKED, pages)
    lost = {slot.metric for one in got.missing for slot in one.ask.slots}
    assert lost | {one.metric for one in got.series} == {slot.metric for ask in ASKED.asks for slot in ask.slots}
