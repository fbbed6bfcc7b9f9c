"""What is asked of CloudWatch about one subject: each metric with all its statistics once, under an id of its own.

The series of a table excludes its indexes; an index needs both dimensions. `Unit` is never sent: each metric is
published in one unit, and a wrong one would return nothing, which would look like zero. Which metrics there are, and
what must be on before one can exist, is in collector/aws/specs.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import orjson

from collector.aws.specs import (
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
]

PER_OPERATION = (LATENCY,)
"""What every operation that is served has."""
LISTED = (LATENCY.name, THROTTLED_REQUESTS.name, *(spec.name for spec in SPARSE))
"""Asked only where ListMetrics names them (collector/aws/operations.py), and the operations that a table serves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slot:
    """One statistic of an ask, and the canonical name it comes back to. Shared by all asks of its metric."""

    metric: str
    statistic: Statistic
    cloudwatch_statistic: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One CloudWatch metric of one subject with all statistics wanted: billed together, so never split.

    There is one for each metric of a fleet, so it holds only what it shares with others; the rest is made when asked
    for (270 bytes a query are written anew each time in a quarter of a microsecond).
    """

    number: int
    subject: Subject
    spec: Spec
    part: str
    """Which part of the metric (an operation, a receiving region); empty: all of it."""
    slots: tuple[Slot, ...]
    whose: bytes = b""
    """The dimensions of the subject as they stand in a request."""

    @property
    def ids(self) -> list[str]:
        """What each slot travels under."""
        return [f"q{self.number}_{place}" for place in range(len(self.slots))]

    def queries(self, period_s: int) -> bytes:
        """Its queries as they stand in a request, without the brackets of the list."""
        dimensions = self.whose
        if self.part or self.spec.fixed:
            more = _of_part(self.spec, self.part)
            dimensions = b"%b,%b" % (dimensions, more) if dimensions and more else dimensions or more
        return _form(self.spec, self.slots, period_s) % ((self.number, dimensions) * len(self.slots))


class Questions:
    """Makes each ask once and numbers it: an id is unique over the whole source, whatever it is packed with."""

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


def _rendered(named: Iterable[tuple[str, str]]) -> bytes:
    """Dimensions as they stand in a request, without the brackets of the list; those that are empty left out."""
    each = (orjson.dumps({"Name": name, "Value": value}).decode() for name, value in named if value)
    return ",".join(each).encode()  # anew: orjson's own bytes hold on to the 4 kB that they were written into


@lru_cache(maxsize=1_024)
def _of_part(spec: Spec, part: str) -> bytes:
    """The dimensions that an ask has besides those of its subject."""
    return _rendered((*spec.fixed, (spec.part, part)))


@lru_cache(maxsize=1_024)
def _form(spec: Spec, slots: tuple[Slot, ...], period_s: int) -> bytes:
    """The queries of a metric with room for the number and the dimensions, once each for every statistic."""
    metric = f'{{"Namespace":"{spec.namespace}","MetricName":"{spec.name}","Dimensions":[%b]}}'
    return ",".join(
        f'{{"Id":"q%d_{place}","MetricStat":'
        f'{{"Metric":{metric},"Period":{period_s},"Stat":"{slot.cloudwatch_statistic}"}}}}'
        for place, slot in enumerate(slots)
    ).encode()
