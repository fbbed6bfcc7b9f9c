"""How often a call is really sent, since an answer that is lost on the way may have been billed. Imports no SDK.

botocore tries again by itself, and each attempt is a request. One that the service refused is not billed; one that was
answered is counted by its answer; of one whose answer timed out, was cut off or could not be read nobody knows whether
the work was done (CloudWatch pricing says nothing of it), so it counts as what may have been billed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_in_this_thread = threading.local()


class Attempts:
    """Of the calls that this thread makes inside a `with`. Used by one thread."""

    def __init__(self, again: Callable[[], None] = lambda: None) -> None:
        """`again` is called before an attempt that follows a lost one; it may raise to prevent it."""
        self._again = again
        self._sent = self._settled = 0
        self._seen_lost = 0

    @property
    def lost(self) -> int:
        """Attempts that left and have neither been refused nor given an answer that can be used."""
        return self._sent - self._settled

    def answered(self) -> None:
        """The last attempt gave what was asked for."""
        self._settled += 1

    def begins(self) -> None:
        """Another attempt is about to be made."""
        if self.lost > self._seen_lost:
            self._seen_lost = self.lost
            self._again()

    def leaves(self) -> None:
        """It is put on the wire."""
        self._sent += 1

    def refused(self) -> None:
        """It was not served, or never arrived."""
        self._settled += 1

    def __enter__(self) -> Self:
        _in_this_thread.attempts = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _in_this_thread.attempts = None


def current() -> Attempts | None:
    """Those that this thread is counting."""
    found: Attempts | None = getattr(_in_this_thread, "attempts", None)
    return found
