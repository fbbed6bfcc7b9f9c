"""Everything known about one judged subject, by signal name: what a rule may ask of. Pure.

Nothing is made up: a signal that is not proven, not known, expired or not a number is absent. A signal is read when it
is asked for, because a rule asks for a handful out of hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import numpy as np

from stillfit.case import Case
from stillfit.costs.demand import Direction, per_second, units_per_request
from stillfit.costs.saving import amount, saving
from stillfit.fit.declared import is_expired
from stillfit.fit.knockouts import NAMES
from stillfit.known import Known, checked, derived, number_of, of_money, renamed, text_of, typed
from stillfit.model import (
    Answer,
    CostFigure,
    Evidence,
    EvidenceKind,
    Finding,
    FitState,
    FitVerdict,
    Level,
    Money,
    Span,
    Statistic,
    Subject,
    Unknown,
    Value,
    Workload,
)
from stillfit.signals import OPTIONS, SIGNALS, Origin, Signal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """One subject at one time, as rules see it."""

    subject: Subject
    at: datetime
    window: Span
    answer: Answer = None
    """What the rule's detector said: a finding, Unknown, or None for looked and found nothing."""
    named: Mapping[str, Known]
    """Every signal that is known; look one up, since each is read only when it is asked for."""
    savings: Mapping[str, Money] = field(default_factory=lambda: MappingProxyType({}))
    """By signal-style option ("on_demand"): what it would save a month, low to high."""

    def value(self, name: str) -> Value | None:
        """The signal's value; None where it is absent."""
        known = self.named.get(name)
        return None if known is None else known.value

    def evidence(self, *names: str) -> tuple[Evidence, ...]:
        """What the named signals rest on; absent ones are left out."""
        return tuple(known.evidence for name in names if (known := self.named.get(name)) is not None)

    @property
    def finding(self) -> Finding | None:
        return self.answer if isinstance(self.answer, Finding) else None

    @property
    def unknown(self) -> Unknown | None:
        return self.answer if isinstance(self.answer, Unknown) else None


def gather(
    answer: Answer,
    case: Case,
    *,
    costs: tuple[CostFigure, ...] = (),
    workload: Workload | None = None,
    fits: tuple[FitVerdict, ...] = (),
) -> Facts:
    """Join what a detector answered with measurements, settings, costs, the fit and what people declared."""
    named = _Named(answer=answer, case=case, costs=costs or case.costs, workload=workload, fits=fits)
    return Facts(
        subject=case.subject,
        at=case.at,
        window=case.window,
        answer=answer,
        named=named,
        savings=MappingProxyType(named.savings()),
    )


