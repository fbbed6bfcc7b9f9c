"""Says what is wrong with an envelope in one line each: file, line, key, what, and the nearest valid word."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stillfit.rules.envelope import RuleIn
from stillfit.yamlfile import Document, Place, did_you_mean


def envelope_mistakes(document: Document, error: ValidationError) -> tuple[str, ...]:
    """Every mistake, in order of line; several faults of one value are one line."""
    details = sorted(error.errors(include_url=False), key=lambda detail: document.line(_place(document, detail)))
    lines: dict[Place, str] = {}
    for detail in details:
        place = _place(document, detail)
        lines.setdefault(place, document.mistake(place, _sentence(detail, place)))
    return tuple(lines.values())


def _place(document: Document, detail: ErrorDetails) -> Place:
    """Where it was written: pydantic adds names of union members, which are no keys."""
    if detail["type"] == "missing":
        return detail["loc"]
    place: Place = ()
    for part in detail["loc"]:
        if (*place, part) in document.lines:
            place = (*place, part)
    return place


def _sentence(detail: ErrorDetails, place: Place) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown key {str(place[-1])!r}{did_you_mean(str(place[-1]), _keys(place[:-1]))}"
    if kind == "missing":
        return "is needed and missing"
    if kind in {"enum", "literal_error"}:
        choices = _choices(place)
        return f"{detail['input']!r} is not valid{did_you_mean(str(detail['input']), choices)}"
    if kind == "too_short":
        return "at least one is needed"
    if kind == "string_pattern_mismatch":
        wanted = "engine/name, such as dynamodb/hot_key_range" if place == ("id",) else "a lower-case word"
        return f"{detail['input']!r} is not {wanted}"
    if kind == "greater_than_equal" and place and place[-1] in {"for", "clear_for", "cooldown"}:
        return f"is too short: at least {detail['ctx']['ge'] / 60:.0f}m"
    message = detail["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _keys(place: Place) -> tuple[str, ...]:
    model = _model(place)
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _choices(place: Place) -> tuple[str, ...]:
    """The words that are valid at a place."""
    names = [part for part in place if isinstance(part, str)]
    parents = tuple(part for part in place if part != names[-1])
    field = _model(parents[: place.index(names[-1])]).model_fields.get(names[-1])
    return tuple(sorted(_words(field.annotation))) if field else ()


def _words(annotation: object) -> set[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {str(member.value) for member in annotation}
    return {
        word
        for part in get_args(annotation)
        for word in (_words(part) if not isinstance(part, str) else {part})
        if word
    }


def _model(place: Place) -> type[BaseModel]:
    """The section that stands at a place of the file."""
    model: type[BaseModel] = RuleIn
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = _section(model.model_fields[part].annotation) or model
    return model


def _section(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, Union, UnionType, Annotated}:
        return next((found for part in get_args(annotation) if (found := _section(part))), None)
    return None
