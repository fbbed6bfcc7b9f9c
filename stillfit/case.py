"""What an analyzer sees, and how it is asked.

A `Case` is one subject with its window, its related subjects, attribute changes, gaps and thresholds. A total exists
only where coverage is proven: what an analyzer `needs` and the case cannot prove is answered Unknown by `judge`, so
that `find` never sees a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from stillfit.metrics import METRICS
from stillfit.model import (
    Answer,
    AttributeChange,
    Attributes,
    CostFigure,
    Evidence,
    EvidenceKind,
    Gap,
    GapReason,
    Judgement,
    Level,
    Series,
    Span,
    Statistic,
    Subject,
    Unknown,
    Value,
)
from stillfit.series import aligned, common_period, covered_s

MIN_COVERAGE = 0.9
"""Share of the window that must be vouched for before anything is said (ours: one late page of ten is tolerated)."""


FAULTS = (ArithmeticError, LookupError, TypeError, ValueError)
"""What arithmetic on unforeseen input may raise. Anything else is no matter of one subject."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

_ADDS = frozenset({Statistic.SUM, Statistic.COUNT})


def _fold(values: NDArray[np.float64], statistic: Statistic) -> float:
    """The buckets of a window as one number; a maximum or percentile folds to its maximum. Not all may be NaN."""
    match statistic:
        case Statistic.AVERAGE:
            return float(np.nanmean(values))
        case Statistic.LAST:
            return float(values[~np.isnan(values)][-1])
        case _:
            return float(_across(values, statistic))


