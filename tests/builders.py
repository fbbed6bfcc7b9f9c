"""Short ways to say subjects, series and cases in tests. A window ends at NOON, where the fake clock starts.

case(throttled_requests=900, successful_requests=0)               totals over one hour
case(JOBS, related=[case(JOBS_ON_NODE_1, tombstones_per_read__p99=5722)])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from stillfit.case import Analyzer, Case, judge
from stillfit.clock import FakeClock
from stillfit.metrics import METRICS
from stillfit.model import (
    Answer,
    AttributeChange,
    Attributes,
    Engine,
    Gap,
    GapReason,
    Series,
    Span,
    Statistic,
    Subject,
    Unknown,
    Value,
)

NOON = FakeClock().now()
NOON_S = int(NOON.timestamp())
HOUR = Span(NOON_S - 3600, NOON_S)

Numbers = float | Sequence[float | None]
"""One number: a sum is spread over the window, a level holds all of it. Several: one per bucket up to noon."""


def subject(table: str = "orders", *, index: str = "") -> Subject:
    """A DynamoDB table or index."""
    return Subject(engine=Engine.DYNAMODB, scope=("123456789012", "us-east-1"), table=table, index=index)


def cassandra_subject(table: str = "jobs", *, keyspace: str = "shop", node: str = "") -> Subject:
    """A Cassandra table, its replica on a node, or (table and keyspace empty) a node."""
    return Subject(engine=Engine.CASSANDRA, scope=("prod", "dc1"), keyspace=keyspace, table=table, node=node)


ORDERS = subject()
BY_STATUS = subject(index="by-status")
JOBS = cassandra_subject()
JOBS_ON_1 = cassandra_subject(node="10.0.0.1")


def series(
    metric: str,
    numbers: Numbers,
    *,
    of: Subject = ORDERS,
    statistic: Statistic | None = None,
    period_s: int = 60,
    window: Span = HOUR,
    covered: Iterable[Span] | None = None,
    dimension: str = "",
) -> Series:
    """One series that ends with the window. By default the whole window is vouched for."""
    statistic = statistic or default_statistic(metric)
    buckets = window.seconds // period_s
    if isinstance(numbers, (int, float)):
        spread = statistic in {Statistic.SUM, Statistic.COUNT}
        numbers = [numbers / buckets if spread else numbers] * buckets
    start = window.end - len(numbers) * period_s
    points = [(start + i * period_s, number) for i, number in enumerate(numbers) if number is not None]
    return Series(
        subject=of,
        metric=metric,
        statistic=statistic,
        period_s=period_s,
        times=np.array([time for time, _ in points], np.int64),
        values=np.array([number for _, number in points], np.float64),
        covered=(window,) if covered is None else tuple(covered),
        dimension=dimension,
    )


def default_statistic(metric: str) -> Statistic:
    """Sum, last, average, p99 or maximum: the first that the metric has."""
    order = (Statistic.SUM, Statistic.LAST, Statistic.AVERAGE, Statistic.P99, Statistic.MAXIMUM)
    return next(one for one in order if one in METRICS[metric].statistics)


def case(
    of: Subject = ORDERS,
    *,
    hours: float = 1,
    extra: Iterable[Series] = (),
    settings: Mapping[str, Value] | None = None,
    changes: Iterable[AttributeChange] = (),
    gaps: Iterable[Gap] = (),
    related: Iterable[Case] = (),
    **metrics: Numbers,
) -> Case:
    """A case at noon. A metric may name its statistic: consumed_read_units__count=5_000."""
    window = Span(NOON_S - round(hours * 3600), NOON_S)
    return Case(
        subject=of,
        at=NOON,
        window=window,
        series=(*each(metrics, of=of, window=window), *extra),
        attributes=Attributes.of(of, NOON, settings) if settings is not None else None,
        changes=tuple(changes),
        gaps=tuple(gaps),
        related=tuple(related),
    )


def each(metrics: Mapping[str, Numbers], *, of: Subject = ORDERS, window: Span = HOUR) -> tuple[Series, ...]:
    """Series by name, each with its default statistic or the one after two underscores."""
    named = [(name.split("__")[0], name.partition("__")[2], numbers) for name, numbers in metrics.items()]
    return tuple(
        series(metric, numbers, of=of, window=window, statistic=Statistic(statistic) if statistic else None)
        for metric, statistic, numbers in named
    )


def change(
    name: str, before: Value | None, after: Value | None, *, ago_min: float, of: Subject = ORDERS
) -> AttributeChange:
    """A setting that changed so many minutes before noon."""
    return AttributeChange(subject=of, name=name, before=before, after=after, at=NOON - timedelta(minutes=ago_min))


def gap(
    missing: str = "*", *, of: Subject = ORDERS, reason: GapReason = GapReason.DENIED, detail: str = "grant it"
) -> Gap:
    return Gap(subject=of, missing=missing, reason=reason, detail=detail, source="test")


def ask(analyzer: Analyzer, about: Case, **thresholds: float) -> Answer:
    """What a detector answers, with its own lines except those given. One that fails on it is a defect."""
    lines = {line.name: line.value for line in analyzer.thresholds} | thresholds
    drawn = replace(about, thresholds=lines, related=tuple(replace(one, thresholds=lines) for one in about.related))
    answer = judge(analyzer, drawn).answer
    assert not (isinstance(answer, Unknown) and "failed on this" in answer.reason), answer
    return answer


def minutes_before_noon(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)
