"""The findings document: what `--format json` prints, with a published JSON Schema (docs/findings.schema.json).

A contract with other people's programs: fields are added, never renamed or removed, within one `version`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from stillfit import __version__
from stillfit.advice import Advice, AdviceState
from stillfit.cycle import Turn
from stillfit.model import CostFigure, Evidence, Finding, FitVerdict, Gap, Judgement, Money, Subject, Unknown


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SubjectOut(_Out):
    id: str
    """Stable text form: engine/scope/scope/table=.../index=..."""
    name: str
    """What an operator calls it."""
    engine: str
    scope: tuple[str, str]


class EvidenceOut(_Out):
    signal: str
    kind: Literal["measured", "derived", "declared", "assumed"]
    unit: str
    low: float | None
    mid: float | None
    high: float | None
    text: str
    source: str
    window: tuple[datetime, datetime] | None
    points: int
    coverage: float
    freshness_s: int


class FindingOut(_Out):
    detector: str
    subject: SubjectOut
    cause: str
    severity: Literal["info", "warning", "critical"]
    confidence: Literal["low", "medium", "high"]
    since: datetime
    summary: str
    evidence: tuple[EvidenceOut, ...]


class UnknownOut(_Out):
    detector: str
    subject: SubjectOut
    reason: str
    missing: tuple[str, ...]


class MoneyOut(_Out):
    low: float
    mid: float
    high: float
    price_date: datetime
    arithmetic: str


class AdviceOut(_Out):
    id: str
    rule: str
    rule_version: int
    subject: SubjectOut
    state: Literal["pending", "open", "acknowledged", "snoozed", "dismissed", "resolved"]
    title: str
    summary: str
    severity: Literal["info", "warning", "critical"]
    confidence: Literal["low", "medium", "high"]
    kind: str
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    not_helpful: tuple[str, ...]
    effect: str
    effort: str
    risk: str
    rollback: str
    verify: str
    saving: MoneyOut | None
    since: datetime
    evidence: tuple[EvidenceOut, ...]


class CostOut(_Out):
    subject: SubjectOut
    option: str
    component: str
    usd_per_month: MoneyOut
    assumptions: tuple[str, ...]


class BlockerOut(_Out):
    id: str
    sentence: str
    certain: bool


class FitOut(_Out):
    workload: str
    candidate: str
    is_current: bool
    state: Literal["fits", "fits with changes", "strained", "does not fit", "unknown"]
    blockers: tuple[BlockerOut, ...]
    missing: tuple[str, ...]


class CoverageOut(_Out):
    """How many subjects each detector was asked about, and what it could say."""

    detector: str
    found: int
    nothing: int
    unknown: int


class GapOut(_Out):
    subject: SubjectOut
    missing: str
    reason: str
    detail: str
    source: str


class PlaceOut(_Out):
    """What one region of one account has."""

    account: str
    region: str
    tables: int
    indexes: int
    keyspaces_tables: int
    dax_clusters: int


class AnsweredOut(_Out):
    """How many of the detectors that were asked about one table, its indexes included, could judge."""

    subject: SubjectOut
    asked: int
    answered: int
    unanswered: tuple[str, ...]


class DeniedOut(_Out):
    """A permission that was not granted."""

    action: str
    affected: int
    """Tables, indexes, clusters or regions that miss something by it."""
    blind: str
    essential: bool


class SpentOut(_Out):
    """What the look cost."""

    usd: float
    metrics: int
    calls: int
    datapoints: int
    seconds: float


class FleetOut(_Out):
    """The accounts and regions of a look at AWS."""

    places: tuple[PlaceOut, ...]
    answered: tuple[AnsweredOut, ...]
    denied: tuple[DeniedOut, ...]
    spent: SpentOut
    usd_per_month: float
    """What the daemon would spend on reading the same, as things are."""


class FindingsDocument(_Out):
    """Everything one look found, what it could not judge, and what it advises."""

    version: Literal[1] = 1
    stillfit: str
    at: datetime
    findings: tuple[FindingOut, ...]
    unknowns: tuple[UnknownOut, ...]
    advice: tuple[AdviceOut, ...]
    fit: tuple[FitOut, ...]
    cost: tuple[CostOut, ...]
    coverage: tuple[CoverageOut, ...]
    gaps: tuple[GapOut, ...]
    fleet: FleetOut | None = None
    """Only of `stillfit check --aws`."""


SHOWN = frozenset(AdviceState) - {AdviceState.PENDING}


def document(turn: Turn, gaps: Iterable[Gap], fleet: FleetOut | None = None) -> FindingsDocument:
    """A turn as the published document, worst first."""
    judged = (*turn.judgements, *turn.unpriced)
    found = [judgement.answer for judgement in judged if isinstance(judgement.answer, Finding)]
    return FindingsDocument(
        stillfit=__version__,
        at=turn.at,
        findings=tuple(_finding(one) for one in sorted(found, key=lambda f: (-f.severity.rank, str(f.subject)))),
        unknowns=tuple(_unknown(j, j.answer) for j in judged if isinstance(j.answer, Unknown)),
        advice=tuple(advice_out(one) for one in worst_first(turn.advice)),
        fit=tuple(_fit(verdict) for verdict in turn.fits),
        cost=tuple(_cost(figure) for figure in turn.costs),
        coverage=coverage(judged),
        gaps=tuple(_gap(gap) for gap in gaps),
        fleet=fleet,
    )


def worst_first(advice: Iterable[Advice], *, waiting: bool = False) -> tuple[Advice, ...]:
    """What people are shown, in the order in which they should read it; or what waits to be told."""
    states = frozenset({AdviceState.PENDING}) if waiting else SHOWN
    shown = [record for record in advice if record.state in states and not (waiting and record.superseded_by)]
    return tuple(sorted(shown, key=lambda record: (-record.severity.rank, str(record.subject), record.rule)))


def coverage(judged: Iterable[Judgement]) -> tuple[CoverageOut, ...]:
    counts = Counter((judgement.detector, _kind(judgement)) for judgement in judged)
    detectors = sorted({detector for detector, _ in counts})
    return tuple(
        CoverageOut(
            detector=name,
            found=counts[name, "found"],
            nothing=counts[name, "nothing"],
            unknown=counts[name, "unknown"],
        )
        for name in detectors
    )


def _kind(judgement: Judgement) -> str:
    if isinstance(judgement.answer, Finding):
        return "found"
    return "unknown" if isinstance(judgement.answer, Unknown) else "nothing"


def subject_out(subject: Subject) -> SubjectOut:
    return SubjectOut(id=str(subject), name=subject.name, engine=subject.engine.value, scope=subject.scope)


def _evidence(evidence: tuple[Evidence, ...]) -> tuple[EvidenceOut, ...]:
    return tuple(
        EvidenceOut(
            signal=one.signal,
            kind=one.kind.value,
            unit=one.unit,
            low=_finite(one.low),
            mid=_finite(one.mid),
            high=_finite(one.high),
            text=one.text,
            source=one.source,
            window=(one.window.starts_at, one.window.ends_at) if one.window else None,
            points=one.points,
            coverage=one.coverage,
            freshness_s=one.freshness_s,
        )
        for one in evidence
    )


def _finite(number: float | None) -> float | None:
    """JSON has no infinity; an open end is told as absent."""
    return number if number is not None and math.isfinite(number) else None


def _finding(finding: Finding) -> FindingOut:
    return FindingOut(
        detector=finding.detector,
        subject=subject_out(finding.subject),
        cause=finding.cause,
        severity=finding.severity.value,
        confidence=finding.confidence.value,
        since=finding.since,
        summary=finding.summary,
        evidence=_evidence(finding.evidence),
    )


def _unknown(judgement: Judgement, unknown: Unknown) -> UnknownOut:
    subject = subject_out(judgement.subject)
    return UnknownOut(detector=judgement.detector, subject=subject, reason=unknown.reason, missing=unknown.missing)


def _money(money: Money) -> MoneyOut:
    return MoneyOut(
        low=money.low, mid=money.mid, high=money.high, price_date=money.price_date, arithmetic=money.arithmetic
    )


def advice_out(record: Advice) -> AdviceOut:
    return AdviceOut(
        id=record.id,
        rule=record.rule,
        rule_version=record.rule_version,
        subject=subject_out(record.subject),
        state=record.state.value,
        title=record.title,
        summary=record.summary,
        severity=record.severity.value,
        confidence=record.confidence.value,
        kind=record.option.kind,
        steps=record.option.steps,
        commands=record.option.commands,
        not_helpful=record.option.not_helpful,
        effect=record.option.effect,
        effort=record.option.effort.value,
        risk=record.option.risk,
        rollback=record.option.rollback,
        verify=record.option.verify,
        saving=_money(record.saving) if record.saving else None,
        since=record.state_since,
        evidence=_evidence(record.evidence),
    )


def _cost(figure: CostFigure) -> CostOut:
    return CostOut(
        subject=subject_out(figure.subject),
        option=figure.option,
        component=figure.component,
        usd_per_month=_money(figure.money),
        assumptions=figure.assumptions,
    )


def _fit(verdict: FitVerdict) -> FitOut:
    return FitOut(
        workload=verdict.workload,
        candidate=verdict.candidate,
        is_current=verdict.is_current,
        state=verdict.state.value,
        blockers=tuple(BlockerOut(id=b.id, sentence=b.sentence, certain=b.certain) for b in verdict.blockers),
        missing=verdict.missing,
    )


def _gap(gap: Gap) -> GapOut:
    subject = subject_out(gap.subject)
    return GapOut(subject=subject, missing=gap.missing, reason=gap.reason.value, detail=gap.detail, source=gap.source)
