"""Two token buckets, calls and datapoints a second, for one account and region; halved when the service complains.

CloudWatch counts both quotas per account and region, and datapoints as estimated from window and period, not as
returned (CloudWatch User Guide, "CloudWatch service quotas"), so a sparse metric costs as much as a full one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import log2

from stillfit.clock import Clock

CALLS_PER_S = 50.0
"""Where to begin: the least that AWS documents for GetMetricData (support article; newer accounts have 500). The live
quota takes its place where it can be read (collector/aws/quotas.py)."""
RECENT_DATAPOINTS_PER_S = 180_000.0
"""For windows that begin within three hours (CloudWatch User Guide, service quotas)."""
OLDER_DATAPOINTS_PER_S = 90_000.0
"""For windows that begin earlier: the lower of the documented figures (90,000 and 396,000)."""
RECENT_S = 3 * 3600
SLOWEST = 1 / 64
"""How far a complaint after the other can slow us: below one call a second no progress would be seen (ours)."""
HALVED_EVERY_S = 1.0
"""Complaints closer together than this are one: all that is in flight is refused at once, which says the same thing
once, and had left before the first refusal could slow anything (ours: the burst)."""
DOUBLED_IN_S = 2.0
"""In how many seconds of answered calls the pace doubles: from half to full speed in 2 s, from the slowest in 12 s.
Twice HALVED_EVERY_S, so that complaints that go on slow us faster than answers between them quicken us (ours)."""


class StoppedError(Exception):
    """We are being stopped: what was not asked yet is not asked any more. No SourceError: nothing failed."""


@dataclass(slots=True)
class _Bucket:
    """When the next token is free. A burst of one second is allowed."""

    per_second: float
    free_at: float = -1.0e18

    def reserve(self, amount: float, now: float, pace: float) -> float:
        """Take `amount` and return how long to wait for it."""
        rate = self.per_second * pace
        begins = max(self.free_at, now - 1.0)
        self.free_at = begins + amount / rate
        return max(0.0, begins - now)


class RetryBudget:
    """What may be asked again, in billed metrics: a share of what was answered, and a reserve to begin with.

    botocore has a budget of its own for what it tries again by itself: 500 tokens a client, 5 a retry and 10 after a
    time-out, won back by success (retries.standard.RetryQuotaChecker). This one is for what we ask anew because an
    answer came that was garbled or in part, so that a service that answers badly for hours does not double the bill.
    """

    SHARE = 0.1
    RESERVE = 1_000.0
    """Two whole requests (ours)."""

    def __init__(self) -> None:
        self._left = self.RESERVE
        self._lock = threading.Lock()

    def answered(self, metrics: int) -> None:
        """So many billed metrics were answered well."""
        with self._lock:
            self._left = min(self.RESERVE, self._left + metrics * self.SHARE)

    def take(self, metrics: int) -> bool:
        """Whether so many may be asked again; they are then spent."""
        with self._lock:
            if self._left < metrics:
                return False
            self._left -= metrics
            return True


class _Quota:
    """What is left of one account and region's, and how much of it is in use."""

    def __init__(self, calls_per_s: float) -> None:
        self.calls = _Bucket(calls_per_s)
        self.recent = _Bucket(RECENT_DATAPOINTS_PER_S)
        self.older = _Bucket(OLDER_DATAPOINTS_PER_S)
        self.pace = 1.0
        self.halved_at = self.won_back_to = -1.0e18
        self.lock = threading.Lock()


class Limiter:
    """Of all sources that sign in as one; `join` shares the quota with those that sign in apart. Thread-safe."""

    def __init__(self, clock: Clock, *, calls_per_s: float = CALLS_PER_S) -> None:
        self._clock = clock
        self._quota = _Quota(calls_per_s)
        self._stopping = threading.Event()

    @property
    def pace(self) -> float:
        """Share of the full speed in use, from SLOWEST to 1."""
        return self._quota.pace

    def join(self, other: Limiter) -> None:
        """From now on draw from the quota of another, of the same account and region. Each is stopped alone."""
        self._quota = other._quota

    def wait(self, *, datapoints: int = 0, start: int | None = None) -> None:
        """Hold the caller until one call of so many datapoints, from a window that begins at `start`, may leave.

        Raises StoppedError when `stop` was called and there was something to wait for.
        """
        quota = self._quota
        with quota.lock:
            now = self._clock.monotonic()
            delay = quota.calls.reserve(1.0, now, quota.pace)
            if datapoints:
                bucket = quota.recent if self._is_recent(start) else quota.older
                delay = max(delay, bucket.reserve(datapoints, now, quota.pace))
        if delay > 0.0 and self._clock.sleep(delay, self._stopping):
            raise StoppedError

    def keep(self, calls_per_s: float) -> None:
        """From now on so many calls a second are the full speed."""
        with self._quota.lock:
            self._quota.calls.per_second = calls_per_s

    def stop(self) -> None:
        """Whoever waits, or would have to, gets a StoppedError instead."""
        self._stopping.set()

    def complained(self) -> None:
        """The service throttled a call: half the speed from now on, but at most once every HALVED_EVERY_S."""
        quota = self._quota
        with quota.lock:
            now = quota.won_back_to = self._clock.monotonic()
            if now - quota.halved_at >= HALVED_EVERY_S:
                quota.halved_at = now
                quota.pace = max(SLOWEST, quota.pace / 2)

    def failed(self) -> None:
        """An attempt failed: botocore makes the next one by itself, and it takes its call from the quota unasked."""
        quota = self._quota
        with quota.lock:
            quota.calls.reserve(1.0, self._clock.monotonic(), quota.pace)

    def answered(self) -> None:
        """A call was served: faster again, by the time since the last complaint or answer."""
        quota = self._quota
        if quota.pace < 1.0:
            with quota.lock:
                now = self._clock.monotonic()
                doublings = min((now - quota.won_back_to) / DOUBLED_IN_S, -log2(SLOWEST))
                quota.pace = min(1.0, quota.pace * 2.0**doublings)
                quota.won_back_to = now

    def _is_recent(self, start: int | None) -> bool:
        return start is None or self._clock.now().timestamp() - start <= RECENT_S
