"""DescribeClusters, DescribeParameters and tags of DAX as canonical attributes. Pure.

Shapes: DAX API reference (botocore 1.44.5). A cluster that is being created or deleted has no nodes to tell of yet, or
any more; parameters are texts, times to live in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from collector.aws.wire.instants import instant
from stillfit.model import Subject, Value

Description = Mapping[str, Any]
Settings = dict[str, Value]

TTL = {"record-ttl-millis": "dax_item_ttl_s", "query-ttl-millis": "dax_query_ttl_s"}


def cluster_settings(cluster: Description) -> Settings:
    """Raises KeyError or TypeError where the answer lacks what the service promises."""
    group = cluster.get("ParameterGroup") or {}
    zones = {str(node["AvailabilityZone"]) for node in cluster.get("Nodes") or () if node.get("AvailabilityZone")}
    told = {
        "dax_status": cluster["Status"],
        "dax_node_type": cluster["NodeType"],
        "dax_subnet_group": cluster.get("SubnetGroup"),
        "dax_parameter_group": group.get("ParameterGroupName"),
        "dax_parameters_applied": group.get("ParameterApplyStatus"),
        "dax_endpoint_encryption": cluster.get("ClusterEndpointEncryptionType", "NONE"),
        "dax_network": cluster.get("NetworkType"),
        "dax_maintenance_window": cluster.get("PreferredMaintenanceWindow"),
    }
    return {
        "dax_nodes": float(cluster["TotalNodes"]),
        "dax_active_nodes": float(cluster["ActiveNodes"]),
        "dax_zones": tuple(sorted(zones)),
        "dax_encrypted": (cluster.get("SSEDescription") or {}).get("Status") in {"ENABLED", "ENABLING"},
        **{name: str(value) for name, value in told.items() if value is not None},
    }


def nodes(cluster: Subject, told: Description) -> Iterator[tuple[Subject, Settings]]:
    """The nodes of a cluster. Raises KeyError where one has no id."""
    for node in told.get("Nodes") or ():
        named = {
            "dax_node_status": node.get("NodeStatus"),
            "dax_node_zone": node.get("AvailabilityZone"),
            "dax_node_parameters": node.get("ParameterGroupStatus"),
            "dax_node_created": _iso(node.get("NodeCreateTime")),
        }
        settings: Settings = {name: str(value) for name, value in named.items() if value is not None}
        yield replace(cluster, node=str(node["NodeId"])), settings


def created(cluster: Subject, told: Description) -> dict[Subject, datetime]:
    """When each node was made; of the cluster itself, which is not told, that it is as old as its oldest node."""
    made = {
        replace(cluster, node=str(node["NodeId"])): instant(node["NodeCreateTime"])
        for node in told.get("Nodes") or ()
        if node.get("NodeCreateTime") is not None
    }
    return made | ({cluster: min(made.values())} if made else {})


def times_to_live(parameters: Iterable[Description]) -> Settings:
    """Raises KeyError or ValueError where one cannot be read."""
    told = {str(one["ParameterName"]): one.get("ParameterValue") for one in parameters}
    return {TTL[name]: int(value) / 1_000 for name, value in told.items() if name in TTL and value is not None}


def tags(told: Iterable[Description]) -> Settings:
    """Raises KeyError where the answer lacks what the service promises."""
    return {"dax_tags": tuple(sorted(f"{one['Key']}={one.get('Value', '')}" for one in told))}


def _iso(value: Any) -> str | None:
    return None if value is None else instant(value).isoformat()
