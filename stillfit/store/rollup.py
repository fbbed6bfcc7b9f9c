"""Samples folded to hours, so that weeks can be read without the minutes. Pure.

Sums and counts add, maxima and percentiles peak (as `Case.fold` does), minima take the least, a last value the last.
The average of a level (capacity provisioned, CPU) is its mean over equal periods. The average of a distribution of
requests would need their number as weight, so no hour of it is known: sums and counts give the true average instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stillfit.metrics import METRICS
from stillfit.model import Statistic
from stillfit.store.chunks import EMPTY, UNKNOWN, VALUE, Block
from stillfit.store.grid import HOUR_S

_PERCENTILES = frozenset({Statistic.P50, Statistic.P99})
_Cube = NDArray[np.float64]  # [row, hour, tick], 0.0 where there is no value
_There = NDArray[np.bool_]  # [row, hour, tick]


class Fold(Enum):
    ADD = "add"
    PEAK = "peak"
    LEAST = "least"
    LAST = "last"
    MEAN = "mean"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The hours of a block: what each comes to, and how many seconds of it are known (cells of value, in seconds)."""

    folded: Block
    known: Block

    def part(self, first: int, last: int) -> Hours:
        """A view of the hours [first, last)."""
        return Hours(self.folded.ticks_of(first, last), self.known.ticks_of(first, last))

    def improve(self, new: Hours) -> None:
        """Take over, hour by hour, what is known at least as well by `new`.

        An hour whose samples have been pruned or are garbled is not replaced by the few that came late.
        """
        better = new.known.values >= self.known.values
        for mine, theirs in ((self.folded, new.folded), (self.known, new.known)):
            mine.values[better] = theirs.values[better]
            mine.states[better] = theirs.states[better]

    def agree(self) -> None:
        """Know nothing of an hour of which one half is missing (its chunk is garbled)."""
        half = (self.folded.states == UNKNOWN) != (self.known.states == UNKNOWN)
        if half.any():
            for block in (self.folded, self.known):
                block.states[half] = UNKNOWN
                block.values[half] = 0.0


def fold_of(metric: str, statistic: Statistic) -> Fold:
    if statistic in {Statistic.SUM, Statistic.COUNT}:
        return Fold.ADD
    if statistic is Statistic.AVERAGE:
        return Fold.MEAN if metric in METRICS and not METRICS[metric].statistics & _PERCENTILES else Fold.NONE
    return {Statistic.MINIMUM: Fold.LEAST, Statistic.LAST: Fold.LAST}.get(statistic, Fold.PEAK)


def roll(block: Block, folds: Sequence[Fold], period_s: int) -> Hours:
    """Fold whole hours of samples. `period_s` divides an hour; `folds` has one entry for each row."""
    shape = (block.rows, block.ticks * period_s // HOUR_S, HOUR_S // period_s)
    states = block.states.reshape(shape)
    known_s = (states != UNKNOWN).sum(axis=2) * float(period_s)
    if Fold.NONE in folds:
        known_s[[fold is Fold.NONE for fold in folds]] = 0.0
    there = states == VALUE
    valued = there.any(axis=2) & (known_s > 0)
    folded = Block(
        np.where(valued, _fold_rows(block.values.reshape(shape), there, folds), 0.0),
        np.where(valued, VALUE, np.where(known_s > 0, EMPTY, UNKNOWN)).astype(np.uint8),
    )
    return Hours(folded, Block(known_s, np.where(known_s > 0, VALUE, UNKNOWN).astype(np.uint8)))


def _fold_rows(values: _Cube, there: _There, folds: Sequence[Fold]) -> NDArray[np.float64]:
    """What each hour comes to; anything where no value is there."""
    for kind, fold in _FOLDS.items():
        if folds.count(kind) == len(folds):  # most shards hold one metric
            return fold(values, there)
    folded = np.zeros(values.shape[:2])
    for kind, fold in _FOLDS.items():
        rows = [row for row, chosen in enumerate(folds) if chosen is kind]
        if rows:
            folded[rows] = fold(values[rows], there[rows])
    return folded


def _mean(values: _Cube, there: _There) -> NDArray[np.float64]:
    return np.asarray(values.sum(axis=2) / np.maximum(there.sum(axis=2), 1))


def _last(values: _Cube, there: _There) -> NDArray[np.float64]:
    newest = values.shape[2] - 1 - np.argmax(there[:, :, ::-1], axis=2)
    return np.take_along_axis(values, newest[:, :, None], axis=2)[:, :, 0]


_FOLDS: Mapping[Fold, Callable[[_Cube, _There], NDArray[np.float64]]] = MappingProxyType(
    {
        Fold.ADD: lambda values, _: values.sum(axis=2),
        Fold.PEAK: lambda values, there: values.max(axis=2, where=there, initial=-np.inf),
        Fold.LEAST: lambda values, there: values.min(axis=2, where=there, initial=np.inf),
        Fold.LAST: _last,
        Fold.MEAN: _mean,
    }
)
