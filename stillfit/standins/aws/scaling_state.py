"""Application Auto Scaling: targets, policies, scheduled actions and what the scaler did, per account and region."""

import threading
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from stillfit.standins.aws.services import SCALING, answer_check
from stillfit.standins.aws.shapes import Complaints

Record = dict[str, Any]
_Key = tuple[Any, ...]


class ScalingState:
    """Records in the service's own answer shapes, times in epoch seconds; what is left out is filled in plausibly.

    ServiceNamespace defaults to dynamodb, ScalableDimension must be given.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._records: dict[tuple[str, str, str], dict[_Key, Record]] = {}
        self._lock = threading.Lock()

    def put_target(self, account: str, region: str, target: Mapping[str, Any]) -> None:
        """`target` needs ResourceId, ScalableDimension, MinCapacity and MaxCapacity."""
        role = "role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForDynamoDBTable"
        record = self._dated(target, RoleARN=f"arn:aws:iam::{account}:{role}")
        self._put("ScalableTarget", (account, region), record)

    def put_policy(self, account: str, region: str, policy: Mapping[str, Any]) -> None:
        """`policy` needs PolicyName, ResourceId, ScalableDimension and its configuration."""
        arn = f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{uuid.uuid4()}:{policy['PolicyName']}"
        record = self._dated(policy, PolicyARN=arn, PolicyType="TargetTrackingScaling", Alarms=[])
        self._put("ScalingPolicy", (account, region), record)

    def put_action(self, account: str, region: str, action: Mapping[str, Any]) -> None:
        """`action` needs ScheduledActionName, ResourceId and Schedule."""
        arn = f"arn:aws:autoscaling:{region}:{account}:scheduledAction:{uuid.uuid4()}:{action['ScheduledActionName']}"
        self._put("ScheduledAction", (account, region), self._dated(action, ScheduledActionARN=arn))

    def put_activity(self, account: str, region: str, activity: Mapping[str, Any]) -> None:
        """`activity` needs ResourceId, ScalableDimension, StartTime, Description and Cause."""
        filled = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "dynamodb",
            "StatusCode": "Successful",
            **deepcopy(dict(activity)),
        }
        self._put("ScalingActivity", (account, region), filled)

    def records(self, shape: str, account: str, region: str) -> list[Record]:
        with self._lock:
            return list(self._records.get((shape, account, region), {}).values())

    def _dated(self, record: Mapping[str, Any], **defaults: Any) -> Record:
        return {"ServiceNamespace": "dynamodb", "CreationTime": self._now(), **defaults, **deepcopy(dict(record))}

    def _put(self, shape: str, place: tuple[str, str], record: Record) -> None:
        complaints = Complaints()
        answer_check(SCALING, shape)(record, shape, complaints)
        if complaints:
            raise ValueError(f"No {shape}: {complaints.text()}")
        key = tuple(record.get(name) for name in _KEYS)
        with self._lock:
            self._records.setdefault((shape, *place), {})[key] = record


_KEYS = ("ServiceNamespace", "ResourceId", "ScalableDimension", "PolicyName", "ScheduledActionName", "ActivityId")
