"""One frozen picture of what the daemon knows; every page and series is drawn from it, never from the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stillfit.advice import Advice
from stillfit.cycle import Turn
from stillfit.model import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one API was asked since the daemon started. Dollars are list price."""

    api: str
    requests: int
    metrics: int = 0
    datapoints: int = 0
    dollars: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one source does. `error` is empty when the last look went well."""

    id: str
    engine: str
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    covered_until: datetime | None = None
    error: str = ""
    subjects: int = 0
    points: int = 0
    seconds: float = 0.0
    spent: tuple[Spent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Swapped whole after each turn, so that a page never shows two moments at once."""

    instance: str
    version: str
    started_at: datetime
    at: datetime
    sources: tuple[SourceStatus, ...] = ()
    turn: Turn | None = None
    """None until the first turn: "not judged yet", never "all well"."""
    advice: tuple[Advice, ...] = ()
    """Every record that is pending, live, dismissed, or was resolved within a day."""
    gaps: tuple[Gap, ...] = ()
    queue_length: int = 0
    """Messages waiting to be sent."""
    store_writable: bool = True
