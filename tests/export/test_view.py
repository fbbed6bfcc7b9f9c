from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from collector.aws.looks.history import Backlog
from collector.aws.money.fees import Fees
from collector.aws.spending.meter import Bill
from stillfit.advice import AdviceState
from stillfit.export.view import REMEMBERED, SourceStatus, owed_by, spent_by, view_of
from stillfit.model import Span
from tests.builders import JOBS, NOON, NOON_S, ORDERS, series
from tests.export.fleet import AWS, CLUSTER, EMPTY, HOT, OVER, SNAPSHOT, STARVED, TURN, VIEW

IDS = [record.id for record in TURN.advice]


def test_a_view_shows_one_turn_whole() -> None:
    assert (VIEW.at, VIEW.turn, VIEW.gaps) == (NOON, TURN, SNAPSHOT.gaps)
    assert [record.id for record in VIEW.advice] == IDS


def test_a_view_keeps_who_it_belongs_to() -> None:
    assert (VIEW.instance, VIEW.started_at) == (EMPTY.instance, EMPTY.started_at)


@pytest.mark.parametrize(
    ("age", "shown"),
    [(REMEMBERED - timedelta(seconds=1), True), (REMEMBERED, True), (REMEMBERED + timedelta(seconds=1), False)],
    ids=["just below", "at", "just above"],
)
def test_what_was_resolved_is_shown_for_a_day(age: timedelta, shown: bool) -> None:
    resolved = replace(OVER, state_since=NOON - age)
    view = view_of(EMPTY, replace(TURN, advice=(resolved,)), SNAPSHOT, ())

    assert bool(view.advice) is shown


def test_dismissed_advice_is_remembered() -> None:
    dismissed = replace(HOT, state=AdviceState.DISMISSED, state_since=NOON - timedelta(days=30))

    assert view_of(EMPTY, replace(TURN, advice=(dismissed,)), SNAPSHOT, ()).advice == (dismissed,)


def test_a_record_that_the_turn_did_not_touch_stays() -> None:
    after = view_of(VIEW, replace(TURN, advice=(STARVED,)), SNAPSHOT, ())

    assert [record.id for record in after.advice] == IDS


def test_a_source_is_as_fresh_as_its_newest_series() -> None:
    late = replace(SNAPSHOT, series=(series("consumed_read_units", 1, covered=(Span(NOON_S - 3600, NOON_S - 900),)),))

    first, second = view_of(EMPTY, TURN, late, (AWS, CLUSTER)).sources

    assert first.covered_until == NOON - timedelta(minutes=15)
    assert second.covered_until is None


def test_trends_are_drawn_for_the_metrics_of_live_advice_only() -> None:
    drawn = {(one.subject, one.signal) for one in VIEW.trends}

    assert (ORDERS, "write_key_range_throttle_events") in drawn
    assert (JOBS, "tombstones_per_read_p99") in drawn
    assert all(one.signal != "partition_key" for one in VIEW.trends)
    assert view_of(EMPTY, replace(TURN, advice=(OVER,)), SNAPSHOT, ()).trends == ()


def test_a_trend_of_unseen_time_has_gaps_and_a_seen_zero_is_zero() -> None:
    half = (Span(NOON_S - 3 * 3600, NOON_S),)
    seen = series("write_key_range_throttle_events", [], window=Span(NOON_S - 6 * 3600, NOON_S), covered=half)

    (trend,) = view_of(EMPTY, TURN, replace(SNAPSHOT, series=(seen,)), ()).trends

    assert trend.values == (None,) * 36 + (0.0,) * 36


@pytest.mark.parametrize(("minutes", "late"), [(4, 0), (5, 0), (6, 6)])
def test_a_look_is_overdue_when_it_takes_longer_than_its_interval(minutes: int, late: int) -> None:
    began = NOON - timedelta(minutes=minutes)
    one = SourceStatus(id="aws/1/eu", engine="dynamodb", reading_since=began, every=timedelta(minutes=5))

    assert one.overdue(NOON) == timedelta(minutes=late)


def test_what_may_have_been_billed_is_told_apart_from_what_was() -> None:
    bill = Bill(calls=3, metrics=1_000, lost_metrics=500, lost_listings=100)
    (paid,) = spent_by(SimpleNamespace(bill=bill))
    (fees,) = spent_by(SimpleNamespace(bill=Fees(requests=5, lost=2)))

    assert (paid.dollars, paid.lost_dollars) == pytest.approx((0.01, 0.006))
    assert (fees.dollars, fees.lost_dollars) == pytest.approx((0.05, 0.02))


def test_what_kms_bills_is_told_apart_from_what_cloudwatch_does() -> None:
    bill = Bill(metrics=1_000, keys=10_000, lost_keys=5_000)
    cloudwatch, kms = spent_by(SimpleNamespace(bill=bill))

    assert (cloudwatch.dollars, cloudwatch.lost_dollars) == pytest.approx((0.01, 0.0))
    assert (kms.api, kms.requests) == ("kms", 10_000)
    assert (kms.dollars, kms.lost_dollars) == pytest.approx((0.03, 0.015))


def test_the_bill_of_a_source_is_what_its_meter_says() -> None:
    bill = Bill(calls=3, listings=1, metrics=1_000, datapoints=60_000)
    signed_in_later = SimpleNamespace(source=SimpleNamespace(bill=bill))

    (paid,) = spent_by(SimpleNamespace(bill=bill))

    assert (paid.api, paid.requests, paid.metrics) == ("cloudwatch", 4, 1_000)
    assert paid.dollars == pytest.approx(bill.usd)
    assert spent_by(signed_in_later) == (paid,)
    assert spent_by(object()) == ()


def test_what_a_source_owes_of_the_past_is_its_own_word() -> None:
    owed = Backlog(2, 7_200)
    signed_in_later = SimpleNamespace(source=SimpleNamespace(backlog=owed))

    assert owed_by(signed_in_later) == owed
    assert owed_by(object()) is None
