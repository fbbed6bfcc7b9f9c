"""Records as JSON text and back, exact: enums, money, spans, instants, infinities."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json

from stillfit.advice import Advice
from stillfit.model import Value

_T = TypeVar("_T")


def dump(record: object) -> str:
    return to_json(record, inf_nan_mode="constants").decode()


def load_advice(text: str) -> Advice:
    return _load(text, Advice)


def load_value(text: str) -> Value | None:
    return _load(text, Value | None)  # type: ignore[arg-type]  # a union is a type to pydantic, not to mypy


def load_values(text: str) -> dict[str, Value]:
    return _load(text, dict[str, Value])


def _load(text: str, kind: type[_T]) -> _T:
    return _adapter(kind).validate_json(text)  # type: ignore[no-any-return]  # the cache hides the parameter


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
