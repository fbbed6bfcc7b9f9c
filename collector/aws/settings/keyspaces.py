"""ListKeyspaces, GetTable and tags as canonical attributes. Pure.

Shapes: Amazon Keyspaces API reference (botocore 1.44.5). Time to live and client-side timestamps are there when they
are on and left out when they never were; neither can be turned off again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from collector.aws.wire.instants import instant
from stillfit.model import Value

Description = Mapping[str, Any]
Settings = dict[str, Value]

ON_DEMAND = "PAY_PER_REQUEST"


def is_provisioned(table: Description) -> bool:
    return capacity(table).get("throughputMode") == "PROVISIONED"


def capacity(table: Description) -> Description:
    told: Description = table.get("capacitySpecification") or {}
    return told


def other_regions(table: Description, region: str) -> tuple[str, ...]:
    """Where else the table is."""
    told = (one.get("region") for one in table.get("replicaSpecifications") or ())
    return tuple(sorted({str(name) for name in told if name} - {region}))


def created(table: Description) -> datetime | None:
    told = table.get("creationTimestamp")
    return None if told is None else instant(told)


def keyspace_settings(keyspace: Description) -> Settings:
    """Raises KeyError or TypeError where the answer lacks what the service promises."""
    regions = sorted(str(name) for name in keyspace.get("replicationRegions") or ())
    return {"keyspaces_replication": str(keyspace["replicationStrategy"]), "keyspaces_regions": tuple(regions)}


def table_settings(table: Description, region: str) -> Settings:
    """A table's own attributes. Raises KeyError or TypeError where the answer lacks what the service promises."""
    return {
        "keyspaces_status": str(table["status"]),
        "keyspaces_point_in_time_recovery": table.get("pointInTimeRecovery", {}).get("status") == "ENABLED",
        "keyspaces_ttl": table.get("ttl", {}).get("status") == "ENABLED",
        "keyspaces_default_ttl_s": float(table.get("defaultTimeToLive") or 0),
        "keyspaces_client_timestamps": table.get("clientSideTimestamps", {}).get("status") == "ENABLED",
        "keyspaces_cdc": _change_stream(table.get("cdcSpecification") or {}),
        "keyspaces_encryption": str(table.get("encryptionSpecification", {}).get("type", "AWS_OWNED_KMS_KEY")),
        "keyspaces_replica_regions": other_regions(table, region),
        **_throughput(table),
        **_schema(table.get("schemaDefinition") or {}),
        **_dates(table),
    }


def tags(told: Iterable[Description]) -> Settings:
    """Raises KeyError where the answer lacks what the service promises."""
    return {"keyspaces_tags": tuple(sorted(f"{one['key']}={one['value']}" for one in told))}


def _change_stream(told: Description) -> str:
    return str(told.get("viewType", "NEW_AND_OLD_IMAGES")) if told.get("status") in {"ENABLED", "ENABLING"} else ""


def _throughput(table: Description) -> Settings:
    told, warm = capacity(table), table.get("warmThroughputSpecification") or {}
    found: dict[str, Any] = {}
    for direction in ("read", "write"):
        found[f"keyspaces_provisioned_{direction}_units"] = told.get(f"{direction}CapacityUnits")
        found[f"keyspaces_warm_{direction}_units"] = warm.get(f"{direction}UnitsPerSecond")
    numbers: Settings = {name: float(value) for name, value in found.items() if value is not None}
    return {"keyspaces_capacity_mode": str(told.get("throughputMode", ON_DEMAND)), **numbers}


def _schema(told: Description) -> Settings:
    """Names of columns, never what is in them."""
    clustering = (f"{one['name']} {one['orderBy']}" for one in told.get("clusteringKeys") or ())
    columns = (f"{one['name']} {one['type']}" for one in told.get("allColumns") or ())
    return {
        "keyspaces_partition_key": tuple(str(one["name"]) for one in told.get("partitionKeys") or ()),
        "keyspaces_clustering_key": tuple(clustering),
        "keyspaces_static_columns": tuple(sorted(str(one["name"]) for one in told.get("staticColumns") or ())),
        "keyspaces_columns": tuple(sorted(columns)),
    }


def _dates(table: Description) -> Settings:
    told = {
        "keyspaces_created": table.get("creationTimestamp"),
        "keyspaces_on_demand_since": None
        if is_provisioned(table)
        else capacity(table).get("lastUpdateToPayPerRequestTimestamp"),
    }
    return {name: instant(value).isoformat() for name, value in told.items() if value is not None}
