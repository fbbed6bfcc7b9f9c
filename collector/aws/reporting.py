"""Which metrics of a namespace have reported lately, from ListMetrics, so that only those are asked and paid for.

500 rows of a listing cost as much as one metric, and most of what Keyspaces and DAX can publish most tables and nodes
never do. What ListMetrics(RecentlyActive=PT3H) leaves out had no data in three hours, except what began in the last 15
minutes, which it may not list yet (ListMetrics API reference): so counters that it leaves out are vouched for up to 15
minutes ago, and whatever must be known sooner is asked whether it is listed or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.aws.connection import Connection
from collector.aws.failures import GarbledError, amiss, failure
from collector.aws.meter import Meter
from collector.aws.operations import LISTED_FOR_S, LISTING_DELAY_S
from stillfit.model import Span

Dimensions = frozenset[tuple[str, str]]

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Reporting:
    """What has reported: names and parts by dimensions."""

    _names: Mapping[Dimensions, frozenset[str]] = field(default_factory=dict)
    _parts: Mapping[tuple[Dimensions, str], frozenset[str]] = field(default_factory=dict)

    def has(self, name: str, dimensions: Iterable[tuple[str, str]]) -> bool:
        """Whether a metric of exactly these dimensions has; those without a value do not count."""
        return name in self._names.get(_key(dimensions), frozenset())

    def any_of(self, dimensions: Iterable[tuple[str, str]], part: str) -> bool:
        """Whether anything of a subject has, whole or by `part`."""
        key = _key(dimensions)
        return key in self._names or (key, part) in self._parts

    def parts(self, dimensions: Iterable[tuple[str, str]], part: str) -> tuple[str, ...]:
        """Values of the dimension `part` with which any metric of a subject has."""
        return tuple(sorted(self._parts.get((_key(dimensions), part), ())))


def list_reporting(connection: Connection, meter: Meter, about: str, namespace: str, *, recent: bool) -> Reporting:
    """What has reported within three hours, or within two weeks when not `recent`. Raises SourceError."""
    names: defaultdict[Dimensions, set[str]] = defaultdict(set)
    parts: defaultdict[tuple[Dimensions, str], set[str]] = defaultdict(set)
    for row in _rows(
        connection, meter, about, {"Namespace": namespace, **({"RecentlyActive": "PT3H"} if recent else {})}
    ):
        try:
            name, dimensions = (
                row["MetricName"],
                _key((one["Name"], one["Value"]) for one in row.get("Dimensions") or ()),
            )
        except (KeyError, TypeError, AttributeError) as error:
            garbled = GarbledError(f"a metric that cannot be read: {amiss(error)}")
            raise failure(garbled, action="cloudwatch:ListMetrics", about=about) from error
        names[dimensions].add(name)
        for part, value in dimensions:
            parts[dimensions - {(part, value)}, part].add(value)
    return Reporting(
        {key: frozenset(found) for key, found in names.items()},
        {key: frozenset(found) for key, found in parts.items()},
    )


def vouched(window: Span) -> Span | None:
    """The stretch in which what was left out of a recent listing certainly had no data; None where there is none."""
    end = (window.end - LISTING_DELAY_S) // MINUTE * MINUTE
    start = max(window.start, end - LISTED_FOR_S + 2 * LISTING_DELAY_S) // MINUTE * MINUTE
    return Span(start, end) if start < end else None


def _key(dimensions: Iterable[tuple[str, str]]) -> Dimensions:
    return frozenset((name, value) for name, value in dimensions if value)


def _rows(connection: Connection, meter: Meter, about: str, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    pages = connection.pages(
        "cloudwatch", "ListMetrics", about, expect="Metrics", tokens=("NextToken", "NextToken"), **asked
    )
    for page in pages:
        meter.add(listings=1)
        yield from page
