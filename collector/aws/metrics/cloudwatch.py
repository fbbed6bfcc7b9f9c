"""Reading planned requests: a bounded pool of threads, the limiter before each call, the meter after it.

What fails in part is asked again by itself, twice at most: a request that came garbled, and the asks of an answer that
were partial, failed inside the service or were left out. What still fails is told, never passed off as empty. After
three requests in a row that failed whole, or one that was denied, the rest of the reading is not tried, and the next
one begins with a single metric, alone. What the service fails at counts as what may have been billed: an outage of a
day so costs a minute of each look and some cents in all, and a missing permission one call a reading.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from collector.aws.metrics.decode import Decoded, Missing, decode, roster_of
from collector.aws.metrics.planner import Request, pack
from collector.aws.metrics.queries import Ask
from collector.aws.spending.meter import Meter, billed
from collector.aws.wire.connection import Clients, Connection
from collector.aws.wire.limiter import Limiter, RetryBudget
from collector.aws.wire.pool import Pool, Task
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.sheets import Roster, Sheets

WORKERS = 25
"""Requests in flight: at 0.4 s each, the 50 a second of the quota and a quarter more (latency assumed; held by
bench/sweep.py)."""
AHEAD = 4
"""Requests that are under way or answered and wait for an older one, as a multiple of the workers: two seconds of the
quota, since one that fails and is made again (the first backoff is a second at most) would hold up all others."""
MORE_TRIES = 2
REQUESTS_REMEMBERED = 2_048
"""A million series; 14 kB each (ours)."""
GIVE_UP_AFTER = 3
"""Whole requests that fail in a row before the rest of the cycle is given up (ours)."""


class _Breaker:
    """Whether it is any use to go on asking: open for the rest of a reading, then half open for the next.

    Half open, one more failure opens it again, and only an answer closes it.
    """

    def __init__(self) -> None:
        self._failed = 0
        self._is_closed = True
        self._lock = threading.Lock()
        self.open_for: SourceError | None = None

    def try_again(self) -> bool:
        """A new reading begins. Returns whether it is to be tried with one request first."""
        with self._lock:
            self._failed = GIVE_UP_AFTER - 1 if self.open_for is not None else self._failed
            self.open_for = None
            return not self._is_closed

    def note(self, error: SourceError | None) -> None:
        with self._lock:
            self._failed = 0 if error is None else self._failed + 1
            hopeless = error is not None and error.reason is GapReason.DENIED
            if error is not None and (hopeless or self._failed >= GIVE_UP_AFTER):
                self.open_for = error
            self._is_closed = error is None or (self._is_closed and self.open_for is None)


def _remembered() -> Callable[[tuple[Ask, ...], int], Roster]:
    """What is asked together once is asked together again, and its series need not be named anew."""
    return lru_cache(maxsize=REQUESTS_REMEMBERED)(roster_of)


@dataclass(frozen=True, slots=True)
class MetricReader:
    """GetMetricData for one source."""

    connection: Connection
    limiter: Limiter
    meter: Meter
    pool: Pool
    about: str
    """What a refusal is said of: the source's id."""
    retries: RetryBudget = field(default_factory=RetryBudget)
    _breaker: _Breaker = field(default_factory=_Breaker)
    _roster: Callable[[tuple[Ask, ...], int], Roster] = field(default_factory=_remembered)

    def read(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Decoded]]:
        """One answer a request, in their order; what could not be read is in `missing`. Raises StoppedError only.

        After a reading that was given up the first request comes in two, the first of them with one metric.
        """
        breaker = self._breaker
        is_trial = breaker.try_again()
        waiting: deque[tuple[Request, Task[Decoded]]] = deque()
        try:
            for request in _one_first(requests) if is_trial else requests:
                if len(waiting) >= (1 if is_trial else self.pool.workers * AHEAD):
                    yield _taken(waiting)
                    is_trial = False
                waiting.append((request, self.pool.submit(self._whole, request, breaker)))
            while waiting:
                yield _taken(waiting)
        finally:
            for _, task in waiting:
                task.cancel()

    def _whole(self, request: Request, breaker: _Breaker) -> Decoded:
        """One request, and again what of it is worth asking again."""
        got = self._once(request, breaker)
        for _ in range(MORE_TRIES):
            again = [missing for missing in got.missing if missing.again]
            metrics = sum(billed(len(missing.ask.slots)) for missing in again)
            if not again or breaker.open_for or not self.retries.take(metrics):
                break
            more = [self._once(each, breaker) for each in pack((one.ask, one.stretch) for one in again)]
            got = _merged(replace(got, missing=tuple(one for one in got.missing if not one.again)), more)
        return got

    def _once(self, request: Request, breaker: _Breaker) -> Decoded:
        if breaker.open_for is not None:
            return _failed(request, breaker.open_for)
        try:
            got = self.connection.guarded(
                lambda clients: self._asked(clients, request), action="cloudwatch:GetMetricData", about=self.about
            )
        except SourceError as error:
            breaker.note(error)
            return _failed(request, error)
        breaker.note(None)
        return got

    def _asked(self, clients: Clients, request: Request) -> Decoded:
        window, metrics = request.stretch.window, request.metrics
        pages = []
        with self.meter.asking(metrics) as asking:
            self.limiter.wait(datapoints=request.datapoints, start=window.start)
            for page in clients.lane.pages(request.body, window):
                pages.append(page)
                self.limiter.answered()
                asking.answered(calls=1, queries=request.queries)
                if page.get("NextToken"):  # never of our own making: another call is about to leave
                    asking.take()
                    self.limiter.wait()
        got = decode(request, pages, self._roster(request.asks, request.stretch.period_s))
        self.retries.answered(metrics - sum(billed(len(one.ask.slots)) for one in got.missing))
        self.meter.add(datapoints=got.datapoints, dropped_points=got.dropped)
        return got


def _one_first(requests: Iterable[Request]) -> Iterator[Request]:
    """The same, with a first one that is as cheap as can be. Billed are metrics, whatever number of requests asks."""
    rest = iter(requests)
    for first in rest:
        for asks in (first.asks[:1], first.asks[1:]):
            if asks:
                yield replace(first, asks=asks)
        break
    yield from rest


def _taken(waiting: deque[tuple[Request, Task[Decoded]]]) -> tuple[Request, Decoded]:
    request, task = waiting.popleft()
    return request, task.result()


def _failed(request: Request, error: SourceError) -> Decoded:
    again = error.reason is GapReason.GARBLED  # boto3 has tried the others again already
    missing = tuple(Missing(ask, request.stretch, error.reason, str(error), again, whole=True) for ask in request.asks)
    return Decoded(series=Sheets(), missing=missing, datapoints=0, dropped=0)


def _merged(first: Decoded, more: Sequence[Decoded]) -> Decoded:
    every = (first, *more)
    return Decoded(
        series=Sheets(sheet for one in every for sheet in one.series.parts),
        missing=tuple(missing for one in every for missing in one.missing),
        datapoints=sum(one.datapoints for one in every),
        dropped=sum(one.dropped for one in every),
    )
