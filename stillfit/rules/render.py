"""Fills the {signal} places of a rule's texts from facts, with units. Pure.

In a sentence a number carries its unit; in a command it is bare and every name is quoted for the shell. A step or
command with a place that is not known is left out; the loader sees to it that titles and summaries have none such.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from math import ceil
from typing import NamedTuple

from stillfit.advice import Option
from stillfit.evidence import Facts
from stillfit.model import Subject, Value
from stillfit.rules.cel import bind
from stillfit.rules.rule import Computed, Rule, Verify
from stillfit.signals import SIGNALS

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_OPTION_PLACE = re.compile(r"(--[a-z-]+) \{([a-z_][a-z0-9_]*)\}")

ALWAYS = frozenset({"subject", "cql_table", "name"})
"""Places that any subject can fill: its text form, its quoted CQL name, and what an operator calls it."""

_PLAIN_CQL_NAME = re.compile(r"[a-z][a-z0-9_]*")

Filler = Callable[[str], str | None]


class Rendered(NamedTuple):
    """A rule's texts with the facts in them."""

    title: str
    summary: str
    option: Option


def render(rule: Rule, facts: Facts) -> Rendered:
    """Fill a rule that fires."""
    words, command = _Filled(rule, facts, in_command=False), _Filled(rule, facts, in_command=True)
    texts = rule.texts
    option = Option(
        kind=rule.option,
        steps=words.lines(texts.steps),
        commands=command.lines(texts.commands),
        not_helpful=words.lines(texts.not_helpful),
        effect=words.text(texts.effect),
        effort=rule.effort,
        risk=words.text(texts.risk),
        rollback=words.text(texts.rollback),
        verify=_verify(rule.verify),
    )
    return Rendered(words.text(texts.title), words.text(texts.summary), option)


def fill(template: str, facts: Facts) -> str:
    """A sentence with its places filled; what is not known says so."""
    return PLACE.sub(lambda place: _of_facts(facts, place[1], in_command=False) or "not known", template)


def show(value: Value, unit: str) -> str:
    """A value as people read it: 410 USD, 1.5 GiB, 3 h, 7,200 WCU."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, str):
        return value
    shown = _UNITS.get(unit)
    return shown(value) if shown else f"{_number(value)} {unit}".rstrip()


class _Filled:
    """Texts of one rule over one set of facts."""

    def __init__(self, rule: Rule, facts: Facts, *, in_command: bool) -> None:
        self._facts = facts
        self._in_command = in_command
        self._computed = _worked_out(rule.computed, facts)

    def text(self, template: str) -> str:
        if self._in_command:
            template = _OPTION_PLACE.sub(self._joined, template)
        return PLACE.sub(lambda place: self._value(place[1]) or "not known", template)

    def lines(self, templates: tuple[str, ...]) -> tuple[str, ...]:
        whole = (one for one in templates if all(self._value(place) is not None for place in PLACE.findall(one)))
        return tuple(self.text(one) for one in whole)

    def _joined(self, found: re.Match[str]) -> str:
        """`--table-name=-a` where the value looks like an option itself."""
        glue = "=" if (self._value(found[2]) or "").startswith("-") else " "
        return f"{found[1]}{glue}{{{found[2]}}}"

    def _value(self, name: str) -> str | None:
        if name in self._computed:
            value, unit = self._computed[name]
            return f"{value:.0f}" if self._in_command else show(value, unit)
        return _of_facts(self._facts, name, in_command=self._in_command)


def _of_facts(facts: Facts, name: str, *, in_command: bool) -> str | None:
    if name in ALWAYS:
        text = _always(facts.subject, name)
        return shlex.quote(text) if in_command and name != "cql_table" else text
    value = facts.value(name)
    if value is None:
        return None
    if not in_command:
        return show(value, SIGNALS[name].unit)
    return f"{value:.0f}" if isinstance(value, float) else shlex.quote(show(value, ""))


def _always(subject: Subject, name: str) -> str:
    if name == "subject":
        return str(subject)
    if name == "cql_table":
        return ".".join(_cql_name(part) for part in (subject.keyspace, subject.table) if part)
    return subject.name


def _cql_name(name: str) -> str:
    """Quoted as CQL wants it where it is not all lower case."""
    if _PLAIN_CQL_NAME.fullmatch(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _worked_out(computed: tuple[Computed, ...], facts: Facts) -> Mapping[str, tuple[float, str]]:
    names = {name for one in computed for expression in one.expressions for name in expression.names}
    bound = bind({name: known.value for name in names if (known := facts.named.get(name)) is not None})
    existing = (one for one in computed if one.when is None or one.when.evaluate(bound).value)
    results = ((one, one.expression.evaluate(bound).value) for one in existing)
    return {
        one.name: (ceil(round(value / one.round_to, 9)) * one.round_to, one.unit)
        for one, value in results
        if value is not None
    }


def _verify(verify: Verify) -> str:
    return f"over {_duration(verify.window_s)} after the change, watch {verify.metric}: {verify.success}"


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.3g}"


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{_number(round(seconds / length, 1))} {unit}"
    return f"{_number(seconds)} s"


def _bytes(size: float) -> str:
    for unit, length in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= length:
            return f"{_number(round(size / length, 1))} {unit}"
    return f"{_number(size)} bytes"


def _usd(amount: float) -> str:
    return f"{amount:,.0f} USD" if abs(amount) >= 10 else f"{amount:,.2f} USD"


_UNITS: Mapping[str, Callable[[float], str]] = {
    "USD": _usd,
    "bytes": _bytes,
    "s": _duration,
    "ratio": lambda share: f"{_number(share * 100)} %",
    "percent": lambda share: f"{_number(share)} %",
    "d": lambda days: f"{_number(round(days, 1))} days",
}
