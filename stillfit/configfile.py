"""Reads stillfit.yaml: every mistake at once, each with file, line, key and the nearest valid key.

Any setting may also come from the environment, where two underscores stand for each dot and a number for a place in a
list: STILLFIT_SLACK__TOKEN is slack.token, STILLFIT_CASSANDRA__0__PASSWORD the password of the first cluster. No
mistake ever repeats a value: it may be a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stillfit.config import Config
from stillfit.configenv import Overlaid, overlay
from stillfit.configfacts import fact_mistakes, threshold_mistakes
from stillfit.configplaces import keys_at, section_at
from stillfit.configsecrets import with_secrets
from stillfit.errors import ConfigError
from stillfit.observations.mistakes import without
from stillfit.yamlfile import Document, Place, did_you_mean, parse

_KINDS = {
    "string_type": "text is needed; put it in quotes",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "finite_number": "a number is needed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "tuple_type": "a list is needed, such as [one, two]",
    "dict_type": "a mapping of names to values is needed",
    "model_type": "a mapping of keys is needed",
    "too_short": "at least one is needed",
    "string_too_short": "must not be empty",
    "missing": "is needed and missing",
    "date_from_datetime_parsing": "is no date; write 2026-11-02",
    "date_type": "is no date; write 2026-11-02",
    "path_type": "the path of a file is needed",
}
_PATTERNS = {
    "regions": "is no region name; write one such as eu-west-1",
    "account": "must be twelve digits, in quotes",
    "role_arn": "is no role; write arn:aws:iam::123456789012:role/NAME",
}
_ONE_OF_SEVERAL = "must be text, a number, true or false, or a list of names"
_UNIONS = frozenset({"str", "float", "bool", "int"})


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a file, completed from the environment. Raises ConfigError with every mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "no reason given") if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError((f"{path}:1: file: cannot be read: {reason}; try `stillfit config init`",)) from error
    return validate(parse(text, name=str(path)), environ)


def validate(document: Document, environ: Mapping[str, str]) -> Config:
    """A parsed document as Config. Raises ConfigError with every mistake."""
    value = document.value if document.value is not None else {}
    if not isinstance(value, dict):
        raise ConfigError((document.mistake((), "a mapping of sections is needed, such as aws: or cassandra:"),))
    overlaid = overlay(value, environ)
    mistakes = list(overlaid.mistakes)
    config = _understood(document, overlaid, mistakes)
    if config is not None:
        mistakes += [document.mistake(*one) for one in (*fact_mistakes(config), *threshold_mistakes(config))]
        config = with_secrets(config, lambda place, sentence: mistakes.append(document.mistake(place, sentence)))
    if config is None or mistakes:
        raise ConfigError(_in_order(mistakes))
    return config


def _in_order(lines: Iterable[str]) -> tuple[str, ...]:
    """Complete lines, each once: of the environment first, then as they follow in the file."""
    return tuple(sorted(dict.fromkeys(lines), key=_line_number))


def _line_number(line: str) -> int:
    found = re.search(r":(\d+): ", line)
    return int(found[1]) if found else 0


def _understood(document: Document, overlaid: Overlaid, mistakes: list[str]) -> Config | None:
    """The configuration in its shape. What is wrong goes to `mistakes`; the rest is read for more mistakes."""
    try:
        return Config.model_validate(overlaid.value)
    except ValidationError as error:
        mistakes += _mistakes(document, overlaid, error)
        rest = without(overlaid.value, error)
    try:
        return Config.model_validate(rest)
    except ValidationError:
        return None


def _mistakes(document: Document, overlaid: Overlaid, error: ValidationError) -> Iterator[str]:
    """One line for each place that is wrong, in the order of the file."""
    found = [(_place(detail), detail) for detail in error.errors(include_url=False, include_input=True)]
    found.sort(key=lambda one: (document.line(one[0]), [str(part) for part in one[0]]))
    inside = {place[:-1] for place, _ in found}
    found = [one for one in found if one[1]["type"] != "too_short" or one[0] not in inside]
    for place, details in groupby(found, key=lambda one: one[0]):
        several = [detail for _, detail in details]
        sentence = _ONE_OF_SEVERAL if len(several) > 1 else _sentence(place, several[0])
        variable = overlaid.variable(place)
        yield f"environment: {variable}: {sentence}" if variable else document.mistake(place, sentence)


def _place(detail: ErrorDetails) -> Place:
    """Where in the file, without the steps of pydantic that are not in the file."""
    place: list[str | int] = []
    for part in detail["loc"]:
        invented = isinstance(part, str) and (part.startswith(("function-", "tuple[")) or part in _UNIONS)
        if not invented or section_at(tuple(place)):
            place.append(part)
    return tuple(place)


def _sentence(place: Place, detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown key {str(place[-1])!r}{did_you_mean(str(place[-1]), keys_at(place[:-1]))}"
    if detail["input"] is None and kind != "missing":
        return "has no value; text that begins with # is a comment unless it is in quotes"
    if kind in {"greater_than", "less_than_equal", "time_delta_type", "time_delta_parsing"}:
        return _out_of_range(kind, detail.get("ctx", {}))
    if kind == "string_pattern_mismatch":
        return next((text for key, text in _PATTERNS.items() if key in place), "has not the right form")
    if kind.startswith("date_"):
        return _KINDS["date_type"]
    if kind in _KINDS:
        return _KINDS[kind]
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return message[:1].lower() + message[1:]


def _out_of_range(kind: str, limits: Mapping[str, Any]) -> str:
    """Of a length of time, or of a number that has limits."""
    if kind == "less_than_equal":
        return "is longer than ten years" if isinstance(limits["le"], str) else f"must be at most {limits['le']}"
    if isinstance(limits.get("gt"), (int, float)):
        return f"must be a number above {limits['gt']:g}"
    return "is no length of time above zero; write 90s, 5m, 2h or 14d"
