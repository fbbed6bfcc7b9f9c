"""DynamoDB's backups and exports, reads only. One function an operation; OPERATIONS is joined to DynamoDB's own."""

from collections.abc import Callable
from typing import Any

from stillfit.standins.aws.backups_state import Record
from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

BACKUP_PAGE, EXPORT_PAGE = 100, 25  # the most (API reference, Limit and MaxResults)
EXPORTS_S = 90 * 86_400  # "completed exports within the past 90 days" (API reference, ListExports)
_ON_DEMAND = ("USER", "SYSTEM")


def list_backups(world: World, call: Call) -> Answer:
    """Pages by the ARN of the last one, not by a token."""
    found, after = _backups(world, call), call.parameters.get("ExclusiveStartBackupArn")
    arns = [backup["BackupArn"] for backup in found]
    begin = arns.index(after) + 1 if after in arns else 0
    if world.faults.strike({FaultKind.EMPTY_PAGE}, call) and found:
        return {"BackupSummaries": [], "LastEvaluatedBackupArn": after or _before(arns[0])}
    page = found[begin : begin + call.parameters.get("Limit", BACKUP_PAGE)]
    answer: Answer = {"BackupSummaries": page}
    if after and world.faults.strike({FaultKind.REPEATED_TOKEN}, call):
        return {**answer, "LastEvaluatedBackupArn": after}
    more = page and page[-1] is not found[-1]
    return {**answer, "LastEvaluatedBackupArn": page[-1]["BackupArn"]} if more else answer


def list_exports(world: World, call: Call) -> Answer:
    table = call.parameters.get("TableArn")
    found = [
        {name: export[name] for name in ("ExportArn", "ExportStatus", "ExportType")}
        for export in world.backups.exports(call.account, call.region)
        if export["ExportTime"] >= call.at - EXPORTS_S and (not table or export["TableArn"] == table)
    ]
    position = world.tokens.redeem(call, refusal="ValidationException") or Position(found)
    items, token = next_page(world, call, position, call.parameters.get("MaxResults", EXPORT_PAGE))
    return {"ExportSummaries": items, **token}


def describe_export(world: World, call: Call) -> Answer:
    arn = call.parameters["ExportArn"]
    export = world.backups.export(call.account, call.region, arn)
    if export is None:
        raise RefusedError("ExportNotFoundException", f"Export not found: {arn}")
    return {"ExportDescription": dict(export)}


def _backups(world: World, call: Call) -> list[Record]:
    """Those of the kind, table and time that are asked for; of the user's own where no kind is."""
    asked = call.parameters
    kind = asked.get("BackupType", "USER")
    kinds = _ON_DEMAND if kind == "ALL" else (kind,)
    low, high = asked.get("TimeRangeLowerBound", float("-inf")), asked.get("TimeRangeUpperBound", float("inf"))
    table = asked.get("TableName")
    return [
        backup
        for backup in world.backups.backups(call.account, call.region)
        if backup["BackupType"] in kinds
        and low <= backup["BackupCreationDateTime"] < high
        and (not table or table in {backup["TableName"], backup["TableArn"]})
    ]


def _before(arn: str) -> str:
    """An ARN that no backup has, from which a listing begins anew."""
    return f"{arn.rsplit('/', 1)[0]}/00000000000000-00000000"


OPERATIONS: dict[str, Callable[[World, Call], dict[str, Any]]] = {
    "ListBackups": list_backups,
    "ListExports": list_exports,
    "DescribeExport": describe_export,
}
