"""The YAML envelope of a rule: what may be written in a file, with its types. Unknown keys are mistakes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stillfit.advice import Effort
from stillfit.model import Confidence, Engine, Level, Severity

_LENGTH = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> int:
    """Read 90s, 10m, 2h or 14d."""
    found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no length of time; write 90s, 10m, 2h or 14d")
    return int(found[1]) * _UNITS[found[2]]


Seconds = Annotated[int, BeforeValidator(_seconds)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, Field(min_length=1)]
Sentences = tuple[Sentence, ...]

SHORTEST = timedelta(minutes=1)
SHORTEST_COOLDOWN = timedelta(minutes=30)
"""Ours: what comes back within half an hour is one incident, and people must not be told four times an hour."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ClauseIn(Section):
    id: Word
    """A name for the clause: it is shown with the clause's own evidence."""
    expr: Sentence
    """A CEL expression that is true or false."""
    because: Sentence
    """What is said where it holds, with {signal} places."""


class When(Section):
    all: Annotated[tuple[ClauseIn, ...], Field(min_length=1)]
    """Each must hold."""
    any: tuple[ClauseIn, ...] = ()
    """Where given, at least one must hold too."""


class NumberIn(Section):
    name: Word
    """The place it fills in the texts."""
    expr: Sentence
    """A CEL expression of a double."""
    when: str = ""
    """A clause without which the number does not exist, and neither does a step that shows it."""
    unit: str = ""
    round_up_to: Annotated[float, Field(gt=0)] = 1.0
    """It is rounded up to a multiple of this."""


class OptionIn(Section):
    kind: Word
    """What sort of thing to do; part of what makes two pieces of advice the same."""
    title: Sentence
    summary: Sentence
    steps: Annotated[Sentences, Field(min_length=1)]
    """What to do, in order. A step with a place that is not known is left out."""
    commands: Sentences = ()
    """For a shell; numbers are bare and names quoted."""
    not_helpful: Sentences = ()
    """What people try first, and why it will not help."""
    effect: Sentence
    effort: Effort
    risk: Sentence
    rollback: Sentence
    saves: Literal["", "on_demand", "provisioned"] = ""
    """The cost option whose saving this brings."""


class VerifyIn(Section):
    metric: Sentence
    window: Seconds
    success: Sentence


class TestIn(Section):
    __test__ = False  # not a test of pytest's
    name: Sentence
    """A claim."""
    given: dict[str, str | float | bool | tuple[str, ...]]
    """Signals with their values; all others are absent."""
    expect: Literal["fires", "quiet", "unknown"]


class RuleIn(Section):
    """One rule file."""

    id: Annotated[str, Field(pattern=r"^[a-z]+/[a-z][a-z0-9_]*$")]
    """engine/name."""
    version: Annotated[int, Field(ge=1)]
    """Raised whenever its meaning changes."""
    detector: str = ""
    """Whose findings it joins; absent: it is asked about each table."""
    engines: Annotated[frozenset[Engine], Field(min_length=1)]
    levels: Annotated[frozenset[Level], Field(min_length=1)] = frozenset({Level.TABLE})
    needs: tuple[Word, ...] = ()
    """Signals without which it never fires."""
    numbers: tuple[NumberIn, ...] = ()
    """Numbers worked out for the texts."""
    when: When
    clear_when: Sentence
    """The leave line: it must hold for `clear_for` before the advice is resolved."""
    fire_for: Annotated[Seconds, Field(alias="for", ge=0)]
    """Observed firing time before anybody is told; none where what the detector sees lasts as long as its window."""
    clear_for: Annotated[Seconds, Field(ge=SHORTEST.total_seconds())]
    cooldown: Annotated[Seconds, Field(ge=SHORTEST_COOLDOWN.total_seconds())]
    """Time after it was resolved in which it is not opened again."""
    severity: Severity | Literal["finding"]
    """Its own, or the finding's."""
    confidence: Confidence | Literal["finding", "window"]
    """Its own, the finding's, or by how many days were seen."""
    group: str = ""
    """Options that exclude each other share a group."""
    rank: Annotated[int, Field(ge=0, le=9)] = 0
    """Within its group the lowest is shown: first what ends refusals, then right-size, mode, class, commitment."""
    option: OptionIn
    verify: VerifyIn
    sources: Annotated[Sentences, Field(min_length=1)]
    """Document, version or date behind every line it draws; "ours" with the reason."""
    tests: tuple[TestIn, ...] = ()
