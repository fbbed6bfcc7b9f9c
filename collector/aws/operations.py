"""Which operations each table serves, from ListMetrics, so that only those are asked and paid for.

A table has 13 operations at three metrics each; asking for all is dearer than everything else together, listing 500
rows costs as much as asking for one metric. What ListMetrics(RecentlyActive=PT3H) leaves out had no data in three
hours, except what began in the last 15 minutes, which it may not list yet (ListMetrics API reference): so a newly
listed operation is read from three hours back, and a table with none is vouched for up to 15 minutes ago.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from collector.aws.connection import Connection
from collector.aws.meter import Meter
from collector.aws.queries import LISTED, MINUTE, NAMESPACE, PER_OPERATION
from stillfit.metrics import METRICS
from stillfit.model import Series, Span, Statistic, Subject

LISTING_DELAY_S = 900
LISTED_FOR_S = 3 * 3_600

_SPARSE = tuple(
    metric
    for spec in PER_OPERATION
    for metric, statistic, _ in spec.brings
    if statistic is Statistic.SUM and METRICS[metric].absent_is_zero
)


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations by table name."""

    by_table: Mapping[str, tuple[str, ...]]

    def of(self, table: Subject) -> tuple[str, ...]:
        return self.by_table.get(table.table, ())


def list_operations(connection: Connection, meter: Meter, about: str, *, recent: bool) -> Operations:
    """What has reported within three hours, or within two weeks when not `recent`. Raises SourceError."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in LISTED:
        for row in _rows(connection, meter, about, name, recent=recent):
            dimensions = {one["Name"]: one["Value"] for one in row.get("Dimensions") or ()}
            if dimensions.keys() == {"TableName", "Operation"}:
                found[dimensions["TableName"]].add(dimensions["Operation"])
    return Operations({table: tuple(sorted(names)) for table, names in found.items()})


def nothing_served(table: Subject, window: Span) -> Iterator[Series]:
    """The per-operation counters of a table without any operation listed: empty where the listing can be relied on."""
    end = (window.end - LISTING_DELAY_S) // MINUTE * MINUTE
    start = max(window.start, end - LISTED_FOR_S + 2 * LISTING_DELAY_S) // MINUTE * MINUTE
    if start < end:
        for metric in _SPARSE:
            yield empty(table, metric, MINUTE, Span(start, end))


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


def _rows(
    connection: Connection, meter: Meter, about: str, name: str, *, recent: bool
) -> Iterator[dict[str, list[dict[str, str]]]]:
    only = {"RecentlyActive": "PT3H"} if recent else {}
    pages = connection.pages(
        "cloudwatch",
        "ListMetrics",
        about,
        expect="Metrics",
        tokens=("NextToken", "NextToken"),
        Namespace=NAMESPACE,
        MetricName=name,
        **only,
    )
    for page in pages:
        meter.add(listings=1)
        yield from page
