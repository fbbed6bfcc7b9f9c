"""What DynamoDB would have let through: capacity in force, the burst reserve, and the limit that explains a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from analyzers._refusals import Refused
from stillfit.case import Case
from stillfit.model import AttributeChange, Statistic

BURST_S = 300
"""Seconds of unused capacity that are kept for bursts, best effort (developer guide, burst and adaptive capacity)."""
PARTITION_CEILING = {"read": 3_000, "write": 1_000}
"""Units per second that one partition serves at most (developer guide, partition key design)."""
AT_THE_LIMIT = 0.95
"""Share of the capacity at which a minute counts as fully used (ours: CloudWatch sums whole minutes, edges are cut)."""

Numbers = NDArray[np.float64]


class Fits(Enum):
    """Which limit explains the refusals of one bucket."""

    PROVISIONED = "provisioned"
    KEY_RANGE = "key_range"
    EITHER = "either"


def consumed(case: Case, refused: Refused) -> Numbers | None:
    """Units consumed per bucket, on the grid of the refusals; None where not proven or of another period."""
    metric = f"consumed_{refused.direction}_units"
    if not refused.direction or not case.proves(metric) or refused.contradicted:
        return None
    values = case.values(metric)
    return values if len(values) == len(refused.events) else None


def in_force(case: Case, refused: Refused) -> Numbers | None:
    """Provisioned units per second in each bucket: as published, else the setting with its changes; None: not known."""
    name = f"provisioned_{refused.direction}_units"
    published = next((one for one in case.parts(name, Statistic.AVERAGE) if len(one.times)), None)
    if published is not None:
        place = np.searchsorted(published.times, refused.times, side="right") - 1
        return published.values[np.clip(place, 0, None)]
    setting = case.number(name)
    if setting is None:
        return None
    capacity = np.full(len(refused.times), setting)
    for change in sorted(_numeric(case.changes, name), key=lambda change: change.at, reverse=True):
        capacity[refused.times < change.at.timestamp()] = change.before
    return capacity if capacity.max(initial=0) > 0 else None


def _numeric(changes: tuple[AttributeChange, ...], name: str) -> Iterator[AttributeChange]:
    return (one for one in changes if one.name == name and isinstance(one.before, int | float))


def burst_at_least(units: Numbers, capacity: Numbers, period_s: int) -> Numbers:
    """Units that the burst bucket surely held when each bucket of time began; it is taken as empty at first."""
    held, levels = 0.0, np.zeros(len(units))
    for i, (used, rate) in enumerate(zip(units, capacity, strict=True)):
        levels[i] = held
        spare = rate * period_s - used if not np.isnan(used) else -held
        held = float(np.clip(held + spare, 0.0, rate * BURST_S))
    return levels


def explain(refused: Refused, units: Numbers, capacity: Numbers) -> dict[Fits, float]:
    """Refused events by the limit that explains them; buckets without known consumption are left out.

    A bucket that used its capacity met the provisioned limit. One whose whole demand, even within a single second,
    fits into what was provisioned and saved up did not: one key range was full. In between both are possible.
    """
    saved = burst_at_least(units, capacity, refused.period_s)
    weights = dict.fromkeys(Fits, 0.0)
    for i in np.flatnonzero(refused.events):
        if np.isnan(units[i]):
            continue
        weights[_explains(units[i], refused.events[i], capacity[i], saved[i], refused.period_s)] += refused.events[i]
    return weights


def _explains(units: float, events: float, capacity: float, saved: float, period_s: int) -> Fits:
    if units >= AT_THE_LIMIT * capacity * period_s:
        return Fits.PROVISIONED
    return Fits.KEY_RANGE if units + events < saved + capacity else Fits.EITHER
