"""Two token buckets, calls and datapoints a second, for one account and region; halved when the service complains.

CloudWatch counts both quotas per account and region, and datapoints as estimated from window and period, not as
returned (CloudWatch User Guide, "CloudWatch service quotas"), so a sparse metric costs as much as a full one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from math import log2

from stillfit.clock import Clock

CALLS_PER_S = 50.0
"""Where to begin: the least that AWS documents for GetMetricData (support article; newer accounts have 500). The live
quota takes its place where it can be read (collector/aws/wire/quotas.py)."""
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
LOOKED_AGAIN_S = 1.0
"""Whoever waits looks again after so long at most: the pace may have changed since (ours)."""
SOON_S = 1e-6
"""What is this close is now: clocks and sums are not exact (ours)."""


class StoppedError(Exception):
    """We are being stopped: what was not asked yet is not asked any more. No SourceError: nothing failed."""


@dataclass(slots=True, eq=False)
class _Bucket:
    """Tokens given out in turn, by the pace of then and not by that of when somebody began to wait.

    A burst of one second is allowed; what is taken may leave a debt.
    """

    per_second: float
    level: float = 0.0
    at: float = -1.0e18
    line: dict[object, float] = field(default_factory=dict)
    """Who waits, in turn, and for how much."""

    def go_on(self, now: float, pace: float) -> None:
        """Let time have passed at this pace."""
        rate = self.per_second * pace
        self.level = min(rate, self.level + (now - self.at) * rate)
        self.at = now

    def quicken(self, times: float) -> None:
        """The rate is so many times what it was: the burst that is left is as long as before."""
        self.level += max(0.0, self.level) * (times - 1.0)

    def wait_s(self, who: object, pace: float) -> float:
        """How long it takes from now on at this pace until all before it are served."""
        ahead = sum(self.line[one] for one in takewhile(lambda one: one is not who, self.line))
        return max(0.0, ahead - self.level) / (self.per_second * pace)


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

    def go_on(self, now: float) -> None:
        """Before anything is taken and before the pace changes."""
        for bucket in (self.calls, self.recent, self.older):
            bucket.go_on(now, self.pace)

    def quicken(self, times: float) -> None:
        self.pace = min(1.0, self.pace * times)
        for bucket in (self.calls, self.recent, self.older):
            bucket.quicken(times)


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
        quota, who = self._quota, object()
        bucket = quota.recent if self._is_recent(start) else quota.older
        taken = {quota.calls: 1.0, bucket: float(datapoints)} if datapoints else {quota.calls: 1.0}
        with quota.lock:
            for each, amount in taken.items():
                each.line[who] = amount
        try:
            while (delay := self._delay(quota, taken, who)) > SOON_S:
                if self._clock.sleep(min(delay, LOOKED_AGAIN_S), self._stopping):
                    taken = dict.fromkeys(taken, 0.0)
                    raise StoppedError
        finally:
            with quota.lock:
                for each, amount in taken.items():
                    del each.line[who]
                    each.level -= amount

    def _delay(self, quota: _Quota, taken: Iterable[_Bucket], who: object) -> float:
        with quota.lock:
            quota.go_on(self._clock.monotonic())
            return max(each.wait_s(who, quota.pace) for each in taken)

    def keep(self, calls_per_s: float) -> None:
        """From now on so many calls a second are the full speed."""
        quota = self._quota
        with quota.lock:
            quota.go_on(self._clock.monotonic())
            quota.calls.quicken(calls_per_s / quota.calls.per_second)
            quota.calls.per_second = calls_per_s

    def stop(self) -> None:
        """Whoever waits, or would have to, gets a StoppedError instead."""
        self._stopping.set()

    def complained(self) -> None:
        """The service throttled a call: half the speed from now on, but at most once every HALVED_EVERY_S."""
        quota = self._quota
        with quota.lock:
            now = quota.won_back_to = self._clock.monotonic()
            quota.go_on(now)
            if now - quota.halved_at >= HALVED_EVERY_S:
                quota.halved_at = now
                quota.pace = max(SLOWEST, quota.pace / 2)

    def failed(self) -> None:
        """An attempt failed: botocore makes the next one by itself, and it takes its call from the quota unasked."""
        quota = self._quota
        with quota.lock:
            quota.go_on(self._clock.monotonic())
            quota.calls.level -= 1.0

    def answered(self) -> None:
        """A call was served: faster again, by the time since the last complaint or answer."""
        quota = self._quota
        if quota.pace < 1.0:
            with quota.lock:
                now = self._clock.monotonic()
                quota.go_on(now)
                doublings = min((now - quota.won_back_to) / DOUBLED_IN_S, -log2(quota.pace))
                quota.quicken(2.0**doublings)
                quota.won_back_to = now

    def _is_recent(self, start: int | None) -> bool:
        return start is None or self._clock.now().timestamp() - start <= RECENT_S
