"""How time is cut: ticks of one period, and buckets of whole ticks that are one chunk each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stillfit.model import Span

HOUR_S = 3600
_BUCKETS_S = (HOUR_S, 6 * HOUR_S, 24 * HOUR_S, 7 * 24 * HOUR_S)
_MIN_TICKS = 60  # shorter blocks compress worse


@dataclass(frozen=True, slots=True)
class Grid:
    """Ticks of `tick_s` seconds in buckets of `bucket_s`, both counted from the epoch."""

    tick_s: int
    bucket_s: int

    @classmethod
    def of_period(cls, period_s: int) -> Grid:
        """An hour of minutes, more of longer periods; whole hours wherever the period divides them."""
        fitting = (b for b in _BUCKETS_S if b % period_s == 0 and b >= _MIN_TICKS * period_s)
        return cls(period_s, next(fitting, _MIN_TICKS * period_s))

    @property
    def ticks(self) -> int:
        return self.bucket_s // self.tick_s

    @property
    def makes_hours(self) -> bool:
        """Whether hours can be made of it: the tick is shorter than an hour and divides it."""
        return self.tick_s < HOUR_S and HOUR_S % self.tick_s == 0 and self.bucket_s % HOUR_S == 0

    def whole(self, span: Span) -> Span:
        """The stretch of whole buckets that touch `span`."""
        return Span(span.start // self.bucket_s * self.bucket_s, -(-span.end // self.bucket_s) * self.bucket_s)

    def buckets(self, whole: Span) -> range:
        return range(whole.start, whole.end, self.bucket_s)

    def windows(self, span: Span, buckets: int) -> Iterator[Span]:
        """`span` in stretches of at most so many whole buckets."""
        whole = self.whole(span)
        for start in range(whole.start, whole.end, buckets * self.bucket_s):
            yield Span(start, min(whole.end, start + buckets * self.bucket_s))


HOURS = Grid(HOUR_S, 7 * 24 * HOUR_S)
"""The grid of the hourly facets: a week is one chunk."""
