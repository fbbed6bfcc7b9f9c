"""Reads stillfit.yaml: every mistake at once, each with file, line, key and the nearest valid key.

Secrets may also come from the environment: STILLFIT_SLACK__TOKEN stands for slack.token, two underscores for each dot.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stillfit.config import Config
from stillfit.errors import ConfigError
from stillfit.yamlfile import Document, Place, did_you_mean, parse

PREFIX = "STILLFIT_"


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a file, completed from the environment. Raises ConfigError with every mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError((f"{path}:1: file: cannot be read: {reason}; try `stillfit config init`",)) from error
    return validate(parse(text, name=str(path)), environ)


def validate(document: Document, environ: Mapping[str, str]) -> Config:
    """A parsed document as Config. Raises ConfigError with every mistake."""
    value = document.value if document.value is not None else {}
    if not isinstance(value, dict):
        raise ConfigError((document.mistake((), "a mapping of sections is needed, such as aws: or cassandra:"),))
    try:
        return Config.model_validate(_with_environment(value, environ))
    except ValidationError as error:
        details = sorted(error.errors(include_url=False), key=lambda detail: document.line(detail["loc"]))
        raise ConfigError(tuple(dict.fromkeys(_mistake(document, detail) for detail in details))) from error


def _with_environment(value: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The document with STILLFIT_A__B=x laid over it; the environment wins, because it is nearer to the process."""
    merged = dict(value)
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == "STILLFIT_CONFIG":
            continue
        section, *rest = name.removeprefix(PREFIX).lower().split("__")
        if not rest:
            merged[section] = text
        elif isinstance(merged.get(section, {}), dict):
            merged[section] = {**merged.get(section, {}), "__".join(rest): text}
    return merged


def _mistake(document: Document, detail: ErrorDetails) -> str:
    place: Place = tuple(part for part in detail["loc"] if not str(part).startswith("function-"))
    if detail["type"] == "extra_forbidden":
        key = str(place[-1])
        return document.mistake(place, f"unknown key {key!r}{did_you_mean(key, _keys(place[:-1]))}")
    if detail["type"] == "missing":
        return document.mistake(place, "is needed and missing")
    return document.mistake(place, _sentence(detail))


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "too_short":
        return "at least one is needed"
    if detail["type"] == "greater_than":
        return "must be longer than zero, such as 90s, 5m, 2h or 14d"
    if detail["type"].startswith("time_delta"):
        return "is no length of time; write 90s, 5m, 2h or 14d"
    message = detail["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _keys(place: Place) -> tuple[str, ...]:
    """The keys that are valid at a place of the file."""
    model: type[BaseModel] = Config
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = _section(model.model_fields[part].annotation) or model
    return tuple(model.model_fields)


def _section(annotation: object) -> type[BaseModel] | None:
    """The section model inside an annotation such as tuple[Aws, ...] or Slack | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, dict, Union, UnionType}:
        return next((found for part in get_args(annotation) if (found := _section(part))), None)
    return None
