"""One frozen picture of what the daemon knows; every page and series is drawn from it, never from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.aws.looks.history import Backlog
from collector.aws.money.fees import Fees
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import Bill
from collector.aws.spending.plan import Plan
from stillfit.advice import Advice, AdviceState
from stillfit.cycle import Turn
from stillfit.export.readings import Reading, readings
from stillfit.export.trends import Trend, trends
from stillfit.model import Engine, Gap, Span, Subject, Workload
from stillfit.snapshot import Snapshot

REMEMBERED = timedelta(days=1)
"""Ours: what was resolved since yesterday is still shown, so that the morning sees what the night did."""
MOST_READINGS = 100_000
"""Series on one page. 10k are unremarkable, 100k draw questions, a million are refused by what scrapes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one API was asked since the daemon started. Dollars are list price."""

    api: str
    requests: int
    metrics: int = 0
    datapoints: int = 0
    dollars: float = 0.0
    lost_dollars: float = 0.0
    """What may have been billed on top, because answers were lost on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one source does. `error` is empty when the last look went well."""

    id: str
    engine: str
    scope: tuple[str, str] = ("", "")
    """What it reads: account and region, or cluster and datacenter ("" is all)."""
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    covered_until: datetime | None = None
    """End of the newest time for which any series of it vouches."""
    error: str = ""
    reading_since: datetime | None = None
    """When the look under way began; None between looks."""
    every: timedelta = timedelta(0)
    """How often it is read."""
    subjects: int = 0
    points: int = 0
    seconds: float = 0.0
    spent: tuple[Spent, ...] = ()
    plan: Plan | None = None
    """How often it reads what, where that has a price."""
    shared: Plan | None = None
    """The plan of all that is paid from the same budget, with what its month has come to."""
    backlog: Backlog | None = None
    """What it owes of the past; None for one that has none to read."""

    def overdue(self, now: datetime) -> timedelta:
        """How long the look under way has taken, where that is longer than its interval: its findings come late."""
        took = now - self.reading_since if self.reading_since else timedelta(0)
        return took if took > self.every else timedelta(0)


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
    subjects: tuple[Subject, ...] = ()
    workloads: tuple[Workload, ...] = ()
    spans: tuple[tuple[Engine, Span], ...] = ()
    """Which stretch the turn judged, per engine."""
    versions: tuple[tuple[tuple[str, str], str], ...] = ()
    """Versions that the nodes of a cluster run, by scope."""
    readings: tuple[Reading, ...] = ()
    """The newest settled numbers, for the fleet page."""
    dropped: int = 0
    """Readings beyond MOST_READINGS, left out."""
    trends: tuple[Trend, ...] = ()
    """The recent past of what shown advice rests on."""
    queue_length: int = 0
    """Messages waiting to be sent."""

    @property
    def targets(self) -> dict[tuple[str, str, str], str]:
        """Id of the source by engine and scope of what it reads."""
        return {(one.engine, *one.scope): one.id for one in self.sources}


def view_of(previous: View, turn: Turn, snapshot: Snapshot, statuses: Iterable[SourceStatus]) -> View:
    """The next picture after a committed turn."""
    sources = tuple(replace(one, covered_until=_covered_until(one, snapshot)) for one in statuses)
    advice = _remembered(previous.advice, turn)
    view = replace(
        previous,
        at=turn.at,
        sources=sources,
        turn=turn,
        advice=advice,
        gaps=snapshot.gaps,
        subjects=snapshot.subjects,
        workloads=snapshot.workloads,
        spans=tuple(snapshot.spans.items()),
        versions=_versions(snapshot),
        trends=trends(advice, snapshot),
    )
    found = readings(snapshot, view.targets)
    return replace(view, readings=found[:MOST_READINGS], dropped=max(0, len(found) - MOST_READINGS))


def spent_by(source: object) -> tuple[Spent, ...]:
    """What a source's own looking has cost; empty for one that asks nothing that is billed."""
    bill = getattr(getattr(source, "source", source), "bill", None)  # a source that signs in later holds the real one
    if isinstance(bill, Fees):
        return (Spent(api="ce", requests=bill.requests, dollars=bill.usd, lost_dollars=bill.lost_usd),)
    if not isinstance(bill, Bill):
        return ()
    keys = bill.of_kms
    paid = Spent(
        api="cloudwatch",
        requests=bill.calls + bill.listings,
        metrics=bill.metrics,
        datapoints=bill.datapoints,
        dollars=bill.usd - keys.usd,
        lost_dollars=bill.lost_usd - keys.lost_usd,
    )
    kms = Spent(api="kms", requests=keys.requests, dollars=keys.usd, lost_dollars=keys.lost_usd)
    return (paid, kms) if keys.usd + keys.lost_usd else (paid,)


def planned_by(source: object) -> Plan | None:
    """By which plan a source reads; None for one that reads everything at every look."""
    plan = getattr(getattr(source, "source", source), "plan", None)
    return plan if isinstance(plan, Plan) else None


def shared_by(source: object) -> Plan | None:
    """By which plan all are read that are paid from the budget of a source; None for one that has none."""
    budget = getattr(getattr(source, "source", source), "budget", None)
    return budget.plan if isinstance(budget, Budget) else None


def owed_by(source: object) -> Backlog | None:
    """What a source has not read yet of the past; None for one that has none to read."""
    owed = getattr(getattr(source, "source", source), "backlog", None)
    return owed if isinstance(owed, Backlog) else None


def _remembered(before: tuple[Advice, ...], turn: Turn) -> tuple[Advice, ...]:
    records = {record.id: record for record in (*before, *turn.advice)}
    ended = AdviceState.RESOLVED
    return tuple(r for r in records.values() if r.state is not ended or turn.at - r.state_since <= REMEMBERED)


def _covered_until(status: SourceStatus, snapshot: Snapshot) -> datetime | None:
    ends = [one.covered[-1] for one in snapshot.series if one.covered and reads(status, one.subject)]
    return max(ends, key=lambda span: span.end).ends_at if ends else None


def reads(status: SourceStatus, subject: Subject) -> bool:
    """Whether a subject is one of this source's."""
    first, second = status.scope
    return subject.engine.value == status.engine and subject.scope[0] == first and second in {"", subject.scope[1]}


def _versions(snapshot: Snapshot) -> tuple[tuple[tuple[str, str], str], ...]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in snapshot.attributes:
        if one.subject.node and (version := one.get("version")) is not None:
            found[one.subject.scope].add(str(version))
    return tuple((scope, " ".join(sorted(versions))) for scope, versions in found.items())
