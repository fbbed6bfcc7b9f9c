"""What is known at one time, and the cases that are cut from it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from stillfit.case import Analyzer, Case
from stillfit.model import (
    AttributeChange,
    Attributes,
    CostFigure,
    Engine,
    Gap,
    Level,
    Series,
    SeriesKey,
    Span,
    Subject,
    Workload,
)
from stillfit.series import cut, merge

HOUR = 3600

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Everything one turn may look at. `spans` says, per engine, which stretch has settled and may be judged."""

    at: datetime
    spans: Mapping[Engine, Span]
    subjects: tuple[Subject, ...]
    lags: Mapping[Engine, int] = field(default_factory=dict)
    """Per engine by how many seconds what is known of one subject may lag behind `spans` without being missed."""
    series: tuple[Series, ...] = ()
    attributes: tuple[Attributes, ...] = ()
    changes: tuple[AttributeChange, ...] = ()
    gaps: tuple[Gap, ...] = ()
    workloads: tuple[Workload, ...] = ()

    def cases(
        self, analyzer: Analyzer, thresholds: Callable[[Analyzer, Subject], Mapping[str, float]]
    ) -> Iterator[Case]:
        """One case for each subject that the analyzer judges, on its window and resolution."""
        for subject in self.subjects:
            if subject.engine in analyzer.engines and subject.level in analyzer.levels and subject.engine in self.spans:
                yield _drawn(self.case(subject, analyzer), thresholds(analyzer, subject))

    def case(self, subject: Subject, analyzer: Analyzer, costs: tuple[CostFigure, ...] = ()) -> Case:
        """One subject as an analyzer sees it, with its indexes and replicas, or its table."""
        window = self._known(self.window(subject.engine, analyzer), subject, analyzer)
        alone = self._alone(subject, analyzer, window)
        family = self._families[subject.parent]
        related = tuple(self._alone(other, analyzer, window) for other in family if other != subject)
        return replace(alone, related=related, costs=costs)

    def window(self, engine: Engine, analyzer: Analyzer) -> Span:
        """The newest settled stretch of the analyzer's length, or all there is when that is shorter."""
        span = self.spans[engine]
        end = span.end // HOUR * HOUR if analyzer.hourly and span.seconds > HOUR else span.end
        return Span(max(span.start, end - int(analyzer.window.total_seconds())), end)

    def _alone(self, subject: Subject, analyzer: Analyzer, window: Span) -> Case:
        case = self._on(subject, window, hourly=analyzer.hourly)
        if analyzer.history is None:
            return case
        span = self.spans[subject.engine]
        longer = Span(max(span.start, window.end - int(analyzer.history.total_seconds())), window.end)
        return replace(case, history=self._on(subject, longer, hourly=True))

    def _known(self, window: Span, subject: Subject, analyzer: Analyzer) -> Span:
        """The window, moved back to where what it follows ends for the subject, if that is merely read rarely.

        Of several metrics the newest counts: one that cannot be read must not hold back what the others tell.
        """
        lag = 0 if analyzer.hourly else self.lags.get(subject.engine, 0)
        ends = [end for metric in analyzer.follows if (end := self._ends.get((subject, metric)))] if lag else []
        back = window.end - max(ends, default=window.end)
        return Span(window.start - back, window.end - back) if 0 < back <= lag else window

    def _on(self, subject: Subject, window: Span, *, hourly: bool) -> Case:
        return Case(
            subject=subject,
            at=self.at,
            window=window,
            series=_resolved(self._series[subject], window, hourly=hourly),
            attributes=self._attributes.get(subject),
            node=self._node(subject),
            changes=tuple(self._changes[subject]),
            gaps=(*self._gaps[subject], *self._scope_gaps(subject)),
        )

    def _node(self, subject: Subject) -> Attributes | None:
        holder = Subject(engine=subject.engine, scope=subject.scope, node=subject.node)
        return self._attributes.get(holder) if subject.level is Level.REPLICA else None

    def _scope_gaps(self, subject: Subject) -> tuple[Gap, ...]:
        """What could not be read of the whole account, cluster or node holds for everything in it."""
        scope = Subject(engine=subject.engine, scope=subject.scope)
        everywhere = replace(scope, scope=(subject.scope[0], ""))
        nameless = replace(scope, scope=("", subject.scope[1]))  # a region whose account could not even be asked for
        node = replace(scope, node=subject.node)
        holders = {holder for holder in (scope, everywhere, nameless, node) if holder != subject}
        return tuple(gap for holder in holders for gap in self._gaps[holder])

    @cached_property
    def _series(self) -> Mapping[Subject, list[Series]]:
        return _grouped(self.series, lambda one: one.subject)

    @cached_property
    def _ends(self) -> Mapping[tuple[Subject, str], int]:
        """Until when each metric of each subject is known."""
        known: defaultdict[tuple[Subject, str], int] = defaultdict(int)
        for one in self.series:
            if one.covered:
                known[one.subject, one.metric] = max(known[one.subject, one.metric], one.covered[-1].end)
        return dict(known)

    @cached_property
    def _changes(self) -> Mapping[Subject, list[AttributeChange]]:
        return _grouped(self.changes, lambda change: change.subject)

    @cached_property
    def _gaps(self) -> Mapping[Subject, list[Gap]]:
        return _grouped(self.gaps, lambda gap: gap.subject)

    @cached_property
    def _attributes(self) -> Mapping[Subject, Attributes]:
        return {one.subject: one for one in sorted(self.attributes, key=lambda one: one.at)}

    @cached_property
    def _families(self) -> Mapping[Subject, list[Subject]]:
        """A table with its indexes and replicas; any other subject is a family of one."""
        families = _grouped(self.subjects, lambda subject: subject.parent)
        for subject in self.subjects:
            if subject.level is Level.INDEX and subject.parent not in families[subject.parent]:
                families[subject.parent].append(subject.parent)
        return families


