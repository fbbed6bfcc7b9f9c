"""What the service does on a bad day, told per operation, place and time; seeded, so that a bad day can be repeated."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from stillfit.standins.aws.calls import Call

_T = TypeVar("_T")


class FaultKind(StrEnum):
    # instead of an answer
    THROTTLE = "throttle"  # 400, ThrottlingException ("Throttling" in the query form)
    INTERNAL_ERROR = "internal_error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    ACCESS_DENIED = "access_denied"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105  (a code of the service, not a secret)
    CLOCK_SKEW = "clock_skew"  # the signature is refused as too old
    NOT_FOUND = "not_found"  # the resource is gone: 400, ResourceNotFoundException
    REFUSED = "refused"  # with `code` and `status`, whatever they are
    # on the wire
    LATENCY = "latency"  # `seconds`, then the answer
    RESET = "reset"  # before the answer
    RESET_MIDWAY = "reset_midway"
    TRUNCATED = "truncated"
    HANG = "hang"  # until stop()
    SLOW_DRIP = "slow_drip"  # the body comes byte by byte and never ends; `seconds` between two bytes
    SLOW_HEAD = "slow_head"  # the head comes byte by byte and never ends
    GARBAGE = "garbage"  # 200, the right content type, a body that is none
    HTML = "html"  # `status`, an HTML page as a captive proxy or a load balancer sends it
    # inside an answer that says 200
    MISSHAPEN = "misshapen"  # one value anywhere in it is of another shape than the model promises, or left out
    EMPTY_PAGE = "empty_page"  # nothing, and a token to go on with
    REPEATED_TOKEN = "repeated_token"  # noqa: S105  (a fault's name)
    CUT_PAGE = "cut_page"  # GetMetricData pages after a random number of datapoints
    PARTIAL_DATA = "partial_data"  # one result: half its points, PartialData, no token for the rest
    RESULT_INTERNAL_ERROR = "result_internal_error"
    RESULT_FORBIDDEN = "result_forbidden"
    DUPLICATE_TIMESTAMPS = "duplicate_timestamps"
    UNORDERED_TIMESTAMPS = "unordered_timestamps"
    REPEATED_HOUR = "repeated_hour"  # the last hour's points again, as at the end of summer time
    SHIFTED_TIMESTAMPS = "shifted_timestamps"  # every time seven seconds late: off every period
    NAN_VALUES = "nan_values"  # every second value, as each protocol writes it
    INFINITE_VALUES = "infinite_values"
    NEGATIVE_VALUES = "negative_values"
    HUGE_VALUES = "huge_values"  # beyond any count that a computer makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. What is left None matches everything."""

    kind: FaultKind
    operation: str | None = None  # "GetMetricData"
    service: str | None = None  # "cloudwatch"
    account: str | None = None
    region: str | None = None
    metric: str | None = None  # a metric's name, for the faults of one result
    probability: float = 1.0
    count: int | None = None  # times it strikes before it is over
    since: float | None = None  # epoch seconds by the world's clock
    until: float | None = None  # exclusive
    seconds: float = 0.0  # of latency; between two bytes of a drip (0: every 50 ms)
    status: int = 200  # of an HTML page or of `code`
    code: str = ""  # of REFUSED, as JSON services spell it

    def matches(self, call: Call, metric: str | None) -> bool:
        wanted = (
            (self.operation, call.operation),
            (self.service, call.service),
            (self.account, call.account),
            (self.region, call.region),
            (self.metric, metric),
        )
        if any(want is not None and want != got for want, got in wanted):
            return False
        return (self.since is None or call.at >= self.since) and (self.until is None or call.at < self.until)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None  # strikes; None for no end


class Faults:
    """The faults in force, in the order they were added. `struck` counts what really happened."""

    def __init__(self, *, seed: int = 0, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep
        self.struck: Counter[FaultKind] = Counter()
        self._random = random.Random(seed)  # noqa: S311  (repeatable on purpose)
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._armed.extend(_Armed(fault, fault.count) for fault in faults)

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    @property
    def armed(self) -> bool:
        return bool(self._armed)

    def strike(self, kinds: Collection[FaultKind], call: Call, metric: str | None = None) -> Fault | None:
        """The first fault of these kinds that hits this call, or None; its count goes down by one."""
        if not self._armed:  # the usual day: no lock
            return None
        with self._lock:
            for armed in self._armed:
                if armed.fault.kind in kinds and armed.fault.matches(call, metric) and self._hits(armed):
                    self.struck[armed.fault.kind] += 1
                    return armed.fault
        return None

    def below(self, limit: int) -> int:
        """A number in [1, limit): where a page is cut."""
        with self._lock:
            return self._random.randrange(1, max(2, limit))

    def chosen(self, options: Sequence[_T]) -> _T:
        with self._lock:
            return self._random.choice(options)

    def shuffled(self, size: int) -> list[int]:
        with self._lock:
            return self._random.sample(range(size), size)

    def _hits(self, armed: _Armed) -> bool:
        probability = armed.fault.probability
        if armed.left == 0 or (probability < 1.0 and self._random.random() >= probability):
            return False
        if armed.left is not None:
            armed.left -= 1
        return True
