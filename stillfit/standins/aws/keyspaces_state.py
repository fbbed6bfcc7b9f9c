"""The keyspaces and tables of Amazon Keyspaces in every account and region, in the shapes of the service's answers."""

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from stillfit.standins.aws.services import KEYSPACES, answer_check
from stillfit.standins.aws.shapes import Complaints

SYSTEM = ("system", "system_multiregion_info", "system_schema", "system_schema_mcs")
"""Keyspaces that every account has in every region (Keyspaces developer guide, "System keyspaces")."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A GetKeyspaceResponse or GetTableResponse with its tags."""

    description: Record
    tags: Mapping[str, str]


@dataclass(slots=True)
class _Place:
    keyspaces: dict[str, Tagged] = field(default_factory=dict)
    tables: dict[tuple[str, str], Tagged] = field(default_factory=dict)


class KeyspacesState:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._places: dict[tuple[str, str], _Place] = {}
        self._lock = threading.Lock()

    def put_keyspace(
        self, account: str, region: str, description: Mapping[str, Any], *, tags: Mapping[str, str] | None = None
    ) -> None:
        """Create or replace a keyspace. `description` is a GetKeyspaceResponse; keyspaceName suffices."""
        name = description["keyspaceName"]
        arn = keyspace_arn(account, region, name)
        full = {"resourceArn": arn, "replicationStrategy": "SINGLE_REGION", **deepcopy(dict(description))}
        _refuse_misshapen("GetKeyspaceResponse", full)
        with self._lock:
            self._place(account, region).keyspaces[name] = Tagged(full, dict(tags or {}))

    def put_table(
        self, account: str, region: str, description: Mapping[str, Any], *, tags: Mapping[str, str] | None = None
    ) -> None:
        """Create or replace a table, and its keyspace where there is none.

        `description` is a GetTableResponse, times in epoch seconds; keyspaceName and tableName suffice.
        """
        keyspace, table = description["keyspaceName"], description["tableName"]
        full = {**_defaults(table_arn(account, region, keyspace, table), self._now()), **deepcopy(dict(description))}
        _refuse_misshapen("GetTableResponse", full)
        if self.keyspace(account, region, keyspace) is None:
            self.put_keyspace(account, region, {"keyspaceName": keyspace})
        with self._lock:
            self._place(account, region).tables[keyspace, table] = Tagged(full, dict(tags or {}))

    def delete_table(self, account: str, region: str, keyspace: str, table: str) -> None:
        with self._lock:
            self._place(account, region).tables.pop((keyspace, table), None)

    def keyspaces(self, account: str, region: str) -> list[Record]:
        """All, the service's own included, by name."""
        with self._lock:
            own = [one.description for one in self._place(account, region).keyspaces.values()]
        system = [_system(account, region, name) for name in SYSTEM]
        return sorted([*own, *system], key=lambda one: str(one["keyspaceName"]))

    def keyspace(self, account: str, region: str, name: str) -> Tagged | None:
        with self._lock:
            return self._place(account, region).keyspaces.get(name)

    def tables(self, account: str, region: str, keyspace: str) -> list[Record]:
        with self._lock:
            tables = self._place(account, region).tables
            return [tables[key].description for key in sorted(tables) if key[0] == keyspace]

    def table(self, account: str, region: str, keyspace: str, table: str) -> Tagged | None:
        with self._lock:
            return self._place(account, region).tables.get((keyspace, table))

    def by_arn(self, account: str, region: str, arn: str) -> Tagged | None:
        with self._lock:
            place = self._place(account, region)
            every = (*place.keyspaces.values(), *place.tables.values())
            return next((one for one in every if one.description["resourceArn"] == arn), None)

    def _place(self, account: str, region: str) -> _Place:
        return self._places.setdefault((account, region), _Place())


def keyspace_arn(account: str, region: str, keyspace: str) -> str:
    return f"arn:aws:cassandra:{region}:{account}:/keyspace/{keyspace}/"


def table_arn(account: str, region: str, keyspace: str, table: str) -> str:
    return f"{keyspace_arn(account, region, keyspace)}table/{table}"


def _system(account: str, region: str, name: str) -> Record:
    arn = keyspace_arn(account, region, name)
    return {"keyspaceName": name, "resourceArn": arn, "replicationStrategy": "SINGLE_REGION"}


def _defaults(arn: str, now: float) -> Record:
    """What every table's description has: the service's defaults of CREATE TABLE."""
    return {
        "resourceArn": arn,
        "creationTimestamp": now,
        "status": "ACTIVE",
        "schemaDefinition": {
            "allColumns": [{"name": "id", "type": "text"}],
            "partitionKeys": [{"name": "id"}],
            "clusteringKeys": [],
            "staticColumns": [],
        },
        "capacitySpecification": {"throughputMode": "PAY_PER_REQUEST"},
        "encryptionSpecification": {"type": "AWS_OWNED_KMS_KEY"},
        "pointInTimeRecovery": {"status": "DISABLED"},
        "defaultTimeToLive": 0,
    }


def _refuse_misshapen(shape: str, value: Record) -> None:
    complaints = Complaints()
    answer_check(KEYSPACES, shape)(value, shape, complaints)
    if complaints:
        raise ValueError(f"no {shape}: {complaints.text()}")
