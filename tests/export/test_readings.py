from __future__ import annotations

from collections.abc import Mapping

import pytest

from stillfit.export.readings import FRESH_S, latest, readings, target_of
from stillfit.model import Engine, Series, Span, Statistic
from stillfit.snapshot import Snapshot
from tests.builders import JOBS_ON_1, NOON, NOON_S, ORDERS, series
from tests.export.fleet import LOOK

TARGETS = {
    ("dynamodb", "123456789012", "us-east-1"): "aws/123456789012/us-east-1",
    ("cassandra", "prod", ""): "cassandra/prod",
}


def read(*of: Series, targets: Mapping[tuple[str, str, str], str] = TARGETS) -> dict[tuple[str, ...], float]:
    spans = {Engine.DYNAMODB: LOOK, Engine.CASSANDRA: LOOK}
    snapshot = Snapshot(at=NOON, spans=spans, subjects=(ORDERS, JOBS_ON_1), series=of)
    return {one.labels: one.value for one in readings(snapshot, targets)}


def test_a_rate_is_the_mean_of_the_last_five_minutes() -> None:
    numbers = [600.0] * 55 + [60.0, 120.0, 180.0, 240.0, 300.0]

    assert latest(series("consumed_read_units", numbers), NOON_S) == 3.0


@pytest.mark.parametrize(
    ("seconds", "known"), [(FRESH_S - 60, True), (FRESH_S, True), (FRESH_S + 60, False)], ids=["young", "at", "old"]
)
def test_what_is_older_than_half_an_hour_is_left_out(seconds: int, known: bool) -> None:
    assert (latest(series("consumed_read_units", 60), NOON_S + seconds) is not None) is known


def test_a_sparse_counter_is_zero_only_where_time_is_vouched_for() -> None:
    assert latest(series("write_throttle_events", []), NOON_S) == 0.0
    assert latest(series("write_throttle_events", [], covered=()), NOON_S) is None


def test_a_published_counter_without_points_is_not_known() -> None:
    assert latest(series("consumed_read_units", []), NOON_S) is None


def test_time_that_has_not_settled_is_not_read() -> None:
    assert latest(series("consumed_read_units", [60.0] * 55 + [6_000.0] * 5), NOON_S - 300) == 1.0


def test_a_sparse_rate_counts_only_the_time_that_was_seen() -> None:
    seen = series("write_throttle_events", [60.0], covered=(Span(NOON_S - 60, NOON_S),))

    assert latest(seen, NOON_S) == 1.0


def test_a_level_is_the_last_one() -> None:
    assert latest(series("table_size_bytes", [1.0, 2.0, None, None]), NOON_S) == 2.0


def test_refusals_without_a_reason_are_told_as_such() -> None:
    found = read(
        series("write_throttle_events", [120.0] * 60),
        series("write_key_range_throttle_events", [60.0] * 60),
    )

    where = ("aws/123456789012/us-east-1", "orders", "", "write")
    assert found == {(*where, "key_range"): 1.0, (*where, "unattributed"): 1.0}


def test_units_come_as_base_units() -> None:
    found = read(series("request_latency_ms", 12, statistic=Statistic.P99, dimension="GetItem"))

    assert found == {("aws/123456789012/us-east-1", "orders", "GetItem", "p99"): pytest.approx(0.012)}


def test_a_replica_belongs_to_the_source_of_the_whole_cluster() -> None:
    found = read(series("reads", 3_600, of=JOBS_ON_1))

    assert found == {("cassandra/prod", "shop", "jobs", "10.0.0.1"): 1.0}


def test_an_on_demand_table_has_no_provisioned_units() -> None:
    assert read(series("provisioned_read_units", 0)) == {}
    assert list(read(series("provisioned_read_units", 5)).values()) == [5.0]


def test_hourly_sums_are_not_read_as_minutes() -> None:
    assert read(series("consumed_read_units", [3_600.0], period_s=3_600)) == {}


def test_what_has_no_place_in_the_catalogue_stays_out() -> None:
    assert read(series("ttl_deleted_items", 60)) == {}


def test_a_subject_without_a_source_is_named_by_its_scope() -> None:
    assert target_of(ORDERS, {}) == "dynamodb/123456789012/us-east-1"
