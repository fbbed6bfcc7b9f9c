"""The control plane of Amazon Keyspaces, reads only. One function an operation; the dispatch reads OPERATIONS."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.keyspaces_state import SYSTEM, Record, Tagged
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

PAGE = 1_000  # the most that may be asked for (API reference, maxResults); the default is not documented
SUMMARY = ("keyspaceName", "resourceArn", "replicationStrategy", "replicationRegions")


def list_keyspaces(world: World, call: Call) -> Answer:
    keyspaces = world.keyspaces.keyspaces(call.account, call.region)
    return _page(world, call, "keyspaces", [_picked(one, SUMMARY) for one in keyspaces])


def get_keyspace(world: World, call: Call) -> Answer:
    return dict(_keyspace(world, call).description)


def list_tables(world: World, call: Call) -> Answer:
    _keyspace(world, call)
    tables = world.keyspaces.tables(call.account, call.region, call.parameters["keyspaceName"])
    return _page(world, call, "tables", [_picked(one, ("keyspaceName", "tableName", "resourceArn")) for one in tables])


def get_table(world: World, call: Call) -> Answer:
    return dict(_table(world, call).description)


def get_table_auto_scaling_settings(world: World, call: Call) -> Answer:
    """What Application Auto Scaling has on file for the table; no specification where it has nothing."""
    table = _picked(_table(world, call).description, ("keyspaceName", "tableName", "resourceArn"))
    ways = {f"{way}CapacityAutoScaling": _scaling(world, call, way) for way in ("write", "read")}
    specified = {name: way for name, way in ways.items() if way is not None}
    return {**table, "autoScalingSpecification": specified} if specified else table


def list_tags_for_resource(world: World, call: Call) -> Answer:
    found = world.keyspaces.by_arn(call.account, call.region, call.parameters["resourceArn"])
    if found is None:
        raise _not_found(f"resource {call.parameters['resourceArn']}")
    return _page(world, call, "tags", [{"key": key, "value": value} for key, value in found.tags.items()])


def _scaling(world: World, call: Call, way: str) -> Record | None:
    resource = "keyspace/{keyspaceName}/table/{tableName}".format(**call.parameters)
    dimension = f"cassandra:table:{way.title()}CapacityUnits"
    target, policy = (
        next(
            (
                record
                for record in world.scaling.records(shape, call.account, call.region)
                if (record["ResourceId"], record["ScalableDimension"]) == (resource, dimension)
            ),
            None,
        )
        for shape in ("ScalableTarget", "ScalingPolicy")
    )
    if target is None:
        return None
    settings = {
        "autoScalingDisabled": False,
        "minimumUnits": target["MinCapacity"],
        "maximumUnits": target["MaxCapacity"],
    }
    tracking = (policy or {}).get("TargetTrackingScalingPolicyConfiguration", {})
    if "TargetValue" not in tracking:
        return settings
    aim = {"targetValue": float(tracking["TargetValue"])}
    return {**settings, "scalingPolicy": {"targetTrackingScalingPolicyConfiguration": aim}}


def _keyspace(world: World, call: Call) -> Tagged:
    name = call.parameters["keyspaceName"]
    if name in SYSTEM:
        raise not_modelled(f"what is in the service's own keyspace {name}")
    found = world.keyspaces.keyspace(call.account, call.region, name)
    if found is None:
        raise _not_found(f"keyspace {name}")
    return found


def _table(world: World, call: Call) -> Tagged:
    keyspace, table = call.parameters["keyspaceName"], call.parameters["tableName"]
    found = world.keyspaces.table(call.account, call.region, keyspace, table)
    if found is None:
        raise _not_found(f"table {keyspace}.{table}")
    return found


def _not_found(what: str) -> RefusedError:
    return RefusedError("ResourceNotFoundException", f"{what} was not found")


def _picked(record: Record, names: Sequence[str]) -> Record:
    return {name: record[name] for name in names if name in record}


def _page(world: World, call: Call, member: str, found: list[Any]) -> Answer:
    """One page; this service writes its paging parameters small."""
    renamed = {_CAPITAL.get(name, name): value for name, value in call.parameters.items()}
    asked = replace(call, parameters=renamed)
    position = world.tokens.redeem(asked, refusal="ValidationException") or Position(found)
    items, token = next_page(world, asked, position, renamed.get("MaxResults", PAGE))
    return {member: items, **({"nextToken": token["NextToken"]} if token else {})}


_CAPITAL = {"nextToken": "NextToken", "maxResults": "MaxResults"}

OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "ListKeyspaces": list_keyspaces,
    "GetKeyspace": get_keyspace,
    "ListTables": list_tables,
    "GetTable": get_table,
    "GetTableAutoScalingSettings": get_table_auto_scaling_settings,
    "ListTagsForResource": list_tags_for_resource,
}