def subject_facts(subject: Subject, window: Span) -> dict[str, Known]:
    """What a subject tells by itself."""
    values: dict[str, Value] = {
        "engine": subject.engine.value,
        "level": subject.level.value,
        "table": subject.table,
        "index": subject.index,
        "keyspace": subject.keyspace,
        "node": subject.node,
        "region": subject.scope[1],
        "window_days": window.seconds / 86400,
    }
    known = {name: derived(SIGNALS[name], value, "subject", window) for name, value in values.items()}
    return {name: one for name, one in known.items() if one is not None}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Named(Mapping[str, Known]):
    """Reads a signal from where its registry entry says."""

    answer: Answer
    case: Case
    costs: tuple[CostFigure, ...]
    workload: Workload | None
    fits: tuple[FitVerdict, ...]
    read: dict[str, Known | None] = field(default_factory=dict)
    """What was asked for already: a clause, its evidence and its sentence ask for the same signal."""

    def __getitem__(self, name: str) -> Known:
        if name not in self.read:
            signal = SIGNALS.get(name)
            self.read[name] = None if signal is None else self._found(signal) or self._read(signal)
        known = self.read[name]
        if known is None:
            raise KeyError(name)
        return known

    def __iter__(self) -> Iterator[str]:
        return (name for name in SIGNALS if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def focus(self) -> Case:
        """The case of what the finding is about: an index of the judged table, or the judged subject itself."""
        about = self.answer.subject if isinstance(self.answer, Finding) else self.case.subject
        return next((case for case in (self.case, *self.case.related) if case.subject == about), self.case)

    def savings(self) -> dict[str, Money]:
        table = self.case.subject.parent
        others = {name: saving(self.costs, table, option) for name, option in OPTIONS.items() if name != "current"}
        return {name: money for name, money in others.items() if money is not None}

    def figure(self, option: str, component: str) -> Money | None:
        return amount(self.costs, self.case.subject.parent, option, component)

    def _found(self, signal: Signal) -> Known | None:
        """What the finding itself brings under this name goes before what the case would say: it was judged on it."""
        if not isinstance(self.answer, Finding) or signal.origin is Origin.DECLARED:
            return None
        found = (one for one in self.answer.evidence if one.signal == signal.name)
        evidence = next((one for one in found if one.kind is not EvidenceKind.DECLARED), None)
        return None if evidence is None else typed(signal, evidence)

    def _read(self, signal: Signal) -> Known | None:
        match signal.origin:
            case Origin.FINDING:
                return self._finding(signal)
            case Origin.SUBJECT:
                return self._subject(signal)
            case Origin.METRIC:
                return self._metric(signal)
            case Origin.SETTING:
                return self._setting(signal)
            case Origin.COST:
                return self._cost(signal)
            case Origin.FIT:
                return self._fit(signal)
            case Origin.DECLARED:
                return self._declared(signal)
            case Origin.EVIDENCE:
                return None  # only a finding brings it

    def _finding(self, signal: Signal) -> Known | None:
        if isinstance(self.answer, Unknown):
            return None
        finding = self.answer
        values: dict[str, Value] = {
            "cause": finding.cause if finding else "",
            "severity": finding.severity.value if finding else "",
            "confidence": finding.confidence.value if finding else "",
            "affected": finding.subject.name if finding else "",
            "affects_index": finding is not None and finding.subject.level is Level.INDEX,
        }
        if signal.name == "refused_direction":
            return _refused_direction(signal, finding, self.case.window)
        return derived(signal, values[signal.name], finding.detector if finding else "detector", self.case.window)

    def _subject(self, signal: Signal) -> Known | None:
        return subject_facts(self.focus.subject, self.case.window)[signal.name]

    def _setting(self, signal: Signal) -> Known | None:
        case = self._of(signal)
        if case is None:
            return None
        if signal.form == "exists":
            there = _exists(signal.of, case)
            return None if there is None else derived(signal, there, "settings", case.window)
        if signal.form:
            mode = _insights(signal.form, case)
            return None if mode is None else derived(signal, mode, "settings", case.window)
        value = case.attribute(signal.of)
        if value is None:
            return None
        (evidence,) = case.setting(signal.of)
        return checked(signal, value, renamed(evidence, signal))

    def _metric(self, signal: Signal) -> Known | None:
        case = self._of(signal)
        if case is None:
            return None
        if signal.form == "demand":
            return _demand(signal, case)
        found = case.evidence(signal.of, statistic=signal.statistic) if case.proves(signal.of) else ()
        if not found:
            return None
        number = _formed(signal, case, found[0])
        return checked(signal, number, renamed(found[0], signal, number)) if number is not None else None

    def _cost(self, signal: Signal) -> Known | None:
        if signal.form.startswith("saving"):
            name = next(name for name, option in OPTIONS.items() if option == signal.of)
            money = self.savings().get(name)
        else:
            money = self.figure(signal.of, signal.form)
        if money is None:
            return None
        value = money.low if signal.form == "saving_low" else money.mid
        return checked(signal, value, of_money(signal, money, self.case.window))

    def _fit(self, signal: Signal) -> Known | None:
        current = next((one for one in self.fits if one.is_current), None)
        if self.workload is None or current is None or self.case.subject != min(self.workload.tables):
            return None
        certain = tuple(one for one in current.blockers if one.certain)
        open_to = {FitState.FITS, FitState.FITS_WITH_CHANGES}
        values: dict[str, Value] = {
            "workload": self.workload.name,
            "fit_state": current.state.value,
            "fit_blockers": tuple(one.id for one in certain),
            "fit_blocker_sentences": tuple(one.sentence for one in certain),
            "fit_database": NAMES.get(current.candidate, current.candidate),
            "fit_reasons": " ".join(map(as_sentence, (one.sentence for one in certain))),
            "fit_standing": f"{len(certain)} knock-out{' stands' if len(certain) == 1 else 's stand'}",
            "fit_possible_blockers": tuple(one.id for one in current.blockers if not one.certain),
            "fit_alternatives": tuple(o.candidate for o in self.fits if not o.is_current and o.state in open_to),
        }
        return derived(signal, values[signal.name], "fit", self.case.window)

    def _declared(self, signal: Signal) -> Known | None:
        fact = self.workload.fact(signal.of) if self.workload else None
        if fact is None or is_expired(fact, self.case.at):
            return None
        number = number_of(fact.value)
        evidence = Evidence(
            signal=signal.name,
            unit=signal.unit,
            kind=EvidenceKind.DECLARED,
            source=fact.owner,
            low=number,
            mid=number,
            high=number,
            text="" if number is not None else text_of(fact.value),
            freshness_s=max(0, int((self.case.at - fact.declared_at).total_seconds())),
        )
        return checked(signal, fact.value, evidence)

    def _of(self, signal: Signal) -> Case | None:
        """The case a signal is read from: what the finding is about, or its table."""
        if not signal.of_table:
            return self.focus
        table = self.focus.subject.parent
        if table == self.focus.subject:
            return None
        return next((case for case in (self.case, *self.case.related) if case.subject == table), None)


def as_sentence(text: str) -> str:
    """A clause as a sentence of its own: a capital at its start and a full stop at its end."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole.endswith(('.', '!', '?')) else '.'}" if whole else ""


def _exists(setting: str, case: Case) -> bool | None:
    """Whether a setting that only some have is there; not known where settings, or this one, could not be read."""
    if case.attribute(setting) is not None:
        return True
    unread = any(gap.missing in {setting, "*"} for gap in case.gaps)
    return None if unread or case.attributes is None else False


def _insights(form: str, case: Case) -> str | None:
    """The mode that is on, or the one to switch on: THROTTLED_KEYS, the cheaper (developer guide).

    Where it is not known whether it is on, no mode is advised, as that would change the one that may be on.
    """
    mode, level = case.attribute("contributor_insights"), case.subject.level
    if form == "insights_switched_on":
        return str(mode) if mode not in {None, "", "FAILED"} else None
    if form == "insights_unread":
        return "dynamodb:DescribeContributorInsights" if mode is None else None
    wanted = Level.INDEX if form.startswith("index_") else Level.TABLE
    return "THROTTLED_KEYS" if level is wanted and mode == "" else None


def _refused_direction(signal: Signal, finding: Finding | None, window: Span) -> Known | None:
    """The one direction whose refusals the finding rests on; not known where it rests on undirected counts."""
    if finding is None:
        return derived(signal, "", "detector", window)
    counted = (one.signal for one in finding.evidence if one.signal.endswith("_throttle_events"))
    told = {name.split("_")[0] for name in counted}
    return derived(signal, told.pop(), finding.detector, window) if len(told) == 1 else None


def _formed(signal: Signal, case: Case, evidence: Evidence) -> float | None:
    """A metric's number in the form that the signal asks for."""
    if signal.form == "rate" and evidence.mid is not None:
        return evidence.mid / (case.window.seconds * evidence.coverage)
    if signal.form == "peak":
        rates = [per_second(holder, signal.of) for holder in case.holders(signal.of)]
        known = [float(np.nanmax(rate)) for rate in rates if len(rate) and not np.isnan(rate).all()]
        return max(known, default=None)
    return evidence.mid


def _demand(signal: Signal, case: Case) -> Known | None:
    """Sized from demand: what was consumed and what was refused, each refusal as large as a served request."""
    consumed, refused = f"consumed_{signal.of}_units", f"{signal.of}_throttle_events"
    if not case.proves(consumed, refused):
        return None
    rate, events = per_second(case, consumed), per_second(case, refused)
    if len(rate) != len(events) or not len(rate) or np.isnan(rate).all():
        return None
    peak = float(np.nanmax(rate + np.nan_to_num(events) * units_per_request(case, Direction(signal.of))))
    found = case.evidence(consumed, statistic=Statistic.SUM)
    return checked(signal, peak, renamed(found[0], signal, peak)) if found else None
