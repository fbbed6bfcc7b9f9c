"""Request and datapoint quotas as token buckets, one per account, region and operation. Off until a limit is set.

DynamoDB's descriptions have a bucket on each connection that is kept: of DescribeTimeToLive four calls and then one in
two seconds, of DescribeContinuousBackups about eleven (recorded by ack-api-quirks in October 2026, DDB-TABLE-403).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from stillfit.standins.aws.calls import Call, RefusedError

RECENT_S = 3 * 3_600  # datapoints of windows that begin earlier have a quota of their own


@dataclass(slots=True)
class _Bucket:
    per_second: float
    size: float
    level: float
    filled_at: float

    def take(self, amount: float, now: float) -> bool:
        """Spend `amount`; more than the bucket holds is served when it is full, and owed afterwards."""
        self.level = min(self.size, self.level + max(0.0, now - self.filled_at) * self.per_second)
        self.filled_at = now
        if self.level < min(amount, self.size):
            return False
        self.level -= amount
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    per_second: float
    burst: float
    of_a_connection: bool = False


class Quotas:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._limits: dict[str, Limit] = {}
        self._buckets: dict[tuple[str, str, str, int], _Bucket] = {}
        self._lock = threading.Lock()

    def limit(
        self, operation: str, *, per_second: float, burst: float | None = None, of_a_connection: bool = False
    ) -> None:
        """At most so many calls per account and region, or per connection; `burst` defaults to one second's worth."""
        size = burst or max(1.0, per_second)
        self._set(operation, Limit(per_second=per_second, burst=size, of_a_connection=of_a_connection))

    def rate(self, operation: str) -> float | None:
        """Calls a second that are served; None where no limit is set."""
        with self._lock:
            limit = self._limits.get(operation)
        return limit.per_second if limit else None

    def limit_datapoints(self, *, recent: float, older: float) -> None:
        """GetMetricData datapoints a second: windows that begin within three hours, and all others."""
        self._set("datapoints:recent", Limit(per_second=recent, burst=recent))
        self._set("datapoints:older", Limit(per_second=older, burst=older))

    def spend_call(self, call: Call) -> None:
        self._spend(call, call.operation, 1.0)

    def spend_datapoints(self, call: Call, amount: int, *, start: float) -> None:
        self._spend(call, "datapoints:recent" if call.at - start <= RECENT_S else "datapoints:older", amount)

    def _set(self, name: str, limit: Limit) -> None:
        with self._lock:
            self._limits[name] = limit
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[2] != name}

    def _spend(self, call: Call, name: str, amount: float) -> None:
        limit = self._limits.get(name)
        if limit is None:
            return
        connection = call.client_port if limit.of_a_connection else 0
        now, key = self._now(), (call.account, call.region, name, connection)
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(limit.per_second, limit.burst, limit.burst, now))
            served = bucket.take(amount, now)
        if not served:
            raise RefusedError("ThrottlingException", "Rate exceeded")
