"""The DAX clusters and parameter groups of every account and region, in the shapes of the service's own answers."""

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from stillfit.standins.aws.services import DAX, answer_check
from stillfit.standins.aws.shapes import Complaints

DEFAULT_GROUP = "default.dax1.0"
DEFAULT_TTL_MS = 300_000  # five minutes, items and queries alike (DAX developer guide, "Configuring TTL settings")

Record = dict[str, Any]


class DaxState:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._clusters: dict[tuple[str, str], dict[str, Record]] = {}
        self._tags: dict[str, Mapping[str, str]] = {}
        self._groups: dict[tuple[str, str], dict[str, Mapping[str, int]]] = {}
        self._lock = threading.Lock()

    def put_cluster(
        self,
        account: str,
        region: str,
        description: Mapping[str, Any],
        *,
        nodes: int = 3,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Create or replace a cluster. `description` is a Cluster, times in epoch seconds; ClusterName suffices.

        Without Nodes it gets `nodes` of them, a, b, c and so on, over three zones.
        """
        name = description["ClusterName"]
        made = [_node(name, region, number, self._now()) for number in range(nodes)]
        full = {**_defaults(account, region, name, made), **deepcopy(dict(description))}
        _refuse_misshapen("Cluster", full)
        with self._lock:
            self._clusters.setdefault((account, region), {})[name] = full
            self._tags[full["ClusterArn"]] = dict(tags or {})

    def delete_cluster(self, account: str, region: str, name: str) -> None:
        with self._lock:
            self._clusters.get((account, region), {}).pop(name, None)

    def put_parameters(self, account: str, region: str, group: str, **values: int) -> None:
        """A parameter group; record_ttl_millis= and query_ttl_millis= differ from the default."""
        with self._lock:
            named = {name.replace("_", "-"): value for name, value in values.items()}
            self._groups.setdefault((account, region), {})[group] = named

    def clusters(self, account: str, region: str) -> list[Record]:
        with self._lock:
            return [one for _, one in sorted(self._clusters.get((account, region), {}).items())]

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """None: no cluster ever had this ARN."""
        with self._lock:
            return self._tags.get(arn)

    def parameters(self, account: str, region: str, group: str) -> list[Record] | None:
        """None: there is no such group."""
        with self._lock:
            own = self._groups.get((account, region), {}).get(group, {} if group == DEFAULT_GROUP else None)
        if own is None:
            return None
        return [_parameter(name, own.get(name)) for name in ("query-ttl-millis", "record-ttl-millis")]


def cluster_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:dax:{region}:{account}:cache/{name}"


def _defaults(account: str, region: str, name: str, nodes: list[Record]) -> Record:
    host = f"{name}.abc123.dax-clusters.{region}.amazonaws.com"
    return {
        "ClusterArn": cluster_arn(account, region, name),
        "TotalNodes": len(nodes),
        "ActiveNodes": len(nodes),
        "NodeType": "dax.r5.large",
        "Status": "available",
        "ClusterDiscoveryEndpoint": {"Address": host, "Port": 8111, "URL": f"dax://{host}"},
        "Nodes": nodes,
        "PreferredMaintenanceWindow": "sun:02:00-sun:03:00",
        "SubnetGroup": "default",
        "IamRoleArn": f"arn:aws:iam::{account}:role/dax",
        "ParameterGroup": {
            "ParameterGroupName": DEFAULT_GROUP,
            "ParameterApplyStatus": "in-sync",
            "NodeIdsToReboot": [],
        },
        "SSEDescription": {"Status": "DISABLED"},
        "ClusterEndpointEncryptionType": "NONE",
        "NetworkType": "ipv4",
    }


def _node(cluster: str, region: str, number: int, now: float) -> Record:
    node = f"{cluster}-{chr(ord('a') + number)}"
    return {
        "NodeId": node,
        "Endpoint": {"Address": f"{node}.abc123.nodes.dax-clusters.{region}.amazonaws.com", "Port": 8111},
        "NodeCreateTime": now,
        "AvailabilityZone": f"{region}{'abc'[number % 3]}",
        "NodeStatus": "available",
        "ParameterGroupStatus": "in-sync",
    }


def _parameter(name: str, value: int | None) -> Record:
    return {
        "ParameterName": name,
        "ParameterType": "DEFAULT",
        "ParameterValue": str(DEFAULT_TTL_MS if value is None else value),
        "NodeTypeSpecificValues": [],
        "Source": "system" if value is None else "user",
        "DataType": "integer",
        "AllowedValues": "0-",
        "IsModifiable": "TRUE",
        "ChangeType": "IMMEDIATE",
    }


def _refuse_misshapen(shape: str, value: Record) -> None:
    complaints = Complaints()
    answer_check(DAX, shape)(value, shape, complaints)
    if complaints:
        raise ValueError(f"no {shape}: {complaints.text()}")
