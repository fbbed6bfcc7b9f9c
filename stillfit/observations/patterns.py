"""Writes the short forms of a series out into one number a bucket. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Where the peaks of a spike stand. `every_s` 0: once."""

    start: int
    length_s: int
    every_s: int = 0


def constant(times: NDArray[np.int64], value: float) -> Numbers:
    return np.full(len(times), float(value))


def ramp(times: NDArray[np.int64], first: float, last: float) -> Numbers:
    return np.linspace(first, last, len(times))


def steps(times: NDArray[np.int64], levels: Sequence[tuple[int, float]]) -> Numbers:
    """Each level holds from its time on; before the first, the first holds too."""
    starts = np.array([start for start, _ in levels], np.int64)
    place = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)
    return np.array([value for _, value in levels], np.float64)[place]


def daily_wave(times: NDArray[np.int64], low: float, high: float, peak_hour: float) -> Numbers:
    phase = 2 * np.pi * (times - peak_hour * 3600) / _DAY
    return np.asarray(low + (high - low) * (1 + np.cos(phase)) / 2, np.float64)


def spike(times: NDArray[np.int64], base: float, peak: float, where: Peak) -> Numbers:
    since = times - where.start
    if where.every_s:
        since = since % where.every_s
    return np.where((since >= 0) & (since < where.length_s), float(peak), float(base))
