"""Which tables are hot, warm and cold, from what was read of them. Remembers hours, not more; nothing here is stored.

After a restart a table is warm or cold until a reading shows more: the tripwires are read first, so what throttles is
hot again within one look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from collector.aws.inventory import Member
from collector.aws.plan import HOUR, Tier
from stillfit.model import Series, Statistic, Subject

HOT_FOR_S = 3 * HOUR
"""How long a table stays hot after a refused request or a full minute (ours: as long as an incident is looked at)."""
NEAR_A_LIMIT = 0.80
"""Share of capacity in a minute at which a table is watched closely (AWS recommended alarms: account capacity 80 %)."""

_REFUSED = frozenset({"read_throttle_events", "write_throttle_events"})
_CONSUMED: Mapping[str, str] = MappingProxyType({"consumed_read_units": "read", "consumed_write_units": "write"})


@dataclass(slots=True)
class Tiers:
    """What one source knows of how much its tables are in need of watching. Used by one thread."""

    called_hot: Callable[[str], bool] = lambda _table: False
    """Whether the operator calls a table hot."""
    _hot_until: dict[str, int] = field(default_factory=dict)
    _limits: dict[tuple[Subject, str], float] = field(default_factory=dict)

    def begin(self, members: Iterable[Member]) -> None:
        """Learn the limits, in units per second, that members have now; forget tables that are gone."""
        members = tuple(members)
        names = {member.table.table for member in members}
        self._hot_until = {name: until for name, until in self._hot_until.items() if name in names}
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
            if len(one.times) and self._is_heat(one):
                name, until = one.subject.table, self._last_heat(one) + HOT_FOR_S
                self._hot_until[name] = max(until, self._hot_until.get(name, 0))

    def of(self, member: Member, now: int, *, serves: bool | None) -> Tier:
        """`serves`: whether requests were served in the last hours; None is not known, and treated as if."""
        name = member.table.table
        if self.called_hot(name) or self._hot_until.get(name, 0) > now:
            return Tier.HOT
        return Tier.COLD if serves is False else Tier.WARM

    def _is_heat(self, one: Series) -> bool:
        return one.metric in _REFUSED or (one.statistic is Statistic.SUM and self._most(one) is not None)

    def _last_heat(self, one: Series) -> int:
        """End of the last bucket with heat in it; long ago where there is none."""
        least = 0.0 if one.metric in _REFUSED else (self._most(one) or 0.0) * NEAR_A_LIMIT * one.period_s
        hot = one.times[one.values > least] if one.metric in _REFUSED else one.times[one.values >= least]
        return int(hot[-1]) + one.period_s if len(hot) else -HOT_FOR_S

    def _most(self, one: Series) -> float | None:
        way = _CONSUMED.get(one.metric)
        return self._limits.get((one.subject, way)) if way else None


def _limit(settings: Mapping[str, object], way: str) -> object:
    """What may be consumed in a second: what is provisioned, or the own maximum on demand."""
    return settings.get(f"provisioned_{way}_units", settings.get(f"on_demand_max_{way}_units"))
