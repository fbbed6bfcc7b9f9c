"""Advice, transitions and an outbox in memory for the tests of telling people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stillfit.advice import Advice, AdviceState, Effort, Option, Transition
from stillfit.clock import FakeClock
from stillfit.model import Confidence, Engine, Evidence, EvidenceKind, Money, Severity, Subject
from stillfit.notify.message import message
from stillfit.store.outbox import MessageRecord, OutboxMessage, OutboxRow, OutboxState

NOON = FakeClock().now()
ORDERS = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"), table="orders")

HOT_PARTITION = Option(
    kind="shard the key",
    steps=(
        "Add a write shard suffix to customer_id, 8 values, and read all 8 in the queries by customer",
        "If that cannot be done today: spread the batch job that writes one customer over an hour",
    ),
    commands=("aws dynamodb describe-table --table-name orders --region eu-west-1",),
    not_helpful=("Raising WCU: one partition takes 1,000 a second whatever the table has",),
    effect="no throttled writes at today's load",
    effort=Effort.MEDIUM,
    risk="queries by customer read 8 keys",
    rollback="write without the suffix again; old items stay readable",
    verify="throttled writes stay at zero for a day",
)


def evidence(signal: str = "throttled_share", mid: float | None = 31.0, unit: str = "%", **more: Any) -> Evidence:
    fields = {"kind": EvidenceKind.MEASURED, "source": "aws/123456789012/eu-west-1", "low": mid, "high": mid} | more
    return Evidence(signal=signal, unit=unit, mid=mid, **fields)


def advice(**changes: Any) -> Advice:
    fields: dict[str, Any] = {
        "id": "A-1f00c0ffee",
        "fingerprint": "dynamodb.hot_partition|orders",
        "rule": "dynamodb.hot_partition",
        "rule_version": 1,
        "subject": ORDERS,
        "title": "Hot partition",
        "summary": "31 % of writes were throttled for 42 min while the table used 38 % of its capacity. "
        "One key range takes the load.",
        "cause": "key range",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.HIGH,
        "option": HOT_PARTITION,
        "evidence": (
            evidence(),
            evidence("consumed_write_units", 380.0, "WCU/s", low=371.0, high=395.0),
            evidence("provisioned_write_units", 1000.0, "WCU/s"),
            evidence("throttle_reason", None, "", text="KeyRangeThroughputExceeded 98 %", kind=EvidenceKind.DERIVED),
        ),
        "saving": Money(low=310, mid=410, high=520, price_date=datetime(2026, 10, 1), arithmetic="WCU-hours x price"),
        "state": AdviceState.OPEN,
        "state_since": NOON,
        "first_seen": NOON - timedelta(minutes=42),
        "last_seen": NOON,
        "judged_until": NOON,
        "transitions": 1,
    }
    return Advice(**(fields | changes))


def transition(
    after: AdviceState = AdviceState.OPEN,
    number: int = 1,
    *,
    before: AdviceState = AdviceState.PENDING,
    **changes: Any,
) -> Transition:
    fields: dict[str, Any] = {"advice_id": advice().id, "at": NOON, "reason": "", "by": "stillfit"}
    return Transition(after=after, number=number, before=before, **(fields | changes))


def queued(number: int = 1, *, sink: str = "slack", channel: str = "stillfit", advice_id: str = "A-1") -> OutboxMessage:
    said = message(advice(id=advice_id), transition(number=number, advice_id=advice_id), instance="test")
    return OutboxMessage(advice_id=advice_id, number=number, sink=sink, channel=channel, payload=said.dump())


class MemoryOutbox:
    """The outbox without a database; enough of its contract for one sender."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.rows: dict[str, OutboxRow] = {}
        self.holds: dict[str, datetime] = {}
        self.records: dict[tuple[str, str], MessageRecord] = {}

    def add(self, *messages: OutboxMessage) -> None:
        now = self._clock.now()
        for one in messages:
            row = OutboxRow(
                id=one.id,
                advice_id=one.advice_id,
                number=one.number,
                sink=one.sink,
                channel=one.channel,
                payload=one.payload,
                state=OutboxState.QUEUED,
                attempts=0,
                due_at=now,
                created_at=now,
                changed_at=now,
            )
            self.rows.setdefault(one.id, row)

    def claim(self, now: datetime, epoch: int | None) -> OutboxRow | None:
        for row in sorted(self.rows.values(), key=lambda one: (one.created_at, one.number)):
            due = row.state is OutboxState.QUEUED and row.due_at <= now
            if due and self.holds.get(row.channel, now) <= now and not self._earlier(row):
                return self._set(row.id, state=OutboxState.SENDING, attempts=row.attempts + 1)
        return None

    def _earlier(self, row: OutboxRow) -> bool:
        waiting = {OutboxState.QUEUED, OutboxState.SENDING}
        same = [one for one in self.rows.values() if (one.advice_id, one.sink) == (row.advice_id, row.sink)]
        return any(one.number < row.number and one.state in waiting for one in same)

    def mark_sent(self, row_id: str, receipt: str, *, epoch: int | None, record: MessageRecord | None = None) -> None:
        self._set(row_id, state=OutboxState.SENT, receipt=receipt, error="")
        if record is not None:
            self.remember(record, epoch=epoch)

    def retry_at(self, row_id: str, when: datetime, error: str, *, epoch: int | None) -> None:
        self._set(row_id, state=OutboxState.QUEUED, due_at=when, error=error)

    def fail(self, row_id: str, error: str, *, epoch: int | None) -> None:
        self._set(row_id, state=OutboxState.FAILED, error=error)

    def sending(self) -> tuple[OutboxRow, ...]:
        return tuple(row for row in self.rows.values() if row.state is OutboxState.SENDING)

    def queued(self, channel: str | None = None, limit: int = 100) -> tuple[OutboxRow, ...]:
        return tuple(row for row in self.rows.values() if row.state is OutboxState.QUEUED)[:limit]

    def hold(self, channel: str, until: datetime) -> None:
        self.holds[channel] = max(until, self.holds.get(channel, until))

    def held(self, now: datetime) -> Mapping[str, datetime]:
        return {channel: until for channel, until in self.holds.items() if until > now}

    def message(self, advice_id: str, sink: str) -> MessageRecord | None:
        return self.records.get((advice_id, sink))

    def remember(self, record: MessageRecord, *, epoch: int | None) -> None:
        self.records[record.advice_id, record.sink] = record

    def counts(self) -> Mapping[OutboxState, int]:
        return {state: sum(row.state is state for row in self.rows.values()) for state in OutboxState}

    def _set(self, row_id: str, **values: Any) -> OutboxRow:
        self.rows[row_id] = replace(self.rows[row_id], changed_at=self._clock.now(), **values)
        return self.rows[row_id]
