"""A source that a test holds in its hand, what it may deliver, and a clock that stands still."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from stillfit.clock import SystemClock
from stillfit.model import Batch, Engine, Series, Span, Statistic, Subject
from tests.builders import series

SCOPE = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "us-east-1"))
HEALTHY: Mapping[str, float] = {f"{direction}_throttle_events": 0.0 for direction in ("read", "write")} | {
    f"consumed_{direction}_units__{statistic}": 360_000.0
    for direction in ("read", "write")
    for statistic in ("sum", "count")
}
HOT_KEY = {**HEALTHY, "write_throttle_events": 90_000.0, "write_key_range_throttle_events": 90_000.0}
"""Totals of the hour before each look."""


class FakeSource:
    """Names its table, then delivers the hour before `until`; `error` comes between the two.

    While it may not answer it hangs, as a first look over many tables does, until it is told to stop.
    """

    settle_s = 0
    lag_s = 0

    def __init__(self, name: str = "one", *, table: str = "orders", metrics: Mapping[str, float] = HEALTHY) -> None:
        self.id = f"fake/{name}"
        self.scope = SCOPE
        self.table = replace(SCOPE, table=table)
        self.metrics = metrics
        self.error: Exception | None = None
        self.looks = 0
        self.closed = 0
        self.heeds_stop = True
        self.is_reading = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        self.looks += 1
        self.is_reading.set()
        assert self.may_answer.wait(600), "the test forgot to let the source answer"
        yield Batch(source=self.id, at=until, subjects_seen=(self.table,))
        if self.error is not None:
            raise self.error
        yield Batch(source=self.id, at=until, series=tuple(self._series(int(until.timestamp()) // 60 * 60)))

    def stop(self) -> None:
        if self.heeds_stop:
            self.may_answer.set()

    def close(self) -> None:
        self.closed += 1

    def _series(self, end: int) -> Iterator[Series]:
        for name, total in self.metrics.items():
            metric, _, statistic = name.partition("__")
            yield series(
                metric,
                total,
                of=self.table,
                window=Span(end - 3_600, end),
                statistic=Statistic(statistic) if statistic else None,
            )


class StandingClock(SystemClock):
    """The same instant for as long as a test takes, so that no minute ends within it; waiting is real."""

    def __init__(self, at: datetime | float) -> None:
        self._at = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)

    def now(self) -> datetime:
        return self._at
