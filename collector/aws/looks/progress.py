"""How far each ask has been read, and from where it is to be read next. Pure, apart from remembering.

A cycle in which one ask failed leaves that ask behind the others: its next window begins where its data ends. All read
a little of the past again, because CloudWatch's values converge for up to ten minutes; a longer window costs nothing,
since metrics are billed and not points. After a start each ask goes on where the store says that it was known without a
hole, to the hour; one of which nothing is known is read as in a first look, and so is the older part of one that was
not known that far back.

What is long past waits: the newest hours are read at once, and what lies before them is owed until there is time for it
(collector/aws/looks/history.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache

from collector.aws.looks.restart import Reach, Reached
from collector.aws.metrics.planner import HOUR, MINUTES_KEPT_S, Stretch, stretches
from collector.aws.metrics.queries import FIVE_MINUTES, Ask
from stillfit.model import Span, Subject

OVERLAP_S = 900
"""What every cycle reads again: late values converge within about 10 minutes (exporters wait 600 s for them)."""
RESTART_OVERLAP_S = 3 * 3_600
"""How far a start goes back where no store tells how far each ask had been read."""
REWOUND_S = 3 * 3_600
"""How far back is read again at most what is refused by itself, and a tripwire for the sake of its causes alone: as far
as after a start, or either would be billed over a window that grows for as long as it fails (ours)."""
LONG_S = 8 * 3_600
"""Of what is so much further behind than it usually is, the newest hours are read first, as a piece of its own, which
is billed as one metric more (ours: a night; the tripwires of 10,000 tables over less are two minutes of the quota)."""
OWED_AGAIN_S = 3_600
"""How soon what is owed is asked again after it failed in an answer that was billed (ours: as what is read rarely)."""
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
    _resumed: Begin | None = None
    """The first cycle after a start, where a store tells how far each ask had been read."""
    _owed: dict[Ask, Owed] = field(default_factory=dict)
    _read_to: dict[int, int] = field(default_factory=dict)
    _asked_at: dict[int, int] = field(default_factory=dict)
    """By the number of an ask that failed in a good answer, the end of the cycle in which it was so billed last."""
    _until: int = 0
    """The end of the newest cycle's window."""
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
        self._resumed = replace(begin, start=start, unread_from=first, minutes_from=down)
        self._reached = Reached(self.reach())
        return self._resumed

    def _first_look(self, until: int) -> Begin:
        first, minutes = (until - _seconds(length) for length in (self.first_look, self.first_minutes))
        return Begin(until, first, minutes, _seconds(self.first_period), self.first_days_of)

    def late(self, begin: Begin) -> Begin:
        """Where a table begins in this cycle that was there before, but could not be described: as in a first look."""
        return self._first_look(begin.until) if self._started else begin

    @property
    def is_first(self) -> bool:
        """Whether no cycle went through yet."""
        return not self._started

    @property
    def remembered(self) -> frozenset[Subject]:
        """What the store knows anything of, from before this process."""
        return self._reached.subjects

    @property
    def goes_on(self) -> bool:
        """Whether a store tells how far each ask had been read before this process."""
        return self.reach is not None

    def is_due(self, ask: Ask, until: int, every_s: int, tick_s: int, phase: int) -> bool:
        """Whether an ask that is read every `every_s` is read now, when the next look is `tick_s` away.

        Each has a beat of its own, from `phase`: at first it is read sooner than after `every_s`, never later. What
        was billed and failed keeps the beat too, although it is not known.
        """
        known = self._known(ask)
        last = max(known or 0, self._asked_at.get(ask.number, 0))
        if not last or until - last >= every_s - tick_s // 2:
            return True
        return (until + phase) // every_s > (last + phase) // every_s

    def stretches(self, ask: Ask, begin: Begin, every_s: int = 0) -> tuple[Stretch, ...]:
        """What to read of one ask at once, oldest first. What is long past is owed from now on.

        `every_s`: how often it is read anyway. `begin` may end before this cycle does: what is kept goes by the cycle.
        """
        start, fine_from = self._begins(ask, begin)
        is_known = fine_from == start
        border = _up(begin.until - NEWCOMER_S if is_known else fine_from)
        is_long = start < fine_from or begin.until - start > LONG_S + every_s
        if is_long and start < border < begin.until:
            past = Span(start // HOUR * HOUR, border)
            self._owe(ask, Owed(past, past.start if is_known else border))
            start = fine_from = border
        wanted = (min(start, begin.until), begin.until)
        return _stretches(wanted, ask.spec.period_s, self._until, fine_from, begin.coarse_s)

    def _begins(self, ask: Ask, begin: Begin) -> tuple[int, int]:
        """Where an ask is to be read from, and from where as finely as it can be."""
        known, owed = self._known(ask), self._owed.get(ask)
        if known is not None:
            return known - OVERLAP_S, known - OVERLAP_S
        if owed is not None:  # what came before was planned in a cycle that was cut off
            return owed.span.end, owed.span.end
        start = begin.of(ask)
        return start, max(start, begin.minutes_from)

    @property
    def owed(self) -> Collection[Ask]:
        """What is not read yet of the past, longest waiting first, without what failed a short while ago."""
        late = self._until - OWED_AGAIN_S
        return [ask for ask in self._owed if self._asked_at.get(ask.number, late) <= late]

    @property
    def owed_spans(self) -> Iterator[tuple[Ask, Span]]:
        """All that is owed, and of what time."""
        return ((ask, owed.span) for ask, owed in self._owed.items())

    def past(self, ask: Ask) -> tuple[Stretch, ...]:
        """What is owed of an ask, as far as it is still kept, oldest first."""
        owed = self._owed[ask]
        wanted = (owed.span.start, owed.span.end)
        pieces = _stretches(wanted, ask.spec.period_s, self._until, owed.fine_from, _seconds(self.first_period))
        self._owes(ask, owed, pieces[0].window.start if pieces else owed.span.end, owed.span.end)
        return pieces

    def owes(self, ask: Ask) -> bool:
        """Whether any of its past is not read yet."""
        return ask in self._owed

    def drop(self, asks: Iterable[Ask]) -> None:
        """Know nothing of them: what they were asked of is gone, and read to its end."""
        for ask in asks:
            self._read_to.pop(ask.number, None)
            self._asked_at.pop(ask.number, None)
            self._owed.pop(ask, None)

    def forget(self, gone: Callable[[Subject], bool]) -> None:
        """Owe nothing of what is gone."""
        self._owed = {ask: owed for ask, owed in self._owed.items() if not gone(ask.subject)}

    def read(self, ask: Ask, stretch: Stretch) -> None:
        """A stretch was read whole."""
        owed, window = self._owed.get(ask), stretch.window
        if owed is None or window.end > owed.span.end:
            self._read_to[ask.number] = max(self._read_to.get(ask.number, 0), window.end)
        elif window.start <= owed.span.start:
            self._owes(ask, owed, window.end, owed.span.end)
        elif window.end == owed.span.end:
            self._owes(ask, owed, owed.span.start, window.start)

    def failed(self, ask: Ask, stretch: Stretch, *, refused: bool = False) -> None:
        """A stretch was not: the next cycle begins there. Call after every `read` of the cycle.

        What is `refused`, for good, goes back REWOUND_S at most, and is owed no longer.
        """
        owed = self._owed.get(ask)
        if owed is not None and stretch.window.end <= owed.span.end:
            if refused:
                del self._owed[ask]
            return
        before = self._read_to.get(ask.number, stretch.window.end)
        back = min(before, stretch.window.start + OVERLAP_S)
        self._read_to[ask.number] = max(back, self._until - REWOUND_S) if refused else back

    def rewound(self, wire: Ask, stretch: Stretch) -> None:
        """What a tripwire called for failed: it is read again from there, but REWOUND_S at most, or owed again."""
        before, window = self._read_to.get(wire.number, stretch.window.end), stretch.window
        if before > window.end:
            is_fine = stretch.period_s == wire.spec.period_s
            self._owe(wire, Owed(window, window.start if is_fine else window.end))
            return
        self._read_to[wire.number] = min(before, max(stretch.window.start + OVERLAP_S, self._until - REWOUND_S))

    def waits(self, ask: Ask) -> None:
        """It failed in an answer that was billed: no sooner again than when it is next due."""
        self._asked_at[ask.number] = self._until

    def end(self) -> None:
        """A cycle went through, whatever failed in it."""
        self._started = True
        if self._resumed is not None:
            self._reached = self._reached.left(self._resumed.first + HOUR)

    def read_whole(self, asks: Iterable[Ask]) -> int | None:
        """To when all of these have been read, as far back as a first look goes; None where one was not."""
        ends: list[int] = []
        for ask in asks:
            known = self._known(ask)
            if known is None or ask in self._owed:
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
            if self._resumed is not None:  # whenever it is told first: an operation may be listed much later
                self._note_older(ask, span, self._resumed)
        return self._read_to.get(ask.number)

    def _note_older(self, ask: Ask, known: Span, begin: Begin) -> None:
        first = max(begin.of(ask), begin.until - MINUTES_KEPT_S)
        if known.start > first + HOUR:
            self._owed[ask] = Owed(Span(first // HOUR * HOUR, known.start), known.start)

    def _owe(self, ask: Ask, more: Owed) -> None:
        """Owe this too. What was read in between is read again: metrics are billed, and not points."""
        owed = self._owed.get(ask, more)
        hull = Span(min(owed.span.start, more.span.start), max(owed.span.end, more.span.end))
        self._owed[ask] = Owed(hull, min(owed.fine_from, more.fine_from))

    def _owes(self, ask: Ask, owed: Owed, start: int, end: int) -> None:
        if start < end:
            self._owed[ask] = replace(owed, span=Span(start, end))
        else:
            del self._owed[ask]


@dataclass(frozen=True, slots=True)
class Owed:
    """Time before what is read, in whole hours. From `fine_from` on by the period of the metric, while that is kept."""

    span: Span
    fine_from: int


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
        return start if is_wanted else max(start, _up(self.minutes_from))


@lru_cache(maxsize=4_096)
def _stretches(
    wanted: tuple[int, int], period_s: int, now: int, minutes_from: int, coarse_s: int
) -> tuple[Stretch, ...]:
    """One object for all asks that have been read equally far: there are a thousand asks for each stretch."""
    return stretches(Span(*wanted), period_s, now=now, minutes_from=minutes_from, coarse_s=coarse_s)


def _up(instant: int) -> int:
    return -(-instant // HOUR) * HOUR


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
