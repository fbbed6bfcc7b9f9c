"""What an analyzer is shown: numbers only where they are proven, Unknown where not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from stillfit.case import Analyzer, Case, judge, until_proven
from stillfit.model import Answer, Engine, EvidenceKind, Gap, GapReason, Level, Series, Span, Statistic, Unknown
from tests.builders import HOUR, JOBS, JOBS_ON_1, ORDERS, Numbers, case, cassandra_subject, change, gap, series


def never(_case: Case) -> Answer:
    raise AssertionError("an analyzer must not see a case with holes")


PROBE = Analyzer(
    id="test/probe",
    levels=frozenset({Level.TABLE}),
    engines=frozenset({Engine.DYNAMODB}),
    needs=frozenset({"read_throttle_events"}),
    causes={},
    find=never,
)


def covered_for(minutes: int) -> Case:
    span = Span(HOUR.end - minutes * 60, HOUR.end)
    return case(extra=[series("read_throttle_events", [None], covered=[span])])


def test_a_metric_never_read_is_unknown_and_named() -> None:
    assert judge(PROBE, case()).answer == Unknown(
        "read_throttle_events: 0% of the window was seen, 90% needed", ("read_throttle_events",)
    )


@pytest.mark.parametrize(("minutes", "proven"), [(53, False), (54, True), (60, True)], ids=["below", "at", "above"])
def test_nine_tenths_of_the_window_prove_a_total(minutes: int, proven: bool) -> None:
    assert covered_for(minutes).proves("read_throttle_events") is proven


def test_a_total_that_is_not_proven_is_refused() -> None:
    with pytest.raises(LookupError, match="not proven"):
        covered_for(53).total("read_throttle_events")


def test_a_denied_metric_says_what_to_grant() -> None:
    denied = gap("read_throttle_events", reason=GapReason.DENIED, detail="grant cloudwatch:GetMetricData")

    answer = judge(PROBE, case(gaps=[denied])).answer

    assert answer == Unknown("read_throttle_events: denied (grant cloudwatch:GetMetricData)", ("read_throttle_events",))


def test_proven_cases_reach_the_analyzer() -> None:
    answered = replace(PROBE, find=lambda _case: None)

    assert judge(answered, case(read_throttle_events=0)).answer is None


@pytest.mark.parametrize("fault", [ZeroDivisionError, KeyError, LookupError, TypeError, ValueError])
def test_a_detector_that_fails_on_a_subject_does_not_know_and_says_by_what(fault: type[Exception]) -> None:
    def fails(_case: Case) -> Answer:
        raise fault("odd")

    answer = judge(replace(PROBE, find=fails), case(read_throttle_events=0)).answer

    assert isinstance(answer, Unknown)
    assert answer.reason.startswith(f"the detector failed on this: {fault.__name__}: ")


def test_a_fault_that_is_no_matter_of_one_subject_is_raised() -> None:
    with pytest.raises(AssertionError):
        judge(PROBE, case(read_throttle_events=0))


def test_a_quiet_covered_sparse_counter_is_zero() -> None:
    assert case(extra=[series("read_throttle_events", [None])]).total("read_throttle_events") == 0.0


def test_operations_add_up_to_the_tables_requests() -> None:
    parts = [series("successful_requests", 60.0, dimension=name) for name in ("GetItem", "Query")]

    assert case(extra=parts).total("successful_requests") == pytest.approx(120.0)


def by_operation(metric: str, statistic: Statistic, **numbers: Numbers) -> tuple[Series, ...]:
    return tuple(series(metric, some, statistic=statistic, dimension=name) for name, some in numbers.items())


@pytest.mark.parametrize(
    ("statistic", "both"),
    [(Statistic.P99, 20.0), (Statistic.MAXIMUM, 20.0), (Statistic.AVERAGE, 20.0)],
    ids=str,
)
def test_what_cannot_be_added_peaks_over_the_operations(statistic: Statistic, both: float) -> None:
    told = case(extra=by_operation("request_latency_ms", statistic, GetItem=5.0, Query=20.0))

    assert told.fold("request_latency_ms", statistic) == both


def test_minima_fold_to_the_least_over_parts_and_over_holders() -> None:
    told = case(extra=by_operation("provisioned_read_units", Statistic.MINIMUM, a=5.0, b=20.0))

    assert told.total("provisioned_read_units", Statistic.MINIMUM) == 5.0


def test_averages_are_weighed_by_their_counts_where_these_are_known() -> None:
    averages = by_operation("consumed_read_units", Statistic.AVERAGE, a=[1.0, None], b=[4.0, 9.0])
    counts = by_operation("consumed_read_units", Statistic.COUNT, a=[30.0, None], b=[10.0, 0.0])

    assert case(extra=(*averages, *counts)).values("consumed_read_units", Statistic.AVERAGE)[-2:].tolist() == [
        1.75,
        9.0,
    ]


def mixed(metric: str, fine: Numbers, coarse: Numbers, statistic: Statistic) -> Case:
    """GetItem by the minute and PutItem by five minutes."""
    return case(
        extra=[
            series(metric, fine, dimension="GetItem", statistic=statistic),
            series(metric, coarse, dimension="PutItem", statistic=statistic, period_s=300),
        ]
    )


def test_operations_of_different_periods_are_told_on_the_longest() -> None:
    told = mixed("throttled_requests", 600.0, [None] * 11 + [7.0], Statistic.SUM)

    assert told.values("throttled_requests").tolist() == pytest.approx([50.0] * 11 + [57.0])
    assert told.total("throttled_requests") == pytest.approx(607.0)
    assert told.period_s("throttled_requests") == 300


def test_a_maximum_stays_one_on_a_longer_period() -> None:
    told = mixed("request_latency_ms", [1.0] * 58 + [9.0, 1.0], [3.0] * 12, Statistic.MAXIMUM)

    assert told.values("request_latency_ms", Statistic.MAXIMUM).tolist() == [3.0] * 11 + [9.0]


def test_an_operation_without_a_point_makes_no_period_longer() -> None:
    told = mixed("throttled_requests", 600.0, [None] * 12, Statistic.SUM)

    assert told.values("throttled_requests").tolist() == pytest.approx([10.0] * 60)


def test_nothing_before_the_first_long_bucket_is_lost() -> None:
    """An operation known by the hour, in a window that holds the start of one hour only."""
    window = Span(HOUR.start + 600, HOUR.end + 600)
    parts = [
        series("throttled_requests", 600.0, dimension="GetItem", window=window),
        replace(
            series("throttled_requests", [5.0], dimension="PutItem", period_s=3600, window=window),
            times=np.array([HOUR.end]),
        ),
    ]

    assert replace(case(extra=parts), window=window).total("throttled_requests") == pytest.approx(605.0)


def test_a_series_that_was_never_read_has_no_period() -> None:
    with pytest.raises(LookupError, match="has no period"):
        case().period_s("throttled_requests")


def on_node(number: int, *, reads: float, tombstones: float) -> Case:
    return case(cassandra_subject(node=f"10.0.0.{number}"), reads=reads, tombstones_per_read__p99=tombstones)


def test_sums_of_replicas_add_and_their_percentiles_peak() -> None:
    table = case(
        JOBS,
        related=[on_node(1, reads=60, tombstones=50), on_node(2, reads=30, tombstones=70)],
    )

    assert table.total("reads") == pytest.approx(90)
    assert table.total("tombstones_per_read", Statistic.P99) == 70


def test_a_replica_that_was_not_read_lowers_the_coverage() -> None:
    table = case(JOBS, related=[on_node(1, reads=60, tombstones=1), case(JOBS_ON_1)])

    assert table.coverage("reads") == pytest.approx(0.5)


def test_evidence_carries_number_coverage_and_age() -> None:
    (shown,) = covered_for(30).evidence("read_throttle_events")

    assert (shown.mid, shown.coverage, shown.kind) == (0.0, 0.5, EvidenceKind.MEASURED)


def test_a_setting_is_evidence_by_its_words_or_its_number() -> None:
    shown = case(settings={"billing_mode": "PROVISIONED", "provisioned_read_units": 5.0})

    assert [(one.text, one.mid) for one in shown.setting("billing_mode", "provisioned_read_units", "table_class")] == [
        ("PROVISIONED", None),
        ("", 5.0),
    ]


def test_changes_are_told_newest_first_and_only_recent_ones() -> None:
    moved = [change("provisioned_read_units", 1.0, 2.0, ago_min=ago) for ago in (30.0, 5.0, 90.0)]

    recent = case(changes=moved).changed("provisioned_read_units", timedelta(hours=1))

    assert recent == (moved[1], moved[0])


def test_a_gap_on_a_replica_explains_the_table() -> None:
    silent = Gap(subject=JOBS_ON_1, missing="*", reason=GapReason.UNREACHABLE, detail="node is down", source="test")
    probe = replace(PROBE, engines=frozenset({Engine.CASSANDRA}), needs=frozenset({"reads"}))

    answer = judge(probe, case(JOBS, related=[case(JOBS_ON_1, gaps=[silent])])).answer

    assert answer == Unknown("reads: unreachable (node is down)", ("reads",))


def test_an_orders_case_is_about_orders() -> None:
    assert case().subject == ORDERS


@pytest.mark.parametrize(
    ("about", "then"),
    [
        (case(gaps=[gap()]), ". Allow it, or state it"),
        (case(gaps=[gap(reason=GapReason.THROTTLED)]), ""),
        (case(), ". Once it is read, enough will have been seen in 54 min"),
        (case(hours=10), ". Once it is read, enough will have been seen in 9 h"),
        (case(read_throttle_events=1), ""),
    ],
    ids=["denied", "throttled", "never read", "a long window", "known"],
)
def test_what_makes_a_metric_known_is_a_grant_only_where_it_is_denied(about: Case, then: str) -> None:
    assert until_proven(about, "read_throttle_events", grant="Allow it") == then


def test_of_a_young_metric_it_is_said_when_enough_will_have_been_seen() -> None:
    half = Span(HOUR.start + 1_800, HOUR.end)
    about = case(extra=[series("read_throttle_events", 1, covered=[half])])

    then = until_proven(about, "read_throttle_events", grant="Allow it")
    assert then == ". If it goes on being read, enough will have been seen in 24 min"
