"""What our own looking costs: calls, datapoints and billed metrics, counted as CloudWatch bills them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, NamedTuple, Protocol

from collector.aws.spending.attempts import Attempts
from stillfit.errors import SourceError
from stillfit.model import GapReason

USD_PER_METRIC = 0.01 / 1_000
"""GetMetricData: 0.01 USD per 1,000 metrics requested, datapoints free (CloudWatch pricing, us-east-1, 2026).
GetInsightRuleReport is billed alike, under the usage type GIRR-Metrics."""
USD_PER_LISTING = 0.01 / 1_000
"""ListMetrics: 0.01 USD per 1,000 requests; the free first million is not counted on."""
USD_PER_KEY = 0.03 / 10_000
"""DescribeKey: 0.03 USD per 10,000 requests to KMS, those about keys that AWS manages included (AWS KMS pricing, "Key
usage", 2026); the 20,000 a month that are free are the whole account's and not counted on."""
_ROUNDING_USD = USD_PER_METRIC / 1_000
"""What sums of dollars may be off by; no request is as cheap."""
STATISTICS_PER_METRIC = 5
"""Up to five statistics of one metric in one request are billed as one (AWS, quoted in cloudwatch_exporter PR 482)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Totals since the source was opened; all only grow."""

    calls: int = 0
    """GetMetricData requests that were answered; a retried one counts once for each answer."""
    listings: int = 0
    """ListMetrics requests."""
    queries: int = 0
    datapoints: int = 0
    """Datapoints received, dropped ones included."""
    metrics: int = 0
    """Billed metrics: ceil(statistics / 5) for each metric of each request, and those of reports."""
    spared_metrics: int = 0
    """Billed metrics that were not asked because a tripwire showed that they are zero."""
    dropped_points: int = 0
    """Points that could not be true: not finite, negative, outside the window or between two ticks."""
    reports: int = 0
    """GetInsightRuleReport requests that were answered."""
    report_metrics: int = 0
    """The part of `metrics` that reports are billed as: each of their statistics (ours: the dearer reading of a rule
    that is not documented)."""
    lost_metrics: int = 0
    """Billed metrics of attempts whose answer was lost on the way: CloudWatch may have billed them beside `metrics`."""
    lost_listings: int = 0
    """The same of ListMetrics requests."""
    keys: int = 0
    """DescribeKey requests of KMS."""
    lost_keys: int = 0
    """The same of those."""

    @property
    def usd(self) -> float:
        """What was answered, and is certainly billed."""
        return self.metrics * USD_PER_METRIC + self.listings * USD_PER_LISTING + self.of_kms.usd

    @property
    def lost_usd(self) -> float:
        """What may have been billed although no answer came that could be used."""
        return self.lost_metrics * USD_PER_METRIC + self.lost_listings * USD_PER_LISTING + self.of_kms.lost_usd

    @property
    def usd_at_most(self) -> float:
        return self.usd + self.lost_usd

    @property
    def of_kms(self) -> OfKms:
        """The part that CloudWatch does not bill."""
        return OfKms(self.keys, self.keys * USD_PER_KEY, self.lost_keys * USD_PER_KEY)


class OfKms(NamedTuple):
    """Requests that were answered, what they cost, and what others may have cost whose answers were lost."""

    requests: int
    usd: float
    lost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a cycle is about to cost, known once the tables are listed and before a metric is asked for."""

    metrics: int
    """Billed metrics that are asked whatever happened."""
    more: int
    """Billed metrics that come on top at most, where requests turn out to have been refused."""

    def __add__(self, other: Price) -> Price:
        return Price(metrics=self.metrics + other.metrics, more=self.more + other.more)

    @property
    def usd(self) -> float:
        return self.metrics * USD_PER_METRIC

    @property
    def usd_at_most(self) -> float:
        """Without what is asked again because it failed."""
        return (self.metrics + self.more) * USD_PER_METRIC


def billed(statistics: int) -> int:
    """Billed metrics of one metric that was asked for so many statistics in one request."""
    return ceil(statistics / STATISTICS_PER_METRIC)


class Account(Protocol):
    """Who keeps what was spent of a month (collector/aws/spending/purse.py)."""

    def take(self, usd: float) -> str:
        """So much is about to be spent; returns the month that it counts in."""
        ...

    def give_back(self, usd: float, month: str) -> None:
        """So much was taken in that month and is not billed."""
        ...

    def settle(self) -> None:
        """A look has ended: nothing is about to be spent."""
        ...


class Spending:
    """A sum beyond which no metric and no report is asked for, shared by all that spend of it. Thread-safe.

    Each request is taken from it before it leaves, repeats and further pages too, so nothing goes beyond it however
    many are under way; one that gets no answer stays taken, since it may be billed. ListMetrics, which tells what the
    metrics will cost, and DescribeKey, a call a key, are counted and never refused.
    """

    def __init__(self, limit_usd: float | None = None, *, account: Account | None = None) -> None:
        """`limit_usd` None: as much as it takes. `account` is told of what is spent."""
        self._pot = _Pot(limit_usd)
        self._account = account

    def through(self, account: Account) -> Spending:
        """The same sum, for one whose spending is kept by this account."""
        other = Spending(account=account)
        other._pot = self._pot
        return other

    def take(self, usd: float) -> str:
        """For something that may be refused; returns the month that it counts in.

        Raises SourceError, for a Gap "not asked", where so many dollars would go beyond the limit.
        """
        self._pot.take(usd)
        return self.expect(usd)

    def expect(self, usd: float) -> str:
        """For something that is about to be asked whatever the limit says; returns the month that it counts in."""
        return "" if self._account is None else self._account.take(usd)

    def note(self, usd: float) -> None:
        """What was expected counts of the limit too: it was asked."""
        self._pot.note(usd)

    def not_billed(self, usd: float, month: str) -> None:
        """So much was taken then, and is not billed. It stays taken of the limit: nothing is asked for ever."""
        if self._account is not None:
            self._account.give_back(usd, month)

    def settle(self) -> None:
        """A look has ended: nothing is about to be spent."""
        if self._account is not None:
            self._account.settle()


class _Pot:
    """What is taken of one limit."""

    def __init__(self, limit_usd: float | None) -> None:
        self._limit = limit_usd
        self._taken = 0.0
        self._lock = threading.Lock()

    def take(self, usd: float) -> None:
        with self._lock:
            if self._limit is not None and self._taken + usd > self._limit + _ROUNDING_USD:
                message = f"not asked: no more than {self._limit:g} USD may be spent, and that is reached"
                raise SourceError(message, reason=GapReason.NOT_ASKED, retryable=False)
            self._taken += usd

    def note(self, usd: float) -> None:
        with self._lock:
            self._taken += usd


class Meter:
    """Counts for all threads of one source; `bill` is a consistent copy."""

    def __init__(self, spending: Spending | None = None) -> None:
        """`spending`: what this source may spend, with others or alone; None: as much as it takes."""
        self._spending = spending or Spending()
        self._bill = Bill()
        self._lock = threading.Lock()

    @property
    def bill(self) -> Bill:
        with self._lock:
            return self._bill

    def add(self, **counts: int) -> None:
        """Add to the named totals of Bill."""
        with self._lock:
            grown = {name: getattr(self._bill, name) + count for name, count in counts.items()}
            self._bill = replace(self._bill, **grown)

    @contextmanager
    def asking(self, metrics: int) -> Iterator[Asking]:
        """Around one request of so many billed metrics, with its pages and all attempts of this thread.

        Raises SourceError where they may not be spent, also in the middle: what botocore tries again is paid again.
        """
        asking = Asking(self, metrics)
        asking.take()
        with Attempts(again=asking.take) as asking.attempts:
            try:
                yield asking
            finally:
                self.add(lost_metrics=metrics * asking.attempts.lost)
                for month in asking.unused:
                    self._spending.not_billed(metrics * USD_PER_METRIC, month)

    @contextmanager
    def calling(self, kind: Literal["listings", "keys"]) -> Iterator[Calling]:
        """Around calls that are billed one by one: `answered` after each. No limit refuses them."""
        calling = Calling(self, kind, self._spending)
        with Attempts(again=calling.expect) as calling.attempts:
            try:
                calling.expect()
                yield calling
            finally:
                calling.end()

    def take(self, metrics: int) -> str:
        """Before a request of so many billed metrics leaves; returns the month that it counts in.

        Raises SourceError where they may not be spent.
        """
        return self._spending.take(metrics * USD_PER_METRIC)


class Asking:
    """One request that is billed by the metric. Used by one thread."""

    def __init__(self, meter: Meter, metrics: int) -> None:
        self._meter = meter
        self._metrics = metrics
        self._taken: list[str] = []
        """In which month each attempt and page was."""
        self._answered = 0
        self.attempts = Attempts()

    @property
    def unused(self) -> Sequence[str]:
        """The months of those that were paid for and are not billed: what came last was refused, or never left."""
        return self._taken[self._answered + self.attempts.lost :]

    def take(self) -> None:
        """Before another page of it, or another attempt, leaves. Raises SourceError where it may not be spent."""
        self._taken.append(self._meter.take(self._metrics))

    def answered(self, **counts: int) -> None:
        """An answer came that can be used; `counts` of Bill come with it."""
        self._answered += 1
        self.attempts.answered()
        self._meter.add(metrics=self._metrics, **counts)


class Calling:
    """Calls of one kind, billed one by one. Used by one thread."""

    def __init__(self, meter: Meter, kind: Literal["listings", "keys"], spending: Spending) -> None:
        self._meter = meter
        self._kind = kind
        self._usd = USD_PER_LISTING if kind == "listings" else USD_PER_KEY
        self._spending = spending
        self._expected: list[str] = []
        """In which month each attempt and page was, and one more that may come."""
        self._answered = 0
        self.attempts = Attempts()

    def expect(self) -> None:
        """Before another attempt leaves."""
        self._expected.append(self._spending.expect(self._usd))

    def answered(self) -> None:
        """An answer came that can be used, and another page may be asked for."""
        self._answered += 1
        self.attempts.answered()
        self._meter.add(**{self._kind: 1})
        self._spending.note(self._usd)
        self.expect()

    def end(self) -> None:
        """No further one leaves."""
        lost = self.attempts.lost
        self._meter.add(**{f"lost_{self._kind}": lost})
        self._spending.note(lost * self._usd)
        for month in self._expected[self._answered + lost :]:
            self._spending.not_billed(self._usd, month)
