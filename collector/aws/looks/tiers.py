"""Which tables are hot, warm and cold, from what was read of them. Remembers hours, not more; nothing here is stored.

After a restart a table is warm or cold until a reading shows more: the tripwires are read first, so what throttles is
hot again within one look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collector.aws.looks.heat import Heat
from collector.aws.looks.tripped import Lately, Tripped
from collector.aws.settings.inventory import Member
from collector.aws.spending.plan import Tier
from stillfit.model import Series, Statistic, Subject

NEAR_A_LIMIT = 0.80
"""Share of capacity in a minute at which a table is watched closely (AWS recommended alarms: account capacity 80 %)."""

_REFUSED = frozenset({"read_throttle_events", "write_throttle_events"})
_CONSUMED: Mapping[str, str] = MappingProxyType({"consumed_read_units": "read", "consumed_write_units": "write"})


@dataclass(slots=True)
class Tiers:
    """What one source knows of how much its tables are in need of watching. Used by one thread."""

    called_hot: Callable[[str], bool] = lambda _table: False
    """Whether the operator calls a table hot."""
    _heat: Heat[str] = field(default_factory=Heat)
    _tripped: Tripped[str] = field(default_factory=Tripped)
    _limits: dict[tuple[Subject, str], float] = field(default_factory=dict)

    def begin(self, members: Iterable[Member]) -> None:
        """Learn the limits, in units per second, that members have now; forget tables that are gone."""
        members = tuple(members)
        self._heat.keep({member.table.table for member in members})
        self._limits = {
            (subject, way): limit
            for member in members
            for subject, settings in member.settings.items()
            for way in _CONSUMED.values()
            if isinstance(limit := _limit(settings, way), float) and limit > 0
        }

    def note(self, series: Iterable[Series]) -> None:
        """Take refusals and nearly full minutes out of what was read."""
        for one in series:
            if one.metric in _REFUSED:
                self._tripped.note(one.subject.table, one.values)
            hot = self._hot(one) if len(one.times) else ()
            if len(hot):
                self._heat.seen(one.subject.table, int(hot[-1]) + one.period_s)

    def of(self, member: Member, now: int, *, serves: bool | None) -> Tier:
        """`serves`: whether requests were served in the last hours; None is not known, and treated as if."""
        name = member.table.table
        return self._heat.tier(name, now, called_hot=self.called_hot(name), serves=serves)

    def turn(self, tiers: Mapping[Subject, Tier]) -> None:
        """The tripwires of a look have been read; `tiers` is by table."""
        self._tripped.turn(table.table for table, tier in tiers.items() if tier is Tier.HOT)

    def lately(self, table: Subject) -> Lately:
        """How often the tripwires of a hot table have lately led to causes."""
        return self._tripped.of(table.table)

    def _hot(self, one: Series) -> Sequence[int] | NDArray[np.int64]:
        """When the buckets with heat in them began."""
        if one.metric in _REFUSED:
            return one.times[one.values > 0]
        most = self._most(one) if one.statistic is Statistic.SUM else None
        return () if most is None else one.times[one.values >= most * NEAR_A_LIMIT * one.period_s]

    def _most(self, one: Series) -> float | None:
        way = _CONSUMED.get(one.metric)
        return self._limits.get((one.subject, way)) if way else None


def _limit(settings: Mapping[str, object], way: str) -> object:
    """What may be consumed in a second: what is provisioned, or the own maximum on demand."""
    return settings.get(f"provisioned_{way}_units", settings.get(f"on_demand_max_{way}_units"))
