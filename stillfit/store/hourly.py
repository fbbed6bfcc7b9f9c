"""One hourly series out of what several periods, or several sources, know of each hour. Pure.

An hour that one knows whole and another in part (reading went on in longer points after a dead time) is that of the
one who knows it whole: half an hour's sum must not stand for the hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, Span
from stillfit.series import cut, merge
from stillfit.store.grid import HOUR_S


def best_hours(pieces: Sequence[Series]) -> Series:
    """Each hour from the piece of which most is known there; of equals, the later one. One piece at least."""
    by_time = sorted(pieces, key=lambda one: one.covered)
    if all(before.covered[-1].end <= one.covered[0].start for before, one in pairwise(by_time)):
        return merge(by_time)
    starts, ends = zip(*((one.covered[0].start, one.covered[-1].end) for one in pieces), strict=True)
    span = Span(min(starts), -(-max(ends) // HOUR_S) * HOUR_S)
    known = np.vstack([_known(one, span) for one in pieces])
    best = len(pieces) - 1 - np.argmax(known[::-1], axis=0)
    return merge([cut(one, run) for place, one in enumerate(pieces) for run in _runs(best == place, span.start)])


def _known(series: Series, span: Span) -> NDArray[np.int64]:
    """Seconds known of each hour; what is covered begins with an hour, and only its last one may be known in part."""
    seconds = np.zeros(span.seconds // HOUR_S, np.int64)
    for part in series.covered:
        first, whole = (part.start - span.start) // HOUR_S, part.seconds // HOUR_S
        seconds[first : first + whole] = HOUR_S
        if part.seconds % HOUR_S:
            seconds[first + whole] = part.seconds % HOUR_S
    return seconds


def _runs(chosen: NDArray[np.bool_], start: int) -> list[Span]:
    borders = (start + np.flatnonzero(np.diff(chosen, prepend=False, append=False)) * HOUR_S).tolist()
    return list(map(Span, borders[::2], borders[1::2]))
