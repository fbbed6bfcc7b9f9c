"""cassandra/tombstones: reads pass more dead rows than they return, or expired data does not leave the disks; and why.

Fires when a replica's tombstones per read stand at the line now and outnumber the live rows; certain where the lower
edge of the histogram's bucket is over the line, possible where only the upper is. Fires on the signs of the disk alone
where reads are quiet or not seen. A replica that read nothing lately says nothing: neither health nor trouble.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from analyzers._tombstone_causes import Cause, cause_of, disk_growth, overwrites, storage_cause
from analyzers._tombstone_signs import Reading, readings
from stillfit.case import Analyzer, Case, Threshold, until_proven, why_unproven
from stillfit.model import Confidence, Engine, Evidence, EvidenceKind, Finding, Level, Severity, Statistic, Unknown

CAUSES = {
    "queue_pattern": "rows are inserted, read and deleted at the head of a partition, like a queue",
    "null_inserts": "inserts bind null to columns they do not set; each null is a tombstone",
    "ttl_without_twcs": "rows expire under a compaction strategy that does not drop them by age",
    "twcs_blocked": "TimeWindowCompactionStrategy cannot drop expired SSTables: something overlaps them",
    "range_deletes": "ranges or whole partitions are deleted and still read",
    "collection_overwrite": "whole collections are assigned; each write leaves a range tombstone (likely, never seen)",
    "purge_blocked": "tombstones are older than gc_grace and no compaction includes all of their partition",
    "gc_grace_too_long": "tombstones are younger than gc_grace_seconds and so must stay",
    "repair_behind": "only repaired tombstones may go, and repair does not finish",
    "compaction_behind": "compaction does not keep up",
    "undetermined": "reads meet tombstones and what is known does not tell why",
}
_METRIC = "tombstones_per_read"
_STATISTICS = (Statistic.P99, Statistic.MAXIMUM)


def find(case: Case) -> Finding | Unknown | None:
    if not case.of_level(Level.REPLICA):
        return Unknown(f"{case.subject.name}: no replica was read; allow SELECT on system_views", (_METRIC,))
    seen = readings(case)
    hurt = max(
        (one for one in seen if _possible(case, one)), key=lambda one: (_certain(case, one), _size(one)), default=None
    )
    if hurt is not None:
        return _on_reads(case, hurt)
    stored = storage_cause(case) or overwrites(case)
    if stored is not None:
        return _on_disk(case, stored)
    return _unseen(case, seen)


def _size(one: Reading) -> float:
    return one.tombstones[0]


def _line(case: Case, one: Reading) -> float:
    return case.threshold("p99") if one.statistic is Statistic.P99 else _server_line(case, one, "maximum")


def _server_line(case: Case, one: Reading, name: str) -> float:
    """Where the node itself warns or aborts, as it is set there; a line that the operator drew goes before."""
    line, setting = case.threshold(name), _SERVER_LINES[name]
    own = one.replica.node.get(setting) if one.replica.node else None
    usual = next(each.value for each in ANALYZER.thresholds if each.name == name)
    return own if isinstance(own, float) and line == usual else line


_SERVER_LINES = {"maximum": "tombstone_warn_threshold", "critical_maximum": "tombstone_failure_threshold"}


def _possible(case: Case, one: Reading) -> bool:
    """Whether the upper edge crosses the line, and tombstones may outnumber the live rows."""
    ratio = one.ratio
    outnumbered = ratio is None or ratio[1] >= case.threshold("per_live_row")
    return one.tombstones[1] >= _line(case, one) and outnumbered


def _certain(case: Case, one: Reading) -> bool:
    """Whether the lower edge crosses it, and tombstones are known to outnumber the live rows."""
    ratio = one.ratio
    outnumbered = ratio is not None and ratio[0] >= case.threshold("per_live_row")
    return one.tombstones[0] >= _line(case, one) and outnumbered


def _unseen(case: Case, seen: tuple[Reading, ...]) -> Unknown | None:
    """Health only where every replica was seen throughout and some of them read."""
    if not case.proves(_METRIC):
        then = until_proven(case, _METRIC, grant="Allow SELECT on system_views")
        return Unknown(f"{why_unproven(case, _METRIC)}{then}", (_METRIC,))
    if not seen:
        return Unknown(f"{case.subject.name}: nothing was read lately, so what a read would pass is not known")
    return None


def _on_reads(case: Case, worst: Reading) -> Finding:
    ratio = worst.ratio
    cause = cause_of(case, tombstones_for_each_row=ratio[1] if ratio else None)
    certain = _certain(case, worst)
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause=cause.cause,
        severity=_severity(case, worst) if certain else Severity.INFO,
        confidence=cause.confidence if certain else Confidence.LOW,
        since=datetime.fromtimestamp(worst.since, UTC),
        summary=f"{_amount(worst)} on {worst.replica.subject.node}: {cause.why}",
        evidence=_evidence(case),
    )


def _severity(case: Case, worst: Reading) -> Severity:
    """Critical where reads are about to be aborted, or already are."""
    aborted = worst.tombstones[1] >= _server_line(case, worst, "critical_maximum")
    return Severity.CRITICAL if aborted else Severity.WARNING


def _amount(one: Reading) -> str:
    which = "the worst read passes" if one.statistic is Statistic.MAXIMUM else "one read in a hundred passes"
    low, high = one.tombstones
    rows = f" for {one.live[1]:.0f} live rows" if one.live else ", live rows are not known"
    return f"{which} {low:.0f} to {high:.0f} tombstones{rows}"


def _on_disk(case: Case, cause: Cause) -> Finding:
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause=cause.cause,
        severity=Severity.INFO if cause.cause == "collection_overwrite" else Severity.WARNING,
        confidence=cause.confidence,
        since=case.window.starts_at,
        summary=f"{case.subject.name}: {cause.why}",
        evidence=_evidence(case),
    )


def _evidence(case: Case) -> tuple[Evidence, ...]:
    measured = [
        found
        for metric in (_METRIC, "live_rows_per_read")
        for statistic in _STATISTICS
        for found in case.evidence(metric, statistic=statistic)
    ]
    stored = case.evidence(
        "droppable_tombstone_ratio",
        "oldest_sstable_age_s",
        "percent_repaired",
        "disk_used_bytes",
        "top_partition_tombstones",
        statistic=Statistic.LAST,
    )
    return (*measured, *stored, *_growth(case), *case.setting(*_SETTINGS))


def _growth(case: Case) -> tuple[Evidence, ...]:
    grown, source = disk_growth(case), case.subject.engine.value
    if grown is None:
        return ()
    known = Evidence(signal="disk_growth", unit="x", kind=EvidenceKind.DERIVED, source=source)
    return (replace(known, low=grown, mid=grown, high=grown),)


_SETTINGS = (
    "compaction",
    "gc_grace_s",
    "default_ttl_s",
    "repaired_at",
    "clustering_types",
    "prepared_inserts",
    "prepared_insert_columns",
    "prepared_deletes",
    "prepared_ttl",
    "only_purge_repaired",
)

ANALYZER = Analyzer(
    id="cassandra/tombstones",
    levels=frozenset({Level.TABLE}),
    engines=frozenset({Engine.CASSANDRA}),
    needs=frozenset(),  # the disk may speak where reads were not seen; `find` answers Unknown where neither does
    wants=frozenset(
        {
            _METRIC,
            "live_rows_per_read",
            "droppable_tombstone_ratio",
            "oldest_sstable_age_s",
            "percent_repaired",
            "sstables_per_read",
            "disk_used_bytes",
            "top_partition_tombstones",
        }
    ),
    window=timedelta(minutes=15),
    history=timedelta(days=28),
    causes=CAUSES,
    thresholds=(
        Threshold(name="p99", value=500, unit="tombstones", why="AxonOps alert rules warn at a p99 of 500"),
        Threshold(
            name="maximum",
            value=1_000,
            unit="tombstones",
            why="tombstone_warn_threshold of Cassandra 3.11 to 5.0: the server itself warns there",
        ),
        Threshold(
            name="critical_maximum",
            value=100_000,
            unit="tombstones",
            why="tombstone_failure_threshold of Cassandra 3.11 to 5.0: the server aborts the read there",
        ),
        Threshold(
            name="per_live_row",
            value=1,
            unit="tombstones",
            why="ours: below, a read returns more than it throws away",
        ),
        Threshold(
            name="queue_ratio",
            value=10,
            unit="tombstones",
            why="ours: null inserts stay near the number of columns, a queue's head grows without bound",
        ),
        Threshold(
            name="droppable_ratio",
            value=0.2,
            unit="ratio",
            why="tombstone_threshold: Cassandra compacts a single SSTable from there (5.0, compaction overview)",
        ),
        Threshold(
            name="sstables_per_read",
            value=10,
            unit="SSTables",
            why="p95 of 10 is Montecristo's upper line in its compaction section",
        ),
        Threshold(
            name="percent_repaired",
            value=90,
            unit="percent",
            why="Reaper starts a repair at 10 % unrepaired",
        ),
        Threshold(
            name="disk_growth",
            value=1.2,
            unit="x",
            why="ours: a table whose data expires stays level; a fifth more is beyond what a week changes",
        ),
    ),
    find=find,
)
