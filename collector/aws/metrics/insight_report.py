"""One Contributor Insights report as series, with every key made a tag on the way. Pure.

Four rules belong to a table or index (DynamoDB developer guide, how Contributor Insights works): what its partition
keys and its items consumed (PKC, SKC), and how often each was refused (PKT, SKT); items only where there is a sort
key, consumption not in the mode THROTTLED_KEYS. "Only MaxContributorValue and Maximum return useful statistics", so no
other number of a report is looked at: no sum, no average, no count of keys.

Nothing here may raise or say what an answer holds: it holds keys. What cannot be read is a GarbledError that names the
part and not its content, and no exception that knows more is chained to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from collector.aws.wire.failures import GarbledError
from collector.aws.wire.instants import instant
from stillfit.model import Series, Span, Statistic, Subject, merge_spans
from stillfit.redaction import Redaction

PERIOD_S = 60
"""180,000 units are the ceiling of a partition over one minute, so minutes are asked for."""
STATISTICS = ("MaxContributorValue", "Maximum")
KEPT_KEYS = 3
"""Contributors that are kept of a report (ours): the hottest, one to compare it with, and one more."""

Answer = Mapping[str, Any]


class Kind(StrEnum):
    """What a rule counts, as its name says it."""

    PARTITION_KEY_UNITS = "PKC"
    PARTITION_KEY_THROTTLES = "PKT"
    ITEM_UNITS = "SKC"
    ITEM_THROTTLES = "SKT"

    @property
    def of_each(self) -> str:
        """The metric of single keys, by tag."""
        return self.name.lower()

    @property
    def hottest(self) -> str:
        """The metric of whichever key was first in a minute."""
        return f"hottest_{self.of_each}"

    @property
    def keys(self) -> int:
        """How many values make one contributor."""
        return 1 if self.value.startswith("PK") else 2


_NAME = re.compile(f"DynamoDBContributorInsights-({'|'.join(Kind)})-.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a table or index. Its name holds the table's, never a key."""

    subject: Subject
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """What one report brought. `dropped`: points that could not be true."""

    series: tuple[Series, ...]
    dropped: int = 0


class _Point(NamedTuple):
    at: int
    value: float


class _Contributor(NamedTuple):
    tag: str
    points: tuple[_Point, ...]

    @property
    def peak(self) -> float:
        return max(point.value for point in self.points)


def rules_of(subject: Subject, names: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that DescribeContributorInsights lists; of a kind that nobody knows yet nothing is asked."""
    found = ((name, _NAME.fullmatch(name)) for name in names)
    return tuple(Rule(subject=subject, name=name, kind=Kind(named[1])) for name, named in found if named)


def read(answer: Answer, rule: Rule, window: Span, redaction: Redaction) -> Report:
    """Both ends of `window` on whole minutes. Raises GarbledError, which never says what was in the answer."""
    try:
        rows = answer.get("MetricDatapoints") or ()
        hottest = [_Point(_time(row), float(row[_useful(row)])) for row in rows]
        told = [_contributor(one, rule.kind, redaction) for one in answer.get("Contributors") or ()]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError, OverflowError):
        told, hottest = None, []
    if told is None:
        raise GarbledError("a report of another shape")
    kept, dropped = _true(hottest, window)
    each = [one._replace(points=_true(one.points, window)[0]) for one in told]
    dropped += sum(len(one.points) for one in told) - sum(len(one.points) for one in each)
    return Report(series=tuple(_series(rule, window, kept, each)), dropped=dropped)


def _series(rule: Rule, window: Span, hottest: Sequence[_Point], each: Iterable[_Contributor]) -> Iterator[Series]:
    """A minute without a row is one in which no key did anything; of a single key only its own minutes are known."""
    yield _one(rule.subject, rule.kind.hottest, hottest, (window,))
    for key in _first(each):
        seen = merge_spans(Span(point.at, point.at + PERIOD_S) for point in key.points)
        yield _one(rule.subject, rule.kind.of_each, key.points, seen, key.tag)


def _first(each: Iterable[_Contributor]) -> list[_Contributor]:
    """The hottest few. Of two keys that share a tag the hotter stands for both."""
    kept: dict[str, _Contributor] = {}
    for one in sorted((one for one in each if one.points), key=lambda one: (-one.peak, one.tag)):
        kept.setdefault(one.tag, one)
    return list(kept.values())[:KEPT_KEYS]


def _one(
    subject: Subject, metric: str, points: Sequence[_Point], covered: tuple[Span, ...], dimension: str = ""
) -> Series:
    return Series(
        subject=subject,
        metric=metric,
        statistic=Statistic.MAXIMUM,
        period_s=PERIOD_S,
        times=np.array([point.at for point in points], np.int64),
        values=np.array([point.value for point in points], np.float64),
        covered=covered,
        dimension=dimension,
    )


def _useful(row: Answer) -> str:
    """Maximum is the largest single observation of the minute, which is what the first key did at least."""
    return STATISTICS[0] if row.get(STATISTICS[0]) is not None else STATISTICS[1]


def _contributor(told: Answer, kind: Kind, redaction: Redaction) -> _Contributor:
    keys = [str(key) for key in told["Keys"]]
    if len(keys) != kind.keys:
        raise ValueError
    tag = redaction.partition_key(keys[0]) if kind.keys == 1 else redaction.item(keys[0], keys[1])
    return _Contributor(tag, tuple(_Point(_time(row), float(row["ApproximateValue"])) for row in told["Datapoints"]))


def _time(row: Answer) -> int:
    return int(instant(row["Timestamp"]).timestamp())


def _true(points: Iterable[_Point], window: Span) -> tuple[tuple[_Point, ...], int]:
    """The points that can be true, ascending, each minute once with its largest value; and how many were not kept."""
    told = tuple(points)
    best: dict[int, float] = {}
    for at, value in told:
        if isfinite(value) and value >= 0 and at % PERIOD_S == 0 and window.start <= at < window.end:
            best[at] = max(value, best.get(at, 0.0))
    return tuple(_Point(at, best[at]) for at in sorted(best)), len(told) - len(best)
