"""`stillfit doctor` where the configuration names Keyspaces and DAX: each permission by one real call."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.cli.conftest import Stillfit

REGION = "eu-west-1"
DAX = ("dax:DescribeClusters", "dax:DescribeParameters", "dax:ListTags")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account in which nothing is: "not found" proves a permission too."""
    world = World(now=time.time)
    with AwsStandIn(world) as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", DEFAULT_ACCOUNT)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield world


def rows(stillfit: Stillfit, config: Path, services: str) -> dict[str, dict[str, Any]]:
    """What the doctor says of the region, by name."""
    watching = f"http: {{port: 0}}\naws:\n  - {{regions: [{REGION}], services: [{services}]}}\n"
    config.write_text(config.read_text() + watching)
    told = json.loads(stillfit("doctor", "-c", config, "--format", "json").out)
    return {row["name"]: row for row in told["results"] if row["area"].startswith("aws")}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("services", "tried"),
    [("dynamodb", ()), ("dynamodb, keyspaces", ("cassandra:Select",)), ("dax", DAX)],
    ids=["dynamodb", "keyspaces", "dax alone"],
)
def test_what_is_named_is_tried(stillfit: Stillfit, config: Path, services: str, tried: tuple[str, ...]) -> None:
    found = rows(stillfit, config, services)

    assert [name for name in found if name.startswith(("cassandra:", "dax:"))] == list(tried)
    assert {found[name]["result"] for name in tried} <= {"ok"}
    assert ("dynamodb:ListTables" in found) is ("dynamodb" in services)
    assert found["cloudwatch:GetMetricData"]["result"] == "ok"


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("ListKeyspaces", "cassandra:Select"), ("DescribeClusters", "dax:DescribeClusters"), ("ListTags", "dax:ListTags")],
)
def test_a_missing_permission_is_named_with_what_goes_blind(
    stillfit: Stillfit, config: Path, world: World, operation: str, permission: str
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))
    row = rows(stillfit, config, "keyspaces, dax")[permission]

    assert (row["result"], row["essential"]) == ("failed", False)
    assert f"grant {permission} " in row["sentence"]
    assert row["fix"].startswith("blind until then: ")
