"""How often Python looks for cycles of objects that nothing else holds."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 100)
"""New objects before the young are looked through, and how often that before the older ones (Python: 700, 10, 10).

A fleet is a million objects that live as long as the process, and each answer has 1,500 that die by their counts. With
Python's own numbers a quarter of the CPU of a sweep went into looking through them (ours; bench/sweep.py).
"""


def look_seldom() -> None:
    """For a process that holds a fleet."""
    gc.set_threshold(*THRESHOLDS)
