"""Sentences for what does not fit the shape of a file: one line each, at its line, with the nearest valid word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stillfit.yamlfile import Document, Place, did_you_mean

_KINDS = {
    "float_type": "a number is needed",
    "int_type": "a whole number is needed",
    "string_type": "text is needed; put it in quotes",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "dict_type": "a mapping of names to values is needed",
    "model_type": "a mapping is needed",
    "missing": "is needed and missing",
    "finite_number": "must be a finite number",
    "too_short": "at least one is needed",
    "datetime_type": "is no time; write 2026-08-24T12:00:00Z, in UTC or with its zone",
}


def mistakes(error: ValidationError, root: type[BaseModel]) -> tuple[tuple[Place, str], ...]:
    """Every mistake that the shape has, and where in the file."""
    found = [(_place(detail, root), detail) for detail in error.errors(include_url=False)]
    return tuple((place, _sentence(place, detail, root)) for place, detail in found)


def in_order(document: Document, wrong: Iterable[tuple[Place, str]]) -> tuple[str, ...]:
    """Complete lines, each once, as they follow in the file."""
    ordered = sorted(wrong, key=lambda one: document.line(one[0]))
    return tuple(dict.fromkeys(document.mistake(place, sentence) for place, sentence in ordered))


def without(value: object, error: ValidationError) -> object:
    """A copy of a document without the keys that are wrong. Lists keep their places, so that lines stay true."""
    rest = deepcopy(value)
    for detail in error.errors(include_url=False):
        parent: Any = rest
        for part in detail["loc"][:-1]:
            inside = isinstance(parent, dict) and part in parent
            inside = inside or (isinstance(parent, list) and isinstance(part, int) and part < len(parent))
            parent = parent[part] if inside else parent
        if isinstance(parent, dict):
            parent.pop(detail["loc"][-1], None)
    return rest


def _place(detail: ErrorDetails, root: type[BaseModel]) -> Place:
    """Where in the file, without the steps of pydantic that are not in the file."""
    place: list[str | int] = []
    for part in detail["loc"]:
        here = _model(root, tuple(place))
        is_key = isinstance(part, int) or here is None or part in _keys(here) or detail["type"] == "extra_forbidden"
        place += [part] if is_key and not str(part).startswith(("function-", "tuple[", "str", "float", "bool")) else []
    return tuple(place)


def _sentence(place: Place, detail: ErrorDetails, root: type[BaseModel]) -> str:
    given = detail.get("input")
    if detail["type"] == "extra_forbidden":
        model = _model(root, place[:-1])
        return f"unknown key {place[-1]!r}{did_you_mean(str(place[-1]), _keys(model) if model else ())}"
    if detail["type"] in {"enum", "literal_error"}:
        choices = [word.strip(" '") for word in str(detail["ctx"]["expected"]).replace(" or ", ",").split(",")]
        return f"{given!r} is not valid{did_you_mean(str(given), choices)}"
    if detail["type"] in _KINDS:
        named = f", not {given!r}" if isinstance(given, (str, int, float)) else ""
        return f"{_KINDS[detail['type']]}{named}"
    message = detail["msg"].removeprefix("Value error, ")
    named = f"{given!r} " if detail["type"] == "value_error" and isinstance(given, str) else ""
    return f"{named}{message[:1].lower()}{message[1:]}"


def _model(root: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model that describes a place; None inside a free mapping."""
    model: type[BaseModel] | None = root
    for part in place:
        if isinstance(part, int) or model is None:
            continue
        annotation = next((f.annotation for n, f in model.model_fields.items() if part in {n, f.alias}), None)
        model = next(_models(annotation), None)
    return model


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotation such as list[Step] | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {list, tuple, Union, UnionType}:
        for part in get_args(annotation):
            yield from _models(part)
    elif hasattr(annotation, "__metadata__"):
        yield from _models(get_args(annotation)[0])
