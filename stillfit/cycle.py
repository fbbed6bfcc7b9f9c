"""One turn of the crank: what is known -> costs -> judgements -> fit -> evidence -> rules -> advice. Pure.

Read it from the top: `turn` is the whole program. What it needs of the world (time, settings, rules, prices, standing
advice) is handed in; what it decides is handed back as one frozen `Turn`, which the store keeps in one transaction.
A fault in one detector, price, fit or rule on one subject makes that answer Unknown, and the turn goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.case import Analyzer, Case, guarded, judge
from stillfit.costs import cost_of
from stillfit.costs.pricebook import PriceBook
from stillfit.evidence import Facts, gather
from stillfit.fit.knockouts import CANDIDATES
from stillfit.fit.verdict import fit_of
from stillfit.lifecycle import Moment, exclusive, gone, retired, step
from stillfit.metrics import METRICS
from stillfit.model import (
    CostFigure,
    Engine,
    FitState,
    FitVerdict,
    Judgement,
    Level,
    Subject,
    Unknown,
    Workload,
)
from stillfit.rules.engine import AskedClause, Rule, RuleAnswer, ask, render
from stillfit.snapshot import Snapshot

COSTS = Analyzer(
    id="costs",
    levels=frozenset({Level.TABLE}),
    engines=frozenset({Engine.DYNAMODB, Engine.CASSANDRA}),
    needs=frozenset(),
    wants=frozenset(METRICS),
    window=timedelta(days=14),
    hourly=True,
    causes={},
    find=lambda _case: None,
)
"""Not a detector: the window on which money is counted. 14 days, because a weekly pattern must be seen twice."""
UNJUDGED = "no-detector"
"""Not a detector either: stands where a detector would, on what none of them knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the installation knows beyond its measurements; changes only with a reload."""

    analyzers: tuple[Analyzer, ...]
    rules: tuple[Rule, ...]
    prices: PriceBook
    thresholds: Callable[[Analyzer, Subject], Mapping[str, float]]
    """The lines of an analyzer for one subject: its own, unless the operator drew them elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Everything that one turn decided."""

    at: datetime
    judgements: tuple[Judgement, ...]
    costs: tuple[CostFigure, ...]
    unpriced: tuple[Judgement, ...]
    """Tables whose cost could not be told, with what is missing (detector "costs")."""
    fits: tuple[FitVerdict, ...]
    undecided: tuple[RuleAnswer, ...]
    """Rules that could be neither fired nor cleared, with what is missing."""
    advice: tuple[Advice, ...]
    """Every record that this turn touched, as it now stands."""
    transitions: tuple[Transition, ...]


def turn(snapshot: Snapshot, knowledge: Knowledge, standing: tuple[Advice, ...]) -> Turn:
    """Judge everything once and step every advice record by what was seen."""
    tables = tuple(snapshot.cases(COSTS, knowledge.thresholds))
    costs, unpriced = _price(tables, knowledge.prices)
    judged = _judge(snapshot, knowledge, costs)
    fits = _fit(tables, snapshot)
    workloads = {table: workload for workload in snapshot.workloads for table in workload.tables}
    seen = _Seen(tables=tables, workloads=workloads, costs=costs, judged=judged, fits=fits)
    answers = _ask(knowledge.rules, seen)
    in_force = frozenset(rule.id for rule in knowledge.rules)
    advice, transitions = _step(snapshot, answers, standing, in_force)
    return Turn(
        at=snapshot.at,
        judgements=(*(judgement for judgement, _ in judged), *_unjudged(snapshot, knowledge.analyzers)),
        costs=tuple(figure for figures in costs.values() for figure in figures),
        unpriced=unpriced,
        fits=tuple(verdict for verdicts in fits.values() for verdict in verdicts),
        undecided=tuple(answer for answer, _ in answers if answer.fires is None),
        advice=advice,
        transitions=transitions,
    )


def look(snapshot: Snapshot, knowledge: Knowledge) -> Turn:
    """One turn with no past and no next one: what a rule fires on is open at once, since no dwell can pass."""
    once = turn(snapshot, knowledge, ())
    pending = AdviceState.PENDING
    told = (a.state is pending and not a.superseded_by for a in once.advice)
    opened = tuple(replace(a, state=AdviceState.OPEN) if now else a for a, now in zip(once.advice, told, strict=True))
    return replace(once, advice=opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What this turn has found out, for the rules to join."""

    tables: tuple[Case, ...]
    workloads: Mapping[Subject, Workload]
    costs: Mapping[Subject, tuple[CostFigure, ...]]
    judged: tuple[tuple[Judgement, Case], ...]
    fits: Mapping[str, tuple[FitVerdict, ...]]

    def asked(self, rule: Rule) -> tuple[tuple[Judgement, Case], ...]:
        """What a rule is asked about: all that its detector judged, or each table where it names no detector."""
        if rule.detector:
            return tuple((judgement, case) for judgement, case in self.judged if judgement.detector == rule.detector)
        return tuple((Judgement(detector="", subject=case.subject, answer=None), case) for case in self.tables)

    def facts(self, judgement: Judgement, case: Case) -> Facts:
        table = case.subject.parent
        workload = self.workloads.get(table)
        fits = self.fits.get(workload.name, ()) if workload else ()
        costs = self.costs.get(table, ())
        found = guarded("reading facts", gather, judgement.answer, case, costs=costs, workload=workload, fits=fits)
        if isinstance(found, Unknown):
            return Facts(subject=case.subject, at=case.at, window=case.window, answer=found, named={})
        return found


