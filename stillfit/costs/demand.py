"""What a table or index is asked for: units a month, and the capacity that would carry them. Pure.

Demand is what was consumed and what was refused; sizing on consumption alone would keep a throttled table throttled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

import numpy as np
from numpy.typing import NDArray

from stillfit.case import Case
from stillfit.costs.estimate import SECONDS_A_MONTH, Estimate
from stillfit.model import Series, Span, Statistic
from stillfit.series import aligned

TARGET = 0.70
"""Utilisation that auto scaling aims at by default (DynamoDB developer guide, AutoScaling)."""
SCALE_IN = 0.50
"""Auto scaling lowers capacity only 20 points below its target: utilisation rests anywhere between the two."""
SCALE_IN_S = 20 * 60
"""15 quiet minutes, then some minutes for UpdateTable (DynamoDB developer guide, AutoScaling)."""

HIDDEN_PEAK = 2.0
"""Ours: a peak inside an hour against the hour's mean. Burst capacity (300 s of unused units) takes what is above."""
FINE_S = 300
"""Buckets up to here show their peaks themselves."""


class Direction(StrEnum):
    READ = "read"
    WRITE = "write"

    @property
    def request_unit(self) -> str:
        return "RRU" if self is Direction.READ else "WRU"

    @property
    def capacity_unit(self) -> str:
        return "RCU" if self is Direction.READ else "WCU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One direction of a table or index over the window."""

    consumed: Estimate
    """Units a month; low counts time not seen as idle, high as busier by as much."""
    demand: Estimate
    """Consumed and refused units a month; low is consumption alone, because retries may be in it already."""
    right_sized: Estimate
    """Mean capacity units per second under auto scaling with a target of 70 %."""
    provisioned: float | None
    """Mean capacity units per second that were provisioned; None where not known."""


def load_of(case: Case, direction: Direction) -> Load:
    """Read one direction. The caller has proven that the consumption is covered."""
    rate = per_second(case, f"consumed_{direction}_units")
    consumed = _monthly(rate)
    wanted = rate + _refused(case, direction, rate)
    return Load(
        consumed=consumed,
        demand=Estimate(consumed.low, *(max(a, b) for a, b in zip(_monthly(wanted)[1:], consumed[1:], strict=True))),
        right_sized=right_size(wanted, period_s(case, f"consumed_{direction}_units")),
        provisioned=_provisioned(case, direction),
    )


def per_second(case: Case, metric: str, statistic: Statistic = Statistic.SUM) -> NDArray[np.float64]:
    """A counter as a mean rate per bucket, NaN where not covered.

    A covered bucket without a point is idle: an on-demand table without traffic publishes nothing.
    """
    parts = case.parts(metric, statistic)
    return rate_of(parts, case.window) if parts else np.empty(0)


def rate_of(parts: Sequence[Series], span: Span) -> NDArray[np.float64]:
    """Parts of a counter together, per second, on the grid of their common period; NaN where none is covered."""
    per_second = [replace(one, values=one.values / one.period_s, statistic=Statistic.AVERAGE) for one in parts]
    rows = aligned(per_second, span, absent_is_zero=True)
    return np.where(np.isnan(rows).all(axis=0), np.nan, np.nansum(rows, axis=0))


def period_s(case: Case, metric: str) -> int:
    return case.period_s(metric) if case.parts(metric, Statistic.SUM) else 3600


def right_size(wanted: NDArray[np.float64], period: int) -> Estimate:
    """Mean capacity that auto scaling would hold for a demand in units per second.

    low: it follows every bucket at once. mid: it holds each peak until scale-in is due, and at least one bucket more,
    since scale-in begins after the peak. high: utilisation rests at the scale-in line, or peaks are hidden inside long
    buckets, or nobody ever scales in, whichever is most.
    """
    known = wanted[~np.isnan(wanted)]
    if not len(known):
        return Estimate(1.0, 1.0, 1.0)
    need = np.maximum(known / TARGET, 1.0)
    held = _held(need, ceil(SCALE_IN_S / period))
    slack = max(TARGET / SCALE_IN, HIDDEN_PEAK if period > FINE_S else 1.0)
    lazy = float(np.ceil(held * slack - 1e-9).mean())
    never_in = float(np.ceil(need.max() - 1e-9))
    low, mid = (float(np.ceil(units - 1e-9).mean()) for units in (need, held))
    return Estimate(low, mid, max(lazy, never_in))


def _held(need: NDArray[np.float64], buckets: int) -> NDArray[np.float64]:
    """The greatest of each bucket and the ones before it."""
    padded = np.concatenate([np.full(buckets, need[0]), need])
    held: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(padded, buckets + 1).max(axis=1)
    return held


def _monthly(rate: NDArray[np.float64]) -> Estimate:
    if not len(rate) or np.isnan(rate).all():
        return Estimate(0.0, 0.0, 0.0)
    mid, idle = float(np.nanmean(rate)), float(np.nansum(rate)) / len(rate)
    return Estimate(idle, mid, mid + (mid - idle)).times(SECONDS_A_MONTH)


def _refused(case: Case, direction: Direction, rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refused events per second, each as large as a served request on average; zero where not known."""
    events = per_second(case, f"{direction}_throttle_events")
    if len(events) != len(rate):
        return np.zeros(len(rate))
    return np.nan_to_num(events) * units_per_request(case, direction)


def units_per_request(case: Case, direction: Direction) -> float:
    """Mean units of a served request; 1 where requests were not counted."""
    units, requests = (per_second(case, f"consumed_{direction}_units", one) for one in (Statistic.SUM, Statistic.COUNT))
    if len(units) != len(requests):
        return 1.0
    both = ~(np.isnan(units) | np.isnan(requests))  # counted for a part of the time, units of all of it say nothing
    used, counted = float(units[both].sum()), float(requests[both].sum())
    return used / counted if used and counted else 1.0


def _provisioned(case: Case, direction: Direction) -> float | None:
    """What was set over the window, else what is set now."""
    metric = f"provisioned_{direction}_units"
    seen = case.values(metric, Statistic.AVERAGE)
    seen = seen[~np.isnan(seen) & (seen > 0)]  # published as 0 while the table was on-demand
    if case.proves(metric) and len(seen):
        return float(seen.mean())
    return case.number(metric)
