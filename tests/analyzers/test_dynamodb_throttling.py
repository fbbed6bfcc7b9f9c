from __future__ import annotations

import numpy as np
import pytest

from analyzers._capacity import BURST_S, burst_at_least
from analyzers.dynamodb_throttling import ANALYZER, find
from stillfit.model import Answer, Confidence, Finding, Series, Severity, Span, Statistic, Unknown, Value
from tests.builders import BY_STATUS, NOON_S, Numbers, ask, case, change, each, minutes_before_noon, series, subject

LAST_MINUTES = (Span(NOON_S - 300, NOON_S),)


def judged(**metrics: Numbers) -> Answer:
    settings: dict[str, Value] = {"billing_mode": "PROVISIONED", "provisioned_write_units": 100}
    return ask(ANALYZER, case(settings=settings, extra=each(metrics)))


def found(answer: Answer) -> Finding:
    assert isinstance(answer, Finding), answer
    return answer


def signals(answer: Answer) -> set[str]:
    return {one.signal for one in found(answer).evidence}


def test_a_quiet_table_is_unknown_rather_than_healthy() -> None:
    told = case(throttled_requests=0, successful_requests=12)

    assert ask(ANALYZER, told) == Unknown("12 requests seen, 1000 needed")


def test_it_dates_from_the_first_refusal_of_the_window() -> None:
    answer = judged(write_throttle_events=[50, 50, 50, 50, 50], consumed_write_units__count=9_000)

    assert found(answer).since == minutes_before_noon(5)


def test_the_worse_direction_is_named() -> None:
    both = {"read_throttle_events": 40, "consumed_read_units__count": 30_000}
    answer = judged(**both, write_throttle_events=6_000, consumed_write_units__count=12_000)

    assert found(answer).severity is Severity.CRITICAL
    assert "write requests" in found(answer).summary


def test_evidence_is_of_its_own_direction_only() -> None:
    both = {"read_throttle_events": 40, "consumed_read_units": 30_000, "consumed_read_units__count": 30_000}
    answer = judged(
        **both, write_throttle_events=6_000, consumed_write_units__count=12_000, consumed_write_units=12_000
    )

    assert {"throttled_share", "write_throttle_events", "consumed_write_units"} <= signals(answer)
    assert not any(name.startswith(("read_", "consumed_read")) for name in signals(answer))


def test_only_the_cause_metric_that_counts_is_evidence() -> None:
    told = {"write_key_range_throttle_events": 900, "write_provisioned_throttle_events": 0}
    answer = judged(write_throttle_events=900, consumed_write_units__count=9_000, **told)

    assert "write_key_range_throttle_events" in signals(answer)
    assert "write_provisioned_throttle_events" not in signals(answer)


def test_requests_are_counted_by_operation_where_units_are_not_counted() -> None:
    served = [
        series("successful_requests", 9_000, dimension="PutItem"),
        series("successful_requests", 1e6, dimension="Query"),
    ]
    told = case(extra=served, write_throttle_events=1_000, read_throttle_events=0)

    assert found(ask(ANALYZER, told)).summary.startswith("10.00% of write requests")


def test_operations_of_different_periods_are_judged_together() -> None:
    refused = [
        series("throttled_requests", 500, dimension="GetItem"),
        series("throttled_requests", 400, dimension="PutItem", period_s=300),
    ]
    answer = found(ask(ANALYZER, case(extra=refused, successful_requests=9_100)))

    assert "9.00% of requests" in answer.summary
    assert "900 in 60 minutes" in answer.summary


def test_refused_reads_are_never_taken_for_writes_that_an_index_refused() -> None:
    told = case(
        settings={"billing_mode": "PROVISIONED", "provisioned_read_units": 1_000, "provisioned_write_units": 1_000},
        extra=[series("throttled_requests", 500, dimension="GetItem")],
        related=[case(BY_STATUS, write_throttle_events=5)],
        read_throttle_events=500,
        consumed_read_units=50_000,
        consumed_read_units__count=50_000,
        write_throttle_events=0,
        consumed_write_units=5_000,
        consumed_write_units__count=5_000,
    )

    assert "read requests" in found(ask(ANALYZER, told)).summary


@pytest.mark.parametrize(
    "served",
    [
        series("successful_requests", 100_000, dimension="GetItem"),
        series("successful_requests", [20] * 5, dimension="PutItem", covered=LAST_MINUTES),
        series("consumed_write_units", [20] * 5, statistic=Statistic.COUNT, covered=LAST_MINUTES),
        series("successful_requests", 100_000, dimension="ExecuteStatement"),
    ],
    ids=["only reads were read", "writes were read for minutes", "writes were counted for minutes", "PartiQL"],
)
def test_requests_that_were_seen_in_part_make_no_share(served: Series) -> None:
    told = case(extra=[served], write_throttle_events=40, read_throttle_events=0)

    assert isinstance(ask(ANALYZER, told), Unknown)


def test_the_word_of_the_service_on_a_few_is_not_its_word_on_all() -> None:
    served = {"consumed_write_units": 100_000, "consumed_write_units__count": 100_000}
    answer = judged(write_throttle_events=1_000, write_key_range_throttle_events=40, **served)

    assert found(answer).confidence is not Confidence.HIGH


def test_an_operator_may_draw_the_line_elsewhere() -> None:
    told = case(throttled_requests=40, successful_requests=10_000)

    assert ask(ANALYZER, told, min_ratio=0.01) is None


def test_the_capacity_before_a_change_is_what_the_minutes_before_are_held_against() -> None:
    lowered = change("provisioned_write_units", 1_000, 100, ago_min=2)
    told = case(
        settings={"billing_mode": "PROVISIONED", "provisioned_write_units": 100},
        changes=[lowered],
        write_throttle_events=[200, 0, 0, 0, 0, 0],
        consumed_write_units=6_000,
        consumed_write_units__count=6_000,
    )

    assert found(ask(ANALYZER, told)).cause == "key_range"


def test_a_throttled_index_is_judged_by_itself() -> None:
    told = case(BY_STATUS, write_throttle_events=900)
    answer = found(ask(ANALYZER, told))

    assert answer.subject == BY_STATUS
    assert "billing mode is not known" in answer.summary


def test_a_name_full_of_markup_stays_as_it_is() -> None:
    hostile = subject('o"rd\n<b>*ers* \N{FIRE}')

    assert hostile.name in found(ask(ANALYZER, case(hostile, write_throttle_events=900))).summary


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_the_reserve_never_holds_more_than_five_minutes_of_capacity(minutes: int) -> None:
    held = burst_at_least(np.zeros(minutes + 1), np.full(minutes + 1, 10.0), 60)

    assert held[-1] == min(minutes * 600, BURST_S * 10)


def test_the_reserve_is_spent_before_anything_is_refused() -> None:
    held = burst_at_least(np.array([0.0, 0.0, 1_500.0, 0.0]), np.full(4, 10.0), 60)

    assert held.tolist() == [0.0, 600.0, 1_200.0, 300.0]


def test_unknown_consumption_spends_the_whole_reserve() -> None:
    held = burst_at_least(np.array([0.0, np.nan, 0.0]), np.full(3, 10.0), 60)

    assert held.tolist() == [0.0, 600.0, 0.0]


def test_find_is_what_the_record_asks() -> None:
    assert ANALYZER.find is find