def _price(
    tables: tuple[Case, ...], prices: PriceBook
) -> tuple[dict[Subject, tuple[CostFigure, ...]], tuple[Judgement, ...]]:
    priced: dict[Subject, tuple[CostFigure, ...]] = {}
    unpriced: list[Judgement] = []
    for case in tables:
        figures = guarded("the cost model", cost_of, case, prices)
        if isinstance(figures, Unknown):
            unpriced.append(Judgement(detector=COSTS.id, subject=case.subject, answer=figures))
        else:
            priced[case.subject] = figures
    return priced, tuple(unpriced)


def _judge(
    snapshot: Snapshot, knowledge: Knowledge, costs: Mapping[Subject, tuple[CostFigure, ...]]
) -> tuple[tuple[Judgement, Case], ...]:
    judged: list[tuple[Judgement, Case]] = []
    for analyzer in knowledge.analyzers:
        for bare in snapshot.cases(analyzer, knowledge.thresholds):
            case = replace(bare, costs=costs.get(bare.subject.parent, ()))
            judged.append((judge(analyzer, case), case))
    return tuple(judged)


def _unjudged(snapshot: Snapshot, analyzers: tuple[Analyzer, ...]) -> Iterator[Judgement]:
    """Tables and clusters of an engine that no detector knows: read and kept, and never to be taken for well."""
    known = {engine for analyzer in analyzers for engine in analyzer.engines}
    for subject in snapshot.subjects:
        if subject.engine not in known and subject.level in {Level.TABLE, Level.CLUSTER}:
            why = f"{subject.name}: no detector knows {subject.engine} yet; what is read of it is kept, not judged"
            yield Judgement(detector=UNJUDGED, subject=subject, answer=Unknown(why))


def _fit(tables: tuple[Case, ...], snapshot: Snapshot) -> dict[str, tuple[FitVerdict, ...]]:
    by_subject = {case.subject: case for case in tables}
    verdicts: dict[str, tuple[FitVerdict, ...]] = {}
    for workload in snapshot.workloads:
        cases = tuple(by_subject[table] for table in workload.tables if table in by_subject)
        if cases:
            found = guarded("the fit", fit_of, workload, cases, snapshot.at)
            verdicts[workload.name] = _unfitted(workload, found) if isinstance(found, Unknown) else found
    return verdicts


def _unfitted(workload: Workload, why: Unknown) -> tuple[FitVerdict, ...]:
    """Nothing is said of any candidate where the question itself failed."""
    nothing = FitVerdict(workload=workload.name, candidate="", is_current=False, state=FitState.UNKNOWN)
    return tuple(replace(nothing, candidate=one, missing=(why.reason,)) for one in CANDIDATES)


def _ask(rules: tuple[Rule, ...], seen: _Seen) -> tuple[tuple[RuleAnswer, Facts], ...]:
    answers: list[tuple[RuleAnswer, Facts]] = []
    gathered: dict[tuple[str, Subject], Facts] = {}
    for rule in rules:
        for judgement, case in seen.asked(rule):
            key = (judgement.detector, judgement.subject)
            facts = gathered.get(key) or gathered.setdefault(key, seen.facts(judgement, case))
            answers.append((_answer(rule, facts), facts))
    return tuple(answers)


def _answer(rule: Rule, facts: Facts) -> RuleAnswer:
    """What a rule says; one that fails, or whose texts cannot be filled, has not told."""
    told = guarded(f"the rule {rule.id}", _told, rule, facts)
    if not isinstance(told, Unknown):
        return told
    failed = AskedClause(id="", holds=None, because="", evidence=(), fault=told.reason)
    missing = (told.reason,)
    return RuleAnswer(rule=rule, subject=facts.subject, fires=None, clears=None, missing=missing, clauses=(failed,))


def _told(rule: Rule, facts: Facts) -> RuleAnswer:
    answer = ask(rule, facts)
    if answer.fires:
        render(rule, facts)  # the record is filled from it later, where a fault would stop the turn
    return answer


def _step(
    snapshot: Snapshot,
    answers: tuple[tuple[RuleAnswer, Facts], ...],
    standing: tuple[Advice, ...],
    in_force: frozenset[str],
) -> tuple[tuple[Advice, ...], tuple[Transition, ...]]:
    """Give each record the turn's answer; what is no longer asked about ends with its reason."""
    prior = {(record.rule, record.subject): record for record in standing}
    stepped: list[Advice] = []
    transitions: list[Transition] = []
    for answer, facts in answers:
        moment = Moment(at=snapshot.at, window=facts.window)
        record, changed = step(prior.pop((answer.rule.id, facts.subject), None), answer, facts, moment)
        stepped += [record] if record is not None else []
        transitions += changed
    known = frozenset(snapshot.subjects)
    for record in prior.values():
        if record.rule in in_force:
            ended, changed = gone(record, snapshot.at, still_there=record.subject in known)
        else:
            ended, changed = retired(record, snapshot.at)
        stepped.append(ended)
        transitions += changed
    chosen, superseded = exclusive(tuple(stepped), snapshot.at)
    return chosen, (*transitions, *superseded)
