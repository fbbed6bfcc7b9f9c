"""The DynamoDB tables of every account and region, in the shapes of the service's own answers."""

import threading
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from stillfit.standins.aws.services import DYNAMODB, answer_check
from stillfit.standins.aws.shapes import Complaints

# Default quotas of an account in us-east-1 (DynamoDB Developer Guide, "Quotas", throughput default quotas).
DEFAULT_LIMITS = {
    "AccountMaxReadCapacityUnits": 80_000,
    "AccountMaxWriteCapacityUnits": 80_000,
    "TableMaxReadCapacityUnits": 40_000,
    "TableMaxWriteCapacityUnits": 40_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What other operations than DescribeTable tell. `contributor_insights` is keyed by index, None: the table."""

    time_to_live: Mapping[str, Any] = field(default_factory=lambda: {"TimeToLiveStatus": "DISABLED"})
    continuous_backups: Mapping[str, Any] = field(
        default_factory=lambda: {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }
    )
    tags: Mapping[str, str] = field(default_factory=dict)
    contributor_insights: Mapping[str | None, Mapping[str, Any]] = field(default_factory=dict)
    kinesis: tuple[Mapping[str, Any], ...] = ()
    """KinesisDataStreamDestinations."""


@dataclass(frozen=True, slots=True)
class Table:
    description: Mapping[str, Any]
    extras: Extras


class DynamoDbState:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tables: dict[tuple[str, str], dict[str, Table]] = {}
        self._once_tagged: dict[tuple[str, str], set[str]] = {}
        self._limits: dict[tuple[str, str], Mapping[str, int]] = {}
        self._lock = threading.Lock()

    def put_table(
        self, account: str, region: str, description: Mapping[str, Any], extras: Extras | None = None
    ) -> None:
        """Create or replace a table. `description` is a TableDescription, times in epoch seconds; TableName suffices.

        Without `extras` a table that exists keeps its own.
        """
        name = description["TableName"]
        place = (account, region)
        with self._lock:
            old = self._tables.get(place, {}).get(name)
            full = {**_defaults(account, region, name), **_times(old, self._now()), **deepcopy(dict(description))}
            _refuse_misshapen("TableDescription", full)
            kept = extras or (old.extras if old else Extras())
            _refuse_misshapen("TimeToLiveDescription", dict(kept.time_to_live))
            _refuse_misshapen("ContinuousBackupsDescription", dict(kept.continuous_backups))
            for destination in kept.kinesis:
                _refuse_misshapen("KinesisDataStreamDestination", dict(destination))
            self._tables.setdefault(place, {})[name] = Table(full, kept)
            if kept.tags:
                self._once_tagged.setdefault(place, set()).add(name)

    def delete_table(self, account: str, region: str, name: str) -> None:
        """Scaling targets and policies stay behind, as they do in the service."""
        with self._lock:
            self._tables.get((account, region), {}).pop(name, None)
            self._once_tagged.get((account, region), set()).discard(name)

    def set_limits(self, account: str, region: str, **limits: int) -> None:
        with self._lock:
            self._limits[account, region] = {**DEFAULT_LIMITS, **limits}

    def limits(self, account: str, region: str) -> Mapping[str, int]:
        return self._limits.get((account, region), DEFAULT_LIMITS)

    def names(self, account: str, region: str) -> list[str]:
        with self._lock:
            return sorted(self._tables.get((account, region), {}))

    def tables(self, account: str, region: str) -> list[Table]:
        """In order of their names."""
        with self._lock:
            found = self._tables.get((account, region), {})
            return [found[name] for name in sorted(found)]

    def once_tagged(self, account: str, region: str) -> list[str]:
        """Names of tables that have a tag or had one."""
        with self._lock:
            return sorted(self._once_tagged.get((account, region), ()))

    def table(self, account: str, region: str, name: str) -> Table | None:
        with self._lock:
            return self._tables.get((account, region), {}).get(name)


def table_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


def _times(old: Table | None, now: float) -> dict[str, Any]:
    return {"CreationDateTime": old.description["CreationDateTime"] if old else now}


def _defaults(account: str, region: str, name: str) -> dict[str, Any]:
    """What every table's description has."""
    arn = table_arn(account, region, name)
    return {
        "TableArn": arn,
        "TableId": str(uuid.uuid5(uuid.NAMESPACE_URL, arn)),
        "TableStatus": "ACTIVE",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "TableSizeBytes": 0,
        "ItemCount": 0,
        "DeletionProtectionEnabled": False,
    }


def _refuse_misshapen(shape: str, value: dict[str, Any]) -> None:
    complaints = Complaints()
    answer_check(DYNAMODB, shape)(value, shape, complaints)
    if complaints:
        raise ValueError(f"put_table: no {shape}: {complaints.text()}")
