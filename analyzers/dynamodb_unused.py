"""dynamodb/unused: a table that nobody reads or writes, or an index that is written with each write and never read.

Fires where reads, and for a table writes, were nothing over at least two weeks that are proven seen. It is a matter to
ask about, never to act on alone: what runs once a month is not seen in two weeks. Stays silent on what was used once in
the time that is known, and answers Unknown where the age of a table or index, or a replica elsewhere, may explain it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from stillfit.case import MIN_COVERAGE, Analyzer, Case, Threshold, why_unproven
from stillfit.model import Confidence, Engine, Finding, Level, Severity, Span, Statistic, Unknown
from stillfit.series import covered_s

READS, WRITES = "consumed_read_units", "consumed_write_units"
DAY = 86_400
LONG_DAYS = 28
"""Four of each weekday, and most of a month; AWS's own review asks for 30 covered days before it is sure (AWS agent
skills for DynamoDB, index rules, September 2026), which is more than is kept in view."""


def find(case: Case) -> Finding | Unknown | None:
    if _used(case, READS) or (case.subject.level is Level.TABLE and _used(case, WRITES)):
        return None
    least = int(case.threshold("least_days"))
    days = next((days for days in (LONG_DAYS, least) if _proves(case, days)), 0)
    if not days:
        lacking = tuple(_lacking(case, least)) or (READS, WRITES)
        return Unknown("; ".join(_why(case, name, least) for name in lacking), lacking)
    return _index(case, days, least) if case.subject.level is Level.INDEX else _table(case, days, least)


def _index(case: Case, days: int, least: int) -> Finding | Unknown:
    """Nobody dates an index: how long it has been there is told by its own writes."""
    written = [int(one.times[one.values > 0][0]) for one in case.parts(WRITES, Statistic.SUM) if (one.values > 0).any()]
    if not written:
        return Unknown("neither read nor written, and since when it exists cannot be told", (WRITES,))
    age = (case.window.end - min(written)) / DAY
    if age < MIN_COVERAGE * least:
        return Unknown(f"its writes begin {age:.1f} d ago: {least} d are needed, it may be new", (WRITES,))
    told = f"index {case.subject.index} of table {case.subject.table} is written and was not read once in {days} d"
    return _finding(case, "index_not_read", told, days)


def _table(case: Case, days: int, least: int) -> Finding | Unknown | None:
    indexes = case.of_level(Level.INDEX)
    if any(_used(index, READS) for index in indexes):
        return None
    unseen = [index for index in indexes if not _proves(index, least)]
    if unseen:
        return Unknown(
            f"whether its index {unseen[0].subject.index} is read: {_why(unseen[0], READS, least)}", (READS,)
        )
    if case.attribute("replica_regions"):
        return Unknown("neither read nor written here, but it is a replica of a global table", ("replica_regions",))
    created = case.attribute("created")
    if not isinstance(created, str):
        return Unknown("neither read nor written, and its age is not known; DescribeTable tells it", ("created",))
    if datetime.fromisoformat(created) > case.window.ends_at - timedelta(days=MIN_COVERAGE * least):
        return Unknown(f"neither read nor written, but created on {created[:10]}: {least} d are needed", ("created",))
    told = f"table {case.subject.table} was neither read nor written in {days} d"
    return _finding(case, "table_not_used", told, days)


def _used(case: Case, metric: str) -> bool:
    """Whether a single unit was consumed in all the time that is known."""
    return bool(np.nansum(case.values(metric)) > 0)


def _proves(case: Case, days: int) -> bool:
    """Whether the newest `days` are vouched for, reads and writes."""
    return days * DAY <= case.window.seconds and not any(_lacking(case, days))


def _lacking(case: Case, days: int) -> Iterator[str]:
    """Of which consumption the newest `days` are not vouched for."""
    span = Span(case.window.end - days * DAY, case.window.end)
    for metric in (READS, WRITES):
        covered = max((covered_s(one, span) for one in case.parts(metric, Statistic.SUM)), default=0)
        if covered < MIN_COVERAGE * span.seconds:
            yield metric


def _why(case: Case, metric: str, least: int) -> str:
    if any(gap.missing in {metric, "*"} for gap in case.gaps):
        return why_unproven(case, metric)
    return f"{metric}: {case.coverage(metric) * case.window.seconds / DAY:.1f} d were seen, {least} d needed"


def _finding(case: Case, cause: str, told: str, days: int) -> Finding:
    is_published = any(len(one.times) for one in case.parts(READS, Statistic.SUM))
    sure = days >= LONG_DAYS and is_published  # CloudWatch publishes zeros of what is idle: none at all is weaker
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause=cause,
        severity=Severity.INFO,
        confidence=Confidence.MEDIUM if sure else Confidence.LOW,
        since=case.window.ends_at - timedelta(days=days),
        summary=f"{told}; ask whose it is, since what runs once a month is not seen in that time",
        evidence=(
            *case.evidence(READS, WRITES),
            *case.evidence("table_size_bytes", statistic=Statistic.LAST),
            *case.setting("provisioned_read_units", "provisioned_write_units", "created"),
        ),
    )


ANALYZER = Analyzer(
    id="dynamodb/unused",
    levels=frozenset({Level.TABLE, Level.INDEX}),
    engines=frozenset({Engine.DYNAMODB}),
    needs=frozenset(),  # `find` proves the newest two or four weeks of the window by itself
    wants=frozenset({READS, WRITES, "table_size_bytes"}),
    window=timedelta(days=LONG_DAYS),
    hourly=True,
    causes={
        "index_not_read": "the index is written with the table and nobody reads it: its writes and bytes are paid for",
        "table_not_used": "nobody reads or writes the table or its indexes: its bytes and capacity are paid for",
    },
    thresholds=(
        Threshold(
            name="least_days",
            value=14,
            unit="d",
            why="a weekly job must have had two chances; AWS Compute Optimizer too looks back 14 days (2026)",
        ),
    ),
    find=find,
)
