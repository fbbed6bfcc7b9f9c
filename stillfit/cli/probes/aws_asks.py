"""How each permission is tried: by one real call that reads as little as it can.

Of a table, export, rule or cluster that is not there "not found" proves the permission as well as an answer does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import CONSUMED, LISTED, NAMESPACE, Questions
from collector.aws.permissions import PERMISSIONS, Feature, Permission
from collector.aws.settings.autoscaling import NAMESPACE as SCALING
from collector.aws.wire.connection import Connection
from collector.aws.wire.quotas import RATE_OF_GET_METRIC_DATA, SERVICE
from collector.aws.wire.regions import ALL
from stillfit.configaws import Aws
from stillfit.model import Engine, Span, Subject

ABSENT = "stillfit-doctor-asks"
OF_ACCOUNT = frozenset({Feature.PRICES, Feature.COSTS, Feature.REGIONS})
"""Asked of the account once, where its partition answers for that; all others in each region."""
OF_DYNAMODB = frozenset(Feature) - OF_ACCOUNT - {Feature.CORE, Feature.KEYSPACES, Feature.DAX}
LISTING = "dynamodb:ListTables"
"""Tried by counting the tables."""


@dataclass(frozen=True, slots=True)
class Of:
    """What is asked about: a table, where, and when."""

    table: str
    account: str
    region: str
    now: datetime

    @property
    def table_arn(self) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{self.table}"

    @property
    def yesterday(self) -> dict[str, str]:
        """The end is exclusive (Cost Explorer API reference, DateInterval)."""
        today = self.now.date()
        return {"Start": (today - timedelta(days=1)).isoformat(), "End": today.isoformat()}


Ask = Callable[[Connection, Of], object]
"""Raises SourceError, a GoneError where the permission is there and the thing is not."""


def in_region(settings: Aws) -> Iterator[tuple[Permission, Ask]]:
    """Each permission that reading a region needs with how it is tried, but for the listing of tables."""
    return ((one, ASKS[one.action]) for one in needed(settings) if one.feature not in OF_ACCOUNT)


def of_account(settings: Aws) -> Iterator[tuple[Permission, Ask]]:
    """Each permission that is needed once for the account."""
    return ((one, ASKS[one.action]) for one in needed(settings) if one.feature in OF_ACCOUNT)


def needed(settings: Aws) -> Iterator[Permission]:
    """All permissions that an entry of the configuration needs, but for the listing of tables."""
    features = frozenset(_features(settings))
    watches_tables = "dynamodb" in settings.services
    for one in PERMISSIONS:
        is_other = one.action.startswith("dynamodb:") and not watches_tables
        if one.feature in features and one.action != LISTING and not is_other and _is_asked(one, settings):
            yield one


def _features(settings: Aws) -> Iterator[Feature]:
    yield Feature.CORE
    yield from OF_DYNAMODB if "dynamodb" in settings.services else ()
    yield from (one for one in (Feature.KEYSPACES, Feature.DAX) if one in settings.services)
    conditions = {
        Feature.PRICES: settings.prices == "query",
        Feature.COSTS: settings.cost_explorer,
        Feature.REGIONS: settings.regions == (ALL,),
    }
    yield from (feature for feature, is_on in conditions.items() if is_on)


def _is_asked(permission: Permission, settings: Aws) -> bool:
    """Costs by resource are refused to every account that has not opted in to them."""
    return permission.action != "ce:GetCostAndUsageWithResources" or settings.cost_tables == "resource"


def _call(service: str, operation: str, expect: str, **parameters: object) -> Ask:
    return lambda connection, _: connection.call(service, operation, "the doctor", expect=expect, **parameters)


def _of_table(operation: str, expect: str) -> Ask:
    return lambda connection, of: connection.call(
        "dynamodb", operation, f'table "{of.table}"', expect=expect, TableName=of.table
    )


def _metric_data(connection: Connection, of: Of) -> object:
    """One metric of one table over five minutes: a hundred-thousandth of a dollar."""
    subject = Subject(engine=Engine.DYNAMODB, scope=("", ""), table=of.table)
    end = int(of.now.timestamp()) // 300 * 300
    window = Span(end - 300, end)
    request = Request(stretch=Stretch(60, window), asks=(Questions().ask(subject, CONSUMED[0]),))
    return connection.guarded(
        lambda clients: list(clients.lane.pages(request.body, window)),
        action="cloudwatch:GetMetricData",
        about=f'table "{of.table}"',
    )


def _report(connection: Connection, of: Of) -> object:
    """Of a rule that is not there: who may ask is told so, and pays nothing."""
    return connection.call(
        "cloudwatch",
        "GetInsightRuleReport",
        "the doctor",
        expect="KeyLabels",
        RuleName=f"DynamoDBContributorInsights-PKC-{ABSENT}-0",
        StartTime=of.now.timestamp() - 300,
        EndTime=of.now.timestamp(),
        Period=60,
    )


def _table_tags(connection: Connection, of: Of) -> object:
    return connection.call("dynamodb", "ListTagsOfResource", "the doctor", expect="Tags", ResourceArn=of.table_arn)


def _export(connection: Connection, of: Of) -> object:
    arn = f"{of.table_arn}/export/01600000000000-0a0b0c0d"
    return connection.call("dynamodb", "DescribeExport", "the doctor", expect="ExportDescription", ExportArn=arn)


def _key(connection: Connection, of: Of) -> object:
    """Of a key that is not there: an alias of AWS's without a key would be given one."""
    arn = f"arn:aws:kms:{of.region}:{of.account}:key/00000000-0000-0000-0000-000000000000"
    return connection.call("kms", "DescribeKey", "the doctor", expect="KeyMetadata", KeyId=arn)


