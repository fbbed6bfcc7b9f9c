"""Turns the parts of an envelope into the parts of a rule, collecting what cannot be compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from stillfit.rules.cel import Expression, Mistake, compile_clause, compile_number
from stillfit.rules.envelope import ClauseIn, NumberIn, OptionIn, TestIn, VerifyIn
from stillfit.rules.rule import Clause, Computed, RuleTest, Texts, Verify
from stillfit.yamlfile import Document, Place


class Builder:
    """Builds from one document; `mistakes` are complete lines."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.mistakes: list[str] = []

    def clause(self, text: str, place: Place) -> Expression:
        return self._compiled(compile_clause, text, place)

    def clauses(self, written: tuple[ClauseIn, ...], kind: Literal["all", "any"]) -> tuple[Clause, ...]:
        return tuple(
            Clause(
                id=one.id,
                expression=self.clause(one.expr, ("when", kind, position, "expr")),
                because=" ".join(one.because.split()),
            )
            for position, one in enumerate(written)
        )

    def numbers(self, written: tuple[NumberIn, ...]) -> tuple[Computed, ...]:
        return tuple(
            Computed(
                name=one.name,
                expression=self._compiled(compile_number, one.expr, ("numbers", position, "expr")),
                when=self.clause(one.when, ("numbers", position, "when")) if one.when else None,
                unit=one.unit,
                round_to=one.round_up_to,
            )
            for position, one in enumerate(written)
        )

    def texts(self, option: OptionIn) -> Texts:
        return Texts(
            title=_line(option.title),
            summary=_line(option.summary),
            steps=tuple(map(_line, option.steps)),
            commands=tuple(map(_line, option.commands)),
            not_helpful=tuple(map(_line, option.not_helpful)),
            effect=_line(option.effect),
            risk=_line(option.risk),
            rollback=_line(option.rollback),
        )

    def verify(self, written: VerifyIn) -> Verify:
        return Verify(metric=written.metric, window_s=written.window, success=_line(written.success))

    def tests(self, written: tuple[TestIn, ...]) -> tuple[RuleTest, ...]:
        return tuple(
            RuleTest(name=one.name, given=tuple(sorted(one.given.items())), expect=one.expect) for one in written
        )

    def _compiled(self, compile_: Callable[[str], Expression], text: str, place: Place) -> Expression:
        try:
            return compile_(" ".join(text.split()))
        except Mistake as mistake:
            self.mistakes += [self._document.mistake(place, sentence) for sentence in mistake.sentences]
            return Expression(text=text, names=(), compiled=None)


def _line(text: str) -> str:
    """Folded YAML text as one line."""
    return " ".join(text.split())
