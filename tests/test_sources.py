"""Sources from a configuration, and an account that signs in when it is first read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from collector.aws.source import AwsSource, open_source
from collector.aws.wire.regions import NotEnabledError
from stillfit import cycle
from stillfit.clock import FakeClock
from stillfit.config import Cassandra, Config
from stillfit.configaws import Aws
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import GapReason, Span, Unknown
from stillfit.parts import knowledge
from stillfit.sources import Claims, ReadAlreadyError, SigningIn, Ties, aws_sources, sources, target
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, Metric, Points, World
from stillfit.store.store import Store
from tests.demo.kit import aws_environment, environment
from tests.standins.hangup import PATIENT, hanging_up

REGION = "eu-west-1"
SETTINGS = Aws(regions=(REGION,), first_look=timedelta(hours=2))


@pytest.fixture
def aws(clock: FakeClock) -> Iterator[AwsStandIn]:
    """One quiet table with enough requests to be called healthy."""
    world = World(now=lambda: clock.now().timestamp())
    world.dynamodb.put_table(
        DEFAULT_ACCOUNT, REGION, {"TableName": "orders", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    )
    begin = int(clock.now().timestamp()) - 10_800
    for direction in ("Read", "Write"):
        metric = Metric.dynamodb(f"Consumed{direction}CapacityUnits", TableName="orders")
        row = [600.0] * 240
        world.put(DEFAULT_ACCOUNT, REGION, metric, Points.regular(start=begin, sum=row, count=row))
    with AwsStandIn(world) as server, environment(aws_environment("x", server.url)):
        yield server


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=4096)
    yield opened
    opened.close()


@pytest.fixture
def source(clock: FakeClock) -> Iterator[SigningIn]:
    def opened() -> AwsSource:
        return open_source(target(SETTINGS, REGION), clock, patience=PATIENT)

    signing = SigningIn(SETTINGS, REGION, opened)
    with hanging_up():
        yield signing
    signing.close()


def throttling(intake: Intake, source: SigningIn) -> object:
    turn = cycle.turn(intake.snapshot([source], (), timedelta(hours=3)), knowledge(), ())
    return {one.subject.name: one.answer for one in turn.judgements if one.detector == "dynamodb/throttling"}


def test_each_region_and_each_cluster_is_a_source_with_its_own_pace(clock: FakeClock) -> None:
    config = Config(
        aws=(Aws(regions=("eu-west-1", "us-east-1"), account="123456789012", every=timedelta(minutes=2)),),
        cassandra=(Cassandra(cluster="prod", contact_points=("10.0.0.1",), every=timedelta(seconds=30)),),
    )

    made = [(source.id, every.total_seconds()) for source, every in sources(config, clock)]

    assert made == [
        ("aws/123456789012/eu-west-1", 120.0),
        ("aws/123456789012/us-east-1", 120.0),
        ("cassandra/prod", 30.0),
    ]


@pytest.mark.parametrize("kind", [FaultKind.ACCESS_DENIED, FaultKind.UNAVAILABLE, FaultKind.HTML, FaultKind.HANG])
def test_aws_down_at_the_start_is_a_gap_that_ends_when_it_is_back(
    aws: AwsStandIn, source: SigningIn, store: Store, clock: FakeClock, kind: FaultKind
) -> None:
    intake = Intake(store, clock, Health())
    aws.world.faults.add(Fault(kind=kind, service="sts", count=1))

    intake.collect(source)
    (gap,) = store.gaps()
    clock.advance(300)
    intake.collect(source)

    assert (gap.missing, gap.source, gap.subject.scope) == ("*", source.id, ("", REGION))
    assert store.gaps() == ()
    assert throttling(intake, source) == {"orders": None}


def test_aws_down_after_a_restart_is_no_health_of_the_tables_known_from_before(
    aws: AwsStandIn, source: SigningIn, store: Store, clock: FakeClock
) -> None:
    intake = Intake(store, clock, Health())
    intake.collect(source)
    clock.advance(3 * 3_600)
    aws.world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, service="sts", count=1))
    again = SigningIn(SETTINGS, REGION, lambda: open_source(target(SETTINGS, REGION), clock))

    intake.collect(again)
    answer = throttling(intake, again)["orders"]  # type: ignore[index]  # a dict of answers

    assert isinstance(answer, Unknown)
    assert GapReason.DENIED in answer.reason


def test_what_it_says_carries_the_id_of_the_configuration(aws: AwsStandIn, source: SigningIn, clock: FakeClock) -> None:
    aws.world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeScalableTargets"))

    batches = list(source.collect(None, clock.now()))

    assert {batch.source for batch in batches} == {f"aws/default/{REGION}"}
    assert {gap.source for batch in batches for gap in batch.gaps} <= {f"aws/default/{REGION}"}
    assert source.scope.scope == (DEFAULT_ACCOUNT, REGION)


def test_a_restart_into_a_failing_call_of_auto_scaling_removes_no_auto_scaling(
    aws: AwsStandIn, source: SigningIn, store: Store, clock: FakeClock
) -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    aws.world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": "orders", "ProvisionedThroughput": units})
    place = {"ResourceId": "table/orders", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    aws.world.scaling.put_target(DEFAULT_ACCOUNT, REGION, {**place, "MinCapacity": 5, "MaxCapacity": 400})
    intake = Intake(store, clock, Health())
    intake.collect(source)
    clock.advance(300)
    aws.world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeScalableTargets"))

    intake.collect(SigningIn(SETTINGS, REGION, lambda: open_source(target(SETTINGS, REGION), clock)))

    hour = Span(int(clock.now().timestamp()) - 3_600, int(clock.now().timestamp()) + 1)
    assert [one for one in store.changes(hour) if one.name.startswith("autoscaling")] == []
    assert [one.get("autoscaling_read_max") for one in store.attributes() if one.subject.table == "orders"] == [400.0]
    assert "autoscaling_read_max" in {gap.missing for gap in store.gaps()}


def test_one_that_never_signed_in_closes_quietly() -> None:
    def never() -> AwsSource:
        raise AssertionError("opened without being read")

    SigningIn(SETTINGS, REGION, never).close()


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        ({}, ["aws/default/eu-west-1"]),
        (
            {"services": ("dynamodb", "keyspaces", "dax")},
            ["aws/default/eu-west-1", "aws/default/eu-west-1/keyspaces", "aws/default/eu-west-1/dax"],
        ),
        ({"services": ("dax", "dax")}, ["aws/default/eu-west-1/dax"]),
    ],
    ids=["dynamodb alone unless told", "all", "each once"],
)
def test_each_service_is_a_source_of_its_own(
    clock: FakeClock, named: dict[str, tuple[str, ...]], ids: list[str]
) -> None:
    settings = Aws.model_validate({"regions": (REGION,), **named})
    made = [source for source, _ in sources(Config(aws=(settings,)), clock)]

    assert [source.id for source in made] == ids
    assert [source.scope.engine.value for source in made] == list(dict.fromkeys(settings.services))


def test_services_of_a_region_sign_in_once_and_keep_their_names(aws: AwsStandIn, clock: FakeClock) -> None:
    aws.world.keyspaces.put_table(DEFAULT_ACCOUNT, REGION, {"keyspaceName": "shop", "tableName": "jobs"})
    aws.world.dax.put_cluster(DEFAULT_ACCOUNT, REGION, {"ClusterName": "front"}, nodes=1)
    settings = Aws(regions=(REGION,), services=("dynamodb", "keyspaces", "dax"))
    made = [source for source, _ in sources(Config(aws=(settings,)), clock)]
    said = [list(source.collect(None, clock.now())) for source in made]
    for source in made:
        source.close()

    seen = [[subject.name for subject in batches[0].subjects_seen] for batches in said]
    assert seen == [["orders"], ["shop", "shop.jobs"], ["front", "front on front-a"]]
    assert [{batch.source for batch in batches} for batches in said] == [{source.id} for source in made]
    assert aws.world.bill.calls["sts:GetCallerIdentity"] == 1


def test_all_regions_are_sources_and_those_that_are_not_enabled_stay_silent(aws: AwsStandIn, clock: FakeClock) -> None:
    aws.world.regions.enable_only(DEFAULT_ACCOUNT, "us-east-1", REGION)
    found = {one.scope.scope[1]: one for one in aws_sources(Aws(regions=("all",)), clock)}
    seen = {region: list(one.collect(None, clock.now())) for region, one in found.items()}
    for one in found.values():
        one.close()

    assert {region for region, batches in seen.items() if batches} == {"us-east-1", REGION}
    assert isinstance(found["me-south-1"].silent, NotEnabledError)
    assert aws.world.bill.calls["account:ListRegions"] == 1


def test_a_region_that_is_enabled_later_is_read_within_the_hour(aws: AwsStandIn, clock: FakeClock) -> None:
    aws.world.regions.enable_only(DEFAULT_ACCOUNT, "us-east-1")
    found = {one.scope.scope[1]: one for one in aws_sources(Aws(regions=("all",)), clock)}
    assert list(found[REGION].collect(None, clock.now())) == []

    aws.world.regions.enable_only(DEFAULT_ACCOUNT, "us-east-1", REGION)
    clock.advance(3_600)
    assert list(found[REGION].collect(None, clock.now()))
    for one in found.values():
        one.close()


def test_two_entries_of_one_account_are_read_once(aws: AwsStandIn, clock: FakeClock) -> None:
    claims = Claims()
    named = Aws(regions=(REGION,), account=DEFAULT_ACCOUNT)
    first, second = (aws_sources(one, clock, ties=Ties(claims))[0] for one in (SETTINGS, named))

    assert list(first.collect(None, clock.now()))
    assert list(second.collect(None, clock.now())) == []
    assert isinstance(second.silent, ReadAlreadyError)
    for one in (first, second):
        one.close()


def test_two_entries_with_the_same_credentials_are_told_apart() -> None:
    claims = Claims()
    first = Aws(regions=("all",), profile="prod")
    second = Aws(regions=(REGION,), profile="prod", account=DEFAULT_ACCOUNT)
    for _ in range(2):  # a source that failed after it had claimed does so again
        claims.claim(DEFAULT_ACCOUNT, REGION, "dynamodb", first)

    with pytest.raises(ReadAlreadyError, match="prod and another entry with prod are both account"):
        claims.claim(DEFAULT_ACCOUNT, REGION, "dynamodb", second)


def test_entries_of_one_account_and_region_share_its_quota_and_those_of_another_do_not(
    aws: AwsStandIn, clock: FakeClock
) -> None:
    entries = (
        Aws(regions=(REGION, "us-east-1"), include=("orders",)),
        Aws(regions=(REGION,), account=DEFAULT_ACCOUNT, exclude=("orders",)),
    )
    made = [one for one, _ in sources(Config(aws=entries), clock) if isinstance(one, SigningIn)]
    for one in made:
        next(one.collect(None, clock.now()))
    access = [one.source._access for one in made if one.source is not None]
    access[0].limiter.complained()

    assert [one.limiter.pace for one in access] == [0.5, 1.0, 0.5]
    for one in made:
        one.close()
