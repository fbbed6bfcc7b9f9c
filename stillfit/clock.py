"""One clock for jobs, limiters and timers. Only request signing reads the real one."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from. `scale` is how many seconds of it pass in one real second."""

    scale: float

    def now(self) -> datetime:
        """The aware UTC instant."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, in this clock's own time."""
        ...

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        """Wait `seconds` of this clock, or until the event is set. True when the event ended it."""
        ...


class SystemClock:
    scale = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        return (until or threading.Event()).wait(max(0.0, seconds))


class ScaledClock:
    """Compressed time for the demo: it was `start` at `origin`, and runs `scale` times as fast as the real clock.

    `origin` is a reading of time.monotonic(), which all processes of a machine share; now, when left out.
    """

    def __init__(self, start: datetime, scale: float, origin: float | None = None) -> None:
        self.scale = scale
        self._start = start
        self._origin = time.monotonic() if origin is None else origin

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._origin) * self.scale

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        return (until or threading.Event()).wait(max(0.0, seconds / self.scale))


class FakeClock:
    """Time that moves only when told; a sleep moves it. Thread-safe, so that a test may drive a daemon's threads."""

    scale = 1.0

    def __init__(self, start: datetime = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        if until is not None and until.is_set():
            return True
        self.advance(seconds)
        return False

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._elapsed += max(0.0, seconds)
