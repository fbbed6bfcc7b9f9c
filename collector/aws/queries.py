"""What is asked of CloudWatch about one subject: each metric with all its statistics once, under an id of its own.

The series of a table excludes its indexes; an index needs both dimensions. `Unit` is never sent: each metric is
published in one unit, and a wrong one would return nothing, which would look like zero. Which metrics there are, and
what must be on before one can exist, is in collector/aws/specs.py.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    SYSTEM_ERRORS,
    TABLE_ONLY,
    THROTTLED_REQUESTS,
    THROTTLES,
    Spec,
    causes_of,
)
from stillfit.model import Engine, Level, Statistic, Subject

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

PER_OPERATION = (LATENCY, SYSTEM_ERRORS)
LISTED = (LATENCY.name, SYSTEM_ERRORS.name, THROTTLED_REQUESTS.name)
"""Whose listing tells which operations a table serves; a table that refuses everything has no latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One statistic of an ask: the id it travels under, and the canonical name it comes back to."""

    id: str
    metric: str
    statistic: Statistic
    cloudwatch_statistic: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One CloudWatch metric of one subject with all statistics wanted: billed together, so never split.

    `rendered` holds its queries by period, as they stand in a request, without the brackets of the list: written
    once, sent in every cycle.
    """

    number: int
    subject: Subject
    spec: Spec
    part: str
    """Which part of the metric (an operation, a receiving region); empty: all of it."""
    slots: tuple[Slot, ...]
    rendered: dict[int, bytes]

    def queries(self, period_s: int) -> bytes:
        if period_s not in self.rendered:
            self.rendered[period_s] = b",".join(orjson.dumps(query) for query in _queries(self, period_s))
        return self.rendered[period_s]


class Questions:
    """Makes each ask once and numbers it: an id is unique over the whole source, whatever it is packed with."""

    def __init__(self) -> None:
        self._asks: dict[tuple[Subject, Spec, str], Ask] = {}

    def ask(self, subject: Subject, spec: Spec, part: str = "") -> Ask:
        key = (subject, spec, part)
        if key not in self._asks:
            self._asks[key] = _made(len(self._asks), subject, spec, part)
        return self._asks[key]


def standing(questions: Questions, subject: Subject, *, provisioned: bool) -> Iterator[Ask]:
    """What is asked of a table or index in every cycle, whatever happens there."""
    for spec in CONSUMED:
        yield questions.ask(subject, spec)
    for spec in THROTTLES.values():
        yield questions.ask(subject, spec)
    for spec in PROVISIONED if provisioned else ():
        yield questions.ask(subject, spec)
    for spec in TABLE_ONLY if subject.level is Level.TABLE else ():
        yield questions.ask(subject, spec)


def dimensions(subject: Subject) -> tuple[tuple[str, str], ...]:
    """What CloudWatch calls a subject; parts that it does not have are empty."""
    if subject.engine is Engine.KEYSPACES:
        return (("Keyspace", subject.keyspace), ("TableName", subject.table))
    if subject.engine is Engine.DAX:
        return (("ClusterId", subject.cluster), ("NodeId", subject.node))
    return (("TableName", subject.table), ("GlobalSecondaryIndexName", subject.index))


def _made(number: int, subject: Subject, spec: Spec, part: str) -> Ask:
    slots = tuple(
        Slot(id=f"q{number}_{place}", metric=metric, statistic=statistic, cloudwatch_statistic=name)
        for place, (metric, statistic, name) in enumerate(spec.brings)
    )
    return Ask(number=number, subject=subject, spec=spec, part=part, slots=slots, rendered={})


def _queries(ask: Ask, period_s: int) -> Iterator[dict[str, object]]:
    named = (*dimensions(ask.subject), *ask.spec.fixed, (ask.spec.part, ask.part))
    given = [{"Name": name, "Value": value} for name, value in named if value]
    metric = {"Namespace": ask.spec.namespace, "MetricName": ask.spec.name, "Dimensions": given}
    for slot in ask.slots:
        stat = {"Metric": metric, "Period": period_s, "Stat": slot.cloudwatch_statistic}
        yield {"Id": slot.id, "MetricStat": stat}
