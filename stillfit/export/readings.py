"""The newest settled reading of each exported metric: what the fleet page shows. Pure.

Rates are means over the last five vouched-for minutes. A reading that is older than half an hour is left out: a gap in
a graph is true, a flat line would not be. Zero is said only of a counter that is published only when something
happened, and only for time that the source vouches for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from stillfit.export.catalogue import EXPORTED
from stillfit.export.exported import UNATTRIBUTED
from stillfit.export.labels import clean
from stillfit.metrics import METRICS, THROTTLE_REASONS, Kind
from stillfit.model import Engine, Level, Series, Span, Statistic, Subject
from stillfit.series import covered_s
from stillfit.snapshot import HOUR, Snapshot

RATE_S = 300
"""Ours: the usual interval between two turns, so that no minute is left out of every mean."""
FRESH_S = 1_800
MILLI = 0.001

Targets = Mapping[tuple[str, str, str], str]
"""Id of the source by engine and scope of what it reads."""


class Reading(NamedTuple):
    """One row of the page: label values in the order of the catalogue."""

    name: str
    labels: tuple[str, ...]
    value: float


class _Shown(NamedTuple):
    """How a canonical metric is exported: the labels after those that name the subject, and a factor to base units."""

    name: str
    extra: tuple[str, ...] = ()
    factor: float = 1.0


_DISTRIBUTIONS = {
    "tombstones_per_read": _Shown("stillfit_cassandra_table_tombstones_per_read"),
    "live_rows_per_read": _Shown("stillfit_cassandra_table_live_rows_per_read"),
    "sstables_per_read": _Shown("stillfit_cassandra_table_sstables_per_read"),
    "local_read_latency_ms": _Shown("stillfit_cassandra_table_read_latency_seconds", factor=MILLI),
    "request_latency_ms": _Shown("stillfit_dynamodb_request_latency_seconds", factor=MILLI),
}
_OTHERS = {
    "consumed_read_units": _Shown("stillfit_dynamodb_consumed_units_per_second", ("read",)),
    "consumed_write_units": _Shown("stillfit_dynamodb_consumed_units_per_second", ("write",)),
    "system_errors": _Shown("stillfit_dynamodb_errors_per_second", ("system",)),
    "conditional_check_failures": _Shown("stillfit_dynamodb_errors_per_second", ("conditional",)),
    "transaction_conflicts": _Shown("stillfit_dynamodb_errors_per_second", ("conflict",)),
    "table_size_bytes": _Shown("stillfit_dynamodb_size_bytes"),
    "reads": _Shown("stillfit_cassandra_table_reads_per_second"),
    "writes": _Shown("stillfit_cassandra_table_writes_per_second"),
    "disk_used_bytes": _Shown("stillfit_cassandra_table_live_bytes"),
    "max_partition_bytes": _Shown("stillfit_cassandra_table_partition_max_bytes"),
    "thread_pool_pending": _Shown("stillfit_cassandra_thread_pool_pending"),
    "pending_compactions": _Shown("stillfit_cassandra_pending_compactions"),
    "clients": _Shown("stillfit_cassandra_clients"),
}
_PROVISIONED = {"provisioned_read_units": "read", "provisioned_write_units": "write"}


def readings(snapshot: Snapshot, targets: Targets) -> tuple[Reading, ...]:
    """Every reading of the snapshot that the catalogue has a name for, each once."""
    minutes = [one for one in snapshot.series if one.period_s < HOUR and one.subject.engine in snapshot.spans]
    found = (
        *_plain(minutes, snapshot, targets),
        *_throttles(minutes, snapshot, targets),
        *_settings(snapshot, targets),
    )
    return tuple({(one.name, one.labels): one for one in found}.values())


def target_of(subject: Subject, targets: Targets) -> str:
    """Which source a subject belongs to; a cluster's source reads all its datacenters."""
    engine, (first, second) = subject.engine.value, subject.scope
    known = targets.get((engine, first, second)) or targets.get((engine, first, ""))
    return known or clean(f"{engine}/{first}/{second}")


def table_of(subject: Subject) -> str:
    """The `table` label: a DynamoDB table, or keyspace.table; empty for a node."""
    return clean(f"{subject.keyspace}.{subject.table}" if subject.keyspace else subject.table)


def _plain(minutes: Iterable[Series], snapshot: Snapshot, targets: Targets) -> Iterator[Reading]:
    for one in minutes:
        shown = _shown(one)
        value = latest(one, snapshot.spans[one.subject.engine].end) if shown else None
        if shown and value is not None:
            yield Reading(shown.name, _labels(one, shown, targets), value * shown.factor)


