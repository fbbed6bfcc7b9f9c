"""How much DynamoDB refused of a table or index, and of how many requests; for dynamodb/throttling."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stillfit.case import MIN_COVERAGE, Case
from stillfit.metrics import THROTTLE_REASONS
from stillfit.model import Level, Series, Statistic
from stillfit.series import buckets, covered_s

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_OF_DIRECTION = {"read": READS, "write": WRITES}
UNITS_PER_READ = 0.5
"""An eventually consistent read of up to 4 KB costs half a unit, so a unit is two requests at most (pricing page)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Requests that were served. Exact where they were counted, else what the consumed units leave possible."""

    likely: float
    most: float
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refused:
    """What was refused in one direction: "read", "write", or "" where the source does not tell which."""

    direction: str
    metric: str
    events: NDArray[np.float64]
    """One number a bucket of the window; 0 where not known."""
    times: NDArray[np.int64]
    period_s: int
    served: Served | None
    contradicted: bool
    """No consumption was reported for time in which requests were refused: one of the two is wrong."""

    @property
    def total(self) -> float:
        return float(self.events.sum())

    @property
    def first(self) -> int:
        """The start of the first bucket with a refusal."""
        return int(self.times[np.flatnonzero(self.events)[0]])

    @property
    def last(self) -> int:
        """The end of the last bucket with a refusal."""
        return int(self.times[np.flatnonzero(self.events)[-1]]) + self.period_s

    @property
    def minutes(self) -> float:
        """Minutes in which something was refused."""
        return np.count_nonzero(self.events) * self.period_s / 60

    @property
    def least_share(self) -> float | None:
        """The share of requests that was refused, or what it is at least; None where requests are not known."""
        if self.served is None or self.contradicted:
            return None
        return self.total / (self.total + self.served.most) if self.total else 0.0


def refused(case: Case, direction: str) -> Refused | None:
    """What was refused of one direction; None where no metric proves it.

    The sum over all reasons is published by itself; the reasons that are there are a lower bound for it.
    """
    total = f"{direction}_throttle_events"
    reasons = [name for name in cause_metrics(direction) if case.proves(name)]
    metric = total if case.proves(total) else next(iter(reasons), None)
    if metric is None:
        return None
    events = np.nan_to_num(case.values(metric))
    known = [np.nan_to_num(case.values(name)) for name in reasons]
    alike = [one for one in known if len(one) == len(events)]
    return _build(case, direction, metric, np.maximum(events, np.sum(alike, axis=0)) if alike else events)


def refused_requests(case: Case, direction: str = "") -> Refused | None:
    """The same from ThrottledRequests: a floor, since a batch counts only when all of it was refused."""
    metric = "throttled_requests"
    told = replace(case, series=tuple(one for one in case.series if one.metric != metric or _may_be(one, direction)))
    return _build(told, direction, metric, np.nan_to_num(told.values(metric))) if told.proves(metric) else None


def cause_metrics(direction: str) -> tuple[str, ...]:
    return tuple(f"{direction}_{reason}_throttle_events" for reason in THROTTLE_REASONS)


def _build(case: Case, direction: str, metric: str, events: NDArray[np.float64]) -> Refused:
    period = case.period_s(metric)
    return Refused(
        direction=direction,
        metric=metric,
        events=events,
        times=buckets(case.window, period),
        period_s=period,
        served=served(case, direction),
        contradicted=_contradicted(case, direction, float(events.sum())),
    )


def _contradicted(case: Case, direction: str, events: float) -> bool:
    """Whether nothing at all was consumed while requests were refused. A limit that refuses has served before."""
    consumed = f"consumed_{direction}_units"
    return bool(direction and events and case.proves(consumed) and case.fold(consumed, Statistic.SUM) == 0)


def served(case: Case, direction: str) -> Served | None:
    """Requests served in one direction ("" for both), from the best source that is proven."""
    if direction:
        consumed = f"consumed_{direction}_units"
        counted = case.fold(consumed, Statistic.COUNT) if _counted(case, consumed) else None
        if counted is not None:
            return Served(likely=counted, most=counted, exact=True)
    return _by_operation(case, direction) or (_by_units(case, direction) if direction else None)


def _counted(case: Case, metric: str) -> bool:
    """Whether its requests were counted throughout; its units may have been read where they were not."""
    return any(_throughout(case, one) for one in case.parts(metric, Statistic.COUNT))


def _by_operation(case: Case, direction: str) -> Served | None:
    """None where no operation of the direction was read, or one that served was read in part."""
    if case.subject.level is not Level.TABLE or not case.proves("successful_requests"):
        return None
    parts = [one for one in case.parts("successful_requests", Statistic.SUM) if _may_be(one, direction)]
    if not parts or any(len(one.values) and not _throughout(case, one) for one in parts):
        return None
    sure = [one for one in parts if not direction or one.dimension in {"", *_OF_DIRECTION[direction]}]
    likely, most = (float(sum(one.values.sum() for one in some)) for some in (sure, parts))
    return Served(likely=likely, most=most, exact=likely == most)


def _may_be(one: Series, direction: str) -> bool:
    """Whether an operation goes in the direction, or, like ExecuteStatement, may go in either."""
    other = {"read": WRITES, "write": READS}.get(direction, frozenset())
    return one.dimension not in other


def _throughout(case: Case, one: Series) -> bool:
    return covered_s(one, case.window) >= MIN_COVERAGE * case.window.seconds


def _by_units(case: Case, direction: str) -> Served | None:
    """A write costs one unit at least and a read half a unit: the units bound the requests from above."""
    consumed = f"consumed_{direction}_units"
    units = case.fold(consumed, Statistic.SUM) if case.proves(consumed) else None
    if units is None:
        return None
    return Served(likely=units, most=units / UNITS_PER_READ if direction == "read" else units, exact=False)
