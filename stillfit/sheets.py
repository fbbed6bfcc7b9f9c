"""Many series of one stretch of time side by side: what one answer brings, without an object for each. Pure.

A sheet has one array of all times and one of all values; `Sheets` reads as the Series that stand in it, each made when
it is looked at. The store takes sheets as they are. Series that came one by one are put into sheets by `in_sheets`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from stillfit.model import Series, SeriesKey, Span, Statistic, Subject


class Signal(NamedTuple):
    """What is measured of a subject: with the subject and the period it is the key of a series."""

    metric: str
    statistic: Statistic
    dimension: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Roster:
    """Which series, in their order, all of one period.

    A source that asks the same again uses the same roster again: whoever looks its series up may remember it by
    identity.
    """

    period_s: int
    subjects: tuple[Subject, ...]
    signals: tuple[Signal, ...]
    about: tuple[Subject, ...] = field(init=False)
    """Each subject once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "about", tuple(dict.fromkeys(self.subjects)))

    @classmethod
    def of(cls, keys: Sequence[SeriesKey]) -> Roster:
        """The roster of at least one key; all have the period of the first."""
        signals = tuple(Signal(key.metric, key.statistic, key.dimension) for key in keys)
        return cls(keys[0].period_s, tuple(key.subject for key in keys), signals)

    def __len__(self) -> int:
        return len(self.subjects)

    def key(self, row: int) -> SeriesKey:
        metric, statistic, dimension = self.signals[row]
        return SeriesKey(self.subjects[row], metric, statistic, self.period_s, dimension)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Series that are covered alike. Row i has the points from `borders[i]` to `borders[i + 1]`, ascending in time."""

    roster: Roster
    covered: tuple[Span, ...]
    borders: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def series(self, row: int) -> Series:
        part = slice(self.borders[row], self.borders[row + 1])
        key = self.roster.key(row)
        return Series(
            subject=key.subject,
            metric=key.metric,
            statistic=key.statistic,
            period_s=key.period_s,
            dimension=key.dimension,
            times=self.times[part],
            values=self.values[part],
            covered=self.covered,
        )


class Sheets(Sequence[Series]):
    """The series of some sheets, one after the other."""

    __hash__ = None  # type: ignore[assignment]  # holds arrays, as Series does

    def __init__(self, parts: Iterable[Sheet] = ()) -> None:
        self.parts = tuple(part for part in parts if len(part.roster))
        self._ends = np.cumsum([len(part.roster) for part in self.parts])

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.parts else 0

    @overload
    def __getitem__(self, place: int) -> Series: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Series, ...]: ...
    def __getitem__(self, place: int | slice) -> Series | tuple[Series, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        row = range(len(self))[place]
        place_of_part = int(np.searchsorted(self._ends, row, side="right"))
        part = self.parts[place_of_part]
        return part.series(row - int(self._ends[place_of_part]) + len(part.roster))

    def __iter__(self) -> Iterator[Series]:
        return (part.series(row) for part in self.parts for row in range(len(part.roster)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))


def in_sheets(series: Sequence[Series]) -> tuple[Sheet, ...]:
    """As few sheets as hold these series. Of pieces of one key, the later one stands in a later sheet."""
    if isinstance(series, Sheets):
        return series.parts
    seen: Counter[SeriesKey] = Counter()
    groups: dict[tuple[int, int, tuple[Span, ...]], list[Series]] = {}
    for one in series:
        key = one.key
        groups.setdefault((seen[key], one.period_s, one.covered), []).append(one)
        seen[key] += 1
    return tuple(_sheet(groups[group]) for group in sorted(groups))


def points(series: Sequence[Series]) -> int:
    """How many points they have together."""
    if isinstance(series, Sheets):
        return sum(len(part.times) for part in series.parts)
    return sum(len(one.times) for one in series)


def subjects(series: Sequence[Series]) -> set[Subject]:
    """Whom they tell of."""
    if isinstance(series, Sheets):
        return {subject for part in series.parts for subject in part.roster.about}
    return {one.subject for one in series}


def named(series: Sequence[Series], metrics: Collection[str] | None = None) -> dict[tuple[Subject, str], int]:
    """Which metrics of whom they vouch for, and until when; of `metrics` only where that is given."""
    found: dict[tuple[Subject, str], int] = {}
    for part in sorted((part for part in in_sheets(series) if part.covered), key=_end):
        pairs = zip(part.roster.subjects, part.roster.signals, strict=True)
        chosen = ((subject, one.metric) for subject, one in pairs if metrics is None or one.metric in metrics)
        found.update(dict.fromkeys(chosen, _end(part)))  # the newest last
    return found


def _end(part: Sheet) -> int:
    return max(span.end for span in part.covered)


def covered(series: Sequence[Series]) -> set[tuple[Span, ...]]:
    """The stretches for which they vouch."""
    return {part.covered for part in in_sheets(series)}


def of_metrics(series: Iterable[Series], metrics: Iterable[str]) -> Iterator[Series]:
    """Those whose metric is among `metrics`."""
    chosen = frozenset(metrics)
    if not isinstance(series, Sheets):
        yield from (one for one in series if one.metric in chosen)
        return
    for part in series.parts:
        yield from (part.series(row) for row, signal in enumerate(part.roster.signals) if signal.metric in chosen)


def _sheet(members: Sequence[Series]) -> Sheet:
    return Sheet(
        roster=Roster.of([one.key for one in members]),
        covered=members[0].covered,
        borders=np.cumsum([0, *(len(one.times) for one in members)], dtype=np.int64),
        times=np.concatenate([one.times for one in members]),
        values=np.concatenate([one.values for one in members]),
    )
