"""`stillfit check --aws` on a fleet: whose tables, in which regions, on one screen.

STILLFIT_FLEET sets how many tables there are: STILLFIT_FLEET=200 pytest tests/cli/test_check_fleet.py
"""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collector.aws.wire.connection import _IAM_PREFIXES, CALLS_PER_S
from stillfit.cli.fleet_screen import LINES
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.cli.conftest import ROOT, Outcome, Stillfit
from tests.cli.fleet import ACCOUNTS, REGIONS, fleet, profiles

TABLES = int(os.environ.get("STILLFIT_FLEET", "24"))
BOTH = ("--profile", "a", "--profile", "b")
ALL = ("--region", "all")
TOGETHER = f"together {TABLES} "


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """Two accounts, each with three regions enabled."""
    world = World(now=time.time)
    fleet(world, TABLES)
    with AwsStandIn(world) as standin:
        for name, value in {
            "AWS_ENDPOINT_URL": standin.url,
            "AWS_CONFIG_FILE": str(profiles(tmp_path)),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        yield world


def looked(stillfit: Stillfit, *more: str) -> Outcome:
    return stillfit("check", "--aws", "--yes", *more)


def document(stillfit: Stillfit, *more: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(looked(stillfit, *more, "--format", "json").out)
    jsonschema.validate(told, json.loads((ROOT / "docs/findings.schema.json").read_text()))
    return told


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_fleet_is_one_screen(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit, *BOTH, *ALL)

    assert told.code == 1
    assert len(told.out.splitlines()) <= LINES
    assert max(map(len, told.out.splitlines())) <= 100
    assert TOGETHER in words(told.out)
    assert all(account in told.out for account in ACCOUNTS)
    assert "is not granted" not in told.out


def test_a_fleet_is_read_within_a_minute(stillfit: Stillfit, world: World) -> None:
    """At the pace at which each service may be asked in a region; how fast the machine is, is another matter."""
    looked(stillfit, *BOTH, *ALL)
    services = {prefix: service for service, prefix in _IAM_PREFIXES.items()}

    def pace(action: str) -> float:
        prefix, _, operation = action.partition(":")
        service = services.get(prefix, prefix)
        return CALLS_PER_S.get(f"{service}:{operation}") or CALLS_PER_S[service]

    asked_s = sum(count / pace(action) for action, count in world.bill.calls.items())
    assert asked_s / len(ACCOUNTS) / len(REGIONS) < 60


def test_prices_are_asked_only_where_there_is_anything(stillfit: Stillfit, world: World) -> None:
    for name in world.dynamodb.names(ACCOUNTS[1], "us-west-2"):
        world.dynamodb.delete_table(ACCOUNTS[1], "us-west-2", name)
    told = document(stillfit, "--profile", "b", *ALL)

    assert world.bill.calls["pricing:GetProducts"] == 2
    assert "unit_prices" not in {gap["missing"] for gap in told["gaps"]}


def test_what_saves_money_is_named_though_nothing_hurts(stillfit: Stillfit, world: World) -> None:
    told = words(looked(stillfit, "--profile", "b", "--region", "us-west-2").out)

    assert re.search(r"pieces? of advice, which could save [\d.]+ USD a month -> Switch table-\d+ to ", told)


def test_what_is_worst_comes_first_and_names_the_others(stillfit: Stillfit, world: World) -> None:
    found = looked(stillfit, *BOTH, *ALL).out.split("Found\n")[1]

    assert found.lstrip().startswith("CRITICAL  table-0")
    assert "; also table-0" in words(found)


def test_everything_is_in_the_document(stillfit: Stillfit, world: World) -> None:
    fleet = document(stillfit, *BOTH, *ALL)["fleet"]

    assert sum(place["tables"] for place in fleet["places"]) == TABLES
    assert sum(place["keyspaces_tables"] for place in fleet["places"]) == 2
    assert sum(place["dax_clusters"] for place in fleet["places"]) == 1
    assert {place["region"] for place in fleet["places"]} == set(REGIONS)
    assert len(fleet["answered"]) == TABLES + 3
    assert fleet["spent"]["metrics"] == world.bill.metrics


def test_only_enabled_regions_are_asked_and_the_others_are_counted(stillfit: Stillfit, world: World) -> None:
    asked: set[str] = set()
    world.before_call.append(lambda call: asked.add(call.region))
    told = looked(stillfit, *BOTH, *ALL)

    assert asked == {*REGIONS}
    assert "regions are not enabled" in told.out


def test_where_regions_cannot_be_listed_each_is_tried_and_that_is_told(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListRegions"))
    told = looked(stillfit, "--profile", "a", *ALL)

    assert told.code == 1
    assert "account:ListRegions is not granted" in told.out
    assert "could not be read" not in told.out
    assert all(region in told.out for region in REGIONS)


def test_a_region_without_tables_costs_nothing(stillfit: Stillfit, world: World) -> None:
    world.regions.enable_only(ACCOUNTS[0], *REGIONS, "eu-north-1")
    asked: list[str] = []
    world.before_call.append(lambda call: asked.append(call.action) if call.region == "eu-north-1" else None)
    told = looked(stillfit, "--profile", "a", *ALL)

    assert "nothing in eu-north-1" in told.out
    assert not [action for action in asked if action.startswith("cloudwatch:")]


def test_two_profiles_of_one_account_are_read_once(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit, "--profile", "a", "--profile", "c")

    assert f"a and c are both account {ACCOUNTS[0]}: {REGIONS[0]}: read once" in told.err
    assert told.out.count(ACCOUNTS[0]) == 1


def test_a_configuration_names_accounts_and_roles(stillfit: Stillfit, world: World, config: Path) -> None:
    role = f"arn:aws:iam::{ACCOUNTS[1]}:role/reader"
    world.identities.add_role(role, external_id="s3cret")
    config.write_text(
        f"{config.read_text()}aws:\n  - {{regions: [{REGIONS[0]}], profile: a}}\n"
        f"  - {{regions: [all], profile: a, role_arn: '{role}', external_id: s3cret}}\n"
    )
    places = document(stillfit, "--config", str(config))["fleet"]["places"]

    assert [(one["account"], one["region"]) for one in places] == [
        (ACCOUNTS[0], REGIONS[0]),
        *((ACCOUNTS[1], region) for region in REGIONS),
    ]


def test_what_is_not_granted_of_a_service_nobody_named_is_told_and_fails_nothing(
    stillfit: Stillfit, world: World
) -> None:
    for operation in ("ListKeyspaces", "DescribeClusters"):
        world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))
    told = looked(stillfit, "--profile", "a", "--fail-on", "never")

    assert told.code == 0
    assert "cassandra:Select is not granted" in told.out
    assert "dax:DescribeClusters is not granted" in told.out


def test_slow_settings_come_beside_the_metrics(stillfit: Stillfit, world: World) -> None:
    calls: list[str] = []
    world.before_call.append(lambda call: calls.append(call.operation))
    looked(stillfit, "--profile", "a", "--max-dollars", "0")

    assert "GetMetricData" not in calls
    assert calls.count("DescribeContinuousBackups") < TABLES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--region", "all", "--region", "eu-west-1"), "`all` alone"),
        (("--region", "Dublin"), "write names such as eu-west-1"),
        (("--profile", "a", "--config", "x.yaml"), "give --profile or --config"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    stillfit: Stillfit, world: World, arguments: tuple[str, ...], said: str
) -> None:
    told = looked(stillfit, *arguments)

    assert (told.code, told.out) == (2, "")
    assert said in told.err


def test_who_interrupts_a_look_is_told_what_it_spent(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stillfit.cli.aws.judged", interrupted)  # when everything was read
    told = looked(stillfit, "--profile", "a")

    assert (told.code, told.out) == (130, "")
    assert f"interrupted: spent {world.bill.metrics * 0.00001:.5f} USD: {world.bill.metrics} metrics" in told.err
