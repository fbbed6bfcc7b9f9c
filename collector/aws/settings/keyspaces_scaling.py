"""What Application Auto Scaling may do with each Keyspaces table, and what it did and when.

Shapes: Application Auto Scaling API reference (botocore 1.44.5). A resource is keyspace/KEYSPACE/table/TABLE, a
dimension cassandra:table:ReadCapacityUnits or its sister. One listing tells of all tables what
GetTableAutoScalingSettings, which needs the same two permissions, tells of one (Keyspaces API reference).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from collector.aws.settings.autoscaling import SERVICE, TOKENS
from collector.aws.settings.keyspaces import Settings
from collector.aws.wire.answers import readable
from collector.aws.wire.connection import Connection
from collector.aws.wire.instants import instant
from stillfit.model import AttributeChange, Subject

NAMESPACE = {"ServiceNamespace": "cassandra"}
ATTRIBUTES = tuple(
    f"keyspaces_autoscaling_{way}_{what}" for way in ("read", "write") for what in ("min", "max", "target")
)

_RESOURCE = re.compile(r"keyspace/([^/]+)/table/([^/]+)")
_DIMENSION = re.compile(r"cassandra:table:(Read|Write)CapacityUnits")
_SET_TO = re.compile(r"Setting (read|write) capacity units to (\d+)", re.IGNORECASE)

Record = Mapping[str, Any]


class KeyspacesScaling:
    def __init__(self, connection: Connection, scope: Subject, source: str) -> None:
        self._connection = connection
        self._scope = scope
        self._source = source

    def look(self) -> Mapping[Subject, Settings]:
        """Limits and targets by table; one without any is not in it. Raises SourceError."""
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        with readable(f"{SERVICE}:DescribeScalableTargets", self._source):
            for target in self._records("DescribeScalableTargets", "ScalableTargets"):
                for table, way in self._place(target):
                    found[table][f"keyspaces_autoscaling_{way}_min"] = float(target["MinCapacity"])
                    found[table][f"keyspaces_autoscaling_{way}_max"] = float(target["MaxCapacity"])
        with readable(f"{SERVICE}:DescribeScalingPolicies", self._source):
            for policy in self._records("DescribeScalingPolicies", "ScalingPolicies"):
                aim = policy.get("TargetTrackingScalingPolicyConfiguration", {}).get("TargetValue")
                for table, way in self._place(policy) if aim is not None else ():
                    found[table][f"keyspaces_autoscaling_{way}_target"] = float(aim)
        return dict(found)

    def changes(self, since: datetime) -> tuple[AttributeChange, ...]:
        """What was set since then, oldest first. Raises SourceError."""
        with readable(f"{SERVICE}:DescribeScalingActivities", self._source):
            activities = self._records("DescribeScalingActivities", "ScalingActivities")
            recent = takewhile(lambda one: instant(one["StartTime"]) >= since, activities)  # newest first
            done = sorted((one for one in recent if one.get("StatusCode") == "Successful"), key=_when)
            return tuple(change for one in done for change in self._change(one))

    def _change(self, activity: Record) -> Iterator[AttributeChange]:
        told = _SET_TO.search(str(activity.get("Description", "")))
        for table, way in self._place(activity) if told else ():
            after = float(told[2]) if told else None
            name = f"keyspaces_provisioned_{way}_units"
            yield AttributeChange(subject=table, name=name, before=None, after=after, at=_when(activity))

    def _records(self, operation: str, expect: str) -> Iterator[Record]:
        pages = self._connection.pages(SERVICE, operation, self._source, expect=expect, tokens=TOKENS, **NAMESPACE)
        return (record for page in pages for record in page)

    def _place(self, record: Record) -> Iterator[tuple[Subject, str]]:
        """The table and direction of a record; none for what is no table."""
        resource = _RESOURCE.fullmatch(record["ResourceId"])
        dimension = _DIMENSION.fullmatch(record["ScalableDimension"])
        if resource and dimension:
            yield replace(self._scope, keyspace=resource[1], table=resource[2]), dimension[1].lower()


def _when(activity: Record) -> datetime:
    return instant(activity.get("EndTime", activity["StartTime"]))
