"""Backups and exports of DynamoDB tables, per account and region; both outlive their table."""

import threading
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from stillfit.standins.aws.dynamodb_state import DynamoDbState, table_arn
from stillfit.standins.aws.services import DYNAMODB, answer_check
from stillfit.standins.aws.shapes import Complaints

Record = dict[str, Any]
_Place = tuple[str, str]


class BackupsState:
    """Records in the service's own answer shapes, times in epoch seconds; what is left out is filled in plausibly."""

    def __init__(self, tables: DynamoDbState) -> None:
        self._tables = tables
        self._backups: dict[_Place, dict[str, Record]] = {}
        self._exports: dict[_Place, dict[str, Record]] = {}
        self._lock = threading.Lock()

    def put_backup(self, account: str, region: str, backup: Mapping[str, Any]) -> str:
        """`backup` is a BackupSummary that needs TableName and BackupCreationDateTime. Gives its ARN."""
        own = self._of_table(account, region, backup["TableName"])
        made_ms = int(backup["BackupCreationDateTime"] * 1_000)
        filled = {
            **own,
            "BackupArn": f"{own['TableArn']}/backup/{made_ms:014d}-{self._serial(self._backups):08x}",
            "BackupName": "nightly",
            "BackupStatus": "AVAILABLE",
            "BackupType": "USER",
            "BackupSizeBytes": 0,
            **deepcopy(dict(backup)),
        }
        return self._put(self._backups, (account, region), ("BackupSummary", "BackupArn"), filled)

    def put_export(self, account: str, region: str, table: str, export: Mapping[str, Any]) -> str:
        """`export` is an ExportDescription that needs ExportTime. Gives its ARN."""
        own = self._of_table(account, region, table)
        made_ms = int(export["ExportTime"] * 1_000)
        filled = {
            "TableArn": own["TableArn"],
            "TableId": own["TableId"],
            "ExportArn": f"{own['TableArn']}/export/{made_ms:014d}-{self._serial(self._exports):08x}",
            "ExportStatus": "COMPLETED",
            "ExportType": "FULL_EXPORT",
            "BilledSizeBytes": 0,
            **deepcopy(dict(export)),
        }
        return self._put(self._exports, (account, region), ("ExportDescription", "ExportArn"), filled)

    def backups(self, account: str, region: str) -> list[Record]:
        """Oldest first."""
        with self._lock:
            return sorted(self._backups.get((account, region), {}).values(), key=_made)

    def exports(self, account: str, region: str) -> list[Record]:
        """In reverse order of their ARN, as the service lists them."""
        with self._lock:
            found = self._exports.get((account, region), {})
            return [found[arn] for arn in sorted(found, reverse=True)]

    def export(self, account: str, region: str, arn: str) -> Record | None:
        with self._lock:
            return self._exports.get((account, region), {}).get(arn)

    def _of_table(self, account: str, region: str, name: str) -> Record:
        """What a record says of its table, which may be gone by now."""
        table = self._tables.table(account, region, name)
        own = table.description["TableId"] if table else "00000000-0000-0000-0000-000000000000"
        return {"TableName": name, "TableArn": table_arn(account, region, name), "TableId": own}

    def _serial(self, records: Mapping[_Place, Mapping[str, Record]]) -> int:
        return sum(map(len, records.values()))

    def _put(
        self, records: dict[_Place, dict[str, Record]], place: _Place, form: tuple[str, str], filled: Record
    ) -> str:
        shape, key = form
        complaints = Complaints()
        answer_check(DYNAMODB, shape)(filled, shape, complaints)
        if complaints:
            raise ValueError(f"No {shape}: {complaints.text()}")
        with self._lock:
            records.setdefault(place, {})[filled[key]] = filled
        return str(filled[key])


def _made(backup: Record) -> tuple[float, str]:
    return backup["BackupCreationDateTime"], backup["BackupArn"]
