"""What holds for an account and region: limits, their use, and errors of no table."""

import numpy as np

from collector.aws.source import AwsSource
from stillfit.clock import FakeClock
from stillfit.model import Engine, Statistic, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, Metric, Points, World
from tests.collector.aws.kit import NOON, REGION, SCOPE, OpenSource, cycle, on_demand, put_table

ACCOUNT = Subject(engine=Engine.DYNAMODB, scope=SCOPE)


def put_metric(world: World, metric: Metric, value: float, *, period: int = 300, end: int = NOON) -> None:
    row = np.full(3_600 // period, value)
    points = Points.regular(start=end - 3_600, period=period, sum=row)
    world.put(DEFAULT_ACCOUNT, REGION, metric, points)


def of_account(name: str) -> Metric:
    return Metric.dynamodb(name)


def test_limits_are_settings_of_the_account(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.dynamodb.set_limits(DEFAULT_ACCOUNT, REGION, TableMaxReadCapacityUnits=123)
    told = cycle(source, clock).settings(ACCOUNT)

    assert (told["table_max_read_units"], told["account_max_write_units"]) == (123.0, 80_000.0)


def test_limits_are_read_once_an_hour(world: World, source: AwsSource, clock: FakeClock) -> None:
    for _ in range(13):
        cycle(source, clock)
        clock.advance(300)

    assert world.bill.calls["dynamodb:DescribeLimits"] == 2


def test_denied_limits_are_gaps_and_nothing_is_made_up(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeLimits"))
    got = cycle(source, clock)

    assert got.missing(ACCOUNT)["account_max_read_units"] == "denied"
    assert "account_max_read_units" not in got.settings(ACCOUNT)


def test_what_is_provisioned_is_told_of_the_account(world: World, source: AwsSource, clock: FakeClock) -> None:
    put_metric(world, of_account("AccountProvisionedReadCapacityUtilization"), 81.0)
    got = cycle(source, clock).one("account_provisioned_read_utilization_percent", ACCOUNT, Statistic.MAXIMUM)

    assert (got.period_s, got.values.max()) == (300, 81.0)


def test_the_number_of_tables_comes_from_the_usage_namespace(world: World, source: AwsSource, clock: FakeClock) -> None:
    usage = {"Type": "Resource", "Resource": "TableCount", "Service": "DynamoDB", "Class": "None"}
    put_metric(world, Metric.of("AWS/Usage", "ResourceCount", usage), 2_499.0)
    got = cycle(source, clock).one("table_count", ACCOUNT, Statistic.MAXIMUM)

    assert got.values.max() == 2_499.0


def test_where_nothing_is_provisioned_its_use_is_not_asked(opened: OpenSource, world: World, clock: FakeClock) -> None:
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    put_table(world, on_demand())
    asked = {one.metric for one in cycle(opened(), clock).series if one.subject == ACCOUNT}

    assert asked == {
        *("account_read_quota_units", "account_write_quota_units", "table_read_quota_units", "table_write_quota_units"),
        *("table_count", "user_errors"),
    }


def test_a_region_without_a_table_pays_for_nothing(opened: OpenSource, world: World, clock: FakeClock) -> None:
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    cycle(opened(), clock)

    assert world.bill.metrics == 0


def test_user_errors_are_read_where_there_were_some(world: World, source: AwsSource, clock: FakeClock) -> None:
    quiet = cycle(source, clock).one("user_errors", ACCOUNT)
    put_metric(world, of_account("UserErrors"), 4.0, period=60, end=NOON + 3_600)
    clock.advance(3_600)
    got = cycle(source, clock).one("user_errors", ACCOUNT)

    assert (len(quiet.times), quiet.covered[0].end) == (0, NOON - 900)
    assert (len(got.times), got.values.max()) == (60, 4.0)


def test_use_is_read_by_the_hour_and_limits_by_the_day(world: World, source: AwsSource, clock: FakeClock) -> None:
    names: list[str] = []
    cycle(source, clock)
    world.before_call.append(
        lambda call: names.extend(
            query["MetricStat"]["Metric"]["MetricName"] for query in call.parameters.get("MetricDataQueries", ())
        )
    )
    for _ in range(24):
        clock.advance(3_600)
        cycle(source, clock, since_s=3_600)

    assert (names.count("ResourceCount"), names.count("AccountMaxReads")) == (24 * 3 * 3, 1)
