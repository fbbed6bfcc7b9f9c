"""The last noun of the flow: what to do, and which state that advice is in. Its life is stillfit/lifecycle.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stillfit.model import Confidence, Evidence, Money, Severity, Subject


class Effort(StrEnum):
    VERY_LOW = "very low"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to do. Texts come from the rule; every {name} in them was filled from evidence."""

    kind: str
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    not_helpful: tuple[str, ...]
    """What people try first and why it will not help."""
    effect: str
    effort: Effort
    risk: str
    rollback: str
    verify: str


class AdviceState(StrEnum):
    PENDING = "pending"  # the rule fires, its dwell time has not passed: shown to nobody
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"


LIVE_STATES = frozenset({AdviceState.OPEN, AdviceState.ACKNOWLEDGED, AdviceState.SNOOZED})
"""States in which the cause is believed to stand and people were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do about one subject. The fingerprint holds no numbers, so a new value updates the same record."""

    id: str
    fingerprint: str
    rule: str
    rule_version: int
    subject: Subject
    title: str
    summary: str
    cause: str
    severity: Severity
    confidence: Confidence
    option: Option
    evidence: tuple[Evidence, ...]
    group: str = ""
    """Options that exclude each other share a group."""
    rank: int = 0
    """Within a group the lowest is shown: right-size, then mode, then class, then commitment."""
    superseded_by: str = ""
    """Id of the advice of its group that is shown in its place; while it is set, this one is not opened."""
    saving: Money | None = None
    state: AdviceState = AdviceState.PENDING
    state_reason: str = ""
    state_by: str = "stillfit"
    state_since: datetime
    snooze_until: datetime | None = None
    """When a snooze or a dismissal ends."""
    first_seen: datetime
    last_seen: datetime
    judged_until: datetime
    """End of the newest settled window this record was judged on; time accrues from here, never twice."""
    firing_s: int = 0
    """Observed time for which the rule fired without a break; unknown time does not count."""
    clear_s: int = 0
    """Observed time for which `clear_when` held without a break."""
    transitions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of state that people may be told of. (advice_id, number) is unique: a replay makes no second one."""

    advice_id: str
    number: int
    before: AdviceState
    after: AdviceState
    at: datetime
    reason: str
    by: str
