"""What Application Auto Scaling may do with each table and index, and what it did and when.

Shapes: Application Auto Scaling API reference (botocore 1.44.5). A resource is table/NAME or table/NAME/index/INDEX;
a dimension dynamodb:table:ReadCapacityUnits and its three sisters. Targets outlive their table. Activities are kept by
the service for six weeks, newest first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from collector.aws.connection import Connection
from collector.aws.failures import GarbledError, failure
from collector.aws.instants import instant
from collector.aws.table_settings import Settings
from stillfit.model import AttributeChange, Subject

SERVICE = "application-autoscaling"
NAMESPACE = {"ServiceNamespace": "dynamodb"}
TOKENS = ("NextToken", "NextToken")
ATTRIBUTES = tuple(f"autoscaling_{way}_{what}" for way in ("read", "write") for what in ("min", "max", "target"))

_RESOURCE = re.compile(r"table/([^/]+)(?:/index/([^/]+))?")
_DIMENSION = re.compile(r"dynamodb:(?:table|index):(Read|Write)CapacityUnits")
_SET_TO = re.compile(r"Setting (read|write) capacity units to (\d+)", re.IGNORECASE)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Limits and targets by subject. A subject without any is not in it."""

    settings: Mapping[Subject, Settings]

    def of(self, subject: Subject) -> Settings:
        return dict(self.settings.get(subject, {}))


class Autoscaling:
    def __init__(self, connection: Connection, scope: Subject, source: str) -> None:
        self._connection = connection
        self._scope = scope
        self._source = source

    def look(self) -> Scaling:
        """All targets and target-tracking policies. Raises SourceError."""
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        with self._readable("DescribeScalableTargets"):
            for target in self._records("DescribeScalableTargets", "ScalableTargets"):
                for subject, way in self._place(target):
                    found[subject][f"autoscaling_{way}_min"] = float(target["MinCapacity"])
                    found[subject][f"autoscaling_{way}_max"] = float(target["MaxCapacity"])
        with self._readable("DescribeScalingPolicies"):
            for policy in self._records("DescribeScalingPolicies", "ScalingPolicies"):
                aim = policy.get("TargetTrackingScalingPolicyConfiguration", {}).get("TargetValue")
                for subject, way in self._place(policy) if aim is not None else ():
                    found[subject][f"autoscaling_{way}_target"] = float(aim)
        return Scaling(found)

    def changes(self, since: datetime) -> tuple[AttributeChange, ...]:
        """What was set since then, oldest first. Raises SourceError."""
        with self._readable("DescribeScalingActivities"):
            activities = self._records("DescribeScalingActivities", "ScalingActivities")
            recent = takewhile(lambda one: instant(one["StartTime"]) >= since, activities)  # newest first
            done = sorted((one for one in recent if one.get("StatusCode") == "Successful"), key=_when)
            return tuple(self._changes(done))

    def _changes(self, oldest_first: Iterable[Record]) -> Iterator[AttributeChange]:
        """What it was before is what the activity before it set, where that is in sight."""
        last: dict[tuple[Subject, str], float] = {}
        for activity in oldest_first:
            told = _SET_TO.search(str(activity.get("Description", "")))
            for subject, way in self._place(activity) if told else ():
                name, units = f"provisioned_{way}_units", float(told[2]) if told else 0.0
                yield AttributeChange(
                    subject=subject, name=name, before=last.get((subject, name)), after=units, at=_when(activity)
                )
                last[subject, name] = units

    def _records(self, operation: str, expect: str) -> Iterator[Record]:
        pages = self._connection.pages(SERVICE, operation, self._source, expect=expect, tokens=TOKENS, **NAMESPACE)
        return (record for page in pages for record in page)

    @contextmanager
    def _readable(self, operation: str) -> Iterator[None]:
        """A record without what the service promises is a garbled answer."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            garbled = GarbledError(f"a record that cannot be read: {error!r}")
            raise failure(garbled, action=f"{SERVICE}:{operation}", about=self._source) from error

    def _place(self, record: Record) -> Iterator[tuple[Subject, str]]:
        """The subject and direction of a record; none for what is no table or index."""
        resource = _RESOURCE.fullmatch(record["ResourceId"])
        dimension = _DIMENSION.fullmatch(record["ScalableDimension"])
        if resource and dimension:
            yield replace(self._scope, table=resource[1], index=resource[2] or ""), dimension[1].lower()


def _when(activity: Record) -> datetime:
    return instant(activity.get("EndTime", activity["StartTime"]))
