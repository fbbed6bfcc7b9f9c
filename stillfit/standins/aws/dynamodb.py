"""DynamoDB's control plane, reads only. One function an operation; OPERATIONS is the table the dispatch reads.

What the models do not say (sentences of refusals, what is answered of a table that is being made or deleted, what
ListContributorInsights leaves out) is as ack-api-quirks recorded it of the service in October 2026 (services/dynamodb,
findings DDB-TABLE-095, 101, 115, 161, 340, 343, 344 and 455).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stillfit.standins.aws import backups
from stillfit.standins.aws.calls import Answer, Call, RefusedError, invalid
from stillfit.standins.aws.dynamodb_state import Table, table_arn
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

DEFAULT_PAGE = 100  # ListTables
INSIGHTS_PAGE = 100  # the most of ListContributorInsights (API reference, MaxResults)
_COMING_OR_GOING = frozenset({"CREATING", "DELETING"})
"""States in which DescribeTable knows a table and what stands behind the other operations does not: for most of the
first, and from a second on in the other."""
_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_BEFORE_ALL_NAMES = "---"  # the lowest name the service allows: an empty page ends before the first table


def list_tables(world: World, call: Call) -> Answer:
    after = call.parameters.get("ExclusiveStartTableName", "")
    if world.faults.strike({FaultKind.EMPTY_PAGE}, call):
        return {"TableNames": [], "LastEvaluatedTableName": after or _BEFORE_ALL_NAMES}
    size = call.parameters.get("Limit", DEFAULT_PAGE)
    names = [name for name in world.dynamodb.names(call.account, call.region) if name > after]
    answer: Answer = {"TableNames": names[:size]}
    if after and world.faults.strike({FaultKind.REPEATED_TOKEN}, call):
        return {**answer, "LastEvaluatedTableName": after}
    return {**answer, "LastEvaluatedTableName": names[size - 1]} if len(names) > size else answer


def describe_table(world: World, call: Call) -> Answer:
    return {"Table": dict(_table(world, call).description)}


def describe_time_to_live(world: World, call: Call) -> Answer:
    table = _table(world, call)
    status = table.description["TableStatus"]
    if status in _COMING_OR_GOING:
        raise invalid(f"Cannot describe time to live while table is in {status} state: Current table state is {status}")
    return {"TimeToLiveDescription": dict(table.extras.time_to_live)}


def describe_continuous_backups(world: World, call: Call) -> Answer:
    table = _find(world, call, call.parameters["TableName"])
    if table is None or table.description["TableStatus"] in _COMING_OR_GOING:
        raise RefusedError("TableNotFoundException", f"Table not found: {call.parameters['TableName']}")
    return {"ContinuousBackupsDescription": dict(table.extras.continuous_backups)}


def list_tags_of_resource(world: World, call: Call) -> Answer:
    arn = call.parameters["ResourceArn"]
    if not arn.startswith("arn:") or ":table/" not in arn:
        raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    table = _find(world, call, arn)
    if table is None or table.description["TableStatus"] in _COMING_OR_GOING:
        raise RefusedError("ResourceNotFoundException", f"Requested resource not found: ResourceArn: {arn} not found")
    return {"Tags": [{"Key": key, "Value": value} for key, value in table.extras.tags.items()]}


def describe_contributor_insights(world: World, call: Call) -> Answer:
    table, index = _table(world, call), call.parameters.get("IndexName")
    name = table.description["TableName"]
    if index is not None and index not in _index_names(table.description):
        said = f"Requested resource not found: Index: {index} not found for table: {name}"
        raise RefusedError("ResourceNotFoundException", said)
    named = {"TableName": name} if index is None else {"TableName": name, "IndexName": index}
    insights = table.extras.contributor_insights.get(index, {"ContributorInsightsStatus": "DISABLED"})
    return {**named, **insights}


def list_contributor_insights(world: World, call: Call) -> Answer:
    """Tables and indexes on which it is not off, each table before its indexes; of one table, or of all."""
    only = call.parameters.get("TableName")
    tables = [_table(world, call)] if only else world.dynamodb.tables(call.account, call.region)
    position = world.tokens.redeem(call, refusal="ValidationException") or Position(_summaries(tables))
    items, token = next_page(world, call, position, call.parameters.get("MaxResults", INSIGHTS_PAGE))
    return {"ContributorInsightsSummaries": items, **token}


def describe_kinesis_streaming_destination(world: World, call: Call) -> Answer:
    table = _table(world, call)
    if table.description["TableStatus"] == "CREATING":
        raise _no_table(call.parameters["TableName"])
    destinations = [dict(one) for one in table.extras.kinesis]
    return {"TableName": table.description["TableName"], "KinesisDataStreamDestinations": destinations}


def describe_limits(world: World, call: Call) -> Answer:
    return dict(world.dynamodb.limits(call.account, call.region))


def _summaries(tables: Iterable[Table]) -> list[Answer]:
    """What a summary has of what a description says."""
    shown = ("ContributorInsightsStatus", "ContributorInsightsMode")
    return [
        {
            "TableName": table.description["TableName"],
            **({"IndexName": index} if index else {}),
            **{name: said[name] for name in shown if name in said},
        }
        for table in tables
        for index, said in table.extras.contributor_insights.items()
        if said["ContributorInsightsStatus"] != "DISABLED"
    ]


def _index_names(description: Mapping[str, Any]) -> set[str]:
    return {index["IndexName"] for index in description.get("GlobalSecondaryIndexes", ())}


def _table(world: World, call: Call) -> Table:
    name = call.parameters["TableName"]
    table = _find(world, call, name)
    if table is None:
        raise _no_table(name)
    return table


def _no_table(name: str) -> RefusedError:
    return RefusedError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")


def _find(world: World, call: Call, name_or_arn: str) -> Table | None:
    own = table_arn(call.account, call.region, "")
    name = name_or_arn.removeprefix(own)
    if name.startswith("arn:"):
        return None
    if not _NAME.fullmatch(name):
        raise invalid(
            "Invalid table/index name. Table/index names must be between 3 and 255 characters long, "
            "and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
        )
    return world.dynamodb.table(call.account, call.region, name)


OPERATIONS = {
    "ListTables": list_tables,
    "DescribeTable": describe_table,
    "DescribeTimeToLive": describe_time_to_live,
    "DescribeContinuousBackups": describe_continuous_backups,
    "ListTagsOfResource": list_tags_of_resource,
    "DescribeContributorInsights": describe_contributor_insights,
    "ListContributorInsights": list_contributor_insights,
    "DescribeKinesisStreamingDestination": describe_kinesis_streaming_destination,
    "DescribeLimits": describe_limits,
    **backups.OPERATIONS,
}
