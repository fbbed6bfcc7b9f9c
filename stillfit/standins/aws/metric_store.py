"""The series of every account and region: what was put, what providers answer, and when CloudWatch would show it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from stillfit.standins.aws.points import Floats, Metric, Points, Provider

MINUTE = 60
DAY = 86_400
LISTED_DAYS = 14  # ListMetrics forgets what was silent for two weeks (ListMetrics API reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """When a measured point can be read. The default publishes each point whole as soon as its period is over."""

    delay_s: float = 0.0  # after the end of the period
    converges_in_min: int = 0  # a fresh point grows to its final Sum and SampleCount in so many minutes
    listing_delay_s: float = 900.0  # "after you create a metric, allow up to 15 minutes for the metric to appear"

    def visible(self, points: Points, now: float) -> Points:
        newest = now - points.period - self.delay_s
        shown = points.between(-np.inf, newest + 1e-6)
        settled = newest - MINUTE * self.converges_in_min
        if not self.converges_in_min or not shown.times.size or shown.times[-1] < settled:
            return shown
        return self._unfinished(shown, newest)

    def _unfinished(self, points: Points, newest: float) -> Points:
        age_min = np.floor((newest - points.times) / MINUTE)
        share = np.minimum(1.0, (age_min + 1) / self.converges_in_min)
        counts = np.ceil(points.counts() * share)
        return Points(
            times=points.times,
            sum=points.sum * share,
            count=counts,
            minimum=points.minima(),
            maximum=points.maxima(),
            percentiles=points.percentiles,
            period=points.period,
            unit=points.unit,
        )


@dataclass(slots=True)
class _Place:
    """One account and region. Series by metric and unit: CloudWatch keeps the units of one metric apart."""

    series: dict[Metric, dict[str, list[Points]]] = field(default_factory=dict)
    providers: list[Provider] = field(default_factory=list)


class MetricStore:
    def __init__(self) -> None:
        self._places: dict[tuple[str, str], _Place] = {}
        self._lock = threading.RLock()

    def put(self, account: str, region: str, metric: Metric, points: Points) -> None:
        """Add points; a time that is there already is overwritten, as a late value does."""
        with self._lock:
            units = self._place(account, region).series.setdefault(metric, {})
            units.setdefault(points.unit, []).append(points)

    def provide(self, account: str, region: str, provider: Provider) -> None:
        with self._lock:
            self._place(account, region).providers.append(provider)

    def forget(self, account: str, region: str, metric: Metric) -> None:
        with self._lock:
            self._place(account, region).series.pop(metric, None)

    def read(self, account: str, region: str, metric: Metric, window: tuple[float, float]) -> list[Points]:
        """What is stored in [start, end), one item per unit and origin."""
        start, end = window
        with self._lock:
            place = self._place(account, region)
            stored = [_merged(chunks).between(start, end) for chunks in place.series.get(metric, {}).values()]
            providers = tuple(place.providers)
        asked = (provider.points(metric, start, end) for provider in providers) if end > start else ()
        return stored + [points.between(start, end) for points in asked if points is not None]

    def active(self, account: str, region: str, start: float, end: float) -> set[Metric]:
        """The metrics with at least one point in [start, end)."""
        with self._lock:
            place = self._place(account, region)
            found = {metric for metric, units in place.series.items() if _any_between(units, start, end)}
            providers = tuple(place.providers)
        for provider in providers:
            found.update(provider.metrics(start, end))
        return found

    def _place(self, account: str, region: str) -> _Place:
        return self._places.setdefault((account, region), _Place())


def _merged(chunks: list[Points]) -> Points:
    """One row from all chunks, the later chunk winning; kept in place of the chunks."""
    if len(chunks) > 1:
        chunks[:] = [combine(chunks)]
    return chunks[0]


def _any_between(units: dict[str, list[Points]], start: float, end: float) -> bool:
    return any(bool(_merged(chunks).between(start, end).times.size) for chunks in units.values())


def combine(chunks: list[Points]) -> Points:
    """Sorted by time; where two chunks hold the same time, the later one wins."""
    times = np.concatenate([chunk.times for chunk in chunks])
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    last = np.append(ordered[1:] != ordered[:-1], True) if ordered.size else np.empty(0, dtype=bool)
    rows = order[last]
    return Points(
        times=times[rows],
        sum=np.concatenate([chunk.sum for chunk in chunks])[rows],
        count=np.concatenate([chunk.counts() for chunk in chunks])[rows],
        minimum=np.concatenate([chunk.minima() for chunk in chunks])[rows],
        maximum=np.concatenate([chunk.maxima() for chunk in chunks])[rows],
        percentiles={q: column[rows] for q, column in _percentile_columns(chunks)},
        period=max(chunk.period for chunk in chunks),
        unit=chunks[-1].unit,
    )


def _percentile_columns(chunks: list[Points]) -> Iterator[tuple[float, Floats]]:
    for share in sorted({q for chunk in chunks for q in chunk.percentiles}):
        rows = (chunk.percentiles.get(share, np.full(chunk.times.size, np.nan)) for chunk in chunks)
        yield share, np.concatenate(list(rows))
