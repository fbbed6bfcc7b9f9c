"""What Application Auto Scaling may do with each table and index, and what it did, or did not do, and when.

Shapes: Application Auto Scaling API reference (botocore 1.44.5). A resource is table/NAME or table/NAME/index/INDEX;
a dimension dynamodb:table:ReadCapacityUnits and its three sisters. Targets outlive their table: what is told of a
table that is not there is left to the caller to drop. Activities are kept by the service for six weeks, newest first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from collector.aws.settings.tables import Settings
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, amiss, failure
from collector.aws.wire.instants import instant
from stillfit.errors import SourceError
from stillfit.model import AttributeChange, Subject, Value

SERVICE = "application-autoscaling"
NAMESPACE = {"ServiceNamespace": "dynamodb"}
TOKENS = ("NextToken", "NextToken")
LIMITS = tuple(f"autoscaling_{way}_{end}" for way in ("read", "write") for end in ("min", "max"))
TARGETS = tuple(f"autoscaling_{way}_target" for way in ("read", "write"))
SCHEDULES = tuple(f"autoscaling_{way}_schedule" for way in ("read", "write"))
ATTRIBUTES = (*LIMITS, *TARGETS, *SCHEDULES)
_NOT_DONE = frozenset({"Failed", "Unfulfilled"})
"""States of an activity that changed nothing, or less than it was to (ScalingActivity, StatusCode)."""
_LONGEST = 200
"""Of what the service says about a failure; some of it quotes a whole refusal (ours)."""

_RESOURCE = re.compile(r"table/([^/]+)(?:/index/([^/]+))?")
_DIMENSION = re.compile(r"dynamodb:(?:table|index):(Read|Write)CapacityUnits")
_SET_TO = re.compile(r"Setting (read|write) capacity units to (\d+)", re.IGNORECASE)

Record = Mapping[str, Any]
_Place = tuple[Subject, str]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Limits, targets and schedules by subject. A subject without any is not in it."""

    settings: Mapping[Subject, Settings]
    missing: tuple[tuple[str, SourceError], ...] = ()
    """Each attribute that could not be read now, and why: its last known values stand."""

    def of(self, subject: Subject) -> Settings:
        return dict(self.settings.get(subject, {}))


@dataclass(slots=True)
class _Kind:
    """One of the lists: what it tells, how a record of it is read, and what it told last."""

    operation: str
    expect: str
    attributes: tuple[str, ...]
    read: Callable[[Iterable[Record]], dict[Subject, Settings]]
    known: Mapping[Subject, Settings]


