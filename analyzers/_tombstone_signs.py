"""What the replicas of a Cassandra table say about its tombstones; for cassandra/tombstones.

Readings are bounds of histogram buckets: the true number lies above the lower edge and at or below the upper. Zero
means that nothing was read lately, one also means none (virtual tables of 4.0 to 5.0, compared with JMX).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillfit.case import Case
from stillfit.model import Level, Series, Statistic
from stillfit.series import bucket_lower_edge

Numbers = NDArray[np.float64]

CURRENT_S = 300
"""What the newest five minutes show is how it is now (ours: the histograms decay over minutes by themselves)."""
NONE_SEEN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Tombstones and live rows per read on one replica, by one statistic, now. Bounds as (at least, at most)."""

    replica: Case
    statistic: Statistic
    tombstones: tuple[float, float]
    live: tuple[float, float] | None
    since: int
    """Start of the bucket that shows it."""

    @property
    def ratio(self) -> tuple[float, float] | None:
        """Tombstones for each live row, at least and at most; None where live rows are not known."""
        if self.live is None:
            return None
        return self.tombstones[0] / max(self.live[1], 1.0), self.tombstones[1] / max(self.live[0], 1.0)


def readings(case: Case) -> tuple[Reading, ...]:
    """The worst current reading of each replica and statistic that read anything."""
    found = (
        _reading(replica, statistic)
        for replica in case.of_level(Level.REPLICA)
        for statistic in (Statistic.P99, Statistic.MAXIMUM)
    )
    return tuple(one for one in found if one is not None)


def _reading(replica: Case, statistic: Statistic) -> Reading | None:
    tombstones = _current(replica, "tombstones_per_read", statistic)
    if tombstones is None:
        return None
    values, times = tombstones
    worst = int(np.argmax(values))
    if values[worst] <= 0:
        return None
    return Reading(
        replica=replica,
        statistic=statistic,
        tombstones=_bounds(float(values[worst])),
        live=_live(replica, statistic, int(times[worst])),
        since=int(times[worst]),
    )


def _current(replica: Case, metric: str, statistic: Statistic) -> tuple[Numbers, NDArray[np.int64]] | None:
    """Values and times of the newest stretch of the window; None where nothing of it is known."""
    part = next(iter(replica.parts(metric, statistic)), None)
    if part is None or not len(part.times):
        return None
    newest = part.times + part.period_s > replica.window.end - max(CURRENT_S, part.period_s)
    return (part.values[newest], part.times[newest]) if newest.any() else None


def _live(replica: Case, statistic: Statistic, time: int) -> tuple[float, float] | None:
    """Live rows per read in the same bucket of time."""
    part = next(iter(replica.parts("live_rows_per_read", statistic)), None)
    if part is None:
        return None
    same = part.values[part.times == time]
    return _bounds(float(same[0])) if len(same) else None


def _bounds(upper: float) -> tuple[float, float]:
    return (0.0, 0.0) if upper <= NONE_SEEN else (bucket_lower_edge(upper), upper)


def ratios(case: Case) -> Numbers:
    """Tombstones for each live row, one number a bucket and replica; for whether the relation is stable."""
    found = [
        _ratios(replica, one) for replica in case.of_level(Level.REPLICA) for one in (Statistic.P99, Statistic.MAXIMUM)
    ]
    return np.concatenate(found) if found else np.empty(0)


def _ratios(replica: Case, statistic: Statistic) -> Numbers:
    dead, live = (_part(replica, name, statistic) for name in ("tombstones_per_read", "live_rows_per_read"))
    if dead is None or live is None:
        return np.empty(0)
    _, first, second = np.intersect1d(dead.times, live.times, return_indices=True)
    both = (dead.values[first] > NONE_SEEN) & (live.values[second] > NONE_SEEN)
    return dead.values[first][both] / live.values[second][both]


def _part(replica: Case, metric: str, statistic: Statistic) -> Series | None:
    return next(iter(replica.parts(metric, statistic)), None)


def newest(case: Case, metric: str, statistic: Statistic = Statistic.LAST) -> float | None:
    """The largest newest value over all replicas; None where none has one."""
    return max(_newest(case, metric, statistic), default=None)


def least(case: Case, metric: str) -> float | None:
    """The smallest newest value over all replicas; None where none has one."""
    return min(_newest(case, metric, Statistic.LAST), default=None)


def _newest(case: Case, metric: str, statistic: Statistic) -> list[float]:
    parts = (_part(replica, metric, statistic) for replica in case.of_level(Level.REPLICA))
    return [float(part.values[-1]) for part in parts if part is not None and len(part.values)]


def growth(case: Case, over_s: float) -> float | None:
    """Bytes on disk now for each byte so long ago, over all replicas; None where that time was not seen throughout."""
    pairs = [_first_and_last(replica.history, over_s) for replica in case.of_level(Level.REPLICA)]
    known = [pair for pair in pairs if pair is not None]
    if len(known) != len(pairs) or not known or not sum(first for first, _ in known):
        return None
    return sum(last for _, last in known) / sum(first for first, _ in known)


def _first_and_last(history: Case | None, over_s: float) -> tuple[float, float] | None:
    part = _part(history, "disk_used_bytes", Statistic.LAST) if history is not None else None
    if part is None or len(part.times) < 2:
        return None
    earlier = part.times <= part.times[-1] - over_s
    return (float(part.values[earlier][-1]), float(part.values[-1])) if earlier.any() else None
