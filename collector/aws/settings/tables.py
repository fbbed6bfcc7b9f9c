"""A table's description as canonical attributes and sizes. Pure.

Shapes: DynamoDB API reference, TableDescription (botocore 1.44.5). BillingModeSummary is absent on tables that never
left provisioned; throughput is zero on on-demand tables and indexes, which is no setting and left out. What only some
tables have (a witness, a vector index) is left out where it is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from collector.aws.wire.instants import instant
from stillfit.model import Subject, Value

Description = Mapping[str, Any]
Settings = dict[str, Value]

ON_DEMAND = "PAY_PER_REQUEST"
OWN_KEY = "AWS_OWNED"
"""How a table without SSEDescription is encrypted (Developer Guide, "DynamoDB encryption at rest")."""


def billing_mode(table: Description) -> str:
    return str(table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def indexes(subject: Subject, table: Description) -> Iterator[tuple[Subject, Description]]:
    """The global secondary indexes; local ones have no capacity and no metrics of their own."""
    for index in table.get("GlobalSecondaryIndexes") or ():
        yield replace(subject, index=index["IndexName"]), index


def table_settings(table: Description, region: str) -> Settings:
    """A table's own attributes. Raises KeyError or TypeError where the answer lacks what the service promises."""
    settings: Settings = {
        "billing_mode": billing_mode(table),
        "table_class": str(table.get("TableClassSummary", {}).get("TableClass", "STANDARD")),
        "deletion_protection": bool(table.get("DeletionProtectionEnabled", False)),
        "local_indexes": _names(table.get("LocalSecondaryIndexes"), "IndexName"),
        **_shared(table, str(table["TableStatus"]), provisioned=billing_mode(table) != ON_DEMAND),
        **_stream(table),
        **_replicas(table, region),
        **_encryption(table),
    }
    summary = table.get("BillingModeSummary", {}) if billing_mode(table) == ON_DEMAND else {}
    archival = table.get("ArchivalSummary") or {}
    return settings | _told(
        table_id=table.get("TableId"),
        created=_time(table, "CreationDateTime"),
        on_demand_since=_time(summary, "LastUpdateToPayPerRequestDateTime"),
        table_class_since=_time(table.get("TableClassSummary", {}), "LastUpdateDateTime"),
        archived=_time(archival, "ArchivalDateTime"),
        archival_reason=archival.get("ArchivalReason"),
        local_index_projections=_projections(table.get("LocalSecondaryIndexes")),
        vector_indexes=_names(table.get("VectorIndexes"), "IndexName"),
        vector_index_settings=_vectors(table.get("VectorIndexes")),
    )


def index_settings(table: Description, index: Description) -> Settings:
    """An index's own attributes; how it is paid is its table's."""
    status = str(index.get("IndexStatus", "ACTIVE"))
    settings = _shared(index, status, provisioned=billing_mode(table) != ON_DEMAND)
    settings["backfilling"] = bool(index.get("Backfilling", False))
    projection = index.get("Projection", {})
    return settings | _told(
        projection=projection.get("ProjectionType"),
        projected_attributes=tuple(sorted(map(str, projection.get("NonKeyAttributes") or ()))),
    )


def sizes(described: Description, size_key: str) -> Iterator[tuple[str, float]]:
    """item_count and table_size_bytes where the service has counted them."""
    for metric, key in (("item_count", "ItemCount"), ("table_size_bytes", size_key)):
        if described.get(key) is not None:
            yield metric, float(described[key])


def index_sizes(table: Description) -> Iterator[tuple[str, str, float]]:
    """Metric, index and value of what is counted of indexes without metrics of their own: local and vector ones."""
    for kind, key in (("local", "LocalSecondaryIndexes"), ("vector", "VectorIndexes")):
        for index in table.get(key) or ():
            for what, counted in (("bytes", "IndexSizeBytes"), ("items", "ItemCount")):
                if index.get(counted) is not None:
                    yield f"{kind}_index_{what}", str(index["IndexName"]), float(index[counted])


def _stream(table: Description) -> Settings:
    """LatestStreamArn stays after a stream was switched off, readable for a day: it is told while there is one."""
    stream = table.get("StreamSpecification") or {}
    on = bool(stream.get("StreamEnabled", False))
    told = _told(
        stream_view_type=stream.get("StreamViewType") if on else None,
        stream_arn=table.get("LatestStreamArn") if on else None,
    )
    return {"stream_enabled": on, **told}


