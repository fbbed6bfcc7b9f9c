"""The nouns of stillfit, in the order in which they flow.

    Subject -> Series, Attributes, Gap -> Evidence -> Finding | Unknown | None -> CostFigure, FitVerdict -> Advice

All are frozen. Instants are aware UTC datetimes; arrays of time are int64 seconds since the epoch, because they are
arithmetic. The first noun, Subject, stands in stillfit/subject.py; the last, Advice, with its states in
stillfit/advice.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stillfit.subject import Engine, Level, Subject

__all__ = [
    "Answer",
    "AttributeChange",
    "Attributes",
    "Batch",
    "Blocker",
    "Confidence",
    "CostFigure",
    "DeclaredFact",
    "Engine",
    "Evidence",
    "EvidenceKind",
    "Finding",
    "FitState",
    "FitVerdict",
    "Gap",
    "GapReason",
    "Judgement",
    "Level",
    "Money",
    "Rate",
    "Series",
    "SeriesKey",
    "Severity",
    "Span",
    "Statistic",
    "Subject",
    "Unknown",
    "Value",
    "Workload",
    "merge_spans",
]

Value = str | float | bool | tuple[str, ...]
"""What an attribute may hold. Numbers are floats; a list of names is a tuple."""


class Span(NamedTuple):
    """Half-open stretch of time in seconds since the epoch: start <= t < end."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        return max(0, self.end - self.start)

    def overlap(self, other: Span) -> Span:
        """What both share; empty (seconds 0) where they do not meet."""
        start = max(self.start, other.start)
        return Span(start, max(start, min(self.end, other.end)))

    @property
    def starts_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)


