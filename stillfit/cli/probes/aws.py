"""One account and region: whose it is, how far the clocks are apart, and each permission by one real call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from collector.aws.autoscaling import NAMESPACE as SCALING
from collector.aws.connection import Connection, account_of
from collector.aws.failures import GoneError
from collector.aws.limiter import Limiter
from collector.aws.permissions import BY_ACTION, Permission
from collector.aws.plan import Tier
from collector.aws.queries import CONSUMED, LISTED, NAMESPACE, Questions
from collector.aws.quotas import RATE_OF_GET_METRIC_DATA, SERVICE
from collector.aws.target import AwsTarget, Patience
from stillfit.cli.probes.aws_services import asks_of
from stillfit.cli.probes.probe import Probe, Result, failed, ok, warning
from stillfit.cli.spending import metrics_a_look, usd_a_month
from stillfit.clock import Clock
from stillfit.config import Aws, Config
from stillfit.errors import SourceError
from stillfit.model import Engine, GapReason, Span, Subject
from stillfit.sources import target

PATIENCE = Patience(connect_s=3.0, read_s=6.0, attempts=1)
DEADLINE_S = 45.0
SKEW_NOTED_S, SKEW_REFUSED_S = 30, 300
"""AWS refuses signatures that are more than five minutes off (IAM user guide, "Signature Version 4"); half a minute
off is already worth setting right (ours)."""
ABSENT = "stillfit-doctor-asks"
"""A table that does not exist: "not found" from it proves the permission as well as an answer does."""

Ask = Callable[[Connection, str, datetime], object]


def probes(config: Config, clock: Clock) -> tuple[Probe, ...]:
    return tuple(
        Probe(
            area=f"aws {one.account or one.role_arn or one.profile or ''} {region}".replace("  ", " "),
            run=_look(one, region, clock),
            deadline_s=DEADLINE_S,
        )
        for one in config.aws
        for region in one.regions
    )


def _look(settings: Aws, region: str, clock: Clock) -> Callable[[], Iterator[Result]]:
    def look() -> Iterator[Result]:
        wanted = target(settings, region)
        with closing(Connection(wanted, clock, Limiter(clock), PATIENCE)) as connection:
            yield from _account(connection, wanted, settings, clock)

    return look


def _account(connection: Connection, wanted: AwsTarget, settings: Aws, clock: Clock) -> Iterator[Result]:
    try:
        account = account_of(connection, wanted)
        answer = connection.call("sts", "GetCallerIdentity", wanted.region, expect="Arn")
    except SourceError as error:
        yield failed("identity", str(error), "nothing of this region can be read until then")
        return
    yield ok("identity", f"account {account}, {answer['Arn']}")
    yield skew(answer, clock.now())
    if "dynamodb" in settings.services:
        yield from _dynamodb(connection, wanted, settings, clock)
    else:
        for action in COMMON:
            yield _tried(connection, BY_ACTION[action], ASKS[action], (ABSENT, clock.now()))
    for action, ask in asks_of(settings.services):
        yield _tried(connection, BY_ACTION[action], ask, (f"{wanted.region}:{account}", clock.now()))


def _dynamodb(connection: Connection, wanted: AwsTarget, settings: Aws, clock: Clock) -> Iterator[Result]:
    tables = yield from _tables(connection, wanted)
    if tables is not None:
        watched = [name for name in tables if wanted.watches(name)]
        yield _counted(tables, watched, settings)
        for action, ask in ASKS.items():
            yield _tried(connection, BY_ACTION[action], ask, (watched[0] if watched else ABSENT, clock.now()))


def _tables(connection: Connection, wanted: AwsTarget) -> Generator[Result, None, list[str] | None]:
    """Returns the names, or None where they cannot be listed."""
    tokens = ("LastEvaluatedTableName", "ExclusiveStartTableName")
    try:
        pages = connection.pages("dynamodb", "ListTables", wanted.region, expect="TableNames", tokens=tokens)
        names = [name for page in pages for name in page]
    except SourceError as error:
        yield failed("dynamodb:ListTables", str(error), f"blind to {BY_ACTION['dynamodb:ListTables'].blind}")
        return None
    yield ok("dynamodb:ListTables", "granted")
    return names


def _counted(tables: list[str], watched: list[str], settings: Aws) -> Result:
    if not watched:
        why = "none of them is watched: check include and exclude" if tables else "is this the right region?"
        return warning("tables", f"{len(tables)} tables found", why)
    tick_s = int(settings.every.total_seconds())
    least, most = (
        len(watched) * usd_a_month(metrics_a_look(_TABLE, provisioned=True, tier=tier), tier, tick_s)
        for tier in (Tier.COLD, Tier.WARM)
    )
    cost = f"reading them costs {least:,.2f} (none is in use) to {most:,.2f} USD a month (all are), indexes on top"
    return ok("tables", f"{len(watched)} of {len(tables)} tables are watched; {cost}")


def _tried(connection: Connection, permission: Permission, ask: Ask, of: tuple[str, datetime]) -> Result:
    """`of` is the table that is asked about, and the time."""
    try:
        ask(connection, *of)
    except GoneError:
        return ok(permission.action, "granted")
    except SourceError as error:
        fix = f"blind until then: {permission.blind}"
        if permission.essential or error.reason is GapReason.DENIED:
            return failed(permission.action, str(error), fix, essential=permission.essential)
        return warning(permission.action, str(error), fix)
    return ok(permission.action, "granted")


def skew(answer: Mapping[str, Any], now: datetime) -> Result:
    """How far this machine is from the time that an answer was sent at."""
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        seconds = abs((parsedate_to_datetime(told) - now).total_seconds())
    except (TypeError, ValueError):
        return warning("clock", "AWS did not tell the time, so this machine's clock could not be compared")
    sentence = f"{seconds:.0f} s apart from AWS"
    if seconds < SKEW_NOTED_S:
        return ok("clock", sentence)
    fix = "set this machine's clock (chrony, systemd-timesyncd): AWS refuses what is five minutes off"
    return failed("clock", sentence, fix) if seconds >= SKEW_REFUSED_S else warning("clock", sentence, fix)


def _call(service: str, operation: str, expect: str, **parameters: object) -> Ask:
    return lambda connection, _table, _now: connection.call(
        service, operation, "the doctor", expect=expect, **parameters
    )


def _of_table(operation: str, expect: str) -> Ask:
    return lambda connection, table, _now: connection.call(
        "dynamodb", operation, f'table "{table}"', expect=expect, TableName=table
    )


def _metric_data(connection: Connection, table: str, now: datetime) -> object:
    """One metric of one table over five minutes: a hundred-thousandth of a dollar."""
    subject = Subject(engine=Engine.DYNAMODB, scope=("", ""), table=table)
    end = int(now.timestamp()) // 300 * 300
    queries = b"[" + Questions().ask(subject, CONSUMED[0]).queries(60) + b"]"
    return connection.guarded(
        lambda clients: list(clients.lane.pages(queries, Span(end - 300, end))),
        action="cloudwatch:GetMetricData",
        about=f'table "{table}"',
    )


def _report(connection: Connection, _table: str, now: datetime) -> object:
    """Of a rule that is not there: who may ask is told so, and pays nothing."""
    return connection.call(
        "cloudwatch",
        "GetInsightRuleReport",
        "the doctor",
        expect="KeyLabels",
        RuleName=f"DynamoDBContributorInsights-PKC-{ABSENT}-0",
        StartTime=now.timestamp() - 300,
        EndTime=now.timestamp(),
        Period=60,
    )


_TABLE = Subject(engine=Engine.DYNAMODB, scope=("", ""), table=ABSENT)
ASKS: dict[str, Ask] = {
    "cloudwatch:GetMetricData": _metric_data,
    "dynamodb:DescribeTable": _of_table("DescribeTable", "Table"),
    "cloudwatch:ListMetrics": _call("cloudwatch", "ListMetrics", "Metrics", Namespace=NAMESPACE, MetricName=LISTED[0]),
    "dynamodb:DescribeLimits": _call("dynamodb", "DescribeLimits", "TableMaxReadCapacityUnits"),
    "servicequotas:GetServiceQuota": _call(
        "service-quotas", "GetServiceQuota", "Quota", ServiceCode=SERVICE, QuotaCode=RATE_OF_GET_METRIC_DATA
    ),
    "dynamodb:DescribeTimeToLive": _of_table("DescribeTimeToLive", "TimeToLiveDescription"),
    "dynamodb:DescribeContinuousBackups": _of_table("DescribeContinuousBackups", "ContinuousBackupsDescription"),
    "dynamodb:DescribeContributorInsights": _of_table("DescribeContributorInsights", "ContributorInsightsStatus"),
    "cloudwatch:GetInsightRuleReport": _report,
    **{
        f"application-autoscaling:Describe{what}": _call("application-autoscaling", f"Describe{what}", what, **SCALING)
        for what in ("ScalableTargets", "ScalingPolicies", "ScalingActivities")
    },
}
"""How each permission is tried; dynamodb:ListTables has been, by counting the tables."""
COMMON = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics")
"""What every service needs; those of auto scaling are denied to none that has them for DynamoDB."""
