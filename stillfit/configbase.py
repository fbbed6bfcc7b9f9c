"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema


class Section(BaseModel):
    """A frozen part of the file that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


LONGEST = timedelta(days=3_650)
"""Ten years (ours): more than anything is kept or waited for, and far from where dates end."""
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _length(value: object) -> object:
    """Read 90s, 5m, 2h, 14d, LONGEST and a second for what is longer; anything else is left to pydantic, as seconds."""
    found = re.fullmatch(r"([0-9]+)\s*([smhd])", value) if isinstance(value, str) else None
    if found is None:
        return value
    too_long = int(LONGEST.total_seconds()) + 1
    return timedelta(seconds=min(int(found[1][:12]) * _UNITS_S[found[2]], too_long))


Seconds = Annotated[
    timedelta,
    BeforeValidator(_length),
    Field(gt=timedelta(0), le=LONGEST),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": r"^\d+\s*[smhd]$", "examples": ["90s", "5m", "2h", "14d"]}
    ),
]
"""A length of time: "90s", "5m", "2h", "14d" or a number of seconds; longer than zero, and at most LONGEST."""


def length(text: str) -> timedelta | None:
    """90s, 5m, 2h or 14d as a length of time; None where it is none, or longer than LONGEST."""
    read = _length(text)
    return read if isinstance(read, timedelta) and timedelta(0) < read <= LONGEST else None
