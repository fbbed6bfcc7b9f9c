"""A rule as the engine holds it: compiled, checked, ready to be asked. Files become rules in rules/loader.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stillfit.advice import Effort
from stillfit.model import Confidence, Engine, Level, Severity, Value
from stillfit.rules.cel import Expression

Expected = Literal["fires", "quiet", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One named condition, which is its own piece of evidence. `because` is said where it holds."""

    id: str
    expression: Expression
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A number worked out for the texts, rounded up to a multiple of `round_to`."""

    name: str
    expression: Expression
    when: Expression | None
    """Where it does not hold, or cannot be told, there is no such number."""
    unit: str
    round_to: float

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.expression, self.when) if self.when else (self.expression,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What people read, with {signal} places still open."""

    title: str
    summary: str
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    not_helpful: tuple[str, ...]
    effect: str
    risk: str
    rollback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """How it is checked after it was done."""

    metric: str
    window_s: int
    success: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """One example that the rule itself carries."""

    name: str
    given: tuple[tuple[str, Value], ...]
    expect: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When to advise what. All lengths are seconds."""

    id: str
    version: int
    detector: str
    """The detector whose findings it joins; empty: it is asked about each table."""
    engines: frozenset[Engine]
    levels: frozenset[Level]
    needs: tuple[str, ...]
    """Signals without which it never fires; one of them absent is UNKNOWN."""
    all: tuple[Clause, ...]
    any: tuple[Clause, ...]
    clear_when: Expression
    fire_after_s: int
    """Observed firing time before it is told (`for`)."""
    clear_after_s: int
    cooldown_s: int
    """Time after a change of state to resolved in which it is not opened again."""
    severity: Severity | None
    """None: the finding's own."""
    confidence: Confidence | None
    group: str
    rank: int
    """Within its group the lowest is shown: first what ends refusals, then right-size, mode, class, commitment."""
    option: str
    """The kind of option, part of the fingerprint."""
    effort: Effort
    texts: Texts
    saves: str
    """The cost option whose saving this advice brings ("on_demand"), or empty."""
    computed: tuple[Computed, ...]
    verify: Verify
    sources: tuple[str, ...]
    tests: tuple[RuleTest, ...]

    @property
    def asked(self) -> tuple[str, ...]:
        """Every signal on which it turns: those of its clauses and of `clear_when`, and its needs."""
        clauses = (clause.expression for clause in (*self.all, *self.any))
        mentioned = (name for one in (*clauses, self.clear_when) for name in one.names)
        return tuple(dict.fromkeys((*mentioned, *self.needs)))

    @property
    def names(self) -> tuple[str, ...]:
        """The same with those of its worked-out numbers."""
        worked_out = (one for number in self.computed for one in number.expressions)
        return tuple(dict.fromkeys((*self.asked, *(name for one in worked_out for name in one.names))))