def _drawn(case: Case, lines: Mapping[str, float]) -> Case:
    """A case and those related to it, judged by the lines of its own subject."""
    return replace(case, thresholds=lines, related=tuple(replace(one, thresholds=lines) for one in case.related))


def _grouped(rows: Iterable[_T], key: Callable[[_T], Subject]) -> defaultdict[Subject, list[_T]]:
    groups: defaultdict[Subject, list[_T]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _resolved(series: Iterable[Series], window: Span, *, hourly: bool) -> tuple[Series, ...]:
    """Each metric once, cut to the window: hourly where the analyzer wants that and it is there, else the finest."""
    pieces: defaultdict[SeriesKey, list[Series]] = defaultdict(list)
    for one in series:
        pieces[one.key].append(cut(one, _whole(window, one.period_s)))
    best: dict[SeriesKey, Series] = {}
    for key, found in pieces.items():
        merged, identity = merge(found), key._replace(period_s=0)
        if identity not in best or _better(merged, best[identity], hourly=hourly):
            best[identity] = merged
    return tuple(best.values())


def _whole(window: Span, period_s: int) -> Span:
    """The part of a window in which hours lie whole.

    The point of an hour that began before the window is not in it, so its time must not be vouched for either. Of
    shorter buckets so little is lost that the window stays as it is.
    """
    first = -(-window.start // period_s) * period_s
    return Span(min(first, window.end), window.end) if period_s >= HOUR else window


def _better(one: Series, other: Series, *, hourly: bool) -> bool:
    """Whether `one` serves the analyzer better: it covers more; at equal cover, the wanted resolution wins."""
    cover = [sum(span.seconds for span in series.covered) for series in (one, other)]
    if cover[0] != cover[1]:
        return cover[0] > cover[1]
    wanted = HOUR if hourly else 0
    return abs(one.period_s - wanted) < abs(other.period_s - wanted)
