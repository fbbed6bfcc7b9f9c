"""What the tripwires of history lead to: the causes of throttling, where the store knows that something was refused.

As in `tripwire.py`, but from the store: it does not matter which run read the tripwires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from collector.aws.backfill.cover import Covers, Kept, Name
from collector.aws.looks.reading import Planned
from collector.aws.metrics.operations import empty
from collector.aws.metrics.planner import HOUR
from collector.aws.metrics.queries import CAUSES, DIRECTIONS, MINUTE, THROTTLED_REQUESTS, THROTTLES, Ask, Questions
from collector.aws.settings.inventory import Member
from stillfit.model import Series, Span, Subject

_GENERIC = {direction: THROTTLES[direction].brings[0][0] for direction in DIRECTIONS}
_REQUESTS = THROTTLED_REQUESTS.brings[0][0]


@dataclass(frozen=True)
class Causes:
    """What is to be asked, and what is known to be nothing, in the holes of `covers`."""

    questions: Questions
    covers: Covers
    kept: Kept
    served: Callable[[Subject], Sequence[str]]
    planned: Callable[[Ask, Span], Iterator[Planned]]
    """An ask over a hole in the stretches and periods that are kept."""

    def asked(self, members: Iterable[Member]) -> Iterator[Planned]:
        for ask, part, tripped in self._parts(members):
            if tripped and (ask.part or ask.spec is not THROTTLED_REQUESTS):
                yield from self.planned(ask, part)

    def quiet(self, members: Iterable[Member]) -> Iterator[Series]:
        for ask, part, tripped in self._parts(members):
            if not tripped:
                for metric in {slot.metric for slot in ask.slots}:
                    for _, piece in self.planned(ask, part):
                        yield empty(ask.subject, metric, piece.period_s, piece.window, ask.part)

    def _parts(self, members: Iterable[Member]) -> Iterator[tuple[Ask, Span, bool]]:
        """Each part of a hole in which the tripwires are known, and whether they told of something."""
        for member in members:
            for subject in member.subjects:
                for direction in DIRECTIONS:
                    wires: tuple[Name, ...] = ((subject, _GENERIC[direction], ""),)
                    for spec in CAUSES[direction]:
                        yield from self._of(self.questions.ask(subject, spec), wires)
            family = tuple((subject, metric, "") for subject in member.subjects for metric in _GENERIC.values())
            for operation in self.served(member.table) or ("",):
                yield from self._of(self.questions.ask(member.table, THROTTLED_REQUESTS, operation), family)

    def _of(self, ask: Ask, wires: Sequence[Name]) -> Iterator[tuple[Ask, Span, bool]]:
        unknown = self.covers.unknown(wires, MINUTE)
        (metric,) = {slot.metric for slot in ask.slots}
        for hole in self.covers.holes(((ask.subject, metric, ask.part),), MINUTE):
            for part in _without(hole, unknown):
                yield ask, part, any(self._is_tripped(name, part) for name in wires)

    def _is_tripped(self, wire: Name, part: Span) -> bool:
        hours = self._refused.get(wire[:2])
        return hours is not None and bool(((hours >= part.start) & (hours < part.end)).any())

    @cached_property
    def _refused(self) -> dict[tuple[Subject, str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Starts of the hours in which something was refused."""
        found = self.kept.hourly(self.covers.span, metrics=_GENERIC.values())
        return {(one.subject, one.metric): one.times[one.values > 0.0] for one in found if one.period_s == HOUR}


def _without(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """What is left of `span`."""
    start = span.start
    for hole in holes:
        if hole.start >= span.end:
            break
        if hole.start > start:
            yield Span(start, hole.start)
        start = max(start, hole.end)
    if start < span.end:
        yield Span(start, span.end)
