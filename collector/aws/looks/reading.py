"""Planned asks as batches: read, handed over in bounded pieces, and remembered as read once they are stored.

reading = Reading(source_id, reader, progress)
look = Look(at=until)
yield from reading.batches(wanted, look)
reading.settle(look)  # when all that the tripwires among them lead to is stored as well
yield from reading.gaps(look)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.aws.looks.progress import Progress
from collector.aws.metrics.cloudwatch import MetricReader
from collector.aws.metrics.decode import Missing
from collector.aws.metrics.planner import Stretch, pack
from collector.aws.metrics.queries import Ask
from collector.aws.spending.plan import SHOWN_AFTER_S
from stillfit.model import Batch, Gap, GapReason, Series, Span
from stillfit.sheets import Sheet, Sheets, points

POINTS_A_BATCH = 1_000_000
"""Of 16 bytes each, held twice while they are stored: what one batch may take of memory (ours: 32 MB)."""
SERIES_A_BATCH = 50_000
"""A hundred requests: they are stored while the next hundred are under way (ours)."""

Planned = tuple[Ask, Stretch]


@dataclass(slots=True)
class Look:
    """What one cycle of one source has met so far."""

    at: datetime
    note: Callable[[Iterable[Series]], None] = lambda _series: None
    """Sees all series as they come."""
    missing: list[Missing] = field(default_factory=list)
    held: list[Planned] = field(default_factory=list)
    """Tripwires that are stored, while what they lead to is not."""
    behind: list[Missing] = field(default_factory=list)
    """What is missing of tripwires and of what they lead to, until it is settled."""


@dataclass(slots=True)
class _Taken:
    """Answers that are not handed over yet."""

    sheets: list[Sheet] = field(default_factory=list)
    read: list[Planned] = field(default_factory=list)
    points: int = 0
    series: int = 0

    def add(self, series: Sheets, read: Iterable[Planned]) -> None:
        self.sheets += series.parts
        self.series += len(series)
        self.points += points(series)
        self.read.extend(read)

    @property
    def is_full(self) -> bool:
        return self.points >= POINTS_A_BATCH or self.series >= SERIES_A_BATCH

    def clear(self) -> None:
        self.sheets.clear()
        self.read.clear()
        self.points = self.series = 0


class Reading:
    """How every AWS source reads its metrics. One cycle at a time."""

    def __init__(
        self,
        source: str,
        reader: MetricReader,
        progress: Progress,
        *,
        origin: Callable[[Ask], Ask] = lambda ask: ask,
        leads: Callable[[Ask], bool] = lambda _ask: False,
    ) -> None:
        """`origin` names the ask that led to another: both are read again when that fails in passing.

        `leads` tells which may lead to another: they count as read when they are settled.
        """
        self._source = source
        self._reader = reader
        self._progress = progress
        self._origin = origin
        self._leads = leads

    def batches(self, wanted: Iterable[Planned], look: Look) -> Iterator[Batch]:
        """Answers in batches of many series, since the store writes each of its chunks once a batch."""
        missing: list[Missing] = []
        taken = _Taken()
        for request, got in self._reader.read(pack(wanted)):
            lost = {one.ask.number for one in got.missing}
            taken.add(got.series, [(ask, request.stretch) for ask in request.asks if ask.number not in lost])
            missing += got.missing
            look.note(got.series)
            if taken.is_full:
                yield from self._handed_over(taken, look)
        yield from self._handed_over(taken, look)
        for one in missing:
            if self._leads(one.ask) or self._origin(one.ask) is not one.ask:
                look.behind.append(one)
            else:
                self._fell_behind(one)
        look.missing += missing

    def settle(self, *looks: Look) -> None:
        """Count tripwires as read: whoever stores has taken all that they lead to.

        Where it refuses any of that, the look ends, and the next one reads them again with all that they lead to.
        """
        for look in looks:
            for ask, stretch in look.held:
                self._progress.read(ask, stretch)
            look.held.clear()
        for look in looks:
            for one in look.behind:
                self._fell_behind(one)
            look.behind.clear()

    def gaps(self, look: Look) -> Iterator[Gap]:
        """What could not be read, metric by metric."""
        for one in look.missing:
            for metric in sorted({slot.metric for slot in one.ask.slots}):
                yield Gap(
                    subject=one.ask.subject,
                    missing=metric,
                    reason=one.reason,
                    detail=one.what_happened,
                    source=self._source,
                    span=one.stretch.window,
                )

    def _fell_behind(self, one: Missing) -> None:
        """Read from there again: at once where nothing was billed, else when it is next due.

        A cause that is refused by itself is refused for good, and no reason to read its tripwire again.
        """
        origin = self._origin(one.ask)
        refused = one.reason is GapReason.DENIED and not one.whole
        if origin is one.ask:
            self._progress.failed(one.ask, one.stretch, refused=refused)
        elif not refused:
            self._progress.rewound(origin, one.stretch)
        if not one.whole:
            self._progress.waits(one.ask)
            self._progress.waits(origin)

    def _handed_over(self, taken: _Taken, look: Look) -> Iterator[Batch]:
        """What was taken so far; it counts as read once whoever stores it comes back for more."""
        if taken.series:
            yield Batch(source=self._source, at=look.at, series=Sheets(taken.sheets))
        for ask, stretch in taken.read:
            if self._leads(ask):
                look.held.append((ask, stretch))
            else:
                self._progress.read(ask, stretch)
        taken.clear()


def shown(batch: Batch, until: int) -> Batch:
    """The batch with its series vouched for only as far as CloudWatch can have shown them at `until`.

    Points that were shown earlier stay, and each vouches for its own period.
    """
    end = until - SHOWN_AFTER_S
    if isinstance(batch.series, Sheets):
        parts = [replace(sheet, covered=_before(sheet.covered, end)) for sheet in batch.series.parts]
        return replace(batch, series=Sheets(parts))
    return replace(batch, series=tuple(replace(one, covered=_before(one.covered, end)) for one in batch.series))


def _before(covered: Iterable[Span], end: int) -> tuple[Span, ...]:
    return tuple(Span(span.start, min(span.end, end)) for span in covered if span.start < end)