def _replicas(table: Description, region: str) -> Settings:
    others = [replica for replica in table.get("Replicas") or () if replica["RegionName"] != region]
    witnesses = table.get("GlobalTableWitnesses") or ()
    regions: Settings = {"replica_regions": _names(others, "RegionName")}
    return regions | _told(
        replica_statuses=_pairs((one["RegionName"], one.get("ReplicaStatus")) for one in others),
        replica_overrides=tuple(sorted(line for one in others for line in _overrides(one, str(one["RegionName"])))),
        multi_region_consistency=table.get("MultiRegionConsistency"),
        global_table_version=table.get("GlobalTableVersion"),
        witness_regions=_pairs((one["RegionName"], one.get("WitnessStatus")) for one in witnesses),
    )


def _overrides(described: Description, where: str) -> Iterator[str]:
    """What a replica, or an index of it, does not take over from the table."""
    found = {
        "read_units": described.get("ProvisionedThroughputOverride", {}).get("ReadCapacityUnits"),
        "on_demand_max_read_units": described.get("OnDemandThroughputOverride", {}).get("MaxReadRequestUnits"),
        "table_class": described.get("ReplicaTableClassSummary", {}).get("TableClass"),
    }
    for setting, value in found.items():
        if value not in (None, -1):  # -1 is "no maximum"
            yield f"{where} {setting}={value}"
    for index in described.get("GlobalSecondaryIndexes") or ():
        yield from _overrides(index, f"{where}/{index['IndexName']}")


def kms_key(table: Description) -> str:
    """ARN of the key of KMS that encrypts a table; empty where it is one of DynamoDB's own."""
    described = table.get("SSEDescription") or {}
    return "" if described.get("Status", "DISABLED") == "DISABLED" else str(described.get("KMSMasterKeyArn") or "")


def _encryption(table: Description) -> Settings:
    """How, since when not, and in whose account the key is; its ARN stays out, its kind is asked (keys.py)."""
    described = table.get("SSEDescription") or {}
    if described.get("Status", "DISABLED") == "DISABLED":
        return {"encryption": OWN_KEY}
    key = kms_key(table).split(":")
    kind: Settings = {"encryption": str(described.get("SSEType", "KMS"))}
    return kind | _told(
        encryption_status=described["Status"],
        encryption_key_account=key[4] if len(key) > 4 else None,
        encryption_inaccessible_since=_time(described, "InaccessibleEncryptionDateTime"),
    )


def _projections(local: Iterable[Description] | None) -> tuple[str, ...]:
    return tuple(sorted(f"{index['IndexName']}={_projection(index.get('Projection', {}))}" for index in local or ()))


def _projection(projection: Description) -> str:
    copied = ",".join(sorted(map(str, projection.get("NonKeyAttributes") or ())))
    return f"{projection.get('ProjectionType', 'ALL')}{f'({copied})' if copied else ''}"


def _vectors(vectors: Iterable[Description] | None) -> tuple[str, ...]:
    keys = ("Dimensions", "DistanceFunction", "IndexStatus")
    return tuple(
        sorted(f"{one['IndexName']}={','.join(str(one[key]) for key in keys if key in one)}" for one in vectors or ())
    )


def _shared(described: Description, status: str, *, provisioned: bool) -> Settings:
    keys = {key["KeyType"]: str(key["AttributeName"]) for key in described["KeySchema"]}
    own: Settings = {"status": status, "partition_key": keys["HASH"], "sort_key": keys.get("RANGE", "")}
    for direction in ("read", "write"):
        own |= _throughput(described, direction, provisioned=provisioned)
    if provisioned:
        own |= _changed(described.get("ProvisionedThroughput") or {})
    return own | _told(warm_status=described.get("WarmThroughput", {}).get("Status"))


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


def _changed(throughput: Description) -> Settings:
    """When provisioned throughput was changed last, and how often it was lowered today."""
    decreases = throughput.get("NumberOfDecreasesToday")
    return _told(
        last_increase=_time(throughput, "LastIncreaseDateTime"),
        last_decrease=_time(throughput, "LastDecreaseDateTime"),
        decreases_today=None if decreases is None else float(decreases),
    )


def _told(**settings: Value | None) -> Settings:
    """Those that say something."""
    return {name: value for name, value in settings.items() if value not in (None, ())}


def _time(described: Description, key: str) -> str | None:
    return None if described.get(key) is None else instant(described[key]).isoformat()


def _names(described: Iterable[Description] | None, key: str) -> tuple[str, ...]:
    return tuple(sorted(str(one[key]) for one in described or ()))


def _pairs(pairs: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(f"{name}={value or 'unknown'}" for name, value in pairs))
