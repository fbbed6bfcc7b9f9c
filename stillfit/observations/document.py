"""The shape of an observation file, and its JSON Schema.

Types and closed sets are held here; what needs the rest of the file (levels, windows, units) is held by statements.py.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from stillfit.attributes import ATTRIBUTES
from stillfit.config import WorkloadConfig
from stillfit.metrics import METRICS
from stillfit.model import Engine, GapReason, Statistic

SCHEMA_ID = "https://github.com/stillfit/stillfit/blob/main/stillfit/observations/schema.json"
MOST = 1e18
"""Ours: beyond any measurement in any unit here, and far from where the sum of a million of them overflows."""
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_EXPONENT = re.compile(r"[-+]?\d{1,20}(\.\d{0,20})?[eE][-+]?\d{1,3}", re.ASCII)
_LENGTH = re.compile(r"(\d{1,9})([smhd])", re.ASCII)


def seconds(text: str) -> int:
    """90s, 5m, 2h or 14d as seconds. Raises ValueError on anything else."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ValueError("is no length of time; write 90s, 5m, 2h or 14d")
    return int(found[1]) * _UNITS_S[found[2]]


def instant(text: str, at: datetime | None = None) -> datetime:
    """An ISO time with its zone, or, where `at` is given, a length before it: -20m. Raises ValueError."""
    try:
        if text.startswith("-") and at is not None:
            return at - timedelta(seconds=seconds(text[1:]))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME) from None
    if found.tzinfo is None or found.year < 1971:
        raise ValueError(_NO_TIME)
    return found.astimezone(UTC)


_NO_TIME = "is no time; write 2026-08-24T12:00:00Z (with its zone), or -20m for twenty minutes before `at`"


def plain(value: Any) -> Any:
    """1e-05 as a number: JSON writes it so, and YAML 1.1 takes a number without a point for text."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _whole_seconds(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


def _when(value: str) -> str:
    instant(value, datetime(2026, 1, 1, tzinfo=UTC))
    return value


def _measurable(value: float) -> float:
    if value < 0:
        raise ValueError(f"no measurement is below zero, not {value:g}")
    if value > MOST:
        raise ValueError(f"no measurement is above {MOST:g}, not {value:g}")
    return value


def _names(choices: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": sorted(choices)})


Instant = Annotated[
    datetime,
    BeforeValidator(lambda value: instant(value) if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
When = Annotated[str, AfterValidator(_when), WithJsonSchema({"type": "string", "examples": ["-20m"]})]
Length = Annotated[
    int,
    BeforeValidator(_whole_seconds),
    Field(gt=0, le=400 * 86400),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[0-9]+[smhd]$"}, {"type": "integer", "minimum": 1}]}),
]
Number = Annotated[
    float,
    BeforeValidator(plain),
    Field(allow_inf_nan=False, json_schema_extra={"minimum": 0, "maximum": MOST}),
    AfterValidator(_measurable),
]
Metric = Annotated[str, _names(METRICS)]
Setting = Annotated[str, _names(ATTRIBUTES)]
Missing = Annotated[str, _names({*METRICS, *ATTRIBUTES, "*"})]
Scalar = Annotated[
    Any,
    WithJsonSchema(
        {"anyOf": [{"type": ["string", "number", "boolean"]}, {"type": "array", "items": {"type": "string"}}]}
    ),
]


class Shape(BaseModel):
    """Strict: unknown keys are mistakes, and nothing is turned into what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class Window(Shape):
    """The stretch that the file speaks of."""

    from_: Annotated[When, Field(alias="from")]
    to: When | None = None
    """Default: `at`."""


class Ramp(Shape):
    """Straight from one number to another over the series' stretch."""

    from_: Annotated[Number, Field(alias="from")]
    to: Number


class Step(Shape):
    """A level that holds until the next step."""

    value: Number
    from_: Annotated[When | None, Field(alias="from")] = None
    """Default for the first: where the series begins."""


class DailyWave(Shape):
    """A cosine over the day between two levels."""

    low: Number
    high: Number
    peak_hour: Annotated[Number, Field(ge=0, lt=24)] = 14.0
    """Hour of the day, UTC."""


class Spike(Shape):
    """A level with a peak in it, once or again and again."""

    base: Number
    peak: Number
    from_: Annotated[When, Field(alias="from")]
    length: Length
    every: Length | None = None


class SeriesShape(Shape):
    """One metric. Exactly one of values, constant, ramp, steps, daily_wave and spike says its numbers."""

    metric: Metric
    statistic: Annotated[Statistic | None, Field(strict=False)] = None
    """Default: sum, last, average or p99, the first that the metric has."""
    period: Length = 60
    unit: str | None = None
    """May be said, and must then be the metric's own."""
    dimension: str = ""
    per: Literal["bucket", "second"] = "bucket"
    """What the numbers of a sum or count are said of."""
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    """Default: the window of the file. Outside nothing is known."""
    values: list[Number | None] | None = None
    """One number a bucket; null is not known."""
    constant: Number | None = None
    ramp: Ramp | None = None
    steps: Annotated[list[Step], Field(min_length=1)] | None = None
    daily_wave: DailyWave | None = None
    spike: Spike | None = None


class GapShape(Shape):
    """What could not be seen of this subject, and why."""

    missing: Missing
    """A metric, an attribute, or * for everything."""
    reason: Annotated[GapReason, Field(strict=False)]
    detail: str = ""


class ChangeShape(Shape):
    """A setting that was changed, and when."""

    name: Setting
    before: Scalar = None
    after: Scalar = None
    at: When


class SubjectShape(Shape):
    """What is talked about: by its text form, or by its parts."""

    subject: str | None = None
    """dynamodb/ACCOUNT/REGION/table=NAME/index=NAME or cassandra/CLUSTER/DC/keyspace=NAME/table=NAME/node=ADDRESS."""
    engine: Annotated[Engine | None, Field(strict=False)] = None
    scope: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    """[account, region] or [cluster, datacenter], in quotes."""
    keyspace: str = ""
    table: str = ""
    index: str = ""
    node: str = ""
    attributes: dict[Setting, Scalar] = {}
    series: list[SeriesShape] = []
    gaps: list[GapShape] = []
    changes: list[ChangeShape] = []


class ObservationShape(Shape):
    """One file: a moment, what was seen of whom, and what people declare about it."""

    at: Instant
    """The time the file speaks of; prices are those of this day."""
    about: str = ""
    """What this is, for people."""
    source: str | list[str] = ""
    """Where it comes from, for people."""
    window: Window | None = None
    """Default: the hour before `at`."""
    subjects: Annotated[list[SubjectShape], Field(min_length=1)]
    workloads: list[WorkloadConfig] = []


def json_schema() -> dict[str, Any]:
    """The published schema of an observation file."""
    schema = ObservationShape.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
