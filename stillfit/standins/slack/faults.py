"""What goes wrong on the way, told per method and channel, in the order it was added."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    # instead of doing it
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After: `seconds`
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503, an HTML page
    REFUSED = "refused"  # 200, ok: false with `error`
    REDIRECT = "redirect"  # 302 to `location`
    RESET = "reset"  # the connection breaks before anything is done
    HANG = "hang"  # no answer, nothing done
    # after it was done: the client cannot know
    LOST_ANSWER = "lost_answer"  # the connection breaks
    LATE_ERROR = "late_error"  # 500
    LATE_HANG = "late_hang"
    HTML = "html"  # 200, an HTML page as a proxy sends it
    TRUNCATED = "truncated"
    # before it is done
    LATENCY = "latency"  # `seconds`


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. What is left empty matches everything."""

    kind: FaultKind
    method: str = ""
    """Such as chat.postMessage; "webhook" for incoming webhooks."""
    channel: str = ""
    """Id of the channel."""
    count: int | None = None
    """Times it strikes before it is over; None for no end."""
    seconds: float = 1.0
    error: str = "internal_error"
    location: str = ""


class Faults:
    """The faults in force. `struck` counts what really happened."""

    def __init__(self) -> None:
        self.struck: Counter[FaultKind] = Counter()
        self._armed: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append((fault, fault.count if fault.count is not None else -1))

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def strike(self, method: str, channel: str) -> Fault | None:
        """The first fault that matches this call, used up by one."""
        with self._lock:
            for index, (fault, left) in enumerate(self._armed):
                if fault.method in {"", method} and fault.channel in {"", channel} and left != 0:
                    self._armed[index] = (fault, left - 1)
                    self.struck[fault.kind] += 1
                    return fault
        return None
