"""Settings from the environment, laid over those of the file: the environment wins, it is nearer to the process."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from stillfit.configplaces import is_list
from stillfit.yamlfile import Place, dotted

PREFIX = "STILLFIT_"
NOT_SETTINGS = frozenset({"STILLFIT_CONFIG"})
"""Variables of the command line itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """The document with the environment in it, and which variable each such place came from."""

    value: dict[str, Any]
    variables: Mapping[Place, str]
    mistakes: tuple[str, ...]

    def variable(self, place: Place) -> str:
        """The variable that a place, or what it lies in, came from; empty where the file says it."""
        names = (self.variables.get(place[:length]) for length in range(len(place), 0, -1))
        return next((name for name in names if name), "")


def overlay(value: Mapping[str, Any], environ: Mapping[str, str]) -> Overlaid:
    """STILLFIT_A__B=x as a.b; STILLFIT_A__0__B=x as a[0].b. A list of plain values is written with commas."""
    merged: dict[str, Any] = deepcopy(dict(value))
    variables: dict[Place, str] = {}
    mistakes: list[str] = []
    for name in sorted(set(environ) - NOT_SETTINGS):
        if name.startswith(PREFIX):
            place = _place(name)
            problem = _put(merged, place, environ[name], variables, name)
            mistakes += [f"environment: {name}: {problem}"] if problem else []
    return Overlaid(value=merged, variables=variables, mistakes=tuple(mistakes))


def _place(name: str) -> Place:
    parts = name.removeprefix(PREFIX).lower().split("__")
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _put(merged: dict[str, Any], place: Place, text: str, variables: dict[Place, str], name: str) -> str:
    """Set one value; returns what stands against it."""
    here: Any = merged
    for depth, part in enumerate(place[:-1], 1):
        inside = place[:depth]
        if isinstance(here, list):
            problem = _list_problem(here, part, inside[:-1])
            if problem:
                return problem
            here = here[int(part)]
            continue
        if here.get(part) is None:
            here[part] = {}
            variables[inside] = name
        here = here[part]
        if not isinstance(here, (dict, list)):
            return f"{dotted(inside)} is a plain value and has nothing inside"
    if isinstance(here, list):
        return _list_problem(here, place[-1], place[:-1]) or f"{dotted(place)} is a mapping: set one of its keys"
    here[place[-1]] = _read(text, place)
    variables[place] = name
    return ""


def _list_problem(members: list[Any], part: str | int, place: Place) -> str:
    if not isinstance(part, int):
        return f"{dotted(place)} is a list: write the number of the member after it, 0 for the first"
    if part >= len(members):
        return f"the file has {len(members)} of {dotted(place)}, so there is no number {part}"
    return "" if isinstance(members[part], dict) else f"{dotted(place)}[{part}] is a plain value and has nothing inside"


def _read(text: str, place: Place) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if is_list(place) else text
