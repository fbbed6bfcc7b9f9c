"""DAX's control plane, reads only. One function an operation; OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable
from typing import Any

from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

LEAST, PAGE = 20, 100  # MaxResults "must be between 20 and 100" (API reference, DescribeClusters), 100 by default


def describe_clusters(world: World, call: Call) -> Answer:
    clusters = world.dax.clusters(call.account, call.region)
    wanted = call.parameters.get("ClusterNames")
    if wanted:
        unknown = set(wanted) - {one["ClusterName"] for one in clusters}
        if unknown:
            raise RefusedError("ClusterNotFoundFault", f"Cluster not found: {min(unknown)}")
        clusters = [one for one in clusters if one["ClusterName"] in wanted]
    return _page(world, call, "Clusters", clusters)


def describe_parameters(world: World, call: Call) -> Answer:
    group, source = call.parameters["ParameterGroupName"], call.parameters.get("Source")
    found = world.dax.parameters(call.account, call.region, group)
    if found is None:
        raise RefusedError("ParameterGroupNotFoundFault", f"Parameter group {group} not found")
    return _page(world, call, "Parameters", [one for one in found if source in (None, one["Source"])])


def list_tags(world: World, call: Call) -> Answer:
    arn = call.parameters["ResourceName"]
    if not arn.startswith(f"arn:aws:dax:{call.region}:{call.account}:cache/"):
        raise RefusedError("InvalidARNFault", f"Invalid ARN: {arn}")
    if arn not in {one["ClusterArn"] for one in world.dax.clusters(call.account, call.region)}:
        raise RefusedError("ClusterNotFoundFault", f"Cluster not found: {arn.rpartition('/')[2]}")
    return {"Tags": [{"Key": key, "Value": value} for key, value in (world.dax.tags(arn) or {}).items()]}


def _page(world: World, call: Call, member: str, found: list[Any]) -> Answer:
    size = call.parameters.get("MaxResults", PAGE)
    if not LEAST <= size <= PAGE:
        raise RefusedError("InvalidParameterValueException", f"MaxResults {size} is not between {LEAST} and {PAGE}.")
    position = world.tokens.redeem(call, refusal="InvalidParameterValueException") or Position(found)
    items, token = next_page(world, call, position, size)
    return {member: items, **token}


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "DescribeClusters": describe_clusters,
    "DescribeParameters": describe_parameters,
    "ListTags": list_tags,
}
