"""The smaller answers of DynamoDB's control plane as canonical attributes. Pure.

Shapes: DynamoDB API reference (botocore 1.44.5). All raise KeyError, TypeError, AttributeError or ValueError where an
answer lacks what the service promises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collector.aws.settings.tables import Description, Settings
from collector.aws.wire.instants import instant

FIRST_MODE = "ACCESSED_AND_THROTTLED_KEYS"
"""What Contributor Insights recorded before it had modes, and records where none is named (API reference)."""
_ON = frozenset({"ENABLED", "ENABLING"})
_STANDS = frozenset({"AVAILABLE", "CREATING"})


def time_to_live(answer: Description) -> Settings:
    told = answer["TimeToLiveDescription"]
    status = str(told.get("TimeToLiveStatus", "DISABLED"))
    return {"ttl_attribute": str(told.get("AttributeName", "")) if status in _ON else "", "ttl_status": status}


def point_in_time_recovery(answer: Description) -> Settings:
    """Without earliest and latest restorable time: they move on with the clock and are no setting."""
    recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    on = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    days = recovery.get("RecoveryPeriodInDays") if on else None
    return {"point_in_time_recovery": on, **({} if days is None else {"recovery_period_days": float(days)})}


def kinesis(answer: Description) -> Settings:
    return {"kinesis_destinations": tuple(sorted(map(_destination, answer["KinesisDataStreamDestinations"])))}


def contributor_insights(summary: Description) -> Settings:
    """Of one table or index; an empty summary is that of one on which it never was."""
    status = str(summary.get("ContributorInsightsStatus", "DISABLED"))
    mode = str(summary.get("ContributorInsightsMode", FIRST_MODE)) if status in _ON else ""
    said = status if status == "FAILED" else mode
    return {"contributor_insights": said, "contributor_insights_status": status}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup as listed."""

    table_id: str
    made_at: datetime
    size_bytes: float
    stands: bool

    @classmethod
    def of(cls, summary: Description) -> Backup:
        return cls(
            table_id=str(summary.get("TableId", "")),
            made_at=instant(summary["BackupCreationDateTime"]),
            size_bytes=float(summary.get("BackupSizeBytes", 0)),
            stands=summary.get("BackupStatus") in _STANDS,
        )


def backups(named: Iterable[Backup], table_id: object) -> Settings:
    """Of one table: those that are there or about to be."""
    own = [one for one in named if one.stands and one.table_id == table_id]
    size = sum(one.size_bytes for one in own)
    newest = _newest("newest_backup", [one.made_at for one in own])
    return {"backups": float(len(own)), "backups_bytes": float(size), **newest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export as described. Failed ones were not billed and hold nothing."""

    table_id: str
    billed_bytes: float
    state_at: datetime | None

    @classmethod
    def of(cls, description: Description) -> Export:
        told = description.get("ExportTime")
        return cls(
            table_id=str(description.get("TableId", "")),
            billed_bytes=float(description.get("BilledSizeBytes", 0)),
            state_at=None if told is None else instant(told),
        )


def exports(described: Iterable[Export]) -> Settings:
    """Of one table, all of which are described."""
    found = list(described)
    states = [one.state_at for one in found if one.state_at]
    billed = float(sum(one.billed_bytes for one in found))
    return {"exports": float(len(found)), "exports_billed_bytes": billed, **_newest("newest_export", states)}


def _newest(name: str, times: Iterable[datetime]) -> Settings:
    newest = max(times, default=None)
    return {} if newest is None else {name: newest.isoformat()}


def _destination(told: Description) -> str:
    precision = told.get("ApproximateCreationDateTimePrecision", "MILLISECOND")  # the default (API reference)
    return f"{told['StreamArn']}={told.get('DestinationStatus', 'unknown')},{precision}"
