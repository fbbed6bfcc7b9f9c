"""What a canonical metric is: kind, unit, statistics, whose it is. All of them are in stillfit/metrics.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stillfit.model import Engine, Level, Statistic


class Kind(StrEnum):
    """What the absence of a point in covered time means."""

    SPARSE_COUNTER = "sparse counter"  # published only when something happened: absent is zero
    COUNTER = "counter"  # published each period, zeros included: absent is no data
    GAUGE = "gauge"  # a level or a distribution: absent is no data


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One canonical metric. `levels` are the kinds of subject that have it."""

    name: str
    engine: Engine
    kind: Kind
    unit: str
    statistics: frozenset[Statistic]
    levels: frozenset[Level]
    meaning: str

    @property
    def absent_is_zero(self) -> bool:
        return self.kind is Kind.SPARSE_COUNTER


Row = tuple[str, Kind, str, frozenset[Statistic], frozenset[Level], str]
"""Name, kind, unit, statistics, levels and meaning of one metric."""


def metrics_of(engine: Engine, *rows: Row) -> tuple[Metric, ...]:
    """The rows of one engine as metrics."""
    return tuple(
        Metric(name=name, engine=engine, kind=kind, unit=unit, statistics=statistics, levels=levels, meaning=meaning)
        for name, kind, unit, statistics, levels, meaning in rows
    )
