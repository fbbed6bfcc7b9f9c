"""What the stand-in's accounts were billed: lines by day, which ripen as those of Cost Explorer do.

A day's cost is not there on the day, is there in part on the next, and grows to its end within days; every day of a
month that is not invoiced is estimated (Cost Management User Guide, "Exploring your data": refreshed at least once
every 24 hours; estimates are final when the month is closed).
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

INVOICED_AFTER = timedelta(days=5)
"""When a month is closed (ours: AWS says "between the third and seventh day of the next month")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One usage type of one service on one day. `tags` by key; `resource` is an ARN, empty where AWS names none."""

    day: date
    service: str
    usage_type: str
    region: str
    unblended: float
    amortized: float | None = None
    usage: float = 0.0
    record_type: str = "Usage"
    resource: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def amount(self, metric: str) -> float:
        if metric == "UsageQuantity":
            return self.usage
        return self.unblended if metric == "UnblendedCost" or self.amortized is None else self.amortized


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """One day of what reservations or savings plans cover in one region, in units or USD.

    A payer is told of the accounts of its organization too (API reference of GetReservationCoverage): `account` is
    whose it is, and empty where it is the account's own.
    """

    day: date
    region: str
    service: str = "Amazon DynamoDB"
    covered: float = 0.0
    on_demand: float = 0.0
    bought: float = 0.0
    account: str = ""


@dataclass(slots=True)
class _Account:
    lines: list[CostLine] = field(default_factory=list)
    reservations: list[Commitment] = field(default_factory=list)
    savings_plans: list[Commitment] = field(default_factory=list)


class CostLedger:
    """By account. `ripeness` is the share of a day's cost that is known so many days after its end."""

    def __init__(self) -> None:
        self.ripeness: dict[int, float] = {0: 0.0, 1: 0.6, 2: 0.95, 3: 1.0}
        self.switched_on = True
        """Whether somebody has ever opened Cost Explorer in the console; before, it refuses every call."""
        self.by_resource = False
        """Whether the account has opted in to costs by resource."""
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def put(self, account: str, *lines: CostLine) -> None:
        with self._lock:
            self._accounts.setdefault(account, _Account()).lines.extend(lines)

    def reserve(self, account: str, *days: Commitment) -> None:
        with self._lock:
            self._accounts.setdefault(account, _Account()).reservations.extend(days)

    def commit(self, account: str, *days: Commitment) -> None:
        """Savings plans."""
        with self._lock:
            self._accounts.setdefault(account, _Account()).savings_plans.extend(days)

    def lines(self, account: str) -> tuple[CostLine, ...]:
        with self._lock:
            return tuple(self._accounts.get(account, _Account()).lines)

    def reservations(self, account: str) -> tuple[Commitment, ...]:
        with self._lock:
            return tuple(self._accounts.get(account, _Account()).reservations)

    def savings_plans(self, account: str) -> tuple[Commitment, ...]:
        with self._lock:
            return tuple(self._accounts.get(account, _Account()).savings_plans)

    def known(self, day: date, at: float) -> float:
        """The share of a day's cost that is there by now."""
        age = (datetime.fromtimestamp(at, UTC).date() - day).days
        reached = [share for days, share in self.ripeness.items() if age >= days]
        return max(reached, default=0.0)

    def is_estimated(self, day: date, at: float) -> bool:
        """Until the month is invoiced."""
        next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        closed = datetime(next_month.year, next_month.month, 1, tzinfo=UTC) + INVOICED_AFTER
        return datetime.fromtimestamp(at, UTC) < closed
