"""What is asked of CloudWatch about one subject: each metric with all its statistics once.

The series of a table excludes its indexes; an index needs both dimensions. `Unit` is never sent: each metric is
published in one unit, and a wrong one would return nothing, which would look like zero. Which metrics there are, and
what must be on before one can exist, is in collector/aws/metrics/specs.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import orjson

from collector.aws.metrics.specs import (
    ALL,
    CAUSES,
    CONSUMED,
    DIRECTIONS,
    FIVE_MINUTES,
    LATENCY,
    MINUTE,
    NAMESPACE,
    PROVISIONED,
    SPARSE,
    TABLE_ONLY,
    THROTTLED_REQUESTS,
    THROTTLES,
    Spec,
    causes_of,
)
from stillfit.model import Engine, Statistic, Subject

__all__ = [
    "ALL",
    "CAUSES",
    "CONSUMED",
    "DIRECTIONS",
    "FIVE_MINUTES",
    "LATENCY",
    "LISTED",
    "MINUTE",
    "NAMESPACE",
    "PER_OPERATION",
    "PROVISIONED",
    "SPARSE",
    "TABLE_ONLY",
    "THROTTLED_REQUESTS",
    "THROTTLES",
    "Ask",
    "Questions",
    "Slot",
    "Spec",
    "causes_of",
    "dimensions",
    "standing",
    "written",
]

PER_OPERATION = (LATENCY,)
"""What every operation that is served has."""
LISTED = (LATENCY.name, THROTTLED_REQUESTS.name, *(spec.name for spec in SPARSE))
"""Asked only where ListMetrics names them (operations.py), and the operations that a table serves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slot:
    """One statistic of an ask, and the canonical name it comes back to. Shared by all asks of its metric."""

    metric: str
    statistic: Statistic
    cloudwatch_statistic: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One CloudWatch metric of one subject with all statistics wanted: billed together, so never split.

    There is one for each metric of a fleet, so it holds only what it shares with others; its queries (200 bytes each)
    are written anew for every request.
    """

    number: int
    """Its own among all that a source asks."""
    subject: Subject
    spec: Spec
    part: str
    """Which part of the metric (an operation, a receiving region); empty: all of it."""
    slots: tuple[Slot, ...]
    whose: str = ""
    """The dimensions of the subject as they stand in a request."""

    @property
    def dimensions(self) -> str:
        """As they stand in a request, without the brackets of the list."""
        if not (self.part or self.spec.fixed):
            return self.whose
        more = _of_part(self.spec, self.part)
        return f"{self.whose},{more}" if self.whose and more else self.whose or more


class Questions:
    """Makes each ask once and numbers it."""

    def __init__(self) -> None:
        self._asks: dict[Subject, dict[tuple[Spec, str], Ask]] = {}
        self._numbers = count()
        self._last: Subject | None = None
        """What is asked of one subject is asked in a row, and hashing it takes longer than all the rest."""
        self._asked: dict[tuple[Spec, str], Ask] = {}
        """Of the last subject."""

    def ask(self, subject: Subject, spec: Spec, part: str = "") -> Ask:
        if subject is not self._last:
            self._last, self._asked = subject, self._asks.setdefault(subject, {})
        found = self._asked.get((spec, part))
        if found is None:
            found = self._asked[spec, part] = self._new(subject, spec, part)
        return found

    def _new(self, subject: Subject, spec: Spec, part: str) -> Ask:
        other = next(iter(self._asked.values()), None)
        whose = other.whose if other else _rendered(dimensions(subject))
        return Ask(number=next(self._numbers), subject=subject, spec=spec, part=part, slots=_slots(spec), whose=whose)


def standing(questions: Questions, subject: Subject, *, provisioned: bool) -> Iterator[Ask]:
    """What is asked of a table or index whatever happens there."""
    for spec in CONSUMED:
        yield questions.ask(subject, spec)
    for spec in THROTTLES.values():
        yield questions.ask(subject, spec)
    for spec in PROVISIONED if provisioned else ():
        yield questions.ask(subject, spec)


def written(asks: Iterable[Ask], ids: Sequence[str], period_s: int) -> bytes:
    """The list of their queries as JSON, one for each slot; `ids` are what they travel under."""
    pieces: list[str] = []
    left = iter(ids)
    for ask in asks:
        dimensions = ask.dimensions
        for before, after in _form(ask.spec, ask.slots, period_s):
            pieces += (',{"Id":"', next(left), before, dimensions, after)
    return f"[{''.join(pieces)[1:]}]".encode()


def dimensions(subject: Subject) -> tuple[tuple[str, str], ...]:
    """What CloudWatch calls a subject; parts that it does not have are empty."""
    if subject.engine is Engine.KEYSPACES:
        return (("Keyspace", subject.keyspace), ("TableName", subject.table))
    if subject.engine is Engine.DAX:
        return (("ClusterId", subject.cluster), ("NodeId", subject.node))
    return (("TableName", subject.table), ("GlobalSecondaryIndexName", subject.index))


@lru_cache(maxsize=1_024)
def _slots(spec: Spec) -> tuple[Slot, ...]:
    return tuple(
        Slot(metric=metric, statistic=statistic, cloudwatch_statistic=name) for metric, statistic, name in spec.brings
    )


def _rendered(named: Iterable[tuple[str, str]]) -> str:
    """Dimensions as they stand in a request, without the brackets of the list; those that are empty left out."""
    return ",".join(orjson.dumps({"Name": name, "Value": value}).decode() for name, value in named if value)


@lru_cache(maxsize=1_024)
def _of_part(spec: Spec, part: str) -> str:
    """The dimensions that an ask has besides those of its subject."""
    return _rendered((*spec.fixed, (spec.part, part)))


@lru_cache(maxsize=1_024)
def _form(spec: Spec, slots: tuple[Slot, ...], period_s: int) -> tuple[tuple[str, str], ...]:
    """The query of each statistic of a metric: what stands between its id and the dimensions, and what after them."""
    metric = f'","MetricStat":{{"Metric":{{"Namespace":"{spec.namespace}","MetricName":"{spec.name}","Dimensions":['
    return tuple((metric, f']}},"Period":{period_s},"Stat":"{slot.cloudwatch_statistic}"}}}}') for slot in slots)
