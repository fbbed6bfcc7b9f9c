"""Missing data is neither health nor a certain fault, whatever else is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import cassandra_monitoring_load, cassandra_tombstones, dynamodb_throttling
from stillfit.case import Analyzer, Case
from stillfit.metrics import METRICS
from stillfit.model import Confidence, Finding, Gap, GapReason, Level, Span, Statistic, Unknown, Value
from tests.builders import HOUR, JOBS, JOBS_ON_1, ORDERS, ask, case, cassandra_subject, change, each, gap, series

THROTTLING = dynamodb_throttling.ANALYZER
TOMBSTONES = cassandra_tombstones.ANALYZER
NODE = cassandra_subject("", keyspace="", node="10.0.0.1")
TABLE_METRICS = sorted(name for name in THROTTLING.wants if Level.TABLE in METRICS[name].levels)
REPLICA_METRICS = sorted(TOMBSTONES.wants)
AMOUNTS = st.sampled_from([0, 1, 3, 29, 30, 299, 300, 900, 5_000, 100_000, 36_000_000])
MODES = st.sampled_from([None, {"billing_mode": "PROVISIONED"}, {"billing_mode": "PAY_PER_REQUEST"}])
CHANGES = st.sampled_from([[], [change("provisioned_write_units", 50, 5, ago_min=30)]])


@st.composite
def tables(draw: st.DrawFn) -> Case:
    metrics = draw(st.dictionaries(st.sampled_from(TABLE_METRICS), AMOUNTS))
    counted = {f"{name}__count": number for name, number in metrics.items() if name.startswith("consumed")}
    return case(ORDERS, settings=draw(MODES), changes=draw(CHANGES), extra=each({**metrics, **counted}))


@st.composite
def replicas(draw: st.DrawFn) -> Case:
    names = [f"{name}__{'p99' if Statistic.P99 in METRICS[name].statistics else 'last'}" for name in REPLICA_METRICS]
    metrics = draw(st.dictionaries(st.sampled_from(names), st.sampled_from([0, 0.3, 1, 2, 446, 535, 642, 105_778])))
    settings: dict[str, Value] = {
        "default_ttl_s": 864_000,
        "compaction": draw(st.sampled_from(["TWCS", "LCS"])),
        "prepared_deletes": 1,
    }
    return case(JOBS, settings=settings, related=[case(JOBS_ON_1, extra=each(metrics, of=JOBS_ON_1))])


def without(whole: Case, lost: set[str]) -> Case:
    """The case after a gap took some metrics, of it and of its replicas."""
    gaps = tuple(
        Gap(subject=whole.subject, missing=name, reason=GapReason.DENIED, detail="", source="test") for name in lost
    )
    kept = tuple(one for one in whole.series if one.metric not in lost)
    related = tuple(without(one, lost) for one in whole.related)
    return replace(whole, series=kept, gaps=(*whole.gaps, *gaps), related=related)


@settings(deadline=None)
@given(whole=tables(), lost=st.sets(st.sampled_from(TABLE_METRICS)))
def test_a_gap_never_makes_throttling_certain(whole: Case, lost: set[str]) -> None:
    before, after = ask(THROTTLING, whole), ask(THROTTLING, without(whole, lost))

    if not isinstance(before, Finding):
        assert not (isinstance(after, Finding) and after.confidence is Confidence.HIGH)


@settings(deadline=None)
@given(whole=replicas(), lost=st.sets(st.sampled_from(REPLICA_METRICS)))
def test_tombstones_are_never_certain_of_their_cause(whole: Case, lost: set[str]) -> None:
    after = ask(TOMBSTONES, without(whole, lost))

    assert not (isinstance(after, Finding) and after.confidence is Confidence.HIGH)


@settings(deadline=None)
@given(whole=tables())
def test_throttle_events_that_were_not_read_are_never_health(whole: Case) -> None:
    blind = without(whole, {name for name in TABLE_METRICS if "throttle" in name or name.endswith("_requests")})

    assert isinstance(ask(THROTTLING, blind), Unknown)


@settings(deadline=None)
@given(whole=replicas())
def test_tombstones_that_were_not_read_are_never_health(whole: Case) -> None:
    assert ask(TOMBSTONES, without(whole, {"tombstones_per_read"})) is not None


@pytest.mark.parametrize(
    ("analyzer", "empty"),
    [(THROTTLING, case()), (TOMBSTONES, case(JOBS)), (cassandra_monitoring_load.ANALYZER, case(NODE))],
    ids=["throttling", "tombstones", "monitoring"],
)
def test_nothing_known_is_unknown(analyzer: Analyzer, empty: Case) -> None:
    assert isinstance(ask(analyzer, empty), Unknown)


@pytest.mark.parametrize(("seen", "known"), [(53, False), (54, True)], ids=["just below 90 %", "at 90 %"])
def test_a_tenth_of_the_window_may_be_missing(seen: int, *, known: bool) -> None:
    covered = [Span(HOUR.start, HOUR.start + seen * 60)]
    names = ("read_throttle_events", "write_throttle_events", "consumed_read_units", "consumed_write_units")
    told = case(extra=[series(name, 0 if "throttle" in name else 90_000, covered=covered) for name in names])

    assert (ask(THROTTLING, told) is None) is known


def test_the_reason_of_a_gap_reaches_the_operator() -> None:
    told = case(gaps=[gap("*", detail="grant cloudwatch:GetMetricData")])
    answer = ask(THROTTLING, told)

    assert isinstance(answer, Unknown)
    assert "denied (grant cloudwatch:GetMetricData)" in answer.reason
    assert set(answer.missing) == {"read_throttle_events", "write_throttle_events"}
