"""Which asks travel together, over which stretch of time, at which period. Pure.

A request holds at most 500 queries and 100,800 datapoints (GetMetricData API reference), so none ever pages; all
statistics of one metric stay side by side in one request, because up to five of them are billed as one metric. Windows
begin and end on whole periods counted from the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from collector.aws.metrics.queries import FIVE_MINUTES, Ask, written
from collector.aws.spending.meter import billed
from stillfit.model import Span

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
MOST_STATISTICS = 5
"""Of one ask; so that an ask over the longest stretch still fits one request."""

HOUR, DAY = 3_600, 86_400
MINUTES_KEPT_S = 15 * DAY
"""How long one-minute points can be read (GetMetricData API reference)."""
FIVE_MINUTES_KEPT_S = 63 * DAY
HOURS_KEPT_S = 455 * DAY
SAFETY_S = HOUR
"""Stay this far inside what is kept: a request that waits in line must not find its oldest points gone (ours)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A window at one period; both ends on whole periods."""

    period_s: int
    window: Span

    @property
    def points(self) -> int:
        return self.window.seconds // self.period_s


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What one GetMetricData call asks."""

    stretch: Stretch
    asks: tuple[Ask, ...]

    @cached_property
    def queries(self) -> int:
        return sum(len(ask.slots) for ask in self.asks)

    @cached_property
    def metrics(self) -> int:
        """As they are billed."""
        return sum(billed(len(ask.slots)) for ask in self.asks)

    @cached_property
    def ids(self) -> list[str]:
        """What each query travels under, in their order: its place.

        The first bears the number of its ask besides, so that no answer is taken for that to another request.
        """
        return [f"q0_{self.asks[0].number}", *_places(self.queries)[1:]]

    @property
    def datapoints(self) -> int:
        return self.queries * self.stretch.points

    @property
    def body(self) -> bytes:
        """The list of queries as JSON."""
        return written(self.asks, self.ids, self.stretch.period_s)


def stretches(
    wanted: Span, period_s: int, *, now: int, minutes_from: int, coarse_s: int = FIVE_MINUTES
) -> tuple[Stretch, ...]:
    """`wanted` in stretches that CloudWatch still keeps, oldest first.

    Time before `minutes_from`, or older than minutes are kept, is read in points of `coarse_s`: five minutes or an
    hour; what is older than five minutes are kept, in hours. Borders are whole hours, so that no hour is ever made of
    both.
    """
    begin = wanted.start // HOUR * HOUR
    fine_from = _up(now - MINUTES_KEPT_S + SAFETY_S, HOUR)
    if wanted.start < minutes_from:
        fine_from = max(fine_from, _up(minutes_from, HOUR))
    coarse_from = _up(now - FIVE_MINUTES_KEPT_S + SAFETY_S, HOUR)
    hours_from = _up(now - HOURS_KEPT_S + SAFETY_S, HOUR)
    found = (
        (HOUR, Span(max(begin, hours_from), min(coarse_from, wanted.end))),
        (max(period_s, coarse_s), Span(max(begin, coarse_from), min(fine_from, wanted.end))),
        (period_s, Span(max(wanted.start, fine_from), wanted.end)),
    )
    return tuple(piece for period, span in found for piece in _cut(period, span))


def pack(wanted: Iterable[tuple[Ask, Stretch]]) -> Iterator[Request]:
    """As few requests as the limits allow, each as soon as it is full; the asks of a stretch keep their order."""
    open_: dict[Stretch, _Filling] = {}
    filling: _Filling | None = None
    for ask, stretch in wanted:
        if filling is None or stretch is not filling.stretch:  # those of a cycle are shared, and hashing takes longer
            filling = open_.get(stretch) or open_.setdefault(stretch, _Filling(stretch))
        if filling.queries + len(ask.slots) > filling.most:
            yield filling.request()
        filling.asks.append(ask)
        filling.queries += len(ask.slots)
    for filling in open_.values():
        yield filling.request()


class _Filling:
    """A request to which asks are still added."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self.most = min(MAX_QUERIES, MAX_DATAPOINTS // stretch.points)
        self.asks: list[Ask] = []
        self.queries = 0

    def request(self) -> Request:
        """What is in it so far; then it is empty."""
        asks, self.asks, self.queries = tuple(self.asks), [], 0
        return Request(stretch=self.stretch, asks=asks)


@lru_cache(maxsize=MAX_QUERIES)
def _places(count: int) -> list[str]:
    return [f"q{place}" for place in range(count)]


def _cut(period_s: int, span: Span) -> Iterator[Stretch]:
    """Whole periods inside `span`, in pieces of which one ask fits a request."""
    start, end = span.start // period_s * period_s, span.end // period_s * period_s
    longest = MAX_DATAPOINTS // MOST_STATISTICS * period_s
    for begin in range(start, end, longest):
        yield Stretch(period_s, Span(begin, min(end, begin + longest)))


def _up(instant: int, step: int) -> int:
    return -(-instant // step) * step
