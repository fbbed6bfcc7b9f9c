"""What a backfill asks of a store: which hours are known, from points of which length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from collector.aws.metrics.planner import HOUR
from collector.aws.metrics.queries import FIVE_MINUTES
from stillfit.model import Series, Span, Subject

Name = tuple[Subject, str, str]
"""Subject, metric, dimension."""
DAEMONS_S = 6 * HOUR
"""A hole up to the present, after time that is known, is the daemon's to read unless it is longer (ours). So a backfill
that was killed and begun again some hours later pays for nothing twice."""


class Cover(Protocol):
    """Which hours of a stretch are known."""

    def holes(self, names: Iterable[Name]) -> tuple[Span, ...]:
        """Stretches of whole hours of which not all of these names are known whole."""
        ...


class Kept(Protocol):
    """The store, as far as a backfill needs it."""

    def cover(self, source_id: str, span: Span, longest_s: int) -> Cover:
        """Which hours of `span` are known of a source from points of at most `longest_s` each."""
        ...

    def series(
        self,
        span: Span,
        *,
        metrics: Iterable[str] | None = None,
        subjects: Iterable[Subject] | None = None,
        period_s: int | None = None,
    ) -> Sequence[Series]:
        """Samples inside `span`."""
        ...

    def hourly(
        self, span: Span, metrics: Iterable[str] | None = None, subjects: Iterable[Subject] | None = None
    ) -> Sequence[Series]:
        """Hourly sums of `span`."""
        ...


class Covers:
    """What is known of `span` from points of `longest_s`, and before `fine_from` from hours; read when first asked."""

    def __init__(self, kept: Kept, source: str, span: Span, fine_from: int, longest_s: int = FIVE_MINUTES) -> None:
        self.span = span
        self.longest_s = longest_s
        self._kept = kept
        self._source = source
        border = min(span.end, max(span.start, fine_from))
        self._parts = ((HOUR, Span(span.start, border)), (longest_s, Span(border, span.end)))
        self._read: dict[tuple[int, Span], Cover] = {}

    def holes(self, names: Iterable[Name], period_s: int) -> tuple[Span, ...]:
        """What is to be asked of a metric of its own `period_s`, oldest first."""
        found = [hole for hole in self.unknown(names, period_s) if hole.seconds]
        if found and found[-1].end == self.span.end and found[-1].start > self.span.start:
            return tuple(found if found[-1].seconds > DAEMONS_S else found[:-1])
        return tuple(found)

    def unknown(self, names: Iterable[Name], period_s: int) -> tuple[Span, ...]:
        """Whole hours of which not all of these names are known."""
        every = tuple(names)
        found: list[Span] = []
        for longest_s, part in self._parts:
            for hole in self._cover(max(longest_s, period_s), part).holes(every) if part.seconds else ():
                if found and found[-1].end == hole.start:
                    hole = Span(found.pop().start, hole.end)  # noqa: PLW2901  (one hole over the border)
                found.append(hole)
        return tuple(found)

    def _cover(self, longest_s: int, part: Span) -> Cover:
        key = (longest_s, part)
        if key not in self._read:
            self._read[key] = self._kept.cover(self._source, part, longest_s)
        return self._read[key]
