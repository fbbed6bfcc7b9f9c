"""Small records for the tests of the store. NOON is where the fake clock starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from stillfit.advice import Advice, AdviceState, Effort, Option, Transition
from stillfit.clock import FakeClock
from stillfit.model import (
    Attributes,
    Batch,
    Confidence,
    Engine,
    Evidence,
    EvidenceKind,
    Gap,
    GapReason,
    Money,
    Series,
    Severity,
    Span,
    Statistic,
    Subject,
    Value,
)
from stillfit.store.outbox import OutboxMessage

BALLAST = 64 * 1024
NOON = FakeClock().now()
NOON_S = int(NOON.timestamp())
HOUR = 3600
DAY = 24 * HOUR
SCOPE = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"))
ORDERS = replace(SCOPE, table="orders")
BY_STATUS = replace(ORDERS, index="by-status")
CARTS = replace(SCOPE, table="carts")
READS = "consumed_read_units"


def series(
    points: Mapping[int, float],
    covered: Sequence[tuple[int, int]] = (),
    *,
    subject: Subject = ORDERS,
    metric: str = READS,
    statistic: Statistic = Statistic.SUM,
    period_s: int = 60,
    dimension: str = "",
) -> Series:
    """Times and spans are given in periods relative to noon."""
    times = sorted(points)
    return Series(
        subject=subject,
        metric=metric,
        statistic=statistic,
        period_s=period_s,
        dimension=dimension,
        times=np.array([NOON_S + period_s * time for time in times], np.int64),
        values=np.array([points[time] for time in times], np.float64),
        covered=tuple(Span(NOON_S + period_s * start, NOON_S + period_s * end) for start, end in covered),
    )


def batch(*members: Series, source: str = "cloudwatch", at: datetime = NOON, **others: object) -> Batch:
    return replace(Batch(source=source, at=at, series=members), **others)  # type: ignore[arg-type]  # fields of Batch


def around_noon(hours: float = 3) -> Span:
    return Span(NOON_S - int(hours * HOUR), NOON_S + int(hours * HOUR))


def settings(subject: Subject = ORDERS, at: datetime = NOON, **values: Value) -> Attributes:
    return Attributes.of(subject, at, values)


def gap(subject: Subject = ORDERS, missing: str = READS, reason: GapReason = GapReason.DENIED) -> Gap:
    return Gap(subject=subject, missing=missing, reason=reason, detail="grant it", source="cloudwatch")


def advice(id_: str = "a1", transitions: int = 0, state: AdviceState = AdviceState.PENDING) -> Advice:
    return Advice(
        id=id_,
        fingerprint=f"rule|{ORDERS}|hot key",
        rule="dynamodb/throttling",
        rule_version=1,
        subject=ORDERS,
        title='orders "is" throttled\n',
        summary="one key range takes the load \N{FIRE}",
        cause="key_range",
        severity=Severity.CRITICAL,
        confidence=Confidence.MEDIUM,
        option=_OPTION,
        evidence=(_EVIDENCE,),
        saving=Money(low=-1.5, mid=0.1 + 0.2, high=1e300, price_date=NOON - timedelta(days=3), arithmetic="3 x 730"),
        state=state,
        state_since=NOON,
        snooze_until=NOON + timedelta(microseconds=1),
        first_seen=NOON,
        last_seen=NOON,
        judged_until=NOON,
        transitions=transitions,
    )


def transition(advice_id: str = "a1", number: int = 1, after: AdviceState = AdviceState.OPEN) -> Transition:
    return Transition(
        advice_id=advice_id,
        number=number,
        before=AdviceState.PENDING,
        after=after,
        at=NOON,
        reason="dwelt",
        by="stillfit",
    )


def message(advice_id: str = "a1", number: int = 1, sink: str = "slack", channel: str = "#db") -> OutboxMessage:
    return OutboxMessage(advice_id=advice_id, number=number, sink=sink, channel=channel, payload='{"text":"hot"}')


_OPTION = Option(
    kind="spread-keys",
    steps=("write shards", "read all"),
    commands=(),
    not_helpful=("raising capacity",),
    effect="no throttles",
    effort=Effort.VERY_HIGH,
    risk="low",
    rollback="undo",
    verify="throttles gone for 2 h",
)
_EVIDENCE = Evidence(
    signal="read_throttle_events",
    unit="events",
    kind=EvidenceKind.MEASURED,
    source="cloudwatch",
    low=0.0,
    mid=12.0,
    high=float("inf"),
    window=Span(NOON_S - HOUR, NOON_S),
    points=60,
)
