import math
from typing import Any

import pytest

from collector.cassandra.virtual_tables import (
    NOT_TOLD_BY_CQL,
    TALLIES,
    VIEWS,
    Sample,
    View,
    latency_scale,
    release,
    samples,
    tally,
)
from stillfit.metrics import METRICS
from stillfit.model import Engine, Level, Statistic
from stillfit.standins.cql.catalogue import FAMILIES
from stillfit.standins.cql.catalogue import release as recorded

BY_TABLE = {view.table: view for view in VIEWS}
JOBS: dict[str, Any] = {"keyspace_name": "shop", "table_name": "jobs"}


def sampled(table: str, latency_ms: float | None = 1.0, /, **row: Any) -> dict[tuple[str, str], float | None]:
    view = BY_TABLE[table]
    whole = {column.name: 0 for column in view.columns} | row
    return {(one.metric, one.statistic.value): one.value for one in samples(view, [whole], latency_ms)}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.table)
def test_every_column_is_there_in_every_release(family: str, view: View) -> None:
    columns = {column.name for column in recorded(family).tables[f"system_views.{view.table}"].columns}

    assert view.within(columns) == view


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.table)
def test_every_column_becomes_a_canonical_metric_of_its_level(view: View) -> None:
    level = Level.NODE if view.key == ("name",) else Level.REPLICA
    for column in view.columns:
        metric = METRICS[column.metric]
        assert (metric.engine, column.statistic in metric.statistics, level in metric.levels) == (
            Engine.CASSANDRA,
            True,
            True,
        )


def test_what_cql_does_not_tell_is_canonical_too() -> None:
    assert set(NOT_TOLD_BY_CQL) <= set(METRICS)


def test_a_view_without_its_key_asks_for_nothing() -> None:
    assert BY_TABLE["caches"].within({"hit_count", "request_count"}).columns == ()


def test_a_view_asks_only_for_what_a_node_has() -> None:
    view = BY_TABLE["caches"].within({"name", "hit_count"})

    assert view.statement == "SELECT name, hit_count FROM system_views.caches"


def test_tombstones_keep_their_bucket_bounds() -> None:
    assert sampled("tombstones_per_read", **JOBS, p50th=1.0, p99th=924.0, max=5722.0) == {
        ("tombstones_per_read", "p50"): 1.0,
        ("tombstones_per_read", "p99"): 924.0,
        ("tombstones_per_read", "maximum"): 5722.0,
    }


@pytest.mark.parametrize("nothing", [0.0, math.nan, None], ids=["zero", "not a number", "null"])
def test_a_distribution_without_reads_is_no_measurement(nothing: float | None) -> None:
    found = sampled("tombstones_per_read", **JOBS, p50th=nothing, p99th=nothing, max=nothing)

    assert set(found.values()) == {None}


def test_a_counter_of_zero_is_a_measurement() -> None:
    assert sampled("local_scan_latency", **JOBS, count=0) == {("scans", "sum"): 0.0}


def test_sizes_are_bytes() -> None:
    assert sampled("disk_usage", **JOBS, mebibytes=3) == {("disk_used_bytes", "last"): 3.0 * 1024 * 1024}


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("4.0.19", 1.0),
        ("4.1.0", 1000.0),
        ("4.1.10", 1000.0),
        ("5.0.9", 1000.0),
        ("6.0-alpha2", 1000.0),
        ("6.1.0", None),
    ],
)
def test_the_latency_unit_depends_on_the_release(text: str, scale: float | None) -> None:
    assert latency_scale(release(text)) == scale


def test_latency_is_milliseconds_whatever_the_column_says() -> None:
    row = {**JOBS, "count": 7, "p50th_ms": 0.0, "p99th_ms": 0.005, "max_ms": 0.106}

    assert sampled("local_read_latency", 1000.0, **row) == {
        ("reads", "sum"): 7.0,
        ("local_read_latency_ms", "p50"): None,
        ("local_read_latency_ms", "p99"): 5.0,
        ("local_read_latency_ms", "maximum"): 106.0,
    }


def test_an_unmeasured_release_gives_counts_and_no_latency() -> None:
    assert sampled("local_read_latency", None, **JOBS, count=7) == {("reads", "sum"): 7.0}


def test_an_index_is_not_a_table() -> None:
    row = {"keyspace_name": "shop", "table_name": "jobs.by_state", "mebibytes": 1}

    assert samples(BY_TABLE["disk_usage"], [row], 1.0) == []


def test_a_pool_is_a_dimension_of_its_node() -> None:
    row = {"name": "ReadStage", "pending_tasks": 3, "blocked_tasks_all_time": 2}

    assert samples(BY_TABLE["thread_pools"], [row], 1.0) == [
        Sample(metric="thread_pool_pending", statistic=Statistic.LAST, dimension="ReadStage", value=3.0),
        Sample(metric="thread_pool_blocked", statistic=Statistic.SUM, dimension="ReadStage", value=2.0),
    ]


def test_hints_add_up_and_clients_are_counted() -> None:
    clients, hints = TALLIES

    assert tally(clients, [{"address": "a"}, {"address": "b"}]).value == 2.0
    assert tally(hints, [{"files": 2}, {"files": None}, {"files": 3}]).value == 5.0


@pytest.mark.parametrize("text", ["", "trunk"])
def test_a_release_that_cannot_be_read_is_no_release(text: str) -> None:
    assert release(text) == (0, 0)
