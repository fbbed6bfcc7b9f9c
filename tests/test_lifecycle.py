"""The life of advice, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stillfit.advice import AdviceState
from stillfit.errors import UsageError
from stillfit.evidence import Facts
from stillfit.lifecycle import Moment, acknowledge, dismiss, gone, retired, snooze, step
from stillfit.model import Confidence, Money, Severity, Span
from tests.builders import NOON, ORDERS
from tests.rules.builders import facts
from tests.rules.lives import (
    ACKNOWLEDGED,
    BETWEEN,
    DISMISSED,
    FIRES,
    MINUTE,
    OPEN,
    PENDING,
    QUIET,
    RESOLVED,
    RULE,
    SNOOZED,
    UNKNOWN,
    WINDOW,
    Life,
    answer,
    known,
    opened,
)


def test_a_rule_that_is_quiet_or_unknown_makes_no_record() -> None:
    assert Life().see(QUIET, UNKNOWN, BETWEEN).record is None


def test_the_first_sight_starts_the_clock_and_tells_nobody() -> None:
    life = Life().see(FIRES)

    assert (life.advice.state, life.advice.firing_s, life.told) == (PENDING, 0, ())


@pytest.mark.parametrize(("seconds", "state"), [(599, PENDING), (600, OPEN), (601, OPEN)])
def test_it_opens_when_for_has_been_seen(seconds: int, state: AdviceState) -> None:
    assert Life().see(FIRES).see(FIRES, every=timedelta(seconds=seconds)).advice.state is state


def test_windows_that_overlap_count_their_time_once() -> None:
    assert Life().see(FIRES).see(*[FIRES] * 3, every=MINUTE).advice.firing_s == 180


def test_the_same_window_judged_again_adds_nothing() -> None:
    life = Life().see(FIRES, FIRES)
    before = life.advice
    life.look(FIRES, Span(int((life.at - WINDOW).timestamp()), int(life.at.timestamp())))

    assert life.advice == before


def test_time_that_nobody_saw_does_not_count() -> None:
    """Down for a day; the window that is judged then shows its hour and no more."""
    assert Life().see(FIRES).see(FIRES, every=timedelta(days=1)).advice.firing_s == WINDOW.total_seconds()


def test_a_window_ahead_of_the_clock_makes_no_time() -> None:
    life = Life().see(FIRES)
    life.look(FIRES, Span(int(life.at.timestamp()), int((life.at + timedelta(days=1)).timestamp())))

    assert (life.advice.firing_s, life.advice.state) == (0, PENDING)


def test_a_quiet_look_starts_the_firing_clock_anew() -> None:
    assert Life().see(FIRES, FIRES, QUIET, FIRES).advice.firing_s == 300


def test_unknown_pauses_the_firing_clock() -> None:
    life = Life().see(FIRES, FIRES, UNKNOWN, UNKNOWN)
    assert (life.advice.state, life.advice.firing_s) == (PENDING, 300)

    assert life.see(FIRES).advice.state is OPEN


@pytest.mark.parametrize("count", [1, 5, 500])
def test_unknown_never_clears(count: int) -> None:
    life = opened()
    life.see(QUIET, QUIET, *[UNKNOWN] * count)

    assert (life.advice.state, life.advice.clear_s) == (OPEN, 600)


@pytest.mark.parametrize(("seconds", "state"), [(1199, OPEN), (1200, RESOLVED)])
def test_it_is_resolved_when_it_was_seen_clear_long_enough(seconds: int, state: AdviceState) -> None:
    assert opened().see(QUIET, every=timedelta(seconds=seconds)).advice.state is state


def test_between_the_lines_it_neither_clears_nor_resets_what_is_told() -> None:
    life = opened().see(QUIET, QUIET, QUIET, BETWEEN, QUIET, QUIET, QUIET)

    assert (life.advice.state, life.advice.clear_s) == (OPEN, 900)


def test_one_firing_look_starts_the_clear_clock_anew() -> None:
    assert opened().see(QUIET, QUIET, QUIET, FIRES, QUIET).advice.clear_s == 300


def test_what_comes_back_is_the_same_record_after_its_cool_down() -> None:
    life = opened()
    first = life.advice
    life.see(*[QUIET] * 4)
    life.see(*[FIRES] * 11)
    assert life.advice.state is RESOLVED

    life.see(FIRES)
    assert (life.advice.state, life.advice.id, life.advice.transitions) == (OPEN, first.id, 3)
    assert life.advice.first_seen == first.first_seen
    assert life.told[-1].reason.startswith("came back")


@pytest.mark.parametrize(("hours", "same"), [(23, True), (25, False)])
def test_after_a_day_it_is_a_new_episode_of_the_same_record(hours: int, *, same: bool) -> None:
    life = opened()
    first = life.advice
    life.see(*[QUIET] * 4).see(QUIET, every=timedelta(hours=hours)).see(FIRES, FIRES, FIRES)

    assert (life.advice.state, life.advice.id) == (OPEN, first.id)
    assert (life.advice.first_seen == first.first_seen) is same


def test_new_numbers_update_the_record_and_tell_nobody() -> None:
    life = opened()
    told = life.told
    saved = Money(low=1, mid=2, high=3, price_date=NOON, arithmetic="")
    saving = replace(RULE, saves="on_demand", version=7)
    fresh = facts(saving, about=ORDERS, cause="provisioned", savings={"on_demand": saved}, table="orders")
    life.at += MINUTE
    record, changed = step(
        life.advice, answer(FIRES, saving), fresh, Moment(at=life.at, window=Span(0, int(life.at.timestamp())))
    )

    assert record is not None
    assert (record.saving, record.rule_version, record.last_seen) == (saved, 7, life.at)
    assert (changed, life.told) == ((), told)


def test_a_rise_of_severity_is_told_and_a_fall_is_not() -> None:
    life = opened()
    life.see(FIRES, severity=Severity.CRITICAL)
    assert life.told[-1].reason == "severity rose from warning to critical"
    count = len(life.told)

    life.see(FIRES, severity=Severity.INFO).see(FIRES, severity=Severity.CRITICAL)
    assert (life.advice.severity, len(life.told)) == (Severity.CRITICAL, count)


def test_a_rise_of_severity_opens_what_was_acknowledged() -> None:
    life = opened()
    life.person(acknowledge(life.advice, life.at, by="ana"))

    assert life.see(FIRES, severity=Severity.CRITICAL).moves[-1] == (ACKNOWLEDGED, OPEN)


def test_acknowledged_advice_stays_until_it_is_seen_clear() -> None:
    life = opened()
    life.person(acknowledge(life.advice, life.at, by="ana")).see(*[FIRES] * 20)
    assert (life.advice.state, life.advice.state_by) == (ACKNOWLEDGED, "ana")

    assert life.see(*[QUIET] * 4).advice.state is RESOLVED


def test_a_snooze_ends_at_its_time_and_not_before() -> None:
    life = opened()
    life.person(snooze(life.advice, life.at + timedelta(hours=1), life.at, by="ana"))
    assert life.see(*[FIRES] * 11).advice.state is SNOOZED

    assert life.see(FIRES).moves[-1] == (SNOOZED, OPEN)
    assert life.advice.snooze_until is None


@pytest.mark.parametrize(
    ("severity", "state"),
    [(Severity.CRITICAL, OPEN), (Severity.WARNING, SNOOZED), (Severity.INFO, SNOOZED)],
    ids=["rises", "stays", "falls"],
)
def test_a_severity_that_rises_ends_a_snooze(severity: Severity, state: AdviceState) -> None:
    life = Life().see(*[FIRES] * 3, severity=Severity.WARNING)
    life.person(snooze(life.advice, life.at + timedelta(days=1), life.at, by="ana"))

    assert life.see(FIRES, severity=severity).advice.state is state
    assert (life.told[-1].reason == "severity rose from warning to critical") is (state is OPEN)


def test_a_snooze_ends_early_by_being_seen_clear() -> None:
    life = opened()
    life.person(snooze(life.advice, life.at + timedelta(days=1), life.at, by="ana"))

    assert life.see(*[QUIET] * 4).moves[-1] == (SNOOZED, RESOLVED)


def test_a_dismissal_holds_against_firing_and_clearing_until_it_ends() -> None:
    life = opened()
    life.person(dismiss(life.advice, "planned load test", life.at + timedelta(hours=2), life.at, by="ana"))
    assert life.see(*[QUIET] * 10, *[FIRES] * 13).advice.state is DISMISSED

    assert life.see(FIRES).moves[-1] == (DISMISSED, OPEN)


def test_a_dismissal_that_ends_without_its_cause_is_resolved() -> None:
    life = opened()
    life.person(dismiss(life.advice, "planned", life.at + timedelta(hours=1), life.at, by="ana"))

    assert life.see(*[QUIET] * 12).moves[-1] == (DISMISSED, RESOLVED)


def test_a_dismissal_that_ends_in_the_dark_waits() -> None:
    life = opened()
    life.person(dismiss(life.advice, "planned", life.at + timedelta(hours=1), life.at, by="ana"))

    assert life.see(*[UNKNOWN] * 20).advice.state is DISMISSED


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda one, at: acknowledge(one, at, by="ana"), "cannot be acknowledged: it must be open"),
        (lambda one, at: snooze(one, at + timedelta(days=1), at, by="ana"), "cannot be snoozed"),
        (lambda one, at: dismiss(one, "x", at + timedelta(days=1), at, by="ana"), "cannot be dismissed"),
    ],
    ids=["acknowledge", "snooze", "dismiss"],
)
def test_what_is_over_cannot_be_answered(act: Any, sentence: str) -> None:
    life = opened().see(*[QUIET] * 4)

    with pytest.raises(UsageError, match=sentence):
        act(life.advice, life.at)


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_a_snooze_must_end_within_a_quarter(days: int) -> None:
    life = opened()
    with pytest.raises(UsageError, match="must end after now and not later than"):
        snooze(life.advice, life.at + timedelta(days=days), life.at, by="ana")


@pytest.mark.parametrize(("reason", "days"), [("  ", 1), ("x", 366), ("x", 0)])
def test_a_dismissal_needs_a_reason_and_an_end(reason: str, days: int) -> None:
    life = opened()
    with pytest.raises(UsageError):
        dismiss(life.advice, reason, life.at + timedelta(days=days), life.at, by="ana")


def test_advice_ends_with_its_subject() -> None:
    life = opened()
    ended, (transition,) = gone(life.advice, life.at, still_there=False)

    assert (ended.state, transition.reason) == (RESOLVED, "orders is no longer there or no longer watched")
    assert gone(ended, life.at, still_there=False) == (ended, ())


def test_advice_that_was_not_judged_waits() -> None:
    assert gone(opened().advice, NOON, still_there=True)[1] == ()


def test_advice_ends_with_its_rule() -> None:
    ended, (transition,) = retired(opened().advice, NOON)
    assert (ended.state, transition.reason) == (RESOLVED, "the rule dynamodb/example is no longer in force")


def test_the_id_holds_no_numbers_and_survives_a_new_version() -> None:
    one = opened(rule=replace(RULE, version=1)).advice
    other = opened(rule=replace(RULE, version=2)).advice

    assert one.id == other.id
    assert one.id.startswith("A-")
    assert opened(rule=replace(RULE, option="another")).advice.id != one.id


@pytest.mark.parametrize(
    ("days", "confidence"),
    [(6.9, Confidence.LOW), (7, Confidence.MEDIUM), (13.9, Confidence.MEDIUM), (14, Confidence.HIGH)],
)
def test_without_a_finding_confidence_grows_with_the_days_that_were_seen(days: float, confidence: Confidence) -> None:
    by_days = replace(RULE, confidence=None)
    seen = known(by_days)
    seen = Facts(subject=ORDERS, at=NOON, window=Span(0, int(days * 86400)), named=seen.named)
    record, _ = step(None, answer(FIRES, by_days), seen, Moment(at=NOON, window=seen.window))

    assert record is not None
    assert record.confidence is confidence
