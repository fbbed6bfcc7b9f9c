"""What has happened lately, from ListMetrics, so that nothing else is asked and paid for.

Most metrics of a table are published only when something happened: an error, a conflict, a failed condition, a request
of one kind. Listing 500 of them costs as much as asking for one (GetMetricData and ListMetrics prices). So each name is
listed once a region, at most every quarter of an hour, and asked is what was named.

What ListMetrics(RecentlyActive=PT3H) leaves out had no data in three hours, except what began in the last 15 minutes,
which it may not list yet (ListMetrics API reference): so a metric that was not named is known to be empty up to 15
minutes before the listing, and one that is named for the first time is read from there. After a longer pause than three
hours the listing goes back two weeks, which is as far as ListMetrics remembers. A metric that is named no more is asked
once again, so that a table that is read once a day loses nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from collector.aws.metrics.queries import LATENCY, LISTED, MINUTE, NAMESPACE, TABLE_ONLY, THROTTLED_REQUESTS, Spec
from collector.aws.metrics.specs import KINESIS, SPARSE_BY_OPERATION, USER_ERRORS
from collector.aws.spending.meter import Meter
from collector.aws.wire.answers import readable
from collector.aws.wire.connection import Connection
from stillfit.metrics import METRICS
from stillfit.model import Series, Span, Statistic, Subject

LISTING_DELAY_S = 900
LISTED_FOR_S = 3 * 3_600
LISTED_LONG_S = 14 * 86_400
MARGIN_S = 2 * LISTING_DELAY_S
"""How far inside those times we stay: "three hours" may be a little less (ours)."""
EVERY_S = 900
"""How often is listed: as often as the listing can be behind anyway (ours)."""
REMEMBERED_S = 2 * 86_400
"""How long a metric that is named no more is remembered: longer than any table waits for its turn (ours)."""

BY_OPERATION = (LATENCY, *SPARSE_BY_OPERATION)
"""Asked for each operation that is named, and known to be empty for the others."""
_OF_OPERATIONS = (*BY_OPERATION, THROTTLED_REQUESTS)
_DIMENSIONS: Mapping[str, tuple[Spec, frozenset[str]]] = {
    **{spec.name: (spec, frozenset({"TableName", "Operation"})) for spec in _OF_OPERATIONS},
    **{spec.name: (spec, frozenset({"TableName"})) for spec in TABLE_ONLY},
    USER_ERRORS.name: (USER_ERRORS, frozenset()),
    KINESIS[0].name: (KINESIS[0], frozenset({"TableName", "DelegatedOperation"})),
}
"""Which rows of a listing are meant: CloudWatch lists the same name with other dimensions too."""
UNLISTED = tuple(dict.fromkeys(metric for spec in (*_OF_OPERATIONS, *TABLE_ONLY) for metric, _, _ in spec.brings))
"""Canonical metrics of a table that cannot be asked where nothing is listed."""


@dataclass(frozen=True, slots=True)
class Named:
    """A metric that ListMetrics named: the part of it, and when (epoch seconds) it was last named."""

    spec: Spec
    part: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What the listings of a region have named by `at`. By table name; "" is the account and region itself."""

    at: int
    reach_s: int
    """How far back from `at` this listing speaks."""
    empty_before: int | None
    """Up to when the listing before vouches for what it did not name; None where there was none."""
    by_table: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)

    def of(self, table: Subject) -> tuple[str, ...]:
        """The operations that a table serves, or refuses, as the last listing has it."""
        current = {one.part for one in self.named(table) if one.spec in _OF_OPERATIONS and self.is_current(one)}
        return tuple(sorted(current))

    def named(self, subject: Subject) -> tuple[Named, ...]:
        """Everything named of a table, or of the account and region, older listings included."""
        return self.by_table.get(subject.table, ())

    def is_current(self, named: Named) -> bool:
        return named.at == self.at

    def delegated(self, table: Subject) -> tuple[str, ...]:
        """What DynamoDB does on a table's behalf, by the names that CloudWatch has for it: delivery to Kinesis."""
        return tuple(sorted({one.part for one in self.named(table) if one.spec is KINESIS[0]}))

    def quiet(self, subject: Subject, window: Span) -> Iterator[Series]:
        """What was not named of a table, or of the account and region: empty where the listing can be relied on."""
        end = (self.at - LISTING_DELAY_S) // MINUTE * MINUTE
        start = max(window.start, self.at - self.reach_s) // MINUTE * MINUTE
        current = {(one.spec, one.part) for one in self.named(subject) if self.is_current(one)}
        for spec, part in self._expected(subject) if start < end else ():
            if (spec, part) not in current:
                for metric in _sparse_metrics(spec):
                    yield empty(subject, metric, MINUTE, Span(start, end), part)

    def _expected(self, subject: Subject) -> Iterator[tuple[Spec, str]]:
        if not subject.table:
            yield USER_ERRORS, ""
            return
        yield from ((spec, "") for spec in TABLE_ONLY)
        operations = {one.part for one in self.named(subject) if one.spec in _OF_OPERATIONS} or {""}
        yield from ((spec, part) for spec in BY_OPERATION for part in sorted(operations))


