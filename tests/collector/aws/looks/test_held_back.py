"""What is gone and may not be asked waits, as long as CloudWatch keeps its minutes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.aws.looks.farewell import GIVEN_UP_S, HELD_S, Farewell
from collector.aws.looks.progress import Progress
from collector.aws.metrics.planner import Stretch
from collector.aws.metrics.queries import CONSUMED, Questions
from stillfit.model import Span
from tests.collector.aws.kit import NOON, ORDERS

CARTS = replace(ORDERS, table="carts")
TICK = 300


@pytest.mark.parametrize(
    ("held_s", "is_read"),
    [(GIVEN_UP_S + TICK, True), (HELD_S - TICK, True), (HELD_S, True), (HELD_S + TICK, False)],
)
def test_what_is_held_back_waits_for_two_weeks(held_s: int, *, is_read: bool) -> None:
    progress = Progress(timedelta(days=1), timedelta(hours=3))
    farewell, ask = Farewell(progress), Questions().ask(CARTS, CONSUMED[0])
    progress.begin(None, NOON)
    progress.read(ask, Stretch(60, Span(NOON - 3_600, NOON)))
    progress.end()
    farewell.note([ask], {ORDERS}, NOON)
    for until in (NOON + TICK, NOON + held_s - TICK):
        assert farewell.due(progress.begin(None, until), 1.0, lambda _: False) == []
        farewell.done((), until)
    planned = farewell.due(progress.begin(None, NOON + held_s), 1.0, lambda _: True)
    farewell.done((), NOON + held_s)

    assert [piece.window.end for _, piece in planned] == ([NOON] if is_read else [])
    assert list(farewell.subjects) == []
