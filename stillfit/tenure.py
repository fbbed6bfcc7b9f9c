"""Whether this process is the one that may do a thing (judge and send, read a source), told afresh when it matters."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from stillfit.clock import Clock
from stillfit.errors import LeaseLostError
from stillfit.store.leases import EVALUATION, Lease, Leases

log = structlog.get_logger(__name__)

TTL = timedelta(seconds=30)
"""Real time after which a silent holder is replaced: half a minute of silence costs less than two senders."""


class Tenure:
    """One lease of one replica. Thread-safe: judging and sending share theirs.

    `between`: how long, in the clock's own time, the holder may rightly say nothing; another waits that long as well.
    """

    def __init__(
        self, leases: Leases, owner: str, clock: Clock, *, name: str = EVALUATION, between: timedelta = timedelta(0)
    ) -> None:
        self._leases = leases
        self._owner = owner
        self._name = name
        self._ttl = between + TTL * clock.scale
        self._held: Lease | None = None
        self._lock = threading.Lock()

    def epoch(self) -> int | None:
        """The epoch to write under, or None while another replica holds the lease."""
        with self._lock:
            self._held = self._renewed() or self._leases.acquire(self._name, self._owner, self._ttl)
            return self._held.epoch if self._held else None

    def end(self) -> None:
        """Let another replica take over at once."""
        with self._lock:
            if self._held is not None:
                self._leases.release(self._held)
                self._held = None

    def _renewed(self) -> Lease | None:
        if self._held is None:
            return None
        try:
            return self._leases.renew(self._held, self._ttl)
        except LeaseLostError:
            log.warning("another replica took over", lease=self._name, epoch=self._held.epoch)
            return None
