from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzers._tombstone_causes import repair_age
from analyzers.cassandra_tombstones import ANALYZER
from stillfit.case import Case
from stillfit.cli.check import snapshot_of
from stillfit.model import Answer, Attributes, Confidence, Finding, Severity, Unknown, Value
from stillfit.observations import load
from tests.builders import JOBS, JOBS_ON_1, NOON, Numbers, ask, case, cassandra_subject, each, minutes_before_noon

CASES = Path(__file__).parents[1] / "cases"
QUEUE: dict[str, Value] = {"clustering_types": ("timeuuid",), "prepared_deletes": 1.0, "default_ttl_s": 0.0}


def table(settings: dict[str, Value] | None = None, **metrics: Numbers) -> Case:
    return case(JOBS, settings=settings, related=[case(JOBS_ON_1, extra=each(metrics, of=JOBS_ON_1))])


def found(answer: Answer) -> Finding:
    assert isinstance(answer, Finding), answer
    return answer


def test_the_summary_gives_both_edges_of_the_bucket() -> None:
    answer = ask(ANALYZER, table(QUEUE, tombstones_per_read__p99=5_722, live_rows_per_read__p99=10))

    assert "4768 to 5722 tombstones for 10 live rows on 10.0.0.1" in found(answer).summary


def test_a_certain_reading_goes_before_a_larger_possible_one() -> None:
    certain = case(replace(JOBS_ON_1, node="a"), tombstones_per_read__p99=642, live_rows_per_read__p99=10)
    possible = case(replace(JOBS_ON_1, node="b"), tombstones_per_read__p99=9_887)
    answer = ask(ANALYZER, case(JOBS, related=[certain, possible]))

    assert "on a:" in found(answer).summary


def test_it_dates_from_the_reading() -> None:
    answer = ask(ANALYZER, table(QUEUE, tombstones_per_read__p99=[1, 1, 5_722], live_rows_per_read__p99=10))

    assert found(answer).since == minutes_before_noon(1)


@pytest.mark.parametrize(("quiet_minutes", "stands"), [(4, True), (5, False)])
def test_it_clears_five_minutes_after_the_cause_is_gone(quiet_minutes: int, *, stands: bool) -> None:
    numbers = [5_722.0] * 10 + [2.0] * quiet_minutes
    answer = ask(ANALYZER, table(QUEUE, tombstones_per_read__p99=numbers, live_rows_per_read__p99=10))

    assert isinstance(answer, Finding) is stands


def test_the_evidence_shows_readings_and_the_settings_they_are_held_against() -> None:
    answer = ask(ANALYZER, table(QUEUE, tombstones_per_read__p99=5_722, live_rows_per_read__p99=10))
    signals = {one.signal for one in found(answer).evidence}

    assert {"tombstones_per_read_p99", "live_rows_per_read_p99", "clustering_types", "prepared_deletes"} <= signals


def test_what_hinders_the_purge_goes_before_what_people_write() -> None:
    metrics: dict[str, Numbers] = {
        "tombstones_per_read__p99": 5_722,
        "live_rows_per_read__p99": 10,
        "droppable_tombstone_ratio": 0.4,
    }
    replica = case(JOBS_ON_1, extra=each(metrics, of=JOBS_ON_1))

    assert found(ask(ANALYZER, case(JOBS, settings=QUEUE, related=[replica]))).cause == "purge_blocked"


def test_an_undetermined_cause_lists_what_would_tell() -> None:
    answer = found(ask(ANALYZER, table(tombstones_per_read__p99=5_722, live_rows_per_read__p99=10)))

    assert answer.confidence is Confidence.LOW
    for source in ("system_schema", "system.prepared_statements", "nodetool tablestats"):
        assert source in answer.summary


def test_a_table_without_traffic_is_unknown_rather_than_healthy() -> None:
    answer = ask(ANALYZER, table(tombstones_per_read__p99=0, tombstones_per_read__maximum=0))

    assert answer == Unknown("shop.jobs: nothing was read lately, so what a read would pass is not known")


@pytest.mark.parametrize("said", ["", "yesterday", "2026-11-01T00:00:00"], ids=["empty", "no time", "no zone"])
def test_a_repair_time_that_is_none_is_not_known(said: str) -> None:
    assert repair_age(case(JOBS, settings={"repaired_at": said})) is None


def test_a_repair_is_as_old_as_it_says() -> None:
    assert repair_age(case(JOBS, settings={"repaired_at": "2026-11-01T12:00:00Z"})) == NOON - minutes_before_noon(1_440)


def test_the_growth_that_the_finding_rests_on_is_evidence() -> None:
    told = CASES / "observations" / "c21_expired_data_stays.yaml"
    (case_,) = snapshot_of(load(told)).cases(
        ANALYZER, lambda *_: {line.name: line.value for line in ANALYZER.thresholds}
    )
    grown = next(one for one in found(ask(ANALYZER, case_)).evidence if one.signal == "disk_growth")

    assert grown.mid == pytest.approx(1.74, abs=0.01)


def set_on_the_node(reading: float, **lines: float) -> Case:
    replica = case(JOBS_ON_1, tombstones_per_read__maximum=reading, live_rows_per_read__maximum=10)
    node = Attributes.of(cassandra_subject("", keyspace="", node="10.0.0.1"), NOON, lines)
    return case(JOBS, settings=QUEUE, related=[replace(replica, node=node)])


@pytest.mark.parametrize(
    ("aborts_at", "severity"),
    [(5_721.0, Severity.CRITICAL), (5_722.0, Severity.CRITICAL), (5_723.0, Severity.WARNING)],
    ids=["below", "at", "above"],
)
def test_critical_begins_where_the_node_itself_aborts(aborts_at: float, severity: Severity) -> None:
    told = set_on_the_node(5_722, tombstone_failure_threshold=aborts_at)

    assert found(ask(ANALYZER, told)).severity is severity


def test_a_node_that_warns_later_moves_the_line_unless_the_operator_drew_it() -> None:
    told = set_on_the_node(5_722, tombstone_warn_threshold=50_000.0)

    assert not isinstance(ask(ANALYZER, told), Finding)
    assert isinstance(ask(ANALYZER, told, maximum=2_000), Finding)
