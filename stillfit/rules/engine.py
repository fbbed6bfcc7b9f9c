"""Asks rules of facts: fires, quiet or unknown; and fills a rule's texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillfit.evidence import Facts
from stillfit.model import Evidence, Subject
from stillfit.rules.cel import Expression, Outcome, bind
from stillfit.rules.render import Rendered, fill, render
from stillfit.rules.rule import Clause, Rule

__all__ = ["AskedClause", "Rendered", "Rule", "RuleAnswer", "ask", "render"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedClause:
    """One clause with its answer and the evidence of every signal it names."""

    id: str
    holds: bool | None
    because: str
    """The clause's sentence with its numbers; empty where it does not hold."""
    evidence: tuple[Evidence, ...]
    fault: str = ""
    """The engine's words where the clause could not be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """What a rule says of one subject. None: could not be told, for want of `missing`."""

    rule: Rule
    subject: Subject
    fires: bool | None
    clears: bool | None
    missing: tuple[str, ...]
    clauses: tuple[AskedClause, ...]
    """Those that were asked: up to the first of `all` that is false."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the clauses that hold rest on, each signal once."""
        seen = {one.signal: one for clause in self.clauses if clause.holds for one in clause.evidence}
        return tuple(seen.values())


def ask(rule: Rule, facts: Facts) -> RuleAnswer:
    """Evaluate one rule. Fires and clears are never both true: what fires does not clear."""
    if facts.subject.engine not in rule.engines or facts.subject.level not in rule.levels:
        return RuleAnswer(rule=rule, subject=facts.subject, fires=False, clears=True, missing=(), clauses=())
    every = _until_false(rule.all, facts)
    some = tuple(_asked(clause, facts) for clause in rule.any) if every[-1].holds is not False else ()
    holds = _and([_and(one.holds for one in every), _or(one.holds for one in some) if some else True])
    lacks = holds is True and any(facts.value(name) is None for name in rule.needs)
    fires = None if lacks else holds
    clears = False if fires else _truth(_evaluated(rule.clear_when, facts))
    return RuleAnswer(
        rule=rule,
        subject=facts.subject,
        fires=fires,
        clears=clears,
        missing=_missing(rule, facts) if fires is None or clears is None else (),
        clauses=(*every, *some),
    )


def _until_false(clauses: tuple[Clause, ...], facts: Facts) -> tuple[AskedClause, ...]:
    """The clauses up to the first that is false: it decides alone, and most rules are quiet by their first clause."""
    asked: list[AskedClause] = []
    for clause in clauses:
        asked.append(_asked(clause, facts))
        if asked[-1].holds is False:
            break
    return tuple(asked)


def _evaluated(expression: Expression, facts: Facts) -> Outcome:
    known = ((name, facts.value(name)) for name in expression.names)
    return expression.evaluate(bind({name: value for name, value in known if value is not None}))


def _asked(clause: Clause, facts: Facts) -> AskedClause:
    outcome = _evaluated(clause.expression, facts)
    holds = _truth(outcome)
    return AskedClause(
        id=clause.id,
        holds=holds,
        because=fill(clause.because, facts) if holds else "",
        evidence=facts.evidence(*clause.expression.names),
        fault=outcome.fault,
    )


def _truth(outcome: Outcome) -> bool | None:
    return outcome.value if isinstance(outcome.value, bool) else None


def _missing(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """What would have to be known; where the detector itself could not judge, what that one lacks."""
    if facts.unknown is not None:
        return facts.unknown.missing or (rule.detector,)
    return tuple(name for name in rule.asked if facts.value(name) is None)


def _and(values: Iterable[bool | None]) -> bool | None:
    """Kleene's and: false wins, then unknown."""
    seen = tuple(values)
    if False in seen:
        return False
    return None if None in seen else True


def _or(values: Iterable[bool | None]) -> bool | None:
    """Kleene's or: true wins, then unknown."""
    seen = tuple(values)
    if True in seen:
        return True
    return None if None in seen else False