def _cluster_tags(connection: Connection, of: Of) -> object:
    arn = f"arn:aws:dax:{of.region}:{of.account}:cache/{ABSENT}"
    return connection.call("dax", "ListTags", "the doctor", expect="Tags", ResourceName=arn)


def _billed(operation: str, expect: str, **parameters: object) -> Ask:
    """A question to Cost Explorer about yesterday: 0.01 USD."""
    return lambda connection, of: connection.call(
        "ce", operation, "the doctor", expect=expect, TimePeriod=of.yesterday, Granularity="DAILY", **parameters
    )


_DYNAMODB_ONLY = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon DynamoDB"]}}
ASKS: Mapping[str, Ask] = {
    "dynamodb:DescribeTable": _of_table("DescribeTable", "Table"),
    "cloudwatch:GetMetricData": _metric_data,
    "cloudwatch:ListMetrics": _call("cloudwatch", "ListMetrics", "Metrics", Namespace=NAMESPACE, MetricName=LISTED[0]),
    "dynamodb:DescribeTimeToLive": _of_table("DescribeTimeToLive", "TimeToLiveDescription"),
    "dynamodb:DescribeContinuousBackups": _of_table("DescribeContinuousBackups", "ContinuousBackupsDescription"),
    "dynamodb:DescribeKinesisStreamingDestination": _of_table(
        "DescribeKinesisStreamingDestination", "KinesisDataStreamDestinations"
    ),
    "dynamodb:ListContributorInsights": _call(
        "dynamodb", "ListContributorInsights", "ContributorInsightsSummaries", MaxResults=1
    ),
    "dynamodb:DescribeContributorInsights": _of_table("DescribeContributorInsights", "ContributorInsightsStatus"),
    "cloudwatch:GetInsightRuleReport": _report,
    "dynamodb:ListBackups": _call("dynamodb", "ListBackups", "BackupSummaries", Limit=1),
    "dynamodb:ListExports": _call("dynamodb", "ListExports", "ExportSummaries", MaxResults=1),
    "dynamodb:DescribeExport": _export,
    "kms:DescribeKey": _key,
    "tag:GetResources": _call(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        ResourceTypeFilters=["dynamodb:table"],
        ResourcesPerPage=1,
    ),
    "dynamodb:ListTagsOfResource": _table_tags,
    "dynamodb:DescribeLimits": _call("dynamodb", "DescribeLimits", "TableMaxReadCapacityUnits"),
    "servicequotas:GetServiceQuota": _call(
        "service-quotas", "GetServiceQuota", "Quota", ServiceCode=SERVICE, QuotaCode=RATE_OF_GET_METRIC_DATA
    ),
    **{
        f"application-autoscaling:Describe{what}": _call("application-autoscaling", f"Describe{what}", what, **SCALING)
        for what in ("ScalableTargets", "ScalingPolicies", "ScheduledActions", "ScalingActivities")
    },
    "cassandra:Select": _call("keyspaces", "ListKeyspaces", "keyspaces"),
    "dax:DescribeClusters": _call("dax", "DescribeClusters", "Clusters"),
    "dax:DescribeParameters": _call("dax", "DescribeParameters", "Parameters", ParameterGroupName=ABSENT),
    "dax:ListTags": _cluster_tags,
    "account:ListRegions": _call("account", "ListRegions", "Regions", MaxResults=1),
    "pricing:GetProducts": _call("pricing", "GetProducts", "PriceList", ServiceCode="AmazonDynamoDB", MaxResults=1),
    "ce:GetCostAndUsage": _billed("GetCostAndUsage", "ResultsByTime", Metrics=["UnblendedCost"], Filter=_DYNAMODB_ONLY),
    "ce:GetCostAndUsageWithResources": _billed(
        "GetCostAndUsageWithResources",
        "ResultsByTime",
        Metrics=["UnblendedCost"],
        Filter=_DYNAMODB_ONLY,
        GroupBy=[{"Type": "DIMENSION", "Key": "RESOURCE_ID"}],
    ),
    "ce:GetReservationCoverage": _billed("GetReservationCoverage", "CoveragesByTime", Filter=_DYNAMODB_ONLY),
    "ce:GetReservationUtilization": _billed("GetReservationUtilization", "UtilizationsByTime", Filter=_DYNAMODB_ONLY),
    "ce:GetSavingsPlansCoverage": _billed("GetSavingsPlansCoverage", "SavingsPlansCoverages", Filter=_DYNAMODB_ONLY),
    "ce:GetSavingsPlansUtilization": _billed("GetSavingsPlansUtilization", "SavingsPlansUtilizationsByTime"),
}
"""By action."""