def _across(values: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    """Numbers side by side as one, along the first axis; NaN only where all are. Only sums and counts add.

    Of percentiles and maxima nothing more is known of the whole than that its worst part is as bad; levels likewise.
    """
    if statistic in _ADDS:
        return np.where(np.isnan(values).all(axis=0), np.nan, np.nansum(values, axis=0))
    least = statistic is Statistic.MINIMUM
    told: NDArray[np.float64] = (np.fmin if least else np.fmax).reduce(values, axis=0)
    return told


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One subject at one time. Series are already cut to the window and of one resolution, one per key."""

    subject: Subject
    at: datetime
    window: Span
    series: tuple[Series, ...] = ()
    attributes: Attributes | None = None
    node: Attributes | None = None
    """Of a replica: the settings of the node that holds it."""
    changes: tuple[AttributeChange, ...] = ()
    gaps: tuple[Gap, ...] = ()
    related: tuple[Case, ...] = ()
    """A table's indexes and replicas, or the table of an index; these have no related cases of their own."""
    costs: tuple[CostFigure, ...] = ()
    history: Case | None = None
    """The same subject over the analyzer's longer look back, hourly, for what only days can tell (disk growth)."""
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def threshold(self, name: str) -> float:
        return self.thresholds[name]

    def of_level(self, level: Level) -> tuple[Case, ...]:
        """This case where it has the level, else the related ones that have."""
        return (self,) if self.subject.level is level else tuple(c for c in self.related if c.subject.level is level)

    def holders(self, metric: str) -> tuple[Case, ...]:
        """The cases that carry a metric: this one, or its replicas for what only a node can tell."""
        if self.subject.level in METRICS[metric].levels:
            return (self,)
        return tuple(case for case in self.related if case.subject.level in METRICS[metric].levels)

    def parts(self, metric: str, statistic: Statistic) -> tuple[Series, ...]:
        """This subject's own series of a metric, one per dimension."""
        return tuple(one for one in self.series if one.metric == metric and one.statistic is statistic)

    def coverage(self, metric: str) -> float:
        """Share of the window, 0 to 1, that is vouched for, over all subjects that carry the metric."""
        holders = self.holders(metric)
        shares = [
            max((covered_s(one, self.window) for one in case.series if one.metric == metric), default=0)
            for case in holders
        ]
        return sum(shares) / (len(holders) * self.window.seconds) if holders and self.window.seconds else 0.0

    def proves(self, *metrics: str) -> bool:
        """Whether each of the metrics is covered well enough to form a total."""
        return all(self.coverage(metric) >= MIN_COVERAGE for metric in metrics)

    def period_s(self, metric: str) -> int:
        """Of the buckets of a sum in `values`. Raises LookupError where the subject has no such series."""
        parts = self.parts(metric, Statistic.SUM)
        if not parts:
            raise LookupError(f"{metric} of {self.subject} was not read, so it has no period")
        return common_period(parts)

    def values(self, metric: str, statistic: Statistic = Statistic.SUM) -> NDArray[np.float64]:
        """All dimensions of this subject's metric as one, per bucket of the window's grid; NaN where not known.

        Dimensions of different periods are told on the longest of them. Sums and counts add, minima fold to the least
        and all else to the greatest; averages are weighed by the metric's counts where each dimension has them.
        """
        parts = self.parts(metric, statistic)
        if not parts:
            return np.empty(0)
        if statistic is Statistic.AVERAGE and len(parts) > 1:
            return self._averages(metric)
        return _across(aligned(parts, self.window, absent_is_zero=METRICS[metric].absent_is_zero), statistic)

    def _averages(self, metric: str) -> NDArray[np.float64]:
        parts = self.parts(metric, Statistic.AVERAGE)
        counts = {one.dimension: one for one in self.parts(metric, Statistic.COUNT)}
        counted = tuple(counts[one.dimension] for one in parts if one.dimension in counts)
        rows = aligned((*parts, *counted), self.window, absent_is_zero=METRICS[metric].absent_is_zero)
        values, peak = rows[: len(parts)], _across(rows[: len(parts)], Statistic.AVERAGE)
        if len(counted) < len(parts):
            return peak
        weights = np.where(np.isnan(values), 0.0, np.nan_to_num(rows[len(parts) :]))
        weight = weights.sum(axis=0)
        np.divide(np.nansum(values * weights, axis=0), weight, out=peak, where=weight > 0)
        return peak

    def total(self, metric: str, statistic: Statistic = Statistic.SUM) -> float:
        """The window folded to one number over all dimensions and holders: sums add, maxima and percentiles peak.

        Raises LookupError where coverage is not proven: ask `proves` first for what the analyzer only wants.
        """
        if not self.proves(metric):
            raise LookupError(f"{metric} of {self.subject} is covered {self.coverage(metric):.0%}, not proven")
        folded = [number for case in self.holders(metric) if (number := case.fold(metric, statistic)) is not None]
        if not folded:
            return 0.0
        return float(_across(np.array(folded), statistic))

    def fold(self, metric: str, statistic: Statistic) -> float | None:
        """This subject's own number for the window; None where nothing is known."""
        values = self.values(metric, statistic)
        if not len(values) or np.isnan(values).all():
            return None
        return _fold(values, statistic)

    def attribute(self, name: str) -> Value | None:
        return self.attributes.get(name) if self.attributes else None

    def number(self, name: str) -> float | None:
        """A numeric attribute; None where it is not known or not a number."""
        value = self.attribute(name)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def changed(self, name: str, within: timedelta) -> tuple[AttributeChange, ...]:
        """Changes of a setting, newest first, not older than `within` before the end of the window."""
        oldest = self.window.ends_at - within
        found = [c for c in self.changes if c.name == name and oldest <= c.at <= self.window.ends_at]
        return tuple(sorted(found, key=lambda change: change.at, reverse=True))

    def evidence(self, *metrics: str, statistic: Statistic = Statistic.SUM) -> tuple[Evidence, ...]:
        """Each metric's number over the window with its coverage; a metric never seen is left out."""
        found = (self._evidence_of(metric, statistic) for metric in metrics)
        return tuple(one for one in found if one is not None)

    def setting(self, *names: str) -> tuple[Evidence, ...]:
        """Settings as evidence; one that is not known is left out."""
        known = [(name, value) for name in names if (value := self.attribute(name)) is not None]
        return tuple(self._evidence_of_setting(name, value) for name, value in known)

    def _evidence_of(self, metric: str, statistic: Statistic) -> Evidence | None:
        holders = self.holders(metric)
        folded = [number for case in holders if (number := case.fold(metric, statistic)) is not None]
        if not folded:
            return None
        mid = float(_across(np.array(folded), statistic))
        parts = [one for case in holders for one in case.parts(metric, statistic) if len(one.times)]
        newest = max((int(one.times[-1]) + one.period_s for one in parts), default=self.window.start)
        return Evidence(
            signal=metric if statistic is Statistic.SUM else f"{metric}_{statistic}",
            unit=METRICS[metric].unit,
            kind=EvidenceKind.MEASURED,
            source=self.subject.engine.value,
            low=mid,
            mid=mid,
            high=mid,
            window=self.window,
            points=sum(len(one.times) for one in parts),
            coverage=self.coverage(metric),
            freshness_s=max(0, int(self.at.timestamp()) - newest),
        )

    def _evidence_of_setting(self, name: str, value: Value) -> Evidence:
        number = self.number(name)
        text = "" if number is not None else ", ".join(value) if isinstance(value, tuple) else str(value)
        read_at = self.attributes.at if self.attributes else self.at
        return Evidence(
            signal=name,
            unit="",
            kind=EvidenceKind.MEASURED,
            source="settings",
            low=number,
            mid=number,
            high=number,
            text=text,
            points=1,
            freshness_s=max(0, int((self.at - read_at).total_seconds())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A line that an analyzer draws, with the reason for its place; a user may set it per table."""

    name: str
    value: float
    unit: str
    why: str
    """Source (document, version or date), or "ours" with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer:
    """One detector: which levels of subject it judges, on what window, what it must have, and its question."""

    id: str
    levels: frozenset[Level]
    needs: frozenset[str]
    """Metrics without which nothing may be said; uncovered ones end as Unknown before `find` is called."""
    wants: frozenset[str] = frozenset()
    """Metrics that sharpen the answer; `find` asks `case.proves` before it uses one."""
    follows: frozenset[str] = frozenset()
    """Metrics whose newest known time the window follows where a source reads some subjects more rarely."""
    engines: frozenset[str]
    window: timedelta = timedelta(hours=1)
    hourly: bool = False
    """Judge on hourly sums (long windows) instead of the finest period there is."""
    history: timedelta | None = None
    """How far `case.history` looks back, at hourly resolution; None where the window tells enough."""
    causes: Mapping[str, str]
    """The closed set of causes: id -> what it means in one sentence."""
    thresholds: tuple[Threshold, ...] = ()
    find: Callable[[Case], Answer]


def judge(analyzer: Analyzer, case: Case) -> Judgement:
    """Ask one analyzer about one case; what it needs and the case cannot prove is Unknown."""
    missing = tuple(sorted(name for name in analyzer.needs if not case.proves(name)))
    if missing:
        answer: Answer = Unknown("; ".join(why_unproven(case, name) for name in missing), missing)
    else:
        answer = guarded("the detector", analyzer.find, case)
    return Judgement(detector=analyzer.id, subject=case.subject, answer=answer)


def guarded(what: str, asked: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | Unknown:
    """What `asked` answers; a fault of ours in it is Unknown, so that one odd subject never blinds the others.

    Thinking writes no log, so the reason carries the fault to the pages where what is not known stands.
    """
    try:
        return asked(*args, **kwargs)
    except FAULTS as fault:
        return Unknown(f"{what} failed on this: {type(fault).__name__}: {fault}. This is a defect, please report it")


def why_unproven(case: Case, metric: str) -> str:
    """Why a metric is not proven, in the words of the gap where there is one."""
    gap = _gap_of(case, metric)
    if gap is not None:
        return f"{metric}: {gap.reason} ({gap.detail})" if gap.detail else f"{metric}: {gap.reason}"
    return f"{metric}: {case.coverage(metric):.0%} of the window was seen, {MIN_COVERAGE:.0%} needed"


def until_proven(case: Case, metric: str, *, grant: str) -> str:
    """What makes a metric known: a grant where it is denied, time where it is merely young. A gap tells the rest."""
    gap = _gap_of(case, metric)
    if gap is not None:
        return f". {grant}, or state it" if gap.reason is GapReason.DENIED else ""
    wait_s = (MIN_COVERAGE - case.coverage(metric)) * case.window.seconds
    if wait_s <= 0:
        return ""
    wait = f"{wait_s / 3_600:.0f} h" if wait_s >= 2 * 3_600 else f"{-(-wait_s // 60):.0f} min"
    is_young = case.coverage(metric) > 0
    return f". {'If it goes on being' if is_young else 'Once it is'} read, enough will have been seen in {wait}"


def _gap_of(case: Case, metric: str) -> Gap | None:
    return next((gap for one in (case, *case.related) for gap in one.gaps if gap.missing in {metric, "*"}), None)
