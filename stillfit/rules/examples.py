"""Runs the examples that a rule carries. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from stillfit.evidence import Facts, subject_facts
from stillfit.known import Known
from stillfit.model import Engine, Evidence, EvidenceKind, Level, Span, Subject, Value
from stillfit.rules.engine import ask
from stillfit.rules.rule import Expected, Rule
from stillfit.signals import SIGNALS, Origin, SignalType

_AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
_WINDOW = Span(int(_AT.timestamp()) - 14 * 86400, int(_AT.timestamp()))


def outcome(rule: Rule, given: Mapping[str, Value]) -> Expected:
    """What a rule says where only these signals are known."""
    fires = ask(rule, example_facts(rule, given)).fires
    return "unknown" if fires is None else "fires" if fires else "quiet"


def example_facts(rule: Rule, given: Mapping[str, Value]) -> Facts:
    """Facts of an example subject of the rule's engine and level, with nothing but the given signals."""
    subject = _subject(min(rule.engines), min(rule.levels))
    return Facts(
        subject=subject,
        at=_AT,
        window=_WINDOW,
        named=MappingProxyType(
            subject_facts(subject, _WINDOW) | {name: _known(name, value, subject) for name, value in given.items()}
        ),
    )


def value_of(name: str, value: Value) -> Value | None:
    """A written value as the signal's type; None where it does not fit."""
    match SIGNALS[name].type:
        case SignalType.DOUBLE:
            return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case SignalType.BOOL:
            return value if isinstance(value, bool) else None
        case SignalType.STRING:
            return value if isinstance(value, str) else None
        case SignalType.LIST:
            return value if isinstance(value, tuple) else None


def _known(name: str, value: Value, subject: Subject) -> Known:
    kind = EvidenceKind.DECLARED if SIGNALS[name].origin is Origin.DECLARED else EvidenceKind.MEASURED
    typed = value_of(name, value)
    number = typed if isinstance(typed, float) else None
    text = "" if number is not None else str(typed)
    evidence = Evidence(
        signal=name,
        unit=SIGNALS[name].unit,
        kind=kind,
        source=subject.engine.value,
        low=number,
        mid=number,
        high=number,
        text=text,
        window=_WINDOW,
    )
    return Known(value if typed is None else typed, evidence)


def _subject(engine: Engine, level: Level) -> Subject:
    on_aws = engine is not Engine.CASSANDRA
    return Subject(
        engine=engine,
        scope=("123456789012", "us-east-1") if on_aws else ("main", "dc1"),
        keyspace="" if on_aws else "shop",
        table="orders" if level in {Level.TABLE, Level.INDEX, Level.REPLICA} else "",
        index="by-status" if level is Level.INDEX else "",
        node="10.0.0.1" if level in {Level.NODE, Level.REPLICA} else "",
    )
