"""What is asked of CloudWatch about one subject: each metric with all its statistics once, under an id of its own.

The series of a table excludes its indexes; an index needs both dimensions. `Unit` is never sent: each metric is
published in one unit, and a wrong one would return nothing, which would look like zero. Which metrics there are, and
what must be on before one can exist, is in collector/aws/specs.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One statistic of an ask, and the canonical name it comes back to."""

    metric: str
    statistic: Statistic
    cloudwatch_statistic: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One CloudWatch metric of one subject with all statistics wanted: billed together, so never split.

    There is one for each metric of a fleet, so it holds only what it shares with others; the rest is made when asked
    for (270 bytes a query are written anew each time in half a microsecond).
    """

    number: int
    subject: Subject
    spec: Spec
    part: str
    """Which part of the metric (an operation, a receiving region); empty: all of it."""
    slots: tuple[Slot, ...]
    whose: str = ""
    """The dimensions of the subject as they stand in a request."""

    @property
    def ids(self) -> list[str]:
        """What each slot travels under."""
        return [f"q{self.number}_{place}" for place in range(len(self.slots))]

    def queries(self, period_s: int) -> bytes:
        """Its queries as they stand in a request, without the brackets of the list."""
        spec, dimensions = self.spec, self.whose
        if self.part or spec.fixed:
            more = _rendered((*spec.fixed, (spec.part, self.part)))
            dimensions = f"{dimensions},{more}" if dimensions and more else dimensions or more
        metric = f'{{"Namespace":"{spec.namespace}","MetricName":"{spec.name}","Dimensions":[{dimensions}]}}'
        return ",".join(
            f'{{"Id":"q{self.number}_{place}","MetricStat":'
            f'{{"Metric":{metric},"Period":{period_s},"Stat":"{slot.cloudwatch_statistic}"}}}}'
            for place, slot in enumerate(self.slots)
        ).encode()


class Questions:
    """Makes each ask once and numbers it: an id is unique over the whole source, whatever it is packed with."""

    def __init__(self) -> None:
        self._asks: dict[tuple[Subject, Spec, str], Ask] = {}
        self._slots: dict[Spec, tuple[Slot, ...]] = {}
        self._whose: dict[Subject, str] = {}

    def ask(self, subject: Subject, spec: Spec, part: str = "") -> Ask:
        key = (subject, spec, part)
        if key not in self._asks:
            slots = self._slots.setdefault(spec, _slots(spec))
            whose = self._whose.setdefault(subject, _rendered(dimensions(subject)))
            number = len(self._asks)
            self._asks[key] = Ask(number=number, subject=subject, spec=spec, part=part, slots=slots, whose=whose)
        return self._asks[key]


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


def _slots(spec: Spec) -> tuple[Slot, ...]:
    return tuple(
        Slot(metric=metric, statistic=statistic, cloudwatch_statistic=name) for metric, statistic, name in spec.brings
    )


def _rendered(named: Iterable[tuple[str, str]]) -> str:
    """Dimensions as they stand in a request, without the brackets of the list; those that are empty left out."""
    return ",".join(orjson.dumps({"Name": name, "Value": value}).decode() for name, value in named if value)
