"""How far each ask has been read, and from where it is to be read next. Pure, apart from remembering.

A cycle in which one ask failed leaves that ask behind the others: its next window begins where its data ends. All read
a little of the past again, because CloudWatch's values converge for up to ten minutes; a longer window costs nothing,
since metrics are billed and not points. After a start each ask goes on where the store says that it was known without a
hole, to the hour; one of which nothing is known is read as in a first look, and so is the older part of one that was
not known that far back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache

from collector.aws.planner import HOUR, MINUTES_KEPT_S, Stretch, stretches
from collector.aws.queries import FIVE_MINUTES, Ask
from collector.aws.restart import Reach, Reached
from stillfit.model import Span

OVERLAP_S = 900
"""What every cycle reads again: late values converge within about 10 minutes (exporters wait 600 s for them)."""
RESTART_OVERLAP_S = 3 * 3_600
"""How far a start goes back where no store tells how far each ask had been read."""
REWOUND_S = 3 * 3_600
"""How far back is read again at most what is refused by itself, and a tripwire for the sake of its causes alone: as far
as after a start, or either would be billed over a window that grows for as long as it fails (ours)."""
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
    reach: Reach | None = None
    """What the store knows from before this process; None where there is none."""
    _reached: Reached = field(default_factory=Reached)
    _goes_on: Begin | None = None
    """The first cycle after a start, where a store tells how far each ask had been read."""
    _older: dict[int, Span] = field(default_factory=dict)
    """What a first look would have read of an ask and is not known, before what is."""
    _read_to: dict[int, int] = field(default_factory=dict)
    _asked_at: dict[int, int] = field(default_factory=dict)
    """By the number of an ask that failed in a good answer, the end of the cycle in which it was so billed last."""
    _until: int = 0
    """The end of the newest cycle's window."""
    _first: Begin | None = None
    """The newest first look."""
    _coarse: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By the number of an ask whose older part failed in a first look: before when it is coarse, and its period."""
    _started: bool = False

    def begin(self, since: int | None, until: int) -> Begin:
        """Where asks that have never been read begin in this cycle."""
        self._until, newcomers = until, until - NEWCOMER_S
        if self._started:
            return Begin(until, newcomers, newcomers)
        begin = self._first_look(until)
        if since is None:
            return begin
        first, minutes = begin.start, begin.minutes_from
        start = min(since, until) - RESTART_OVERLAP_S
        if self.reach is None:
            return Begin(until, start, start)
        down = start if until - min(since, until) > until - minutes else minutes
        self._goes_on = replace(begin, start=start, unread_from=first, minutes_from=down)
        self._reached = Reached(self.reach())
        return self._goes_on

    def _first_look(self, until: int) -> Begin:
        first, minutes = (until - _seconds(length) for length in (self.first_look, self.first_minutes))
        self._first = Begin(until, first, minutes, _seconds(self.first_period), self.first_days_of)
        return self._first

    def late(self, begin: Begin) -> Begin:
        """Where a table begins in this cycle that was there before, but could not be described: as in a first look."""
        return self._first_look(begin.until) if self._started else begin

    @property
    def goes_on(self) -> bool:
        """Whether this is the first cycle of a process that goes on where another one ended."""
        return self._goes_on is not None

    def is_due(self, ask: Ask, until: int, every_s: int, tick_s: int, phase: int) -> bool:
        """Whether an ask that is read every `every_s` is read now, when the next look is `tick_s` away.

        Each has a beat of its own, from `phase`: at first it is read sooner than after `every_s`, never later. What
        was billed and failed keeps the beat too, although it is not known.
        """
        known = self._known(ask)
        last = max(known or 0, self._asked_at.get(ask.number, 0))
        if not last or ask.number in self._older or until - last >= every_s - tick_s // 2:
            return True
        return (until + phase) // every_s > (last + phase) // every_s

    def stretches(self, ask: Ask, begin: Begin) -> tuple[Stretch, ...]:
        """What to read of one ask, oldest first."""
        known = self._known(ask)
        start = begin.of(ask) if known is None else known - OVERLAP_S
        finely = (begin.minutes_from, begin.coarse_s)
        if known is not None:
            finely = self._coarse.get(ask.number, (start, begin.coarse_s))
        wanted = (min(start, begin.until), begin.until)
        pieces = _stretches(wanted, ask.spec.period_s, begin.until, *finely)
        older = self._older.get(ask.number)
        if older is None:
            return pieces
        before = _stretches((older.start, older.end), ask.spec.period_s, begin.until, older.end, begin.coarse_s)
        return before + pieces

    def read(self, ask: Ask, stretch: Stretch) -> None:
        """A stretch was read whole."""
        self._read_to[ask.number] = max(self._read_to.get(ask.number, 0), stretch.window.end)

    def failed(self, ask: Ask, stretch: Stretch, *, refused: bool = False) -> None:
        """A stretch was not: the next cycle begins there. Call after every `read` of the cycle.

        What is `refused`, for good, goes back REWOUND_S at most. The older part of a first look stays as coarse as it
        was planned.
        """
        if self._first is not None and stretch.period_s > ask.spec.period_s:
            older = self._older.get(ask.number)
            fine_from = older.end if older else self._first.minutes_from
            self._coarse.setdefault(ask.number, (fine_from, self._first.coarse_s))
        before = self._read_to.get(ask.number, stretch.window.end)
        back = min(before, stretch.window.start + OVERLAP_S)
        self._read_to[ask.number] = max(back, self._until - REWOUND_S) if refused else back

    def rewound(self, wire: Ask, stretch: Stretch) -> None:
        """What a tripwire called for failed: it is read again from there, but REWOUND_S at most."""
        before = self._read_to.get(wire.number, stretch.window.end)
        self._read_to[wire.number] = min(before, max(stretch.window.start + OVERLAP_S, self._until - REWOUND_S))

    def waits(self, ask: Ask) -> None:
        """It failed in an answer that was billed: no sooner again than when it is next due."""
        self._asked_at[ask.number] = self._until

    def end(self) -> None:
        """A cycle went through, whatever failed in it."""
        self._started = True
        self._goes_on = None
        self._older.clear()
        self._reached = self._reached.left()

    def read_whole(self, asks: Iterable[Ask]) -> int | None:
        """To when all of these have been read, as far back as a first look goes; None where one was not."""
        ends: list[int] = []
        for ask in asks:
            known = self._known(ask)
            if known is None or ask.number in self._older:
                return None
            ends.append(known)
        return min(ends, default=None)

    def read_to(self, ask: Ask) -> int | None:
        """To when an ask has been read, by this process or before it; None where it never was."""
        return self._known(ask)

    def _known(self, ask: Ask) -> int | None:
        """To when an ask has been read, by this process or before it."""
        if ask.number not in self._read_to and (span := self._reached.of(ask)) is not None:
            self._read_to[ask.number] = (
                span.end - HOUR + OVERLAP_S
            )  # a whole hour again: no hour is made of two periods
            if self._goes_on is not None:
                self._note_older(ask, span, self._goes_on)
        return self._read_to.get(ask.number)

    def _note_older(self, ask: Ask, known: Span, begin: Begin) -> None:
        first = max(begin.of(ask), begin.until - MINUTES_KEPT_S)
        if known.start > first + HOUR:
            self._older[ask.number] = Span(first, known.start)


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
    unread_from: int | None = None
    """Where asks begin that were never read, where that is another time than `start`."""

    @property
    def first(self) -> int:
        """Where what was never read begins, whatever it is."""
        return self.start if self.unread_from is None else self.unread_from

    def of(self, ask: Ask) -> int:
        """Where an ask that was never read begins."""
        start = self.first
        is_wanted = self.days_of is None or any(slot.metric in self.days_of for slot in ask.slots)
        return start if is_wanted else max(start, -(-self.minutes_from // HOUR) * HOUR)


@lru_cache(maxsize=4_096)
def _stretches(
    wanted: tuple[int, int], period_s: int, now: int, minutes_from: int, coarse_s: int
) -> tuple[Stretch, ...]:
    """One object for all asks that have been read equally far: there are a thousand asks for each stretch."""
    return stretches(Span(*wanted), period_s, now=now, minutes_from=minutes_from, coarse_s=coarse_s)


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
