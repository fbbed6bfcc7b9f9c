"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema


class Section(BaseModel):
    """A frozen part of the file that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _length(value: object) -> object:
    """Read 90s, 5m, 2h, 14d; anything else is left to pydantic, which takes seconds."""
    found = re.fullmatch(r"(\d+)\s*([smhd])", value) if isinstance(value, str) else None
    if found is None:
        return value
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


Seconds = Annotated[
    timedelta,
    BeforeValidator(_length),
    Field(gt=timedelta(0)),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": r"^\d+\s*[smhd]$", "examples": ["90s", "5m", "2h", "14d"]}
    ),
]
"""A length of time: "90s", "5m", "2h", "14d" or a number of seconds; longer than zero."""


def length(text: str) -> timedelta | None:
    """90s, 5m, 2h or 14d as a length of time; None where it is none."""
    read = _length(text)
    return read if isinstance(read, timedelta) and read > timedelta(0) else None
