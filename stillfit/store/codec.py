"""Records as JSON text and back, exact: enums, money, spans, instants, infinities."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter
from pydantic_core import to_json

from stillfit.advice import Advice
from stillfit.model import Value


def dump(record: object) -> str:
    return to_json(record, inf_nan_mode="constants").decode()


def load_advice(text: str) -> Advice:
    return _advice().validate_json(text)


def load_value(text: str) -> Value | None:
    return _value().validate_json(text)


def load_values(text: str) -> dict[str, Value]:
    return _values().validate_json(text)


@cache
def _advice() -> TypeAdapter[Advice]:
    return TypeAdapter(Advice)


@cache
def _value() -> TypeAdapter[Value | None]:
    return TypeAdapter(Value | None)


@cache
def _values() -> TypeAdapter[dict[str, Value]]:
    return TypeAdapter(dict[str, Value])
