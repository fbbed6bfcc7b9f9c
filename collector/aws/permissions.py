"""Every permission that this collector uses, and what goes blind without it. Imports no SDK.

A test runs the whole collector against the stand-in and holds this list to the operations that were called, both ways.
sts:GetCallerIdentity is called too and needs no grant (IAM reference: it cannot be denied).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """What an operator may leave out; `core` always belongs to it."""

    CORE = "core"
    SETTINGS = "settings"
    SCALING = "scaling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One action. `essential`: nothing can be judged without it. `of_tables`: it can be limited to tables."""

    action: str
    blind: str
    feature: Feature = Feature.CORE
    essential: bool = False
    of_tables: bool = False


PERMISSIONS = (
    Permission(
        action="dynamodb:ListTables",
        blind="everything here: no table is found",
        essential=True,
    ),
    Permission(
        action="dynamodb:DescribeTable",
        blind="keys, indexes, billing mode and size: no cause and no cost can be named",
        essential=True,
        of_tables=True,
    ),
    Permission(
        action="cloudwatch:GetMetricData",
        blind="all load: nothing can be judged, priced or sized",
        essential=True,
    ),
    Permission(
        action="cloudwatch:ListMetrics",
        blind="requests, latency and errors by operation",
    ),
    Permission(
        action="dynamodb:DescribeTimeToLive",
        blind="whether rows expire",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:DescribeContinuousBackups",
        blind="whether backups are paid for",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:DescribeContributorInsights",
        blind="whether hot keys are recorded",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="application-autoscaling:DescribeScalableTargets",
        blind="the limits of auto scaling: advice on capacity cannot tell its floor from its need",
        feature=Feature.SCALING,
    ),
    Permission(
        action="application-autoscaling:DescribeScalingPolicies",
        blind="the target of auto scaling",
        feature=Feature.SCALING,
    ),
    Permission(
        action="application-autoscaling:DescribeScalingActivities",
        blind="when capacity was changed: throttling after a scale-in is not told apart",
        feature=Feature.SCALING,
    ),
)
BY_ACTION = {one.action: one for one in PERMISSIONS}

NEVER = (
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:TransactGetItems", "dynamodb:Query", "dynamodb:Scan"),
    *("dynamodb:PartiQL*", "dynamodb:GetRecords", "dynamodb:ExportTableToPointInTime", "dynamodb:Put*"),
    *("dynamodb:Update*", "dynamodb:Delete*", "dynamodb:BatchWriteItem", "dynamodb:TransactWriteItems"),
    *("dynamodb:Create*", "dynamodb:Restore*", "iam:*"),
)
"""Denied in so many words, so that no other grant of the same identity lets stillfit read a row or change a thing."""
