"""One turn of the crank: pure, whole, and nothing said by silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stillfit.advice import AdviceState, Transition
from stillfit.case import Analyzer, Case
from stillfit.cycle import Knowledge, look, turn
from stillfit.model import (
    Answer,
    Attributes,
    Engine,
    Finding,
    FitState,
    GapReason,
    Series,
    Span,
    Statistic,
    Subject,
    Unknown,
    Workload,
)
from stillfit.parts import knowledge
from stillfit.snapshot import Snapshot
from tests.builders import NOON, NOON_S, ORDERS, gap, series, subject
from tests.fakes import HEALTHY, HOT_KEY

MONTH = Span(NOON_S - 28 * 86_400, NOON_S)
RULE = "dynamodb/spread_hot_writes"


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return knowledge()


def measured(metrics: dict[str, float], minutes: int) -> tuple[Series, ...]:
    """Totals of an hour that ends so many minutes after noon."""
    hour = Span(NOON_S - 3_600 + minutes * 60, NOON_S + minutes * 60)
    named = [(*name.partition("__")[::2], total) for name, total in metrics.items()]
    return tuple(
        series(metric, total, window=hour, statistic=Statistic(statistic) if statistic else None)
        for metric, statistic, total in named
    )


def snapshot(
    metrics: dict[str, float] | None = None, *, minutes: int = 0, subjects: tuple[Subject, ...] = (ORDERS,)
) -> Snapshot:
    """What is known so many minutes after noon."""
    now = NOON + timedelta(minutes=minutes)
    return Snapshot(
        at=now,
        spans={Engine.DYNAMODB: Span(MONTH.start, int(now.timestamp()))},
        subjects=subjects,
        series=measured(metrics or dict(HOT_KEY), minutes) if subjects else (),
        workloads=(Workload(name="orders", tables=(ORDERS,)),) if subjects else (),
    )


def test_the_same_inputs_give_the_same_turn(known: Knowledge) -> None:
    assert turn(snapshot(), known, ()) == turn(snapshot(), known, ())


def test_standing_advice_in_any_order_gives_the_same_turn(known: Knowledge) -> None:
    first = turn(snapshot(), known, ())
    standing = (*first.advice, replace(first.advice[0], id="A-other", rule="gone/rule"))

    forth, back = (turn(snapshot(minutes=10), known, order) for order in (standing, standing[::-1]))

    assert sorted(forth.advice, key=lambda one: one.id) == sorted(back.advice, key=lambda one: one.id)
    assert set(forth.transitions) == set(back.transitions)


def test_a_finding_opens_its_advice_after_the_dwell_and_tells_it_once(known: Knowledge) -> None:
    born = turn(snapshot(), known, ())
    opened = turn(snapshot(minutes=10), known, born.advice)
    after = turn(snapshot(minutes=20), known, opened.advice)

    assert [(one.rule, one.state) for one in born.advice] == [(RULE, AdviceState.PENDING)]
    assert [(one.before, one.after) for one in opened.transitions] == [(AdviceState.PENDING, AdviceState.OPEN)]
    assert (born.transitions, after.transitions) == ((), ())


def test_a_cause_that_is_gone_resolves_its_advice_after_the_clear_time(known: Knowledge) -> None:
    standing = turn(snapshot(minutes=10), known, turn(snapshot(), known, ()).advice).advice
    steps: list[Transition] = []
    for minutes in range(70, 130, 10):
        now = turn(snapshot(dict(HEALTHY), minutes=minutes), known, standing)
        standing, steps = now.advice, [*steps, *now.transitions]

    assert [one.after for one in steps] == [AdviceState.RESOLVED]


def test_advice_on_a_table_that_went_quiet_clears_once_no_refusal_is_proven(known: Knowledge) -> None:
    standing = turn(snapshot(minutes=10), known, turn(snapshot(), known, ()).advice).advice
    quiet = {"read_throttle_events": 0.0, "write_throttle_events": 0.0}
    for minutes in range(70, 130, 10):
        standing = turn(snapshot(quiet, minutes=minutes), known, standing).advice

    assert [one.state for one in standing] == [AdviceState.RESOLVED]


def test_data_that_stops_coming_neither_resolves_nor_repeats(known: Knowledge) -> None:
    standing = turn(snapshot(minutes=10), known, turn(snapshot(), known, ()).advice).advice
    blind = replace(snapshot(minutes=180), series=(), gaps=(gap(reason=GapReason.TIMEOUT),))

    now = turn(blind, known, standing)

    assert now.transitions == ()
    assert [one.state for one in now.advice] == [AdviceState.OPEN]
    assert RULE in {answer.rule.id for answer in now.undecided}


def test_a_look_opens_at_once_what_would_wait_for_its_dwell(known: Knowledge) -> None:
    once = look(snapshot(), known)

    assert [(one.rule, one.state) for one in once.advice] == [(RULE, AdviceState.OPEN)]
    assert once.transitions == ()


def test_advice_on_a_table_that_is_gone_ends_with_it(known: Knowledge) -> None:
    standing = turn(snapshot(minutes=10), known, turn(snapshot(), known, ()).advice).advice

    ended = turn(snapshot(minutes=20, subjects=()), known, standing)

    told = "orders is no longer there or no longer watched"
    assert [(one.after, one.reason) for one in ended.transitions] == [(AdviceState.RESOLVED, told)]


def test_a_table_of_which_nothing_is_known_is_unknown_to_every_detector_and_priced_by_none(known: Knowledge) -> None:
    nothing = turn(replace(snapshot(), series=()), known, ())

    assert {type(one.answer) for one in nothing.judgements} == {Unknown}
    assert [one.subject for one in nothing.unpriced] == [ORDERS]
    assert {one.state for one in nothing.fits if one.is_current} <= {FitState.UNKNOWN}
    assert nothing.advice == ()


def test_nothing_to_watch_is_an_empty_turn(known: Knowledge) -> None:
    empty = turn(snapshot(subjects=()), known, ())

    assert (empty.judgements, empty.costs, empty.fits, empty.advice, empty.transitions) == ((), (), (), (), ())


def test_the_lines_of_an_operator_decide(known: Knowledge) -> None:
    drawn = replace(
        known, thresholds=lambda analyzer, subject: {**known.thresholds(analyzer, subject), "min_ratio": 0.9}
    )

    answers = [one.answer for one in turn(snapshot(), drawn, ()).judgements if one.detector == "dynamodb/throttling"]

    assert not any(isinstance(answer, Finding) for answer in answers)


ODD = subject("odd")


def blind_on_odd(known: Knowledge) -> Knowledge:
    """Every detector fails on one table."""

    def failing(analyzer: Analyzer) -> Analyzer:
        def find(case: Case) -> Answer:
            if case.subject == ODD:
                raise ZeroDivisionError("odd numbers")
            return analyzer.find(case)

        return replace(analyzer, find=find)

    return replace(known, analyzers=tuple(failing(one) for one in known.analyzers))


def test_a_table_on_which_a_detector_fails_blinds_no_other(known: Knowledge) -> None:
    both = turn(snapshot(subjects=(ODD, ORDERS)), blind_on_odd(known), ())

    odd = {one.answer.reason for one in both.judgements if one.subject == ODD and isinstance(one.answer, Unknown)}
    assert any(reason.startswith("the detector failed on this: ZeroDivisionError: odd numbers") for reason in odd)
    assert [(one.rule, one.subject) for one in both.advice] == [(RULE, ORDERS)]


def test_operations_of_different_periods_stop_no_turn(known: Knowledge) -> None:
    parts = tuple(
        series("throttled_requests", 900, of=ODD, dimension=name, period_s=period)
        for name, period in (("GetItem", 60), ("PutItem", 300))
    )
    told = snapshot(subjects=(ODD, ORDERS))
    both = turn(replace(told, series=(*told.series, *parts)), known, ())

    found = {one.subject for one in both.judgements if isinstance(one.answer, Finding)}
    assert found == {ODD, ORDERS}


def test_a_rule_that_fails_is_undecided_and_keeps_its_advice(known: Knowledge) -> None:
    standing = turn(snapshot(minutes=10), known, turn(snapshot(), known, ()).advice).advice
    faulty = tuple(replace(one, all=()) if one.id == RULE else one for one in known.rules)

    now = turn(snapshot(minutes=20), replace(known, rules=faulty), standing)

    (failed,) = [answer for answer in now.undecided if answer.rule.id == RULE]
    assert failed.missing[0].startswith(f"the rule {RULE} failed on this: IndexError")
    assert ([one.state for one in now.advice], now.transitions) == ([AdviceState.OPEN], ())


def test_a_cost_and_a_fit_that_fail_are_not_known_and_the_turn_goes_on(known: Knowledge) -> None:
    odd = Attributes(subject=ORDERS, at=NOON, values=(("billing_mode",),))  # type: ignore[arg-type]  # the odd input

    now = turn(replace(snapshot(), attributes=(odd,)), known, ())

    assert ["the cost model failed on this" in str(one.answer) for one in now.unpriced] == [True]
    assert {one.state for one in now.fits} == {FitState.UNKNOWN}
    assert all("the fit failed on this" in one.missing[0] for one in now.fits)