class Autoscaling:
    def __init__(self, connection: Connection, scope: Subject, source: str) -> None:
        self._connection = connection
        self._scope = scope
        self._source = source
        self._kinds = (
            _Kind("DescribeScalableTargets", "ScalableTargets", LIMITS, self._limits, {}),
            _Kind("DescribeScalingPolicies", "ScalingPolicies", TARGETS, self._targets, {}),
            _Kind("DescribeScheduledActions", "ScheduledActions", SCHEDULES, self._schedules, {}),
        )

    def look(self) -> Scaling:
        """All targets, target-tracking policies and scheduled actions; each list fails for itself alone."""
        missing: list[tuple[str, SourceError]] = []
        for kind in self._kinds:
            try:
                with self._readable(kind.operation):
                    kind.known = kind.read(self._records(kind.operation, kind.expect))
            except SourceError as error:
                missing += ((attribute, error) for attribute in kind.attributes)
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        for kind in self._kinds:
            for subject, settings in kind.known.items():
                found[subject] |= settings
        return Scaling(found, tuple(missing))

    def changes(self, since: datetime) -> tuple[AttributeChange, ...]:
        """What was set since then, and what was not and why, oldest first. Raises SourceError."""
        with self._readable("DescribeScalingActivities"):
            activities = self._records(
                "DescribeScalingActivities", "ScalingActivities", IncludeNotScaledActivities=True
            )
            recent = takewhile(lambda one: instant(one["StartTime"]) >= since, activities)  # newest first
            return tuple(self._changes(sorted(recent, key=_when)))

    def _changes(self, oldest_first: Iterable[Record]) -> Iterator[AttributeChange]:
        """What it was before is what the activity before it set, where that is in sight."""
        last: dict[tuple[Subject, str], Value] = {}
        for activity in oldest_first:
            for subject, name, value in self._told(activity):
                before = last.get((subject, name))
                yield AttributeChange(subject=subject, name=name, before=before, after=value, at=_when(activity))
                last[subject, name] = value

    def _told(self, activity: Record) -> Iterator[tuple[Subject, str, Value]]:
        """What an activity set, or why it set nothing."""
        status, description = activity.get("StatusCode"), str(activity.get("Description", ""))
        done = _SET_TO.search(description) if status == "Successful" else None
        why = _why_not(activity) if status in _NOT_DONE or activity.get("NotScaledReasons") else ""
        for subject, way in self._place(activity):
            if why:
                yield subject, f"autoscaling_{way}_held_back", why
            elif done:
                yield subject, f"provisioned_{way}_units", float(done[2])

    def _limits(self, records: Iterable[Record]) -> dict[Subject, Settings]:
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        for target in records:
            for subject, way in self._place(target):
                found[subject][f"autoscaling_{way}_min"] = float(target["MinCapacity"])
                found[subject][f"autoscaling_{way}_max"] = float(target["MaxCapacity"])
        return found

    def _targets(self, records: Iterable[Record]) -> dict[Subject, Settings]:
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        for policy in records:
            aim = policy.get("TargetTrackingScalingPolicyConfiguration", {}).get("TargetValue")
            for subject, way in self._place(policy) if aim is not None else ():
                found[subject][f"autoscaling_{way}_target"] = float(aim)
        return found

    def _schedules(self, records: Iterable[Record]) -> dict[Subject, Settings]:
        lines: defaultdict[_Place, list[str]] = defaultdict(list)
        for action in records:
            for place in self._place(action):
                lines[place].append(_schedule(action))
        found: defaultdict[Subject, Settings] = defaultdict(dict)
        for (subject, way), actions in lines.items():
            found[subject][f"autoscaling_{way}_schedule"] = tuple(sorted(actions))
        return found

    def _records(self, operation: str, expect: str, **more: Any) -> Iterator[Record]:
        pages = self._connection.pages(
            SERVICE, operation, self._source, expect=expect, tokens=TOKENS, **NAMESPACE, **more
        )
        return (record for page in pages for record in page)

    @contextmanager
    def _readable(self, operation: str) -> Iterator[None]:
        """A record without what the service promises is a garbled answer."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            garbled = GarbledError(f"a record that cannot be read: {amiss(error)}")
            raise failure(garbled, action=f"{SERVICE}:{operation}", about=self._source) from error

    def _place(self, record: Record) -> Iterator[_Place]:
        """The subject and direction of a record; none for what is no table or index."""
        resource = _RESOURCE.fullmatch(record["ResourceId"])
        dimension = _DIMENSION.fullmatch(record.get("ScalableDimension", ""))
        if resource and dimension:
            yield replace(self._scope, table=resource[1], index=resource[2] or ""), dimension[1].lower()


def _why_not(activity: Record) -> str:
    """The codes of the reasons (NotScaledReason), with the limit that was met; else what the service says of it."""
    reasons = [_reason(one) for one in activity.get("NotScaledReasons") or ()]
    said = str(activity.get("StatusMessage") or activity.get("Cause") or "no reason told")
    return "; ".join(reasons) if reasons else f"{activity.get('StatusCode')}: {said}"[:_LONGEST]


def _reason(reason: Record) -> str:
    met = [f"{key}={reason[key]}" for key in ("MinCapacity", "MaxCapacity", "CurrentCapacity") if key in reason]
    limits = f" ({', '.join(met)})" if met else ""
    return f"{reason['Code']}{limits}"


def _schedule(action: Record) -> str:
    """NAME: SCHEDULE [ZONE] [min=N] [max=N]; in UTC where no zone is named (API reference, Timezone)."""
    aim = action.get("ScalableTargetAction", {})
    ends = [f"{name}={aim[key]}" for name, key in (("min", "MinCapacity"), ("max", "MaxCapacity")) if key in aim]
    zone = [str(action["Timezone"])] if action.get("Timezone") else []
    return " ".join([f"{action['ScheduledActionName']}: {action['Schedule']}", *zone, *ends])


def _when(activity: Record) -> datetime:
    return instant(activity.get("EndTime", activity["StartTime"]))
