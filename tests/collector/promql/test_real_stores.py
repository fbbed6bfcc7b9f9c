"""What the source reads of a real Prometheus and a real VictoriaMetrics that hold hours of YACE and jmx_exporter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import pytest

from collector.promql.source import PrometheusSource
from stillfit.config import Prometheus
from stillfit.model import Engine, GapReason, Series, Span, Statistic, Subject
from stillfit.sources import prometheus_sources
from tests.collector.promql.history import YACE, Samples, openmetrics
from tests.servers.fixtures import MakePrometheus

HOUR = 3_600
ORDERS = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"), table="orders")
JOBS = Subject(engine=Engine.CASSANDRA, scope=("prod", "dc1"), keyspace="shop", table="jobs", node="10.0.0.1")
NODE = {"cluster": "prod", "datacenter": "dc1", "instance": "10.0.0.1:7070", "keyspace": "shop", "table": "jobs"}


class Store(Protocol):
    url: str


MakeStore = Callable[[str], Store]


@pytest.fixture(
    params=[
        pytest.param("prometheus", marks=pytest.mark.server("prometheus")),
        pytest.param("victoriametrics", marks=pytest.mark.server("victoriametrics")),
    ]
)
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    make = request.getfixturevalue(f"make_{request.param}")
    return (lambda history: make(history=history)) if request.param == "prometheus" else make


def source(url: str, engine: Engine, **settings: object) -> PrometheusSource:
    (made,) = prometheus_sources(Prometheus(url=url, reads=(engine.value,), first_look=timedelta(hours=3), **settings))  # type: ignore[arg-type]
    return made


def now() -> int:
    return int(datetime.now(UTC).timestamp()) // 60 * 60


def collected(one: PrometheusSource, end: int) -> dict[tuple[Subject, str, Statistic], Series]:
    batches = list(one.collect(None, datetime.fromtimestamp(end, UTC)))
    one.close()
    return {(s.subject, s.metric, s.statistic): s for batch in batches for s in batch.series}


def yace(name: str, values: list[float], start: int, **labels: str) -> Samples:
    return Samples(name=f"aws_dynamodb_{name}", labels=YACE | labels, start=start, values=values)


def test_five_minute_windows_become_minutes_with_the_same_total(make_store: MakeStore) -> None:
    start = now() - 2 * HOUR
    store = make_store(openmetrics([yace("consumed_read_capacity_units_sum", [300.0] * 121, start)]))

    series = collected(source(store.url, Engine.DYNAMODB), now())[ORDERS, "consumed_read_units", Statistic.SUM]

    assert set(series.values) == {60.0}
    assert len(series.times) == pytest.approx(121, abs=2)
    assert series.covered[0].start == int(series.times[0]) == pytest.approx(start - 300, abs=120)


def test_an_hour_without_scrapes_is_not_known(make_store: MakeStore) -> None:
    start = now() - 3 * HOUR + 600
    before = yace("read_throttle_events_sum", [0.0] * 60, start)
    after = yace("read_throttle_events_sum", [0.0] * 40, start + 2 * HOUR)
    store = make_store(openmetrics([before, after]))

    series = collected(source(store.url, Engine.DYNAMODB), now())[ORDERS, "read_throttle_events", Statistic.SUM]

    first, second = series.covered
    assert HOUR - 120 <= second.start - first.end <= HOUR + 120


def test_a_counter_that_restarted_loses_nothing_but_the_restart(make_store: MakeStore) -> None:
    start = now() - HOUR
    counts = [1_000.0 + 120 * minute for minute in range(30)] + [120.0 * minute for minute in range(31)]
    reads = Samples(name="cassandra_table_readlatency_seconds_count", labels=NODE, start=start, values=counts)
    store = make_store(openmetrics([reads]))

    series = collected(source(store.url, Engine.CASSANDRA), now())[JOBS, "reads", Statistic.SUM]

    assert np.median(series.values) == pytest.approx(120, rel=0.02)
    assert (series.values >= 0).all()


def test_quantiles_are_told_apart_and_in_milliseconds(make_store: MakeStore) -> None:
    start = now() - HOUR
    history = [
        Samples(name="cassandra_table_readlatency_seconds", labels=NODE | {"quantile": q}, start=start, values=[v] * 60)
        for q, v in (("0.50", 0.002), ("0.99", 0.05), ("0.999", 9.0))
    ]
    found = collected(source(make_store(openmetrics(history)).url, Engine.CASSANDRA), now())

    latency = {statistic: set(s.values) for (_, metric, statistic), s in found.items() if metric.startswith("local_r")}
    assert latency == {Statistic.P50: {2.0}, Statistic.P99: {50.0}}


def test_what_the_store_has_not_is_named_with_the_series_that_would_tell(make_store: MakeStore) -> None:
    store = make_store(openmetrics([yace("consumed_read_capacity_units_sum", [0.0] * 60, now() - HOUR)]))
    one = source(store.url, Engine.DYNAMODB)

    gaps = {gap.missing: gap for batch in one.collect(None, datetime.now(UTC)) for gap in batch.gaps}
    one.close()

    assert gaps["read_throttle_events"].reason is GapReason.NO_DATA
    assert "aws_dynamodb_read_throttle_events_sum" in gaps["read_throttle_events"].detail
    assert "consumed_read_units" not in gaps


def test_the_next_look_goes_on_where_the_last_one_ended(make_store: MakeStore) -> None:
    end = now()
    store = make_store(openmetrics([yace("consumed_read_capacity_units_sum", [300.0] * 181, end - 3 * HOUR)]))
    one = source(store.url, Engine.DYNAMODB)

    list(one.collect(None, datetime.fromtimestamp(end, UTC)))
    (batch, _) = one.collect(datetime.fromtimestamp(end - 300, UTC), datetime.fromtimestamp(end, UTC))
    one.close()

    assert batch.series[0].covered == (Span(end - 300 - 1_800 - 300 - 60, end - 300),)


@pytest.mark.server("prometheus")
def test_asked_and_nothing_published_is_zero_where_the_store_keeps_nan(make_prometheus: MakePrometheus) -> None:
    start = now() - HOUR
    history = openmetrics([yace("read_throttle_events_sum", [float("nan")] * 61, start)])
    store = make_prometheus(history=history.replace(" nan ", " NaN "))

    series = collected(source(store.url, Engine.DYNAMODB), now())[ORDERS, "read_throttle_events", Statistic.SUM]

    assert not len(series.times)
    assert series.covered[0].seconds >= HOUR


@pytest.mark.server("prometheus")
def test_more_points_than_prometheus_answers_at_once_are_read_whole(make_prometheus: MakePrometheus) -> None:
    start = now() - 9 * 24 * HOUR
    samples = Samples(
        name="aws_dynamodb_consumed_read_capacity_units_sum", labels=YACE, start=start, values=[300.0] * (9 * 1_440)
    )
    store = make_prometheus(history=openmetrics([samples]))
    (one,) = prometheus_sources(Prometheus(url=store.url, reads=("dynamodb",), first_look=timedelta(days=9)))

    series = collected(one, now())[ORDERS, "consumed_read_units", Statistic.SUM]

    assert len(series.times) == pytest.approx(9 * 1_440, abs=3)
    assert len(series.covered) == 1
