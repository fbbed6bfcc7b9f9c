"""DescribeTable and its small sisters as canonical attributes and sizes. Pure.

Shapes: DynamoDB API reference (botocore 1.44.5). BillingModeSummary is absent on tables that never left provisioned;
throughput is zero on on-demand tables and indexes, which is no setting and left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from collector.aws.instants import instant
from stillfit.model import Subject, Value

Description = Mapping[str, Any]
Settings = dict[str, Value]

ON_DEMAND = "PAY_PER_REQUEST"


def billing_mode(table: Description) -> str:
    return str(table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def indexes(subject: Subject, table: Description) -> Iterator[tuple[Subject, Description]]:
    """The global secondary indexes; local ones have no capacity and no metrics of their own."""
    for index in table.get("GlobalSecondaryIndexes") or ():
        yield replace(subject, index=index["IndexName"]), index


def table_settings(table: Description, region: str) -> Settings:
    """A table's own attributes. Raises KeyError or TypeError where the answer lacks what the service promises."""
    replicas = (replica["RegionName"] for replica in table.get("Replicas") or ())
    settings: Settings = {
        "billing_mode": billing_mode(table),
        "table_class": str(table.get("TableClassSummary", {}).get("TableClass", "STANDARD")),
        "deletion_protection": bool(table.get("DeletionProtectionEnabled", False)),
        "stream_enabled": bool(table.get("StreamSpecification", {}).get("StreamEnabled", False)),
        "replica_regions": tuple(sorted(name for name in replicas if name != region)),
        "local_indexes": tuple(sorted(index["IndexName"] for index in table.get("LocalSecondaryIndexes") or ())),
        **_shared(table, str(table["TableStatus"]), provisioned=billing_mode(table) != ON_DEMAND),
    }
    if table.get("CreationDateTime") is not None:
        settings["created"] = instant(table["CreationDateTime"]).isoformat()
    switched = table.get("BillingModeSummary", {}).get("LastUpdateToPayPerRequestDateTime")
    if switched is not None and billing_mode(table) == ON_DEMAND:
        settings["on_demand_since"] = instant(switched).isoformat()
    return settings


def index_settings(table: Description, index: Description) -> Settings:
    """An index's own attributes; how it is paid is its table's."""
    status = str(index.get("IndexStatus", "ACTIVE"))
    settings = _shared(index, status, provisioned=billing_mode(table) != ON_DEMAND)
    projection = index.get("Projection", {}).get("ProjectionType")
    return {**settings, "projection": str(projection)} if projection else settings


def sizes(described: Description, size_key: str) -> Iterator[tuple[str, float]]:
    """item_count and table_size_bytes where the service has counted them."""
    for metric, key in (("item_count", "ItemCount"), ("table_size_bytes", size_key)):
        if described.get(key) is not None:
            yield metric, float(described[key])


def time_to_live(answer: Description) -> Settings:
    told = answer["TimeToLiveDescription"]
    on = told.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    return {"ttl_attribute": str(told.get("AttributeName", "")) if on else ""}


def point_in_time_recovery(answer: Description) -> Settings:
    recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return {"point_in_time_recovery": recovery.get("PointInTimeRecoveryStatus") == "ENABLED"}


def contributor_insights(answer: Description) -> Settings:
    on = answer["ContributorInsightsStatus"] in {"ENABLED", "ENABLING"}
    mode = str(answer.get("ContributorInsightsMode", "ACCESSED_AND_THROTTLED_KEYS"))  # what it was before modes
    return {"contributor_insights": mode if on else ""}


def _shared(described: Description, status: str, *, provisioned: bool) -> Settings:
    keys = {key["KeyType"]: str(key["AttributeName"]) for key in described["KeySchema"]}
    own: Settings = {"status": status, "partition_key": keys["HASH"], "sort_key": keys.get("RANGE", "")}
    for direction in ("read", "write"):
        own |= _throughput(described, direction, provisioned=provisioned)
    return own


def _throughput(described: Description, direction: str, *, provisioned: bool) -> Settings:
    title = direction.title()
    units = described.get("ProvisionedThroughput", {}).get(f"{title}CapacityUnits") if provisioned else None
    most = described.get("OnDemandThroughput", {}).get(f"Max{title}RequestUnits", -1)
    warm = described.get("WarmThroughput", {}).get(f"{title}UnitsPerSecond")
    found = {
        f"provisioned_{direction}_units": units,
        f"on_demand_max_{direction}_units": most if most > 0 else None,  # -1 is "no maximum"
        f"warm_{direction}_units": warm,
    }
    return {name: float(value) for name, value in found.items() if value is not None}
