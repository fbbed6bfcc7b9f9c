"""A signal's value with what it rests on, and how the one is made of the other. Pure."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from stillfit.model import Evidence, EvidenceKind, Money, Span, Value
from stillfit.signals import Signal, SignalType


class Known(NamedTuple):
    """A signal's value as a rule sees it, with what it rests on."""

    value: Value
    evidence: Evidence


def typed(signal: Signal, evidence: Evidence) -> Known | None:
    """Evidence of a finding as the signal's type; absent where it does not fit it."""
    if signal.type is SignalType.DOUBLE:
        return None if evidence.mid is None else checked(signal, evidence.mid, evidence)
    return checked(signal, evidence.text, evidence) if evidence.text else None


def checked(signal: Signal, value: Value, evidence: Evidence) -> Known | None:
    """A value of the declared type, or nothing: a wrong type or a number that is none is not known."""
    match signal.type:
        case SignalType.DOUBLE:
            number = None if isinstance(value, bool) else number_of(value)
            return Known(number, evidence) if number is not None and isfinite(number) else None
        case SignalType.BOOL:
            return Known(value, evidence) if isinstance(value, bool) else None
        case SignalType.STRING:
            return Known(value, evidence) if isinstance(value, str) else None
        case SignalType.LIST:
            return Known(value, evidence) if isinstance(value, tuple) else None


def derived(signal: Signal, value: Value, source: str, window: Span) -> Known | None:
    number = number_of(value)
    evidence = Evidence(
        signal=signal.name,
        unit=signal.unit,
        kind=EvidenceKind.DERIVED,
        source=source,
        low=number,
        mid=number,
        high=number,
        text="" if number is not None else text_of(value),
        window=window,
    )
    return checked(signal, value, evidence)


def renamed(evidence: Evidence, signal: Signal, number: float | None = None) -> Evidence:
    """The same evidence under the signal's name; a number that was worked out makes it derived."""
    mid = evidence.mid if number is None else number
    derived = signal.form in {"rate", "peak", "demand"}
    return Evidence(
        signal=signal.name,
        unit=signal.unit or evidence.unit,
        kind=EvidenceKind.DERIVED if derived else evidence.kind,
        source=evidence.source,
        low=mid,
        mid=mid,
        high=mid,
        text=evidence.text,
        window=evidence.window,
        points=evidence.points,
        coverage=evidence.coverage,
        freshness_s=evidence.freshness_s,
    )


def of_money(signal: Signal, money: Money, window: Span) -> Evidence:
    return Evidence(
        signal=signal.name,
        unit=signal.unit,
        kind=EvidenceKind.DERIVED,
        source=", ".join((f"list prices of {money.price_date:%Y-%m-%d}", *money.price_lists)),
        low=money.low,
        mid=money.mid,
        high=money.high,
        text=money.arithmetic,
        window=window,
    )


def number_of(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text_of(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
