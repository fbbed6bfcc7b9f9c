"""Randomness that depends on the seed and the minute alone: any window asked in any order gives the same values."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

_GOLDEN, _MIX1, _MIX2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def uniform(times: Times, stream: str, seed: int) -> Floats:
    """One number in [0, 1) for each minute of a named stream (the splitmix64 finaliser on seed, name and minute)."""
    with np.errstate(over="ignore"):
        state = (times // 60).astype(np.uint64) * _GOLDEN + np.uint64(zlib.crc32(stream.encode()) ^ (seed << 8))
        state = (state ^ (state >> np.uint64(30))) * _MIX1
        state = (state ^ (state >> np.uint64(27))) * _MIX2
    return (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def jitter(times: Times, stream: str, seed: int, size: float) -> Floats:
    """Factors around 1 that deviate by about `size`: the sum of three uniforms is near enough to normal."""
    parts = sum(uniform(times, f"{stream}/{part}", seed) for part in range(3))
    return np.maximum(0.05, 1.0 + size * 2.0 * (np.asarray(parts) - 1.5))
