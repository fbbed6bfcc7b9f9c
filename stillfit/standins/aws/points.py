"""What a metric is called and what was measured: the records a world is filled with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One CloudWatch identity. Dimensions match exactly or not at all; their order does not matter."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> Self:
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())))

    @classmethod
    def dynamodb(cls, name: str, **dimensions: str) -> Self:
        return cls.of("AWS/DynamoDB", name, dimensions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Measured points: `times` in epoch seconds, ascending, each the start of its `period`.

    `count` left out means one sample a point; `minimum` and `maximum` left out mean the average. `percentiles` maps
    a percentile (99.0) to its values. A row whose sum is NaN is no point and is dropped here.
    """

    times: Times
    sum: Floats
    count: Floats | None = None
    minimum: Floats | None = None
    maximum: Floats | None = None
    percentiles: Mapping[float, Floats] = field(default_factory=dict)
    period: int = 60
    unit: str = "Count"

    def __post_init__(self) -> None:
        times = np.asarray(self.times, dtype=np.int64)
        if times.ndim != 1 or (times.size > 1 and not bool(np.all(np.diff(times) > 0))):
            raise ValueError("Points: times must be one ascending row without repetition.")
        kept = ~np.isnan(np.asarray(self.sum, dtype=np.float64))
        for name in ("sum", "count", "minimum", "maximum"):
            object.__setattr__(self, name, _column(name, getattr(self, name), kept))
        shares = {float(q): _column(f"p{q}", values, kept) for q, values in self.percentiles.items()}
        object.__setattr__(self, "percentiles", shares)
        object.__setattr__(self, "times", times if kept.all() else times[kept])

    @classmethod
    def regular(
        cls,
        *,
        start: int,
        period: int = 60,
        unit: str = "Count",
        percentiles: Mapping[float, npt.ArrayLike] | None = None,
        **columns: npt.ArrayLike,
    ) -> Self:
        """Points without a gap in their times: sum=, count=, minimum=, maximum= as rows of equal length."""
        rows = {name: np.asarray(row, dtype=np.float64) for name, row in columns.items()}
        times = start + period * np.arange(len(rows["sum"]), dtype=np.int64)
        shares = {q: np.asarray(row, dtype=np.float64) for q, row in (percentiles or {}).items()}
        return cls(times=times, period=period, unit=unit, percentiles=shares, **rows)

    @classmethod
    def none(cls) -> Self:
        return cls(times=np.empty(0, dtype=np.int64), sum=np.empty(0))

    def counts(self) -> Floats:
        return np.ones(self.times.size) if self.count is None else self.count

    def minima(self) -> Floats:
        return self.sum / self.counts() if self.minimum is None else self.minimum

    def maxima(self) -> Floats:
        return self.sum / self.counts() if self.maximum is None else self.maximum

    def pick(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Self:
        """The rows that a mask, ascending indexes or a slice name. Not checked again: read for every query."""
        picked = object.__new__(type(self))
        keep = object.__setattr__
        keep(picked, "times", self.times[chosen])
        keep(picked, "sum", self.sum[chosen])
        for name in ("count", "minimum", "maximum"):
            column = getattr(self, name)
            keep(picked, name, None if column is None else column[chosen])
        keep(picked, "percentiles", {q: row[chosen] for q, row in self.percentiles.items()})
        keep(picked, "period", self.period)
        keep(picked, "unit", self.unit)
        return picked

    def between(self, start: float, end: float) -> Self:
        """The points whose time is in [start, end)."""
        first, last = int(self.times.searchsorted(start)), int(self.times.searchsorted(end))
        return self if first == 0 and last == self.times.size else self.pick(slice(first, last))


def _column(name: str, values: npt.ArrayLike | None, kept: npt.NDArray[np.bool_]) -> Floats | None:
    if values is None:
        return None
    row = np.asarray(values, dtype=np.float64)
    if row.shape != kept.shape:
        raise ValueError(f"Points: {name} has {row.size} values where sum has {kept.size}.")
    return row if kept.all() else row[kept]


class Provider(Protocol):
    """A simulator that is asked when somebody looks, by any server thread; the same question gets the same answer.

    `start` and `end` are epoch seconds, end exclusive, and never later than the world's now().
    """

    def metrics(self, start: float, end: float) -> Iterable[Metric]:
        """The metrics that have at least one point in [start, end)."""
        ...

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        """The points of the metric in [start, end), or None where the provider does not know the metric."""
        ...
