"""How far each ask has been read, and from where it is to be read next. Pure, apart from remembering.

A cycle in which one ask failed leaves that ask behind the others: its next window begins where its data ends. All read
a little of the past again, because CloudWatch's values converge for up to ten minutes; a longer window costs nothing,
since metrics are billed and not points. After a start it is three hours, so that what failed just before the last stop
is made good: 180 points, with which 500 queries still fit one request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from collector.aws.planner import HOUR, Stretch, stretches
from collector.aws.queries import FIVE_MINUTES, Ask
from stillfit.model import Span

OVERLAP_S = 900
"""What every cycle reads again: late values converge within about 10 minutes (exporters wait 600 s for them)."""
RESTART_OVERLAP_S = 3 * 3_600
NEWCOMER_S = 3 * 3_600
"""How far back a table or operation is read that turns up while we run: ListMetrics names it within three hours."""


@dataclass(slots=True)
class Progress:
    """One source's cursors. `plan` in a cycle before `note`."""

    first_look: timedelta
    first_minutes: timedelta
    first_period: timedelta = timedelta(seconds=FIVE_MINUTES)
    first_days_of: frozenset[str] | None = None
    """Canonical metrics whose older part the first look reads; None is all."""
    _read_to: dict[int, int] = field(default_factory=dict)
    _started: bool = False

    def begin(self, since: int | None, until: int) -> Begin:
        """Where asks that have never been read begin in this cycle."""
        newcomers = until - NEWCOMER_S
        if self._started:
            return Begin(until, newcomers, newcomers)
        if since is not None:
            start = min(since, until) - RESTART_OVERLAP_S
            return Begin(until, start, start)
        first, minutes = (until - _seconds(length) for length in (self.first_look, self.first_minutes))
        return Begin(until, first, minutes, _seconds(self.first_period), self.first_days_of)

    def stretches(self, ask: Ask, begin: Begin) -> tuple[Stretch, ...]:
        """What to read of one ask, oldest first."""
        known = self._read_to.get(ask.number)
        start = begin.of(ask) if known is None else known - OVERLAP_S
        minutes_from = begin.minutes_from if known is None else start
        wanted = Span(min(start, begin.until), begin.until)
        period_s, coarse_s = ask.spec.period_s, begin.coarse_s
        return stretches(wanted, period_s, now=begin.until, minutes_from=minutes_from, coarse_s=coarse_s)

    def read(self, ask: Ask, stretch: Stretch) -> None:
        """A stretch was read whole."""
        self._read_to[ask.number] = max(self._read_to.get(ask.number, 0), stretch.window.end)

    def failed(self, ask: Ask, stretch: Stretch) -> None:
        """A stretch was not: the next cycle begins there. Call after every `read` of the cycle."""
        before = self._read_to.get(ask.number, stretch.window.end)
        self._read_to[ask.number] = min(before, stretch.window.start + OVERLAP_S)

    def end(self) -> None:
        """A cycle went through, whatever failed in it."""
        self._started = True


@dataclass(frozen=True, slots=True)
class Begin:
    """The end of a cycle's window, where what is new to it begins, and since when that is asked by the minute."""

    until: int
    start: int
    minutes_from: int
    coarse_s: int = FIVE_MINUTES
    """Period of what lies before `minutes_from`."""
    days_of: frozenset[str] | None = None
    """Canonical metrics that are asked before `minutes_from` at all; None is all."""

    def of(self, ask: Ask) -> int:
        """Where an ask that was never read begins."""
        is_wanted = self.days_of is None or any(slot.metric in self.days_of for slot in ask.slots)
        return self.start if is_wanted else max(self.start, -(-self.minutes_from // HOUR) * HOUR)


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
