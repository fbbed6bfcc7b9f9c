"""Which metrics of a namespace have reported lately, from ListMetrics, so that only those are asked and paid for.

500 rows of a listing cost as much as one metric, and most of what Keyspaces and DAX can publish most tables and nodes
never do. What ListMetrics(RecentlyActive=PT3H) leaves out had no data in three hours, except what began in the last 15
minutes, which it may not list yet (ListMetrics API reference): so counters that it leaves out are vouched for up to 15
minutes ago, and whatever must be known sooner is asked whether it is listed or not. After a longer pause than 2.5
hours the listing goes back two weeks, which is as far as ListMetrics remembers; and what is named no more is remembered
until it has been read once again, so that rare readings lose nothing (as operations.py does for DynamoDB).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.aws.metrics.operations import LISTED_FOR_S, LISTED_LONG_S, LISTING_DELAY_S, MARGIN_S, REMEMBERED_S
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, amiss, failure
from stillfit.model import Span

Dimensions = frozenset[tuple[str, str]]
_Row = tuple[Dimensions, str]
"""A metric of a listing: its dimensions and its name."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What one listing has named, and those before it within two days. Times are epoch seconds."""

    now: Reporting
    earlier: Reporting
    """The same with what was named before and is no more."""
    at: int
    pages: int
    """How many requests the listing took."""
    reach_s: int
    """How far back from `at` the listing speaks."""
    empty_before: int | None
    """Up to when the listing before vouches for what it did not name; None where there was none."""
    seen: Mapping[_Row, int]
    """When each metric was last named."""

    def last_named(self, name: str, dimensions: Iterable[tuple[str, str]]) -> int:
        """When a metric of exactly these dimensions was; where it never was, when any metric of them was."""
        key = _key(dimensions)
        named = self.seen.get((key, name))
        return named if named is not None else max((at for (one, _), at in self.seen.items() if one == key), default=0)

    def vouched(self, window: Span) -> Span | None:
        """The stretch in which what was left out certainly had no data; None where there is none."""
        end = (min(window.end, self.at) - LISTING_DELAY_S) // MINUTE * MINUTE
        start = max(window.start, self.at - self.reach_s) // MINUTE * MINUTE
        return Span(start, end) if start < end else None


class Lister:
    """Lists one namespace for one source, and remembers what was named. Used by one thread at a time."""

    def __init__(self, connection: Connection, meter: Meter, about: str, namespace: str) -> None:
        self._connection = connection
        self._meter = meter
        self._about = about
        self._namespace = namespace
        self._seen: dict[_Row, int] = {}
        self._before: int | None = None

    def look(self, now: int, since: Callable[[], int | None]) -> Listed:
        """List. `since` tells up to when a listing vouches that was made before this source was opened.

        Raises SourceError where listing failed.
        """
        before = self._before if self._before is not None else since()
        is_recent = before is not None and now - before <= LISTED_FOR_S - MARGIN_S
        pages = list(self._pages(recent=is_recent))
        current = {self._row(row) for page in pages for row in page}
        self._seen.update(dict.fromkeys(current, now))
        self._seen = {row: at for row, at in self._seen.items() if now - at <= REMEMBERED_S}
        empty_before = None if self._before is None else self._before - LISTING_DELAY_S
        self._before = now
        return Listed(
            now=_reporting(current),
            earlier=_reporting(self._seen),
            at=now,
            pages=len(pages),
            reach_s=(LISTED_FOR_S if is_recent else LISTED_LONG_S) - MARGIN_S,
            empty_before=empty_before,
            seen=self._seen,
        )

    def _row(self, row: Mapping[str, Any]) -> _Row:
        try:
            return _key((one["Name"], one["Value"]) for one in row.get("Dimensions") or ()), row["MetricName"]
        except (KeyError, TypeError, AttributeError) as error:
            garbled = GarbledError(f"a metric that cannot be read: {amiss(error)}")
            raise failure(garbled, action="cloudwatch:ListMetrics", about=self._about) from error

    def _pages(self, *, recent: bool) -> Iterator[list[Mapping[str, Any]]]:
        asked = {"Namespace": self._namespace, **({"RecentlyActive": "PT3H"} if recent else {})}
        tokens = ("NextToken", "NextToken")
        with self._meter.calling("listings") as listing:
            for page in self._connection.pages(
                "cloudwatch", "ListMetrics", self._about, expect="Metrics", tokens=tokens, **asked
            ):
                listing.answered()
                yield page


def _reporting(rows: Iterable[_Row]) -> Reporting:
    names: defaultdict[Dimensions, set[str]] = defaultdict(set)
    parts: defaultdict[tuple[Dimensions, str], set[str]] = defaultdict(set)
    for dimensions, name in rows:
        names[dimensions].add(name)
        for part, value in dimensions:
            parts[dimensions - {(part, value)}, part].add(value)
    return Reporting(
        {key: frozenset(found) for key, found in names.items()},
        {key: frozenset(found) for key, found in parts.items()},
    )


def _key(dimensions: Iterable[tuple[str, str]]) -> Dimensions:
    return frozenset((name, value) for name, value in dimensions if value)
