"""When to go on without: what gets no answer, and what answers so slowly that the next look would be late.

Both hold for the rest of a cycle of one account and region. What is not asked is a Gap; what was known of it stands.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from stillfit.errors import SourceError
from stillfit.model import GapReason

GIVE_UP_AFTER = 5
"""Calls of one operation that get no answer in a row before the rest of the cycle goes without it (ours)."""
FORGOTTEN_S = 600.0
"""After so long without a slow answer nothing is held against the service, cycle or not (ours)."""


class Lost:
    """Operations that got no answer several times in a row: an outage of an hour must not cost an hour a cycle.

    A circuit breaker of one account and region for each operation: open for the rest of the cycle, then half open, so
    that the next cycle tries once, and only an answer closes it. Whoever comes while that one call is under way waits
    to see how it ends.
    """

    def __init__(self) -> None:
        self._in_a_row: Counter[str] = Counter()
        self._last: dict[str, SourceError] = {}
        self._lock = threading.Lock()
        self._trials: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def asking(self, action: str) -> Iterator[None]:
        """Around a call. Raises what the last call met, where it is no use to go on asking in this cycle."""
        with self._alone(action):
            self._give_up(action)
            try:
                yield
            except SourceError as error:
                self._note(action, error)
                raise
            self._note(action, None)

    def forget(self) -> None:
        with self._lock:
            still = {action: GIVE_UP_AFTER - 1 for action, count in self._in_a_row.items() if count >= GIVE_UP_AFTER}
            self._in_a_row = Counter(still)

    @contextmanager
    def _alone(self, action: str) -> Iterator[None]:
        """Nobody else calls meanwhile, as long as one more failure would be the last."""
        with self._lock:
            trial, is_doubtful = self._trials[action], self._is_doubtful(action)
        if not is_doubtful:
            yield
            return
        with ExitStack() as held:
            held.enter_context(trial)
            with self._lock:
                is_doubtful = self._is_doubtful(action)
            if not is_doubtful:
                held.close()
            yield

    def _is_doubtful(self, action: str) -> bool:
        return self._in_a_row[action] == GIVE_UP_AFTER - 1

    def _note(self, action: str, error: SourceError | None) -> None:
        lost = error is not None and error.reason in {GapReason.TIMEOUT, GapReason.UNREACHABLE}
        with self._lock:
            self._in_a_row[action] = self._in_a_row[action] + 1 if lost else 0
            if error is not None:
                self._last[action] = error

    def _give_up(self, action: str) -> None:
        with self._lock:
            if self._in_a_row[action] >= GIVE_UP_AFTER:
                raise self._last[action]


class Slow:
    """How long the slow answers of a cycle have kept us: an account that is slow for an hour is not read for an hour.

    Its settings are left for the next cycle; its tripwires, which come first, stay as often as they are. Counted is the
    time in which at least one call took longer than is usual, whichever it was: calls side by side count once. Of
    metric data nothing is counted; it is what the cycle is for.
    """

    def __init__(self, slow_s: float, most_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`slow_s`: what a call may take uncounted; `most_s`: what may be waited beyond that."""
        self._now = monotonic
        self._slow_s = slow_s
        self._most_s = most_s
        self._waited = 0.0
        self._counted_to = float("-inf")
        self._lock = threading.Lock()

    def forget(self) -> None:
        """A new cycle begins."""
        with self._lock:
            self._waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around a call, however it ends."""
        began = self._now()
        try:
            yield
        finally:
            self._ended(began, self._now())

    def give_up(self, action: str, about: str) -> None:
        """Raises SourceError where the cycle has waited long enough."""
        with self._lock:
            is_past = self._now() - self._counted_to > FORGOTTEN_S
            waited = self._waited = 0.0 if is_past else self._waited
        if waited >= self._most_s:
            sentence = (
                f"{action} for {about} is left for the next look: this one has waited {waited:.0f} s for slow answers"
            )
            raise SourceError(sentence, reason=GapReason.TIMEOUT, retryable=True)

    def _ended(self, began: float, ended: float) -> None:
        with self._lock:
            late = max(began + self._slow_s, self._counted_to)
            if ended > late:
                self._waited += ended - late
                self._counted_to = ended