class Statistic(StrEnum):
    SUM = "sum"
    COUNT = "count"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    P50 = "p50"
    P99 = "p99"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One metric of one subject.

    `times` are the starts of buckets of `period_s`, ascending and unique; `values` are finite. `covered` says for which
    stretches the source vouches: every point published there is in the arrays. A bucket in `covered` without a point
    was published empty (zero for a sparse counter); a bucket outside is simply not known.
    """

    subject: Subject
    metric: str
    statistic: Statistic
    period_s: int
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    covered: tuple[Span, ...]
    dimension: str = ""
    """The part of the metric where it has parts: an operation ("GetItem"), a receiving region, a thread pool."""

    @property
    def key(self) -> SeriesKey:
        return SeriesKey(self.subject, self.metric, self.statistic, self.period_s, self.dimension)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        same = self.key == other.key and self.covered == other.covered
        return same and np.array_equal(self.times, other.times) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]  # holds arrays: compare it, or use its key


class SeriesKey(NamedTuple):
    subject: Subject
    metric: str
    statistic: Statistic
    period_s: int
    dimension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The settings of a subject at one time, flat, by canonical name (stillfit/attributes.py)."""

    subject: Subject
    at: datetime
    values: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, subject: Subject, at: datetime, values: Mapping[str, Value]) -> Self:
        return cls(subject=subject, at=at, values=tuple(sorted(values.items())))

    def get(self, name: str) -> Value | None:
        return next((value for key, value in self.values if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """A setting that differs between two reads. `at`: when it happened where the source tells, else when seen."""

    subject: Subject
    name: str
    before: Value | None
    after: Value | None
    at: datetime


class GapReason(StrEnum):
    """Why a thing is not known. None of them is health, none is a fault of the database."""

    NO_DATA = "no data"  # asked and answered: nothing is published
    NOT_CONFIGURED = "not configured"  # the feature that would tell is off
    NOT_ASKED = "not asked"  # our own choice: budget, tier, scope
    DENIED = "denied"  # a permission or credential is missing
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"  # the source's own API refused us
    STALE = "stale"  # last known is too old to judge on
    PARTIAL = "partial"  # some of it came
    GARBLED = "garbled"  # an answer came that cannot be read
    UNSUPPORTED = "unsupported"  # this version or engine does not have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What could not be read, and why. Never dropped: it ends as an Unknown that names it."""

    subject: Subject
    missing: str
    """A canonical metric or attribute name, or "*" for everything of the subject."""
    reason: GapReason
    detail: str
    """One sentence for a person: what was refused, and what to do next."""
    source: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one source says at one time; the only thing that crosses from collector/ to the spine."""

    source: str
    at: datetime
    series: Sequence[Series] = ()
    """A tuple, or thousands at once as stillfit.sheets.Sheets."""
    attributes: tuple[Attributes, ...] = ()
    changes: tuple[AttributeChange, ...] = ()
    """Dated changes the source itself reports (scaling activities, mode switches)."""
    gaps: tuple[Gap, ...] = ()
    subjects_seen: tuple[Subject, ...] = ()
    """A complete inventory where `inventory` is true: what is missing from it no longer exists."""
    inventory: bool = False
    undescribed: tuple[Subject, ...] = ()
    """What an inventory lists but could not read: neither it nor what belongs to it is gone."""


class EvidenceKind(StrEnum):
    MEASURED = "measured"
    DERIVED = "derived"
    DECLARED = "declared"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One signal with its interval and where it comes from. A setting has `text` and no numbers."""

    signal: str
    unit: str
    kind: EvidenceKind
    source: str
    low: float | None = None
    mid: float | None = None
    high: float | None = None
    text: str = ""
    window: Span | None = None
    points: int = 0
    coverage: float = 1.0
    """Share of the window that the source vouches for, 0 to 1."""
    freshness_s: int = 0
    """Age of the newest point when it was judged."""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Confidence(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something hurts, and this is why."""

    detector: str
    subject: Subject
    cause: str
    """One of the detector's own closed set of causes, as its page lists them."""
    severity: Severity
    confidence: Confidence
    since: datetime
    summary: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could not judge: neither a finding nor health."""

    reason: str
    missing: tuple[str, ...] = ()
    """Canonical names of what would have to be known."""


Answer = Finding | Unknown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One detector's answer on one subject: a finding, Unknown, or None for looked and found nothing."""

    detector: str
    subject: Subject
    answer: Answer


class DeclaredFact(NamedTuple):
    """What a person says of a workload; expires after 180 days (ours: a yearly plan changes twice)."""

    name: str
    value: Value
    declared_at: datetime
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The user's unit: one or more tables with what is declared about them. By default each table is one."""

    name: str
    tables: tuple[Subject, ...]
    declared: tuple[DeclaredFact, ...] = ()

    def fact(self, name: str) -> DeclaredFact | None:
        return next((fact for fact in self.declared if fact.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """USD a month as low <= mid <= high, with the date of the prices and the arithmetic in words."""

    low: float
    mid: float
    high: float
    price_date: datetime
    arithmetic: str
    price_lists: tuple[str, ...] = ()
    """Lists that its prices were read from, each with its version; empty where somebody wrote the prices down."""


class Rate(NamedTuple):
    """What one unit (a request unit, a unit-hour, a GB-month) costs in USD from a date on."""

    usd: float
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFigure:
    """What a subject costs a month: now ("current"), or would under another option ("on-demand", "provisioned")."""

    subject: Subject
    option: str
    component: str
    money: Money
    assumptions: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    """The unit price behind a single component with its history, oldest first; empty for sums of several."""


class FitState(StrEnum):
    FITS = "fits"
    FITS_WITH_CHANGES = "fits with changes"
    STRAINED = "strained"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


class Blocker(NamedTuple):
    """A knock-out that stands against a candidate, with what it rests on."""

    id: str
    sentence: str
    certain: bool
    """False: evidence is weak, so it is "possible blocker: confirm"."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitVerdict:
    """Does the workload still fit this candidate? UNKNOWN lists what is missing."""

    workload: str
    candidate: str
    is_current: bool
    state: FitState
    blockers: tuple[Blocker, ...] = ()
    missing: tuple[str, ...] = ()


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as `spans`, ascending, with touching ones joined and empty ones dropped."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.seconds):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
