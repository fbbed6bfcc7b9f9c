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
    INSIGHTS = "insights"
    SCALING = "scaling"
    TAGS = "tags"
    BACKUPS = "backups"
    KEYS = "keys"
    QUOTAS = "quotas"
    PRICES = "prices"
    COSTS = "costs"
    REGIONS = "regions"
    KEYSPACES = "keyspaces"
    DAX = "dax"


SERVICES = frozenset({Feature.KEYSPACES, Feature.DAX})
"""Services of their own: granted where they are named or configured, and not by default."""
NAMED = SERVICES | {Feature.COSTS, Feature.REGIONS}
"""All that is granted only where it is named or configured: asking Cost Explorer is billed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One action. `essential`: nothing can be judged without it.

    It can be limited `of_tables`: to tables, `of_rules`: to the rules that DynamoDB makes for Contributor Insights,
    `of_keyspaces`: to keyspaces and their tables.
    """

    action: str
    blind: str
    feature: Feature = Feature.CORE
    essential: bool = False
    of_tables: bool = False
    of_rules: bool = False
    of_keyspaces: bool = False


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
        blind="requests, latency and errors by operation, failed conditions, conflicts and expired items",
    ),
    Permission(
        action="dynamodb:DescribeTimeToLive",
        blind="whether rows expire",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:DescribeContinuousBackups",
        blind="whether point-in-time recovery is paid for, and how far back it reaches",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:DescribeKinesisStreamingDestination",
        blind="which Kinesis streams are fed",
        feature=Feature.SETTINGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:ListContributorInsights",
        blind="whether hot keys are recorded",
        feature=Feature.SETTINGS,
    ),
    Permission(
        action="dynamodb:DescribeContributorInsights",
        blind="which reports of hot keys there are, and why Contributor Insights failed to begin",
        feature=Feature.INSIGHTS,
        of_tables=True,
    ),
    Permission(
        action="cloudwatch:GetInsightRuleReport",
        blind="which key is hot and how near to the ceiling, where Contributor Insights is on",
        feature=Feature.INSIGHTS,
        of_rules=True,
    ),
    Permission(
        action="dynamodb:ListBackups",
        blind="on-demand backups, their age and size",
        feature=Feature.BACKUPS,
    ),
    Permission(
        action="dynamodb:ListExports",
        blind="exports",
        feature=Feature.BACKUPS,
    ),
    Permission(
        action="dynamodb:DescribeExport",
        blind="what exports were billed for",
        feature=Feature.BACKUPS,
        of_tables=True,
    ),
    Permission(
        action="kms:DescribeKey",
        blind="whether a table's KMS key is AWS's or your own, where that does not follow from the key's name",
        feature=Feature.KEYS,
    ),
    Permission(
        action="tag:GetResources",
        blind="tags in one call for all: each table is asked for its own, ten a second",
        feature=Feature.TAGS,
    ),
    Permission(
        action="dynamodb:ListTagsOfResource",
        blind="tags, where tag:GetResources is not granted either",
        feature=Feature.TAGS,
        of_tables=True,
    ),
    Permission(
        action="dynamodb:DescribeLimits",
        blind="the account's limits: how near provisioned capacity is to them",
        feature=Feature.QUOTAS,
    ),
    Permission(
        action="servicequotas:GetServiceQuota",
        blind="how fast CloudWatch may be read: 50 calls a second are kept, however many are allowed",
        feature=Feature.QUOTAS,
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
        action="application-autoscaling:DescribeScheduledActions",
        blind="when capacity will be changed by schedule",
        feature=Feature.SCALING,
    ),
    Permission(
        action="application-autoscaling:DescribeScalingActivities",
        blind="when capacity was changed, or was not and why: throttling after a scale-in is not told apart",
        feature=Feature.SCALING,
    ),
    Permission(
        action="account:ListRegions",
        blind="which regions are enabled, where all are wanted: each that botocore knows is tried",
        feature=Feature.REGIONS,
    ),
    Permission(
        action="cassandra:Select",
        blind="Keyspaces: its tables, settings and tags (it would let rows be read too; there is none narrower)",
        feature=Feature.KEYSPACES,
        of_keyspaces=True,
    ),
    Permission(
        action="dax:DescribeClusters",
        blind="DAX: no cluster is found",
        feature=Feature.DAX,
    ),
    Permission(
        action="dax:DescribeParameters",
        blind="how long DAX keeps items and query results",
        feature=Feature.DAX,
    ),
    Permission(
        action="dax:ListTags",
        blind="tags of DAX clusters",
        feature=Feature.DAX,
    ),
    Permission(
        action="pricing:GetProducts",
        blind="unit prices by query: what tables of other regions than us-east-1 cost, unless price files tell",
        feature=Feature.PRICES,
    ),
    Permission(
        action="ce:GetCostAndUsage",
        blind="what was billed",
        feature=Feature.COSTS,
    ),
    Permission(
        action="ce:GetCostAndUsageWithResources",
        blind="what each table was billed, where the account has opted in to costs by resource",
        feature=Feature.COSTS,
    ),
    Permission(
        action="ce:GetReservationCoverage",
        blind="how much of provisioned capacity is reserved",
        feature=Feature.COSTS,
    ),
    Permission(
        action="ce:GetReservationUtilization",
        blind="how much of reserved capacity is used",
        feature=Feature.COSTS,
    ),
    Permission(
        action="ce:GetSavingsPlansCoverage",
        blind="how much savings plans cover",
        feature=Feature.COSTS,
    ),
    Permission(
        action="ce:GetSavingsPlansUtilization",
        blind="how much of the commitment to savings plans is used",
        feature=Feature.COSTS,
    ),
)
BY_ACTION = {one.action: one for one in PERMISSIONS}
_ONE_FOR_ALL = {"cassandra": "cassandra:Select"}
"""Services with one permission for all reads of settings (Keyspaces API reference, GetTable and its sisters)."""


def permission_of(call: str) -> str:
    """The action that a call needs, "service:Operation" with the service's IAM prefix."""
    return _ONE_FOR_ALL.get(call.partition(":")[0], call)


NEVER = (
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:TransactGetItems", "dynamodb:Query", "dynamodb:Scan"),
    *("dynamodb:PartiQL*", "dynamodb:GetRecords", "dynamodb:ExportTableToPointInTime", "dynamodb:Put*"),
    *("dynamodb:Update*", "dynamodb:Delete*", "dynamodb:BatchWriteItem", "dynamodb:TransactWriteItems"),
    *("dynamodb:Create*", "dynamodb:Restore*", "iam:*"),
    *("cassandra:Modify*", "cassandra:Alter*", "cassandra:Create*", "cassandra:Drop*", "cassandra:Restore*"),
    *("dax:GetItem", "dax:BatchGetItem", "dax:Query", "dax:Scan", "dax:ConditionCheckItem", "dax:BatchWriteItem"),
    *("dax:Put*", "dax:Update*", "dax:Delete*", "dax:Create*", "dax:Reboot*", "dax:Increase*", "dax:Decrease*"),
)
"""Denied in so many words, so that no other grant of the same identity lets stillfit read a row or change a thing.
Reading rows of Keyspaces cannot be denied where its settings are to be read: both are cassandra:Select."""
