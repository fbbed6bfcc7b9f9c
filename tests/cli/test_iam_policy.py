"""`stillfit iam-policy`: what it grants is what the collector calls, no more and no less."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from collector.aws.permissions import NAMED, NEVER, PERMISSIONS, SERVICES, Feature, permission_of
from collector.aws.source import open_source
from collector.aws.wire.target import AwsTarget
from stillfit.cli.policy import policy, rendered
from stillfit.clock import FakeClock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.money import billing_sources, price_source
from stillfit.prices import PriceShelf
from stillfit.sources import aws_sources
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Extras, Fault, FaultKind, World
from stillfit.standins.aws.cost_ledger import Commitment
from stillfit.standins.aws.insight_rules import rule_name
from tests.cli.conftest import ROOT, Stillfit
from tests.collector.aws.kit import REGION, on_demand, provisioned, put, put_table
from tests.collector.aws.matrix.fleet import ENCRYPTED, KEY
from tests.collector.aws.services import PROVISIONED, put_front, put_jobs

ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/reader"
UNGRANTED = {"sts:GetCallerIdentity"}
"""Needs no grant and cannot be denied (STS API reference, GetCallerIdentity)."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two tables, one of them throttled, exported and with insights, so that every kind of question is asked."""
    world = World(now=lambda: FakeClock().now().timestamp())
    hot_keys = rule_name("PKC", "orders")
    on = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": [hot_keys]}
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(**ENCRYPTED), Extras(contributor_insights={None: on}))
    world.kms.put_key(KEY, "CUSTOMER")
    world.insights.put(DEFAULT_ACCOUNT, REGION, hot_keys, {})
    put_table(world, on_demand())
    world.backups.put_export(DEFAULT_ACCOUNT, REGION, "orders", {"ExportTime": world.now()})
    put(world, "ReadThrottleEvents", [5])
    put(world, "SuccessfulRequestLatency", [5], Operation="GetItem")
    world.identities.add_role(ROLE)
    with AwsStandIn(world) as standin:
        for name, value in {
            "AWS_ENDPOINT_URL": standin.url,
            "AWS_ACCESS_KEY_ID": DEFAULT_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        yield world


def seen(world: World, **target: Any) -> set[str]:
    """The operations that one cycle calls."""
    clock = FakeClock()
    for source in (
        open_source(AwsTarget(region=REGION, **target), clock),
        price_source(Aws(regions=(REGION,), **target), clock, PriceShelf()),
    ):
        list(source.collect(None, clock.now()))
        source.close()
    return set(world.bill.calls) - UNGRANTED


@pytest.fixture
def singly(world: World) -> None:
    """Tags are asked of each table where the call for all of them is refused, which the second of two looks meets."""
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetResources", count=1))
    seen(world)


def actions(document: dict[str, Any], effect: str = "Allow") -> set[str]:
    return {action for one in document["Statement"] if one["Effect"] == effect for action in one["Action"]}


@pytest.mark.usefixtures("singly")
def test_the_policy_grants_exactly_what_the_collector_calls(world: World) -> None:
    assert seen(world) == actions(policy(frozenset(Feature) - NAMED))


@pytest.mark.parametrize(
    ("service", "own"),
    [
        ("keyspaces", {"cassandra:Select"}),
        ("dax", {"dax:DescribeClusters", "dax:DescribeParameters", "dax:ListTags"}),
    ],
)
def test_a_service_is_granted_what_it_calls_where_the_configuration_names_it(
    world: World, stillfit: Stillfit, config: Path, service: Literal["keyspaces", "dax"], own: set[str]
) -> None:
    put_jobs(world, capacitySpecification=PROVISIONED)
    put_front(world)
    (source,) = aws_sources(Aws(regions=(REGION,), services=(service,)), FakeClock())
    list(source.collect(None, FakeClock().now()))
    source.close()
    called = {permission_of(call) for call in world.bill.calls} - UNGRANTED
    config.write_text(f"{config.read_text()}aws:\n  - {{regions: [{REGION}], services: [dynamodb, {service}]}}\n")
    granted = actions(json.loads(stillfit("iam-policy", "-c", config).out))

    assert {one.action for one in PERMISSIONS if one.feature == service} == own
    assert own <= called <= granted


def test_costs_are_granted_where_the_configuration_asks_for_them(
    world: World, stillfit: Stillfit, config: Path
) -> None:
    world.ledger.by_resource = True
    day = FakeClock().now().date() - timedelta(days=5)
    for put_commitment in (world.ledger.reserve, world.ledger.commit):
        put_commitment(DEFAULT_ACCOUNT, Commitment(day=day, region=REGION, covered=1, bought=1))
    settings = Aws(regions=(REGION,), prices="packaged", cost_explorer=True, cost_tables="resource")
    ((source, _),) = billing_sources(Config(aws=(settings,)), FakeClock(), PriceShelf(), tuple)
    list(source.collect(None, FakeClock().now()))
    source.close()
    config.write_text(f"{config.read_text()}aws:\n  - {{regions: [{REGION}], cost_explorer: true}}\n")

    granted = actions(json.loads(stillfit("iam-policy", "-c", config).out))
    costs = {action for action in granted if action.startswith("ce:")}
    assert costs == set(world.bill.calls) - UNGRANTED
    assert not costs & actions(json.loads(stillfit("iam-policy").out))


@pytest.mark.parametrize(("features", "missing"), [(set(Feature), 0), (set(Feature) - SERVICES, 2)])
def test_with_the_policy_in_force_nothing_is_missing(world: World, features: set[Feature], missing: int) -> None:
    put_jobs(world, capacitySpecification=PROVISIONED)
    put_front(world)
    world.identities.add_key(DEFAULT_ACCOUNT, account=DEFAULT_ACCOUNT, policy=policy(features))
    denied = 0
    made = aws_sources(Aws(regions=(REGION,), services=("keyspaces", "dax")), FakeClock())
    for source in made:
        try:
            assert [gap for batch in source.collect(None, FakeClock().now()) for gap in batch.gaps] == []
        except SourceError as error:
            denied += error.reason is GapReason.DENIED
    for source in made:
        source.close()

    assert denied == missing


def test_no_further_service_is_granted_unless_it_is_named(stillfit: Stillfit) -> None:
    default = actions(json.loads(stillfit("iam-policy").out))
    named = actions(json.loads(stillfit("iam-policy", "--features", "keyspaces").out))

    assert not {action for action in default if action.startswith(("cassandra:", "dax:"))}
    assert "cassandra:Select" in named


def test_keyspaces_are_narrowed_to_an_account(stillfit: Stillfit) -> None:
    document = json.loads(stillfit("iam-policy", "--features", "keyspaces", "--account", DEFAULT_ACCOUNT).out)
    (keyspaces,) = (one["Resource"] for one in document["Statement"] if one["Sid"] == "Keyspaces")

    assert keyspaces == f"arn:aws:cassandra:*:{DEFAULT_ACCOUNT}:/keyspace/*"


@pytest.mark.usefixtures("singly")
def test_assuming_roles_is_granted_where_the_configuration_names_roles(
    world: World, stillfit: Stillfit, config: Path
) -> None:
    config.write_text(f"{config.read_text()}aws:\n  - {{regions: [{REGION}], role_arn: '{ROLE}'}}\n")
    document = json.loads(stillfit("iam-policy", "-c", config).out)

    assert actions(document) == seen(world, role_arn=ROLE)
    assert {"Sid": "Roles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": [ROLE]} in document[
        "Statement"
    ]


def test_nothing_is_called_that_is_denied(world: World) -> None:
    assert seen(world) & set(NEVER) == set()
    assert actions(policy(()), "Deny") == set(NEVER)


def test_the_file_that_is_shipped_is_what_the_command_prints(stillfit: Stillfit) -> None:
    assert (ROOT / "deploy/aws/iam-policy.json").read_text() == stillfit("iam-policy").out


@pytest.mark.parametrize(
    ("named", "features"),
    [
        (["core"], set()),
        (["settings"], {"settings"}),
        (["settings,scaling"], {"settings", "scaling"}),
        ([], set(Feature) - NAMED),
    ],
    ids=["core alone", "one", "two", "all"],
)
def test_features_choose_what_is_granted(stillfit: Stillfit, named: list[str], features: set[str]) -> None:
    chosen = [part for name in named for part in ("--features", name)]
    granted = actions(json.loads(stillfit("iam-policy", *chosen).out))

    assert granted == {one.action for one in PERMISSIONS if one.feature in {Feature.CORE, *features}}


def test_an_account_narrows_the_tables(stillfit: Stillfit) -> None:
    document = json.loads(stillfit("iam-policy", "--account", DEFAULT_ACCOUNT).out)
    (tables,) = (one["Resource"] for one in document["Statement"] if one["Sid"] == "Tables")

    assert tables == f"arn:aws:dynamodb:*:{DEFAULT_ACCOUNT}:table/*"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--features", "hot-keys"), "no feature 'hot-keys': there are core, settings, insights, scaling, tags,"),
        (("--account", "12"), "an account has twelve digits"),
    ],
)
def test_a_wrong_option_is_told(stillfit: Stillfit, arguments: tuple[str, ...], said: str) -> None:
    told = stillfit("iam-policy", *arguments)

    assert (told.code, told.out) == (2, "")
    assert said in told.err


def test_statements_have_names_of_their_own() -> None:
    document = json.loads(rendered(policy(frozenset(Feature), roles=[ROLE])))
    names = [one["Sid"] for one in document["Statement"]]

    assert len(names) == len(set(names))


def test_the_page_names_every_permission_with_what_goes_blind() -> None:
    page = (ROOT / "docs/aws.md").read_text()

    assert [one.action for one in PERMISSIONS if f"| `{one.action}` | {one.blind}" not in page] == []