class Listings:
    """Lists for one source, and remembers what was named. Used by one thread at a time."""

    def __init__(self, connection: Connection, meter: Meter, about: str) -> None:
        self._connection = connection
        self._meter = meter
        self._about = about
        self._seen: dict[tuple[str, Spec, str], int] = {}
        self.known: Operations | None = None
        """As of the last listing that was whole."""
        self.pages = len(LISTED)
        """How many requests the last listing took that was whole; at first, what it takes at least."""

    def look(self, now: int, *, since: int | None, kinesis: bool = False) -> bool:
        """List where it is time. Returns whether `known` is new. Raises SourceError where listing failed.

        `now` and `since` are epoch seconds; `since`: up to when everything was read before this source was opened.
        `kinesis`: whether any table delivers to a Kinesis data stream.
        """
        if self.known is not None and now - self.known.at < EVERY_S:
            return False
        before = self.known.at if self.known else since
        is_recent = before is not None and now - before <= LISTED_FOR_S - MARGIN_S
        names = (*LISTED, *((KINESIS[0].name,) if kinesis else ()))
        listings = self._meter.bill.listings
        rows = list(chain.from_iterable(self._rows(name, recent=is_recent) for name in names))
        self.pages = self._meter.bill.listings - listings
        self._seen.update(dict.fromkeys(rows, now))
        self._seen = {row: at for row, at in self._seen.items() if now - at <= REMEMBERED_S}
        self.known = Operations(
            at=now,
            reach_s=(LISTED_FOR_S if is_recent else LISTED_LONG_S) - MARGIN_S,
            empty_before=self.known.at - LISTING_DELAY_S if self.known else None,
            by_table=_by_table(self._seen),
        )
        return True

    def _rows(self, name: str, *, recent: bool) -> Iterator[tuple[str, Spec, str]]:
        spec, wanted = _DIMENSIONS[name]
        with self._meter.calling("listings") as listing:
            for page in self._pages(name, recent=recent):
                listing.answered()
                for named in self._named(page):
                    if named.keys() == wanted:
                        yield named.get("TableName", ""), spec, named.get(spec.part, "")

    def _named(self, page: list[dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
        """The dimensions of each row. Raises SourceError where they are not as promised."""
        with readable("cloudwatch:ListMetrics", self._about):
            named = [{one["Name"]: one["Value"] for one in row.get("Dimensions") or ()} for row in page]
            if not {type(value) for row in named for value in row.values()} <= {str}:
                raise TypeError("the value of a dimension is no text")
        return named

    def _pages(self, name: str, *, recent: bool) -> Iterator[list[dict[str, list[dict[str, str]]]]]:
        only = {"RecentlyActive": "PT3H"} if recent else {}
        return self._connection.pages(
            "cloudwatch",
            "ListMetrics",
            self._about,
            expect="Metrics",
            tokens=("NextToken", "NextToken"),
            Namespace=NAMESPACE,
            MetricName=name,
            **only,
        )


def empty(subject: Subject, metric: str, period_s: int, covered: Span, dimension: str = "") -> Series:
    """A counter of which it is known that nothing was counted."""
    return Series(
        subject=subject,
        metric=metric,
        statistic=Statistic.SUM,
        period_s=period_s,
        times=np.empty(0, np.int64),
        values=np.empty(0),
        covered=(covered,),
        dimension=dimension,
    )


def _by_table(seen: Mapping[tuple[str, Spec, str], int]) -> Mapping[str, tuple[Named, ...]]:
    found: dict[str, list[Named]] = {}
    for (table, spec, part), at in seen.items():
        found.setdefault(table, []).append(Named(spec, part, at))
    return {table: tuple(named) for table, named in found.items()}


def _sparse_metrics(spec: Spec) -> tuple[str, ...]:
    return tuple(
        metric for metric, statistic, _ in spec.brings if statistic is Statistic.SUM and METRICS[metric].absent_is_zero
    )
