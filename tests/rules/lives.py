"""A record of advice fed answer by answer, for the tests of its life."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.evidence import Facts
from stillfit.lifecycle import Moment, step
from stillfit.model import Severity, Span
from stillfit.rules.engine import Rule, RuleAnswer
from tests.builders import NOON, ORDERS
from tests.rules.builders import facts, rule

RULE: Rule = rule()  # for 10 min, clear for 20 min, cool-down 1 h
WINDOW = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

FIRES, QUIET, UNKNOWN, BETWEEN = "fires", "quiet", "unknown", "between"
PENDING, OPEN, ACKNOWLEDGED, SNOOZED, DISMISSED, RESOLVED = AdviceState


@dataclass
class Life:
    """One record, fed answer by answer; a window of an hour ends at each moment."""

    rule: Rule = RULE
    at: datetime = NOON
    record: Advice | None = None
    told: tuple[Transition, ...] = ()

    def see(self, *said: str, every: timedelta = 5 * MINUTE, severity: Severity | None = None) -> Life:
        for one in said:
            self.at += every
            self.look(one, Span(int((self.at - WINDOW).timestamp()), int(self.at.timestamp())), severity)
        return self

    def look(self, said: str, window: Span, severity: Severity | None = None) -> None:
        asked = replace(self.rule, severity=severity or self.rule.severity)
        self.record, changed = step(self.record, answer(said, asked), known(asked), Moment(at=self.at, window=window))
        self.told += changed

    def person(self, stepped: tuple[Advice, tuple[Transition, ...]]) -> Life:
        self.record, changed = stepped
        self.told += changed
        return self

    @property
    def advice(self) -> Advice:
        assert self.record is not None
        return self.record

    @property
    def moves(self) -> list[tuple[AdviceState, AdviceState]]:
        return [(one.before, one.after) for one in self.told]


def answer(said: str, of: Rule = RULE) -> RuleAnswer:
    fires, clears = {FIRES: (True, False), QUIET: (False, True), UNKNOWN: (None, None), BETWEEN: (False, False)}[said]
    return RuleAnswer(rule=of, subject=ORDERS, fires=fires, clears=clears, missing=(), clauses=())


def known(of: Rule = RULE, **more: Any) -> Facts:
    return facts(of, about=ORDERS, cause="provisioned", billing_mode="PROVISIONED", **more)


def opened(**changes: Any) -> Life:
    life = Life(**changes).see(FIRES, FIRES, FIRES)
    assert life.advice.state is OPEN
    return life
