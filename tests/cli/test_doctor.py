"""`stillfit doctor` against the stand-ins: what is well, what is refused, and what goes blind by it."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector.aws.permissions import PERMISSIONS, Permission
from stillfit.cli.probes import aws
from stillfit.cli.probes.aws_asks import ASKS, LISTING
from stillfit.cli.probes.probe import Mark, Probe, Result, failed, ok, try_all
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from stillfit.standins.cql import CqlStandin, Node, StillWorld
from stillfit.standins.slack import SlackStandIn
from tests.cli.conftest import Stillfit

REGION = "eu-west-1"
OPERATIONS = {"cassandra:Select": "ListKeyspaces"}
"""Where an action is no operation."""
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One table in one region, behind the address at which boto3 looks."""
    world = World(now=time.time)
    keys = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": "orders", **keys})
    with AwsStandIn(world) as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", DEFAULT_ACCOUNT)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield world


@pytest.fixture
def watching(config: Path) -> Path:
    config.write_text(config.read_text() + f"http: {{port: 0}}\naws:\n  - regions: [{REGION}]\n")
    return config


def results(told: str) -> dict[str, dict[str, Any]]:
    return {f"{row['area']}: {row['name']}": row for row in json.loads(told)["results"]}


def test_everything_well_ends_with_0_and_adds_up_what_looking_costs(
    stillfit: Stillfit, watching: Path, world: World
) -> None:
    told = stillfit("doctor", "-c", watching, "--format", "json")

    assert told.code == 0
    assert results(told.out)[f"aws {REGION}: clock"]["result"] == "ok"
    assert "1 of 1 tables are watched; reading them costs 0.07 (none is in use) to 0.23 USD a month" in told.out


def test_a_missing_permission_is_named_with_what_goes_blind(stillfit: Stillfit, watching: Path, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="DescribeScalingActivities"))
    told = stillfit("doctor", "-c", watching, "--format", "json")
    row = results(told.out)[f"aws {REGION}: application-autoscaling:DescribeScalingActivities"]

    assert (told.code, row["result"]) == (0, "failed")
    assert "grant application-autoscaling:DescribeScalingActivities" in row["sentence"]
    assert row["fix"].startswith("blind until then: when capacity was changed")


@pytest.mark.parametrize("operation", ["GetMetricData", "DescribeTable", "ListTables"])
def test_without_an_essential_permission_it_ends_with_4(
    stillfit: Stillfit, watching: Path, world: World, operation: str
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))

    assert stillfit("doctor", "-c", watching).code == 4


def test_refused_credentials_end_with_4_and_hide_nothing_else(stillfit: Stillfit, watching: Path, world: World) -> None:
    world.identities.remove_key(DEFAULT_ACCOUNT)
    told = stillfit("doctor", "-c", watching, "--format", "json")

    assert told.code == 4
    assert results(told.out)[f"aws {REGION}: identity"]["result"] == "failed"
    assert results(told.out)["store: open"]["result"] == "ok"


@pytest.mark.parametrize(
    ("seconds", "mark"),
    [(0, Mark.OK), (29, Mark.OK), (30, Mark.WARNING), (299, Mark.WARNING), (300, Mark.FAILED)],
)
def test_clocks_that_are_apart_are_told_before_aws_refuses(seconds: int, mark: Mark) -> None:
    headers = {"date": format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)}

    assert aws.skew({"ResponseMetadata": {"HTTPHeaders": headers}}, NOW).mark is mark


def test_a_cluster_that_cannot_be_reached_ends_with_4(stillfit: Stillfit, config: Path) -> None:
    config.write_text(config.read_text() + "cassandra:\n  - {cluster: prod, contact_points: ['127.0.0.1:1']}\n")
    told = stillfit("doctor", "-c", config, "--format", "json")

    assert told.code == 4
    assert "no contact point" in results(told.out)["cassandra prod: connect"]["sentence"]


def test_a_cluster_is_asked_node_by_node_and_grant_by_grant(stillfit: Stillfit, config: Path) -> None:
    with CqlStandin([Node(name="a"), Node(name="b")], StillWorld([])) as standin:
        points = ", ".join(f'"{host}:{port}"' for host, port in standin.contact_points)
        config.write_text(
            f"{config.read_text()}http: {{port: 0}}\ncassandra:\n  - {{cluster: prod, contact_points: [{points}]}}\n"
        )
        told = stillfit("doctor", "-c", config)

    assert told.code == 0
    assert "2 of 2 answer" in told.out
    assert "system_views" in told.out


def slack_config(config: Path, standin: SlackStandIn, token: str = "xoxb-stand-in", channel: str = "stillfit") -> Path:
    slack = f"slack: {{token: {token}, channel: {channel}, base_url: '{standin.url}'}}\n"
    config.write_text(f"{config.read_text()}http: {{port: 0}}\n{slack}")
    return config


