"""The life of advice, by hand and by any sequence of answers that hypothesis can think of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillfit.advice import LIVE_STATES, Advice, AdviceState, Transition
from stillfit.errors import UsageError
from stillfit.evidence import Facts
from stillfit.lifecycle import Moment, acknowledge, dismiss, exclusive, gone, retired, snooze, step
from stillfit.model import Confidence, Money, Severity, Span
from stillfit.rules.engine import Rule, RuleAnswer
from tests.builders import BY_STATUS, NOON, ORDERS
from tests.rules.builders import facts, rule

RULE: Rule = rule()  # for 10 min, clear for 20 min, cool-down 1 h
WINDOW = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

FIRES, QUIET, UNKNOWN, BETWEEN = "fires", "quiet", "unknown", "between"
PENDING, OPEN, ACKNOWLEDGED, SNOOZED, DISMISSED, RESOLVED = AdviceState


@dataclass
class Life:
    """One record, fed answer by answer; a window of an hour ends at each moment."""

    rule: Rule = RULE
    at: datetime = NOON
    record: Advice | None = None
    told: tuple[Transition, ...] = ()

    def see(self, *said: str, every: timedelta = 5 * MINUTE, severity: Severity | None = None) -> Life:
        for one in said:
            self.at += every
            self.look(one, Span(int((self.at - WINDOW).timestamp()), int(self.at.timestamp())), severity)
        return self

    def look(self, said: str, window: Span, severity: Severity | None = None) -> None:
        asked = replace(self.rule, severity=severity or self.rule.severity)
        self.record, changed = step(self.record, answer(said, asked), known(asked), Moment(at=self.at, window=window))
        self.told += changed

    def person(self, stepped: tuple[Advice, tuple[Transition, ...]]) -> Life:
        self.record, changed = stepped
        self.told += changed
        return self

    @property
    def advice(self) -> Advice:
        assert self.record is not None
        return self.record

    @property
    def moves(self) -> list[tuple[AdviceState, AdviceState]]:
        return [(one.before, one.after) for one in self.told]


def answer(said: str, of: Rule = RULE) -> RuleAnswer:
    fires, clears = {FIRES: (True, False), QUIET: (False, True), UNKNOWN: (None, None), BETWEEN: (False, False)}[said]
    return RuleAnswer(rule=of, subject=ORDERS, fires=fires, clears=clears, missing=(), clauses=())


def known(of: Rule = RULE, **more: Any) -> Facts:
    return facts(of, about=ORDERS, cause="provisioned", billing_mode="PROVISIONED", **more)


def opened(**changes: Any) -> Life:
    life = Life(**changes).see(FIRES, FIRES, FIRES)
    assert life.advice.state is OPEN
    return life


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


def test_a_snooze_ends_early_only_by_being_seen_clear() -> None:
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

    assert (ended.state, transition.reason) == (RESOLVED, "orders no longer exists")
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


def in_group(name: str, rank: int, state: AdviceState, *, subject: Any = ORDERS, seen: bool = True) -> Advice:
    return replace(
        opened().advice,
        id=name,
        rule=name,
        title=name,
        group="capacity",
        rank=rank,
        state=state,
        subject=subject,
        last_seen=NOON if seen else NOON - MINUTE,
    )


def settle(*advice: Advice) -> dict[str, tuple[AdviceState, str]]:
    return {one.id: (one.state, one.superseded_by) for one in exclusive(advice, NOON)[0]}


def test_of_a_group_the_lowest_rank_is_shown_and_the_other_ends() -> None:
    size, mode = in_group("size", 1, OPEN), in_group("mode", 3, OPEN)
    after, (transition,) = exclusive((mode, size), NOON)

    assert [(one.id, one.state, one.superseded_by) for one in after] == [("mode", RESOLVED, "size"), ("size", OPEN, "")]
    assert (transition.advice_id, transition.reason) == ("mode", "size is advised instead: size")


def test_of_what_waits_only_the_best_may_come_next() -> None:
    settled = settle(in_group("size", 1, PENDING), in_group("mode", 3, PENDING))
    assert settled == {"size": (PENDING, ""), "mode": (PENDING, "size")}


def test_what_waits_displaces_what_is_shown_only_when_it_is_open() -> None:
    settled = settle(in_group("size", 1, PENDING), in_group("mode", 3, OPEN))
    assert settled == {"size": (PENDING, ""), "mode": (OPEN, "")}


def test_a_snoozed_option_still_stands_for_its_group() -> None:
    assert settle(in_group("size", 1, SNOOZED), in_group("mode", 3, PENDING))["mode"] == (PENDING, "size")


@pytest.mark.parametrize("over", [DISMISSED, RESOLVED])
def test_when_the_best_is_over_the_next_is_free(over: AdviceState) -> None:
    waiting = replace(in_group("mode", 3, PENDING), superseded_by="size")
    assert settle(in_group("size", 1, over, seen=False), waiting)["mode"] == (PENDING, "")


def test_two_indexes_of_one_table_may_each_be_right_sized() -> None:
    other = replace(BY_STATUS, index="by-day")
    settled = settle(in_group("a", 1, OPEN, subject=BY_STATUS), in_group("b", 1, OPEN, subject=other))
    assert settled == {"a": (OPEN, ""), "b": (OPEN, "")}


def test_right_sizing_an_index_goes_before_the_mode_of_its_table() -> None:
    settled = settle(in_group("a", 1, OPEN, subject=BY_STATUS), in_group("mode", 3, OPEN))
    assert settled["mode"] == (RESOLVED, "a")


def test_what_is_superseded_is_not_opened() -> None:
    life = Life().see(FIRES)
    life.record = replace(life.advice, superseded_by="A-other")

    assert life.see(*[FIRES] * 20).advice.state is PENDING


LOOKS = st.lists(
    st.tuples(
        st.sampled_from([FIRES, FIRES, QUIET, QUIET, UNKNOWN, BETWEEN]),
        st.integers(min_value=0, max_value=1800),
        st.integers(min_value=0, max_value=7200),
        st.sampled_from(list(Severity)),
    ),
    max_size=120,
)


def lived(looks: list[tuple[str, int, int, Severity]]) -> Life:
    life = Life()
    for said, later_s, length_s, severity in looks:
        life.at += timedelta(seconds=later_s)
        end = int(life.at.timestamp())
        life.look(said, Span(end - length_s, end), severity)
    return life


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_the_same_inputs_give_the_same_transitions(looks: list[tuple[str, int, int, Severity]]) -> None:
    one, other = lived(looks), lived(looks)
    assert (one.record, one.told) == (other.record, other.told)


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_transitions_are_numbered_without_a_gap_and_fit_together(looks: list[tuple[str, int, int, Severity]]) -> None:
    life = lived(looks)

    assert [one.number for one in life.told] == list(range(1, len(life.told) + 1))
    assert all(one.after is two.before for one, two in zip(life.told, life.told[1:], strict=False))
    assert not life.told or life.told[0].before is PENDING


K = 4
"""An episode opens, rises twice and ends; the next may not open within the cool-down of an hour after that."""


@given(LOOKS)
@settings(max_examples=200, deadline=None)
def test_no_input_makes_more_than_k_transitions_an_hour(looks: list[tuple[str, int, int, Severity]]) -> None:
    times = [one.at for one in lived(looks).told]
    assert all(later - first >= timedelta(hours=1) for first, later in zip(times, times[K:], strict=False))


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_unknown_moves_nothing_and_stops_both_clocks(looks: list[tuple[str, int, int, Severity]]) -> None:
    life = lived(looks)
    before, told = life.record, life.told
    life.see(*[UNKNOWN] * 50)

    assert life.told == told
    if before is not None:
        assert life.advice == replace(before, judged_until=life.advice.judged_until)


@given(LOOKS)
@settings(max_examples=100, deadline=None)
def test_it_opens_only_after_firing_time_that_was_seen(looks: list[tuple[str, int, int, Severity]]) -> None:
    """The clock can never show more than the time that passed since the record was made."""
    life = lived(looks)
    if life.record is not None:
        assert life.record.firing_s <= (life.at - NOON).total_seconds()
        assert life.record.state not in LIVE_STATES or life.record.transitions > 0
