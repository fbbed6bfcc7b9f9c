"""The unit prices we know: our name of each, and AWS's own name of its usage. Pure.

DynamoDB, Keyspaces, DAX, and of CloudWatch what belongs to them or what our own reading costs.
Usage types are those of "Understanding DynamoDB billing and usage reports" (DynamoDB developer guide) and of the
AmazonMCS price list of 2025-11-05, and one is not: what the guide calls Streams-RequestsCount is Streams-Requests in
the price list, in Cost Explorer and among the free tiers (AWS Billing user guide, "Tracking your Free Tier usage").
The units are the price list's: those of AmazonDynamoDB are enumerated from its file of 2022-01-03 in
ComputeSoftware/csp-pricing (aws/dynamodb.clj). A unit that is not among `units` is another unit, and its price is not
taken: a price per thousand that is read as a price each is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DYNAMODB = "AmazonDynamoDB"
KEYSPACES = "AmazonMCS"
DAX = "AmazonDAX"
CLOUDWATCH = "AmazonCloudWatch"
SERVICES = (DYNAMODB, KEYSPACES, DAX, CLOUDWATCH)
"""Service codes of the price list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One unit price. `usage` is the usage type without the region before it; `lease` makes it a reserved term."""

    name: str
    service: str
    usage: str
    units: frozenset[str]
    counted: str
    """The unit in our words."""
    lease: str = ""
    """Length of the lease as the list spells it: 1yr or 3yr; empty for what is paid as used."""


def _skus(service: str, *rows: tuple[str, str, str, str]) -> tuple[Sku, ...]:
    """Name, usage type, unit of the list (several with a bar between) and our unit."""
    return tuple(
        Sku(name=name, service=service, usage=usage, units=frozenset(units.split("|")), counted=counted)
        for name, usage, units, counted in rows
    )


def _classes(*rows: tuple[str, str, str, str]) -> tuple[tuple[str, str, str, str], ...]:
    """Each for both table classes; the usage of Standard-IA has IA- before it."""
    infrequent = tuple((f"{name}_ia", f"IA-{usage}", units, counted) for name, usage, units, counted in rows)
    return (*rows, *infrequent)


_THROUGHPUT = (
    ("on_demand_read", "ReadRequestUnits", "ReadRequestUnits", "RRU"),
    ("on_demand_write", "WriteRequestUnits", "WriteRequestUnits", "WRU"),
    ("on_demand_replicated_write", "ReplWriteRequestUnits", "ReplicatedWriteRequestUnits", "rWRU"),
    ("provisioned_read", "ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs", "RCU-hour"),
    ("provisioned_write", "WriteCapacityUnit-Hrs", "WriteCapacityUnit-Hrs", "WCU-hour"),
    ("provisioned_replicated_write", "ReplWriteCapacityUnit-Hrs", "ReplicatedWriteCapacityUnit-Hrs", "rWCU-hour"),
)
_GB_MONTH = "GB-Mo|GB-Month"
"""The list of AmazonDynamoDB writes both, a cost report of backups in Asia the latter."""
_STORAGE = ("storage", "TimedStorage-ByteHrs", _GB_MONTH, "GB-month")
_KEPT = (
    ("pitr", "TimedPITRStorage-ByteHrs", _GB_MONTH, "GB-month"),
    ("restore", "RestoreDataSize-Bytes", "GB", "GB"),
)
_DYNAMODB = _skus(
    DYNAMODB,
    *_classes(*_THROUGHPUT, _STORAGE),
    *_KEPT,
    ("backup", "TimedBackupStorage-ByteHrs", _GB_MONTH, "GB-month"),
    ("export", "ExportDataSize-Bytes", "GB", "GB"),
    ("incremental_export", "IncrementalExportDataSize-Bytes", "GB", "GB"),
    ("import", "ImportDataSize-Bytes", "GB", "GB"),
    ("stream_read", "Streams-Requests", "Requests", "request"),
    ("change_capture", "ChangeDataCaptureUnits-Kinesis", "ChangeDataCaptureUnits", "unit"),
)
_KEYSPACES = _skus(
    KEYSPACES,
    *((f"keyspaces_{name}", *rest) for name, *rest in (*_THROUGHPUT, _STORAGE, *_KEPT)),  # type: ignore[arg-type]
    ("keyspaces_ttl_delete", "TTLDeletes", "TTLDeletes", "row"),
)
_CLOUDWATCH = _skus(
    CLOUDWATCH,
    ("cloudwatch_metric_read", "CW:GMD-Metrics", "Metrics|Metric", "metric"),
    ("cloudwatch_request", "CW:Requests", "Requests|Request", "request"),
    ("cloudwatch_alarm", "CW:AlarmMonitorUsage", "Alarms|Alarm", "alarm-month"),
    ("cloudwatch_fast_alarm", "CW:HighResAlarmMonitorUsage", "Alarms|Alarm", "alarm-month"),
    ("contributor_rule", "CW:ContributorRulesManaged", "Rules|Rule|Contributor Rules", "rule-month"),
    ("contributor_event", "CW:ContributorEventsManaged", "Events|Event|Contributor Events", "event"),
)


def _reserved() -> tuple[Sku, ...]:
    """Reserved capacity: a fee at the start, then an hourly rate (DynamoDB developer guide, reserved capacity)."""
    return tuple(
        Sku(
            name=f"reserved_{way}_{lease}_{paid}",
            service=DYNAMODB,
            usage=f"{way.capitalize()}CapacityUnit-Hrs",
            units=frozenset({"Quantity" if paid == "upfront" else f"{way.capitalize()}CapacityUnit-Hrs"}),
            counted=f"{unit} reserved" if paid == "upfront" else f"{unit}-hour",
            lease=lease,
        )
        for way, unit in (("read", "RCU"), ("write", "WCU"))
        for lease in ("1yr", "3yr")
        for paid in ("upfront", "hour")
    )


CATALOGUE = (*_DYNAMODB, *_reserved(), *_KEYSPACES, *_CLOUDWATCH)
"""Every unit price with a name of its own; DAX nodes have one for each type, see `node_sku`."""

NODE = re.compile(r"dax_node/[a-z0-9]+(\.[a-z0-9-]+)+")
NODE_USAGE = re.compile(r"NodeUsage:dax[.-](?P<type>[a-z0-9]+(\.[a-z0-9-]+)+)")
"""As the price list (NodeUsage:dax.r5.large) and the billing guide (NodeUsage:dax-TYPE) write it."""


def node_sku(node_type: str) -> Sku:
    """The price of a DAX node: `node_type` is without the dax. before it, such as r5.large."""
    usage, units = f"NodeUsage:dax.{node_type}", frozenset({"Hrs", "Hours"})
    return Sku(name=f"dax_node/{node_type}", service=DAX, usage=usage, units=units, counted="node-hour")


_SERVICE = {one.name: one.service for one in CATALOGUE}
_BY_USAGE = {(one.service, one.usage): one for one in CATALOGUE if not one.lease}
_RESERVED_FEES = {"HeavyUsage:dynamodb.read": "reserved_read", "HeavyUsage:dynamodb.write": "reserved_write"}


def sku_of(service: str, usage: str) -> Sku | None:
    """The unit price that a usage type without its region is paid at, by its whole name; None for any other."""
    node = NODE_USAGE.fullmatch(usage) if service == DAX else None
    return node_sku(node["type"]) if node else _BY_USAGE.get((service, usage))


def service_of(name: str) -> str:
    """Service code of a unit price by our name; empty for one that is not AWS's."""
    return DAX if NODE.fullmatch(name) else _SERVICE.get(name, "")


def component_of(service: str, usage: str) -> str:
    """What a line of a bill is called here: our name where we have one, else the usage type as it is."""
    known = sku_of(service, usage)
    return known.name if known else _RESERVED_FEES.get(usage, usage) if service == DYNAMODB else usage