@pytest.mark.parametrize(
    ("slack", "name", "said"),
    [
        (("xoxb-stand-in", "stillfit"), "channel", "nothing was posted"),
        (("xoxb-other", "stillfit"), "auth.test", "the token is not taken"),
        (("xoxb-stand-in", "nowhere"), "channel", "the bot sees no such channel"),
    ],
)
def test_slack_is_tried_without_a_word_in_the_channel(
    stillfit: Stillfit, config: Path, slack: tuple[str, str], name: str, said: str
) -> None:
    with SlackStandIn() as standin:
        told = stillfit("doctor", "-c", slack_config(config, standin, *slack), "--format", "json")

        assert said in results(told.out)[f"slack: {name}"]["sentence"]
        assert standin.workspace.posts() == ()
    assert slack[0] not in told.out


def test_a_port_that_something_else_has_is_a_failure(stillfit: Stillfit, config: Path) -> None:
    with SlackStandIn() as other:
        config.write_text(f"{config.read_text()}http: {{port: {other.port}}}\n")
        told = stillfit("doctor", "-c", config, "--format", "json")

    assert results(told.out)["pages: port"]["sentence"].endswith("is taken by another program")


def test_mistakes_of_the_configuration_are_all_told_and_end_with_3(stillfit: Stillfit, config: Path) -> None:
    config.write_text("instnace: x\nhttp: {port: many}\n")
    told = stillfit("doctor", "-c", config)

    assert told.code == 3
    assert "did you mean 'instance'?" in told.out
    assert "a whole number is needed" in told.out


def test_a_store_in_a_folder_that_is_not_there_is_a_failure(stillfit: Stillfit, config: Path) -> None:
    config.write_text("store: sqlite:////nowhere/at/all/stillfit.db\nhttp: {port: 0}\n")

    assert "the folder /nowhere/at/all does not exist" in stillfit("doctor", "-c", config).out


def test_a_probe_that_hangs_loses_only_what_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    has_told, may_go_on = threading.Event(), threading.Event()

    def hang() -> Iterator[Result]:
        yield ok("first", "well")
        has_told.set()
        may_go_on.wait(600)
        yield ok("never", "seen")

    def monotonic() -> float:
        """The deadline of the slow one is over when it has told its first, however long that takes."""
        return 0.1 if threads() and has_told.wait(600) else 0.0

    def threads() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "doctor slow"]

    monkeypatch.setattr("stillfit.cli.probes.probe.time", SimpleNamespace(monotonic=monotonic))
    probes = [Probe(area="slow", run=hang, deadline_s=0.1), Probe(area="quick", run=lambda: [ok("one", "well")])]
    slow, quick = try_all(probes)
    may_go_on.set()

    assert [one.name for one in slow.results] == ["first", "deadline"]
    assert quick.results == (ok("one", "well"),)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_probe_with_a_defect_hides_no_other() -> None:
    def broken() -> Iterator[Result]:
        yield from [ok(str(1 / 0), "never seen")]

    broke, well = try_all([Probe(area="a", run=broken), Probe(area="b", run=lambda: [ok("one", "well")])])

    assert broke.results == (failed("defect", broke.results[0].sentence),)
    assert well.results == (ok("one", "well"),)


def test_every_permission_has_a_way_to_be_tried() -> None:
    assert ASKS.keys() | {LISTING} == {one.action for one in PERMISSIONS}


def every_feature(config: Path) -> Path:
    """Where everything that needs a permission is configured."""
    entry = "{regions: [all], services: [dynamodb, keyspaces, dax], cost_explorer: true, cost_tables: resource}"
    config.write_text(f"{config.read_text()}http: {{port: 0}}\naws:\n  - {entry}\n")
    return config


def test_every_permission_is_tried_where_everything_is_configured(
    stillfit: Stillfit, config: Path, world: World
) -> None:
    told = results(stillfit("doctor", "-c", every_feature(config), "--format", "json").out)
    tried = {row["name"]: row["result"] for row in told.values() if ":" in row["name"]}

    assert tried.keys() == {one.action for one in PERMISSIONS}
    assert {name for name, result in tried.items() if result != "ok"} <= {"pricing:GetProducts"}  # no list is put here


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda one: one.action)
def test_each_permission_that_is_refused_is_named_with_what_goes_blind(
    stillfit: Stillfit, config: Path, world: World, permission: Permission
) -> None:
    operation = OPERATIONS.get(permission.action, permission.action.partition(":")[2])
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))
    told = stillfit("doctor", "-c", every_feature(config), "--format", "json")
    (row,) = (one for one in results(told.out).values() if one["name"] == permission.action)

    assert told.code == (4 if permission.essential else 0)
    assert row["result"] == "failed"
    assert permission.blind in row["fix"]


def test_a_refused_slack_token_ends_with_4_and_one_that_is_taken_with_0(stillfit: Stillfit, config: Path) -> None:
    with SlackStandIn() as standin:
        config = slack_config(config, standin, "xoxb-other")
        assert stillfit("doctor", "-c", config).code == 4

        config.write_text(config.read_text().replace("xoxb-other", "xoxb-stand-in"))
        assert "the token is not taken" not in stillfit("doctor", "-c", config).out


def test_slack_that_cannot_be_reached_keeps_advice_waiting_and_nothing_else(stillfit: Stillfit, config: Path) -> None:
    with SlackStandIn() as standin:
        config = slack_config(config, standin)
    told = stillfit("doctor", "-c", config, "--format", "json")

    assert results(told.out)["slack: auth.test"]["essential"] is False
