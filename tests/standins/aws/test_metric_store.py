"""The store under CloudWatch: late values, providers, and what points may look like."""

from collections.abc import Iterable

import numpy as np
import pytest

from stillfit.standins.aws import DEFAULT_ACCOUNT, Metric, Points, World
from stillfit.standins.aws.metric_store import MetricStore
from stillfit.standins.aws.sample import DailyWave
from tests.standins.aws.kit import HOUR, NOW, REGION, ask, points, query, reads_of

ORDERS = reads_of("orders")
HERE = (DEFAULT_ACCOUNT, REGION)


def store_of(*chunks: Points) -> MetricStore:
    store = MetricStore()
    for chunk in chunks:
        store.put(*HERE, ORDERS, chunk)
    return store


def rows(store: MetricStore, start: float = 0, end: float = np.inf) -> list[tuple[int, float]]:
    [found] = store.read(*HERE, ORDERS, (start, end))
    return list(zip(found.times.tolist(), found.sum.tolist(), strict=True))


def test_a_late_value_overwrites_the_first_one() -> None:
    store = store_of(Points.regular(start=60, sum=[1, 2, 3]), Points.regular(start=120, sum=[20, 30, 40]))

    assert rows(store) == [(60, 1), (120, 20), (180, 30), (240, 40)]


def test_chunks_may_come_in_any_order() -> None:
    store = store_of(
        Points.regular(start=600, sum=[3]), Points.regular(start=60, sum=[1]), Points.regular(start=0, sum=[9])
    )

    assert rows(store) == [(0, 9), (60, 1), (600, 3)]


def test_merged_chunks_keep_their_other_columns() -> None:
    store = store_of(
        Points.regular(start=0, sum=[6], count=[3], minimum=[1], maximum=[4], percentiles={50: [2]}),
        Points.regular(start=60, sum=[5]),
    )

    [found] = store.read(*HERE, ORDERS, (0, 120))

    assert (found.counts().tolist(), found.minima().tolist(), found.maxima().tolist()) == ([3, 1], [1, 5], [4, 5])
    assert np.array_equal(found.percentiles[50.0], [2, np.nan], equal_nan=True)


def test_a_forgotten_metric_is_gone() -> None:
    store = store_of(Points.regular(start=0, sum=[1]))
    store.forget(*HERE, ORDERS)

    assert store.read(*HERE, ORDERS, (0, 60)) == []


def test_nan_is_no_point() -> None:
    assert Points.regular(start=0, sum=[1, np.nan, 3], count=[1, 2, 3]).counts().tolist() == [1, 3]


@pytest.mark.parametrize("times", [[60, 0], [0, 0]], ids=["backwards", "repeated"])
def test_times_must_ascend(times: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Points(times=np.array(times), sum=np.array([1.0, 2.0]))


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="count has 1 values where sum has 2"):
        Points.regular(start=0, sum=[1, 2], count=[1])


class Ramp:
    """Provides its own time as value; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        return [ORDERS] if end > start else []

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        self.asked.append((start, end))
        times = np.arange(-(-start // 60) * 60, end, 60, dtype=np.int64)
        return Points(times=times, sum=times.astype(float)) if metric == ORDERS else None


def test_a_provider_is_asked_for_the_window_and_never_for_the_future(world: World, cloudwatch: object) -> None:
    ramp = Ramp()
    world.provide(*HERE, ramp)

    [result] = ask(cloudwatch, query("orders"), start=NOW - 120, end=NOW + HOUR)["MetricDataResults"]

    assert points(result) == [(-120, NOW - 120), (-60, NOW - 60)]
    assert ramp.asked == [(NOW - 120, NOW)]


def test_a_providers_metrics_are_listed(world: World) -> None:
    world.provide(*HERE, Ramp())

    assert world.metrics.active(*HERE, NOW - HOUR, NOW) == {ORDERS}


def test_the_sample_gives_the_same_points_whoever_asks_for_whichever_window() -> None:
    wave, metric = DailyWave(NOW - HOUR), reads_of("orders", "ReadThrottleEvents")
    whole = wave.points(metric, NOW - 2 * HOUR, NOW)
    halves = [wave.points(metric, NOW - HOUR, NOW - 1_800), wave.points(metric, NOW - 1_800, NOW)]

    assert whole is not None
    assert 0 < whole.times.size < 60
    assert whole.sum.tolist() == [value for half in halves if half is not None for value in half.sum.tolist()]
