"""Messages worth looking at: one per state, some that are hard. Golden files and screenshots come from here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stillfit.advice import Advice, AdviceState, Effort, Option, Transition
from stillfit.model import Confidence, Engine, EvidenceKind, Severity, Subject
from tests.notify.builders import NOON, ORDERS, advice, evidence, transition

Scene = tuple[Advice, Transition]

HOSTILE = (
    "<!channel>",
    "*x* _y_ ~z~ `w`",
    "<https://evil.example|ok>",
    "a\nb\r\n> quoted",
    "or\u202eders\u2066",
    ":fire: \U0001f525",
    "n" * 255,
    "{{ title }} ${x} %s {0}",
    "&lt;!here&gt; <@U012> <#C012|general>",
    "```end``` \x00\x1b[31m",
)
"""Names that must be shown as they are, and do nothing."""

JOBS = Subject(engine=Engine.CASSANDRA, scope=("shop", "dc1"), keyspace="shop", table="jobs")
TOMBSTONES = Option(
    kind="queue",
    steps=(
        "Stop reading from the start of the partition: keep the last read id and read from there",
        "Move jobs to time-bucketed partitions and drop whole buckets",
    ),
    commands=(
        "nodetool tablestats shop.jobs",
        "ALTER TABLE shop.jobs WITH compaction = {'class': 'TimeWindowCompactionStrategy'};",
    ),
    not_helpful=("Lowering gc_grace_seconds below the repair interval: deleted rows can come back",),
    effect="reads skip no tombstones",
    effort=Effort.HIGH,
    risk="readers must know the bucket",
    rollback="write to both tables until the new one is proven",
    verify="tombstones per read stay below 10 for a day",
)


def scenes() -> dict[str, Scene]:
    later = NOON + timedelta(hours=2, minutes=30)
    on: dict[str, Any] = {"at": later, "before": AdviceState.OPEN}
    return {
        "open_critical": (advice(), transition()),
        "open_warning": (_tombstones(), transition(advice_id="A-7e57ab1e00")),
        "severity_rose": (
            advice(),
            transition(AdviceState.OPEN, 2, reason="severity rose from warning to critical", **on),
        ),
        "acknowledged": (
            advice(state=AdviceState.ACKNOWLEDGED),
            transition(AdviceState.ACKNOWLEDGED, 2, by="ada", reason="taken on by ada", **on),
        ),
        "snoozed": (
            advice(state=AdviceState.SNOOZED, snooze_until=NOON + timedelta(days=1)),
            transition(AdviceState.SNOOZED, 2, by="ada", reason="the backfill ends tomorrow", **on),
        ),
        "dismissed": (
            advice(state=AdviceState.DISMISSED, snooze_until=NOON + timedelta(days=90)),
            transition(AdviceState.DISMISSED, 2, by="ada", reason="the table is retired in January", **on),
        ),
        "resolved": (
            advice(state=AdviceState.RESOLVED),
            transition(AdviceState.RESOLVED, 3, reason="seen clear for 30 min", **on),
        ),
        "came_back": (
            advice(),
            transition(AdviceState.OPEN, 4, at=later, before=AdviceState.RESOLVED, reason="came back: 12 % throttled"),
        ),
        "hostile_name": (_hostile(), transition(reason=HOSTILE[0])),
    }


def named(name: str) -> Advice:
    """Advice of which every text is this name."""
    option = Option(
        kind=name,
        steps=(name,) * 3,
        commands=(name,) * 2,
        not_helpful=(name,),
        effect=name,
        effort=Effort.LOW,
        risk=name,
        rollback=name,
        verify=name,
    )
    subject = Subject(engine=Engine.CASSANDRA, scope=(name, name), keyspace=name, table=name, node=name)
    return advice(
        subject=subject, title=name, summary=name, option=option, rule=name, evidence=(evidence(name, None, text=name),)
    )


def _hostile() -> Advice:
    subject = Subject(engine=Engine.DYNAMODB, scope=ORDERS.scope, table=HOSTILE[0], index=HOSTILE[2])
    return advice(subject=subject, summary=HOSTILE[4] + HOSTILE[1])


def _tombstones() -> Advice:
    return advice(
        id="A-7e57ab1e00",
        rule="cassandra.queue_tombstones",
        subject=JOBS,
        title="Queue reads drown in tombstones",
        summary="Reads of shop.jobs skip 2,140 tombstones each (median of 3 nodes). Rows are deleted after they are "
        "read, so each read passes all that was deleted within gc_grace (10 d).",
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        option=TOMBSTONES,
        saving=None,
        evidence=(
            evidence("tombstones_per_read", 2140.0, "", low=1890.0, high=2400.0),
            evidence("read_latency_p99", 84.0, "ms"),
            evidence("gc_grace", None, "", text="10 d", kind=EvidenceKind.DECLARED),
            evidence("live_rows_per_read", 12.0, "", coverage=0.66),
        ),
    )