def _shown(series: Series) -> _Shown | None:
    metric, statistic = series.metric, series.statistic
    if (distribution := _DISTRIBUTIONS.get(metric)) is not None:
        return distribution._replace(extra=(statistic.value,))
    if (kind := _PROVISIONED.get(metric)) is not None:
        wanted = statistic is Statistic.AVERAGE and _is_provisioned(series)
        return _Shown("stillfit_dynamodb_provisioned_units_per_second", (kind,)) if wanted else None
    return _OTHERS.get(metric) if statistic in {Statistic.SUM, Statistic.LAST} else None


def _is_provisioned(series: Series) -> bool:
    """On-demand tables publish zeros, or nothing."""
    return bool(len(series.values)) and bool(series.values[-1] > 0)


def _labels(series: Series, shown: _Shown, targets: Targets) -> tuple[str, ...]:
    subject = series.subject
    target, dimension = target_of(subject, targets), clean(series.dimension)
    wanted = EXPORTED[shown.name].labels
    if "operation" in wanted:
        return (target, table_of(subject), dimension, *shown.extra)
    if "pool" in wanted:
        return (target, clean(subject.node), dimension)
    return (target, *_where(subject), *shown.extra)


def _where(subject: Subject) -> tuple[str, ...]:
    """The labels between `target` and what the metric adds."""
    if subject.engine is Engine.DYNAMODB:
        return (table_of(subject), clean(subject.index))
    if subject.level is Level.NODE:
        return (clean(subject.node),)
    return (clean(subject.keyspace), clean(subject.table), clean(subject.node))


def latest(series: Series, settled_end: int) -> float | None:
    """The newest settled number: a rate per second of what is counted, the last level otherwise. None: not known."""
    end = min(settled_end, series.covered[-1].end) if series.covered else 0
    if settled_end - end > FRESH_S:
        return None
    if METRICS[series.metric].kind is Kind.GAUGE:
        return _level(series, end)
    window = Span(end - max(RATE_S, series.period_s), end)
    points = series.values[slice(*np.searchsorted(series.times, [window.start, window.end]))]
    sparse = METRICS[series.metric].absent_is_zero
    known = covered_s(series, window) if sparse else len(points) * series.period_s
    return float(points.sum()) / known if known else None


def _level(series: Series, end: int) -> float | None:
    last = int(np.searchsorted(series.times, end)) - 1
    if last < 0 or end - int(series.times[last]) - series.period_s > FRESH_S:
        return None
    return float(series.values[last])


def _throttles(minutes: Iterable[Series], snapshot: Snapshot, targets: Targets) -> Iterator[Reading]:
    """Each direction by reason; what no reason accounts for is told as such, some regions publish totals only."""
    rates: defaultdict[tuple[Subject, str], dict[str, float]] = defaultdict(dict)
    for one in minutes:
        kind, reason = _THROTTLES.get(one.metric, ("", ""))
        if kind and (rate := latest(one, snapshot.spans[one.subject.engine].end)) is not None:
            rates[one.subject, kind][reason] = rate
    for (subject, kind), by_reason in rates.items():
        rest = max(0.0, by_reason.pop("", 0.0) - sum(by_reason.values()))
        for reason, rate in {**by_reason, UNATTRIBUTED: rest}.items():
            labels = (target_of(subject, targets), *_where(subject), kind, reason)
            yield Reading("stillfit_dynamodb_throttled_events_per_second", labels, rate)


_THROTTLES = {f"{kind}_throttle_events": (kind, "") for kind in ("read", "write")} | {
    f"{kind}_{reason}_throttle_events": (kind, reason) for kind in ("read", "write") for reason in THROTTLE_REASONS
}


def _settings(snapshot: Snapshot, targets: Targets) -> Iterator[Reading]:
    indexes = Counter(subject.parent for subject in snapshot.subjects if subject.level is Level.INDEX)
    for one in snapshot.attributes:
        if one.subject.engine is Engine.DYNAMODB and one.subject.level is Level.TABLE:
            mode, table_class = (clean(str(one.get(name) or "")) for name in ("billing_mode", "table_class"))
            where = (target_of(one.subject, targets), table_of(one.subject))
            labels = (*where, mode, table_class, str(indexes[one.subject]))
            yield Reading("stillfit_dynamodb_table_info", labels, 1.0)
