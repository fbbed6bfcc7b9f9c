"""The live quota of GetMetricData calls, from Service Quotas, so that reading is as fast as the account allows.

Sources disagree on the rate (50 calls a second in AWS's support article, 500 in the quota's own page), and an account
may have been given another one: where the permission is granted it is read once a day, else the lower of both is kept.
The quotas for datapoints have no code in Service Quotas that is documented, so the documented figures stand.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, amiss, failure
from collector.aws.wire.limiter import CALLS_PER_S, Limiter
from collector.aws.wire.listing import DENIED_AGAIN_S
from stillfit.errors import SourceError
from stillfit.model import GapReason

SERVICE = "monitoring"
RATE_OF_GET_METRIC_DATA = "L-5E141212"
"""Rate of GetMetricData requests, per account and region (CloudWatch user guide, service quotas: console link)."""
EVERY_S = 86_400
"""How often it is read: a quota is raised by a request that takes days (ours)."""
_SECONDS = {"SECOND": 1.0, "MINUTE": 60.0, "HOUR": 3_600.0, "DAY": 86_400.0}
ACTION = "servicequotas:GetServiceQuota"


class Quotas:
    """Of one account and region, for the limiter that all its sources share. Thread-safe."""

    def __init__(self, connection: Connection, limiter: Limiter, *, fixed: bool = False) -> None:
        """`fixed`: the rate was given and is not asked for."""
        self._connection = connection
        self._limiter = limiter
        self._fixed = fixed
        self._due = float("-inf")
        self._lock = threading.Lock()
        self.calls_per_s: float | None = None
        """As last read; None where it is not known."""
        self.error: SourceError | None = None
        """Why it is not known, or not as new as it should be."""

    def look(self, now: float, about: str) -> None:
        """Read it where it is time, and let the limiter keep it. `now` is monotonic seconds."""
        with self._lock:
            if self._fixed or now < self._due:
                return
            try:
                self.calls_per_s, self.error = self._read(about), None
                self._limiter.keep(self.calls_per_s)
                self._due = now + EVERY_S
            except SourceError as error:
                self.error, self._due = error, now + DENIED_AGAIN_S

    def _read(self, about: str) -> float:
        try:
            answer = self._connection.call(
                "service-quotas",
                "GetServiceQuota",
                about,
                expect="Quota",
                ServiceCode=SERVICE,
                QuotaCode=RATE_OF_GET_METRIC_DATA,
            )
        except SourceError as error:
            raise _untold(error) from error
        try:
            return _rate(answer["Quota"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            garbled = GarbledError(f"a quota that cannot be read: {amiss(error)}")
            raise failure(garbled, action=ACTION, about=about) from error


def _rate(quota: Mapping[str, Any]) -> float:
    """Calls a second. Raises ValueError and its like on what is none."""
    period = quota.get("Period") or {"PeriodValue": 1, "PeriodUnit": "SECOND"}
    rate = float(quota["Value"]) / (float(period["PeriodValue"]) * _SECONDS[period["PeriodUnit"]])
    if not (math.isfinite(rate) and rate > 0.0):
        raise ValueError(f"a rate of {rate:g} a second")
    return rate


def _untold(error: SourceError) -> SourceError:
    """A quota that was never changed may not be told (Service Quotas API reference, GetServiceQuota)."""
    if error.reason is not GapReason.UNSUPPORTED:
        return error
    sentence = f"Service Quotas does not tell how often GetMetricData may be called: {CALLS_PER_S:g} a second are kept"
    return SourceError(sentence, reason=GapReason.NO_DATA, retryable=True)
