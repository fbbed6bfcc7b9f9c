"""Whether this process is the one that judges and sends, told afresh each time it matters."""

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
    """The evaluation lease of one replica. Thread-safe: judging and sending share it."""

    def __init__(self, leases: Leases, owner: str, clock: Clock) -> None:
        self._leases = leases
        self._owner = owner
        self._ttl = TTL * clock.scale
        self._held: Lease | None = None
        self._lock = threading.Lock()

    def epoch(self) -> int | None:
        """The epoch to write under, or None while another replica holds the lease."""
        with self._lock:
            self._held = self._renewed() or self._leases.acquire(EVALUATION, self._owner, self._ttl)
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
            log.warning("another replica took over judging and sending", epoch=self._held.epoch)
            return None
