"""Asks rules of facts: fires, quiet or unknown; and fills a rule's texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stillfit.evidence import Facts
from stillfit.model import Evidence, Subject
from stillfit.rules.cel import Outcome, bind
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

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the clauses that hold rest on, each signal once."""
        seen = {one.signal: one for clause in self.clauses if clause.holds for one in clause.evidence}
        return tuple(seen.values())


def ask(rule: Rule, facts: Facts) -> RuleAnswer:
    """Evaluate one rule. Fires and clears are never both true: what fires does not clear."""
    if facts.subject.engine not in rule.engines or facts.subject.level not in rule.levels:
        return RuleAnswer(rule=rule, subject=facts.subject, fires=False, clears=True, missing=(), clauses=())
    values = {name: known.value for name in rule.names if (known := facts.named.get(name)) is not None}
    bound = bind(values)
    every = tuple(_asked(clause, facts, bound) for clause in rule.all)
    some = tuple(_asked(clause, facts, bound) for clause in rule.any)
    absent = tuple(name for name in rule.names if name not in values)
    holds = _and([_and(one.holds for one in every), _or(one.holds for one in some) if some else True])
    fires = None if holds and any(name in absent for name in rule.needs) else holds
    clears = False if fires else _truth(rule.clear_when.evaluate(bound))
    return RuleAnswer(
        rule=rule,
        subject=facts.subject,
        fires=fires,
        clears=clears,
        missing=_missing(rule, facts, absent) if fires is None or clears is None else (),
        clauses=(*every, *some),
    )


def _asked(clause: Clause, facts: Facts, bound: Any) -> AskedClause:
    outcome = clause.expression.evaluate(bound)
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


def _missing(rule: Rule, facts: Facts, absent: tuple[str, ...]) -> tuple[str, ...]:
    """What would have to be known; where the detector itself could not judge, what that one lacks."""
    if facts.unknown is not None:
        return facts.unknown.missing or (rule.detector,)
    return absent


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
