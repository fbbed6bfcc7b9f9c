"""Whose turn it is, where a look has no time for all that is due.

Tripwires and what is hot never wait. Of thousands of tables that are new at once, the newest hours of everything else
may take longer than a look: those whose turn has not come go first in the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from collector.aws.looks.reading import Planned
from collector.aws.settings.inventory import Member
from collector.aws.wire.limiter import OLDER_DATAPOINTS_PER_S, RECENT_DATAPOINTS_PER_S, RECENT_S


class Turns:
    """Of one source. Used by one thread."""

    def __init__(self) -> None:
        self._first = ""
        """The name of the table that has waited."""

    def of(
        self, members: Sequence[Member], due: Callable[[Member], Iterable[Planned]], most_s: float
    ) -> tuple[list[Planned], Sequence[Member]]:
        """What is due of as many tables as `most_s` of the quota allow, of one at least; and the tables that wait.

        Those may be asked for next, in the same look or as part of all in the one after it.
        """
        start = next((place for place, one in enumerate(members) if one.table.table == self._first), 0)
        ordered = (*members[start:], *members[:start])
        found: list[Planned] = []
        spent_s = 0.0
        for place, member in enumerate(ordered):
            if found and spent_s >= most_s:
                self._first = member.table.table
                return found, ordered[place:]
            planned = list(due(member))
            spent_s += sum(map(seconds, planned))
            found += planned
        self._first = ""
        return found, ()


def seconds(planned: Planned) -> float:
    """Of CloudWatch's quota of datapoints."""
    ask, stretch = planned
    is_recent = stretch.window.seconds <= RECENT_S
    return len(ask.slots) * stretch.points / (RECENT_DATAPOINTS_PER_S if is_recent else OLDER_DATAPOINTS_PER_S)
