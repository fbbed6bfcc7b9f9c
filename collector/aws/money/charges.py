"""What was billed, whoever tells it, and how it becomes series of days. Pure.

Charge  one line: whose, for what, which day, how much
Ledger  sums of charges by subject, part and day, in arrays; a bill of millions of lines takes no more than its
        tables have parts
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from stillfit.costs.regions import region_of, split
from stillfit.costs.skus import CLOUDWATCH, DAX, DYNAMODB, KEYSPACES, component_of
from stillfit.metrics_money import PREFIXES
from stillfit.model import Engine, Level, Series, Span, Statistic, Subject, merge_spans

DAY_S = 86_400
MAX_PARTS = 50_000
"""Parts of subjects that one ledger holds (ours: 100 MB at two months); more are told as lost."""
AMOUNTS = ("billed_usd", "amortized_usd", "billed_units")

ENGINES = {DYNAMODB: Engine.DYNAMODB, KEYSPACES: Engine.KEYSPACES, DAX: Engine.DAX}
"""Services whose bills are kept, by service code."""
SERVICE_NAMES = {
    "Amazon DynamoDB": DYNAMODB,
    "Amazon Keyspaces (for Apache Cassandra)": KEYSPACES,
    "Amazon Managed Apache Cassandra Service": KEYSPACES,
    "Amazon DynamoDB Accelerator (DAX)": DAX,
    "DynamoDB Accelerator (DAX)": DAX,
}
"""As Cost Explorer and FOCUS name them, and as public lists of Cost Explorer's services do: Keyspaces had another name
before 2020, and of DAX no recorded answer says whether Amazon stands before it."""
CLOUDWATCH_NAME = "AmazonCloudWatch"
INSIGHTS = {"CW:ContributorRulesManaged", "CW:ContributorEventsManaged"}
"""Usage of CloudWatch that is DynamoDB's: Contributor Insights (DynamoDB developer guide, billing)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of a bill. Amounts in USD; `rate` is the price list's rate code where the bill has it."""

    day: date
    subject: Subject
    component: str
    billed: float
    amortized: float
    units: float
    rate: str = ""

    @property
    def part(self) -> str:
        """The dimension of its series: a part that is billed at several rates has one for each."""
        return f"{self.component}@{self.rate}" if self.rate else self.component


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Whose money is told of: a Subject that is told of exists, so nothing else may be."""

    account: str
    regions: tuple[str, ...]
    engines: frozenset[Engine]
    existing: frozenset[Subject] | None = None
    """Tables and clusters that are there now; None takes every one that a bill names."""

    def takes(self, subject: Subject) -> bool:
        """Whether a subject is watched; a bill also speaks of tables that were deleted, and of other regions."""
        account, region = subject.scope
        if account != self.account or region not in self.regions or subject.engine not in self.engines:
            return False
        return subject.level is Level.SCOPE or self.existing is None or subject in self.existing

    def scopes(self) -> tuple[Subject, ...]:
        """The watched places, at each of which a figure of the whole account stands."""
        return tuple(Subject(engine=Engine.DYNAMODB, scope=(self.account, one)) for one in self.regions)


class Ledger:
    """Charges of the days from `first` on, summed."""

    def __init__(self, first: date, days: int) -> None:
        self._first = first
        self._days = days
        self._rows: dict[tuple[Subject, str], NDArray[np.float64]] = {}
        self.lost = 0
        """Charges of parts beyond MAX_PARTS."""

    def add(self, charge: Charge) -> None:
        """Count one; a day outside the ledger is not its matter."""
        number = (charge.day - self._first).days
        if not 0 <= number < self._days:
            return
        key = (charge.subject, charge.part)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MAX_PARTS:
                self.lost += 1
                return
            row = self._rows[key] = np.zeros((len(AMOUNTS), self._days))
        row[:, number] += (charge.billed, charge.amortized, charge.units)

    def series(self, final: Collection[date], known: Collection[date]) -> Iterator[Series]:
        """Three series for each part: final days under one name, other known days under another."""
        kinds = ((frozenset(final), "_"), (frozenset(known) - frozenset(final), "_estimate_"))
        for days, infix in kinds:
            numbers = sorted((day - self._first).days for day in days)
            inside = np.array([one for one in numbers if 0 <= one < self._days], np.int64)
            if not inside.size:
                continue
            for (subject, part), row in self._rows.items():
                for amount, values in zip(AMOUNTS, row, strict=True):
                    metric = f"{PREFIXES[subject.engine]}{amount.replace('_', infix)}"
                    yield self._days_of(subject, metric, part, (inside, values[inside]))

    def _days_of(
        self, subject: Subject, metric: str, part: str, points: tuple[NDArray[np.int64], NDArray[np.float64]]
    ) -> Series:
        numbers, values = points
        starts = midnight(self._first) + numbers * DAY_S
        return daily(subject, metric, (starts, values), dimension=part)


def daily(
    subject: Subject,
    metric: str,
    points: tuple[NDArray[np.int64], NDArray[np.float64]],
    *,
    dimension: str = "",
    statistic: Statistic = Statistic.SUM,
) -> Series:
    """Values of whole days as a series that vouches for those days."""
    starts, values = points
    return Series(
        subject=subject,
        metric=metric,
        statistic=statistic,
        period_s=DAY_S,
        times=starts,
        values=values,
        covered=merge_spans(Span(int(start), int(start) + DAY_S) for start in starts),
        dimension=dimension,
    )


def midnight(day: date) -> int:
    """The start of a day, in seconds since the epoch; bills are in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def days_between(first: date, end: date) -> list[date]:
    """From `first` to the day before `end`."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def engine_of(service: str, usage_type: str) -> Engine | None:
    """Whose cost a line is, by service code; None where it is not of ours."""
    if service == CLOUDWATCH and split(usage_type)[1] in INSIGHTS:
        return Engine.DYNAMODB
    return ENGINES.get(service)


def component(service: str, usage_type: str) -> str:
    """What a line is for, by our name or AWS's."""
    return component_of(service, split(usage_type)[1])


def scope_of(engine: Engine, account: str, usage_type: str, region: str = "") -> Subject:
    """The account and region that a line belongs to; a region that nobody names is empty."""
    return Subject(engine=engine, scope=(account, region or region_of(usage_type) or ""))


def subject_of(arn: str) -> Subject | None:
    """The table or cluster that a resource id names; None for anything else.

    arn:aws:dynamodb:R:A:table/T[/...], arn:aws:cassandra:R:A:/keyspace/K/table/T, arn:aws:dax:R:A:cache/C (Service
    Authorization Reference, resource types).
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not all(parts[2:]):
        return None
    service, region, account, path = parts[2:]
    names = path.strip("/").split("/")
    scope = (account, region)
    if service == "dynamodb" and names[0] == "table" and len(names) > 1:
        return Subject(engine=Engine.DYNAMODB, scope=scope, table=names[1])
    if service == "cassandra" and len(names) == 4 and (names[0], names[2]) == ("keyspace", "table"):
        return Subject(engine=Engine.KEYSPACES, scope=scope, keyspace=names[1], table=names[3])
    if service == "dax" and names[0] == "cache" and len(names) > 1:
        return Subject(engine=Engine.DAX, scope=scope, cluster=names[1])
    return None
