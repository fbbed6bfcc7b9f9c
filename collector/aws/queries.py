"""Canonical metrics as CloudWatch knows them: name, dimensions, statistics and own period.

Names, dimensions and publication periods: DynamoDB developer guide, "DynamoDB metrics and dimensions" (2025 text, with
the cause-specific throttle metrics). The series of a table excludes its indexes; an index needs both dimensions.
`Unit` is never sent: DynamoDB publishes each metric in one unit, and a wrong one would return nothing, which would look
like zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from stillfit.metrics import THROTTLE_REASONS
from stillfit.model import Engine, Level, Statistic, Subject

NAMESPACE = "AWS/DynamoDB"
MINUTE, FIVE_MINUTES = 60, 300

DIRECTIONS = ("read", "write")
_CLOUDWATCH_REASONS = {
    "provisioned": "ProvisionedThroughput",
    "key_range": "KeyRangeThroughput",
    "on_demand_max": "MaxOnDemandThroughput",
    "account_limit": "AccountLimit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One CloudWatch metric and the canonical (metric, statistic, CloudWatch statistic) it brings."""

    name: str
    brings: tuple[tuple[str, Statistic, str], ...]
    period_s: int = MINUTE
    namespace: str = NAMESPACE
    part: str = "Operation"
    """The dimension that divides a metric of one subject, where an ask names a part: GetItem, a receiving region."""


def _sum(name: str, metric: str) -> Spec:
    return Spec(name=name, brings=((metric, Statistic.SUM, "Sum"),))


def _consumed(direction: str) -> Spec:
    metric = f"consumed_{direction}_units"
    return Spec(
        name=f"Consumed{direction.title()}CapacityUnits",
        brings=(
            (metric, Statistic.SUM, "Sum"),
            (metric, Statistic.COUNT, "SampleCount"),
            (metric, Statistic.MAXIMUM, "Maximum"),
        ),
    )


def _provisioned(direction: str) -> Spec:
    metric = f"provisioned_{direction}_units"
    return Spec(
        name=f"Provisioned{direction.title()}CapacityUnits",
        brings=(
            (metric, Statistic.AVERAGE, "Average"),
            (metric, Statistic.MAXIMUM, "Maximum"),
            (metric, Statistic.MINIMUM, "Minimum"),
        ),
        period_s=FIVE_MINUTES,
    )


def causes_of(direction: str) -> tuple[str, ...]:
    """Canonical names of the four cause-specific throttle metrics of "read" or "write"."""
    return tuple(f"{direction}_{reason}_throttle_events" for reason in THROTTLE_REASONS)


CONSUMED = tuple(_consumed(direction) for direction in DIRECTIONS)
PROVISIONED = tuple(_provisioned(direction) for direction in DIRECTIONS)
THROTTLES = {
    direction: _sum(f"{direction.title()}ThrottleEvents", f"{direction}_throttle_events") for direction in DIRECTIONS
}
CAUSES = {
    direction: tuple(
        _sum(f"{direction.title()}{_CLOUDWATCH_REASONS[reason]}ThrottleEvents", metric)
        for reason, metric in zip(THROTTLE_REASONS, causes_of(direction), strict=True)
    )
    for direction in DIRECTIONS
}
TABLE_ONLY = (
    _sum("ConditionalCheckFailedRequests", "conditional_check_failures"),
    _sum("TransactionConflict", "transaction_conflicts"),
    _sum("TimeToLiveDeletedItemCount", "ttl_deleted_items"),
)
LATENCY = Spec(
    name="SuccessfulRequestLatency",
    brings=(
        ("successful_requests", Statistic.SUM, "SampleCount"),
        ("request_latency_ms", Statistic.AVERAGE, "Average"),
        ("request_latency_ms", Statistic.P50, "p50"),
        ("request_latency_ms", Statistic.P99, "p99"),
        ("request_latency_ms", Statistic.MAXIMUM, "Maximum"),
    ),
)
SYSTEM_ERRORS = _sum("SystemErrors", "system_errors")
THROTTLED_REQUESTS = _sum("ThrottledRequests", "throttled_requests")

PER_OPERATION = (LATENCY, SYSTEM_ERRORS)
LISTED = (LATENCY.name, SYSTEM_ERRORS.name, THROTTLED_REQUESTS.name)
"""Whose listing tells which operations a table serves; a table that refuses everything has no latency."""

ALL = (
    *CONSUMED,
    *PROVISIONED,
    *THROTTLES.values(),
    *CAUSES["read"],
    *CAUSES["write"],
    *TABLE_ONLY,
    *PER_OPERATION,
    THROTTLED_REQUESTS,
)
"""Every metric that this collector can ask for."""


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
        self._asks: dict[tuple[Subject, str, str], Ask] = {}

    def ask(self, subject: Subject, spec: Spec, part: str = "") -> Ask:
        key = (subject, spec.name, part)
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
    named = (*dimensions(ask.subject), (ask.spec.part, ask.part))
    given = [{"Name": name, "Value": value} for name, value in named if value]
    metric = {"Namespace": ask.spec.namespace, "MetricName": ask.spec.name, "Dimensions": given}
    for slot in ask.slots:
        stat = {"Metric": metric, "Period": period_s, "Stat": slot.cloudwatch_statistic}
        yield {"Id": slot.id, "MetricStat": stat}
