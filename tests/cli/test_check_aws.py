"""`stillfit check --aws` against the stand-in: what it finds, what it costs, what it cannot see."""

import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collector.aws.permissions import NAMED, PERMISSIONS
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.cli.cloud import DAY, REASON, REGION, put, put_table, record_keys
from tests.cli.conftest import ROOT, Outcome, Stillfit
from tests.collector.aws.matrix.fleet import ENCRYPTED

UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
DENIABLE = [one for one in PERMISSIONS if one.action != "dynamodb:ListTables" and one.feature not in NAMED]


def looked(stillfit: Stillfit, *more: str) -> Outcome:
    return stillfit("check", "--aws", *more)


def words(told: Outcome) -> str:
    """The report without the ends of lines."""
    return " ".join(told.out.split())


def test_what_is_throttled_is_named_with_its_limit(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit)

    assert told.code == 1
    assert "CRITICAL orders" in words(told)
    assert "key_range (dynamodb/throttling)" in words(told)


def test_the_price_is_told_before_and_is_what_was_billed(stillfit: Stillfit, world: World) -> None:
    quiet = World(now=time.time)
    put_table(quiet, "carts")
    with AwsStandIn(quiet) as standin, pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", standin.url)
        told = looked(stillfit)

    assert f"to read: {quiet.bill.metrics} metrics x 0.01 USD / 1,000" in told.err
    assert f"this look  {quiet.bill.dollars:.5f} USD: {quiet.bill.metrics} metrics" in told.out


def test_the_price_at_most_holds_where_requests_were_refused(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit)
    always, more = (
        int(part.split()[0].replace(",", "")) for part in told.err.split("to read: ")[1].split("and at most ")
    )

    assert always < world.bill.metrics <= always + more


def test_the_price_list_of_the_region_is_asked_once_and_for_nothing(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit)

    assert world.bill.calls["pricing:GetProducts"] == 1
    assert f"this look {world.bill.dollars:.5f} USD" in words(told)


def test_free_calls_are_counted(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit)
    other = ("cloudwatch:", "pricing:")
    free = sum(count for action, count in world.bill.calls.items() if not action.startswith(other))
    free -= 1  # signing in once more where prices are told, which is later

    assert f"so far: {free} calls for settings, free; {world.bill.calls['cloudwatch:ListMetrics']} listings" in told.err


def test_where_it_looks_is_said_and_why(stillfit: Stillfit, world: World) -> None:
    put_table(world, "elsewhere", region="us-east-1")

    assert f"looking at {REGION} (the region of the credentials found" in looked(stillfit).err
    assert "looking at us-east-1 with the credentials found" in looked(stillfit, "--region", "us-east-1").err


def test_several_regions_are_one_report(stillfit: Stillfit, world: World) -> None:
    put_table(world, "elsewhere", region="us-east-1")
    told = looked(stillfit, "--region", REGION, "--region", "us-east-1")

    assert "found 2 tables (1 in eu-west-1, 1 in us-east-1) and 0 indexes" in told.err


def test_json_is_valid_by_the_published_schema_and_alone_on_standard_output(stillfit: Stillfit, world: World) -> None:
    told = json.loads(looked(stillfit, "--format", "json").out)

    jsonschema.validate(told, json.loads((ROOT / "docs/findings.schema.json").read_text()))
    assert [one["cause"] for one in told["findings"] if one["detector"] == "dynamodb/throttling"] == ["key_range"]


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--yes",), 1), (("--max-dollars", "1"), 1)])
def test_where_nobody_can_be_asked_a_limit_holds(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr("stillfit.cli.aws.DOLLARS", 0.0001)
    told = looked(stillfit, *arguments)

    assert told.code == code
    assert ("raise --max-dollars" in told.err) == (code == 2)
    assert (world.bill.metrics == 0) == (code == 2)


def test_a_limit_holds_whoever_says_yes(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit, "--yes", "--max-dollars", "0.0001")

    assert (told.code, told.out, world.bill.metrics) == (2, "", 0)
    assert "or --yes" not in told.err  # it was said, and does not help


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 1), ("\n", 1), ("n\n", 2)])
def test_a_person_is_asked_before_anything_is_spent(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", Terminal())
    told = looked(stillfit)

    assert told.code == code
    assert (world.bill.metrics == 0) == (code == 2)


def test_the_hot_key_is_named_by_its_tag_and_its_share_of_a_partition(stillfit: Stillfit, world: World) -> None:
    record_keys(world, "orders", ann=171_000, bob=20_000)
    put(world, "ConsumedReadCapacityUnits", 0)
    told = looked(stillfit, "--all")

    assert re.search(
        r"the hottest key, key#[0-9a-f]{6}, took 95% of what a partition serves, 9 times the next", words(told)
    )
    assert "ann" not in re.findall(r"[a-z]+", told.out + told.err)


@pytest.mark.parametrize("permission", DENIABLE, ids=lambda one: one.action)
def test_a_refused_action_is_named_with_what_goes_blind(stillfit: Stillfit, world: World, permission: Any) -> None:
    provisioned: dict[str, Any] = {"BillingModeSummary": {"BillingMode": "PROVISIONED"}, "ProvisionedThroughput": UNITS}
    put_table(world, "scaled", **provisioned, **ENCRYPTED)
    world.backups.put_export(DEFAULT_ACCOUNT, REGION, "orders", {"ExportTime": world.now()})
    record_keys(world, "keyed")
    if permission.action == "dynamodb:ListTagsOfResource":  # asked only where this is refused
        world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetResources"))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=permission.action.split(":")[1]))
    told = looked(stillfit)

    assert f"{permission.action} is not granted" in words(told)
    assert f"blind to {permission.blind}" in words(told)
    assert told.code == (4 if permission.essential else 1)


def test_where_no_table_can_be_listed_nothing_is_said_but_that(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTables"))
    told = looked(stillfit)

    assert (told.code, told.out) == (4, "")
    assert "grant dynamodb:ListTables" in told.err


def test_metrics_that_are_refused_one_by_one_are_named(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="WriteThrottleEvents"))

    assert "cloudwatch:GetMetricData is not granted" in looked(stillfit).out


def test_a_region_that_fails_does_not_hide_the_others(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, region="us-east-1"))
    told = looked(stillfit, "--region", REGION, "--region", "us-east-1", "--fail-on", "never")

    assert told.code == 4
    assert "key_range" in told.out
    assert "us-east-1" in told.out


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.GARBAGE], ids=str)
def test_metrics_that_do_not_come_are_no_health(stillfit: Stillfit, world: World, kind: FaultKind) -> None:
    world.faults.add(Fault(kind=kind, operation="GetMetricData"))
    told = json.loads(looked(stillfit, "--format", "json").out)

    (throttling,) = (row for row in told["coverage"] if row["detector"] == "dynamodb/throttling")
    assert (throttling["nothing"], throttling["found"]) == (0, 0)
    assert {gap["missing"] for gap in told["gaps"]} >= {"consumed_read_units", "write_throttle_events"}


def test_without_credentials_three_ways_out_are_shown(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    told = looked(stillfit)

    assert (told.code, told.out) == (4, "")
    assert all(word in told.err for word in ("  1. ", "  2. ", "  3. ", "stillfit demo"))


def test_a_profile_that_is_not_there_is_named(stillfit: Stillfit, world: World) -> None:
    told = looked(stillfit, "--profile", "prod")

    assert told.code == 4
    assert "prod" in told.err


def test_without_a_region_it_says_how_to_give_one(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    told = looked(stillfit)

    assert told.code == 2
    assert "--region" in told.err


def test_aws_region_is_taken_where_botocore_does_not(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", REGION)

    assert looked(stillfit).code == 1


def test_an_empty_account_is_told_as_empty(stillfit: Stillfit, world: World) -> None:
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    told = looked(stillfit)

    assert told.code == 0
    assert "found 0 tables and 0 indexes: is this the right region?" in told.err


@pytest.mark.parametrize("arguments", [(), ("--aws", "-o", "x.yaml")], ids=["neither", "both"])
def test_one_thing_is_looked_at(stillfit: Stillfit, arguments: tuple[str, ...]) -> None:
    assert stillfit("check", *arguments).code == 2


INDEX = {
    "IndexName": "by-status",
    "IndexStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
DAYS = 15 * 24 * 60


def unused(stillfit: Stillfit) -> dict[str, str]:
    """What nobody uses, by cause; `unknown` where that cannot be told."""
    told = json.loads(looked(stillfit, "--format", "json").out)
    found = {one["subject"]["name"]: one["cause"] for one in told["findings"] if one["detector"] == "dynamodb/unused"}
    unknown = {one["subject"]["name"]: "unknown" for one in told["unknowns"] if one["detector"] == "dynamodb/unused"}
    return found | unknown


def test_tables_and_indexes_that_nobody_uses_are_named(stillfit: Stillfit, world: World) -> None:
    put_table(world, "carts", GlobalSecondaryIndexes=[INDEX])
    put(world, "ConsumedReadCapacityUnits", 9, minutes=DAYS, TableName="carts")
    put(world, "ConsumedWriteCapacityUnits", 9, minutes=DAYS, TableName="carts", GlobalSecondaryIndexName="by-status")
    put_table(world, "old-export")

    assert unused(stillfit) == {"carts/by-status": "index_not_read", "old-export": "table_not_used"}


def test_an_index_that_began_to_be_read_two_hours_ago_is_in_use(stillfit: Stillfit, world: World) -> None:
    put_table(world, "carts", GlobalSecondaryIndexes=[INDEX])
    put(world, "ConsumedReadCapacityUnits", 9, minutes=DAYS, TableName="carts")
    put(world, "ConsumedWriteCapacityUnits", 9, minutes=DAYS, TableName="carts", GlobalSecondaryIndexName="by-status")
    put(world, "ConsumedReadCapacityUnits", 9, minutes=125, TableName="carts", GlobalSecondaryIndexName="by-status")

    assert unused(stillfit) == {}


def test_a_young_table_and_one_whose_metrics_failed_are_not_called_unused(stillfit: Stillfit, world: World) -> None:
    put_table(world, "young", CreationDateTime=world.now() - 3 * DAY)
    assert unused(stillfit) == {"young": "unknown"}

    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ConsumedReadCapacityUnits"))
    assert unused(stillfit)["young"] == "unknown"


def test_a_table_that_the_service_does_not_describe_is_named(stillfit: Stillfit, world: World) -> None:
    put_table(world, "c1")  # two letters: refused by DescribeTable as no name of a table
    told = looked(stillfit)

    assert "Could not read c1" in " ".join(told.out.split())


def test_where_nothing_could_be_read_nothing_is_called_well(stillfit: Stillfit, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="GetMetricData"))
    told = looked(stillfit)

    assert told.code == 4
    assert "nothing could be judged" in told.out
    assert "nothing that hurts" not in told.out


def test_a_region_without_metrics_is_no_clean_bill_for_the_others(stillfit: Stillfit, world: World) -> None:
    put_table(world, "elsewhere", region="us-east-1")
    put(world, "ConsumedWriteCapacityUnits", 1, region="us-east-1", TableName="elsewhere")
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="GetMetricData", region=REGION))
    told = looked(stillfit, "--region", REGION, "--region", "us-east-1")

    assert told.code == 4
    assert "nothing that hurts where it could be seen; 1 of 2 tables could not be judged" in words(told)


def test_credentials_that_expire_meanwhile_are_not_called_a_missing_permission(
    stillfit: Stillfit, world: World
) -> None:
    world.faults.add(Fault(kind=FaultKind.EXPIRED_TOKEN, operation="GetMetricData"))
    told = looked(stillfit)

    assert told.code == 4
    assert "the credentials have expired (ExpiredToken): sign in again" in words(told)
    assert "is not granted" not in told.out


def test_what_one_failure_took_is_told_in_one_place(stillfit: Stillfit, world: World) -> None:
    put_table(world, "carts")
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation="GetMetricData"))
    told = looked(stillfit).out.partition("Could not read")[2].partition("Bill")[0]

    assert told.count("GetMetricData") == 1
    assert len(told.split("\n")) <= 4


def test_a_name_of_255_characters_leaves_room_for_the_rest(stillfit: Stillfit, world: World) -> None:
    name = f"begin{'x' * 247}end"
    put_table(world, name)
    for metric in ("ConsumedWriteCapacityUnits", "WriteThrottleEvents", REASON):
        put(world, metric, 900, TableName=name)
    told = looked(stillfit)

    assert "beginx" in told.out
    assert "xend" in told.out
    assert "x" * 60 not in told.out


@pytest.mark.parametrize("address", ["elsewhere", "http://"])
def test_an_address_that_is_none_is_named(
    stillfit: Stillfit, world: World, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    told = looked(stillfit)

    assert told.code == 4
    assert f"could not be made (Invalid endpoint: {address}): check region, profile and endpoint" in told.err


def test_advice_stands_under_the_finding_that_it_is_about(stillfit: Stillfit, world: World) -> None:
    put(world, "ConsumedWriteCapacityUnits", 600_000)
    told = words(looked(stillfit))
    spread = "-> Spread the writes of orders over more partition keys"

    assert told.count(spread) == 1
    assert f"key_range (dynamodb/throttling) {spread}" in told
    assert "(cost/drift)" in told  # which has no advice of its own


@pytest.mark.parametrize("kind", [FaultKind.UNAVAILABLE, FaultKind.ACCESS_DENIED])
def test_a_table_that_could_not_be_described_is_there_and_not_well(
    stillfit: Stillfit, world: World, kind: FaultKind
) -> None:
    world.faults.add(Fault(kind=kind, operation="DescribeTable"))
    told = looked(stillfit)

    assert told.code == 4
    assert "listed and not described: orders" in told.out
    assert "nothing could be judged" in told.out
    assert "nothing in" not in told.out


def test_a_role_that_may_not_be_assumed_is_told_with_its_reason(stillfit: Stillfit, world: World, config: Path) -> None:
    role = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/elsewhere"
    config.write_text(f"aws: [{{regions: [eu-west-1]}}, {{regions: [eu-west-2], role_arn: '{role}'}}]\n")
    told = looked(stillfit, "-c", str(config))

    assert "could not be read: eu-west-2" in told.out
    assert f"sts:AssumeRole of {role} for region eu-west-2 was refused" in words(told)


def test_what_the_configuration_leaves_out_is_counted(stillfit: Stillfit, world: World, config: Path) -> None:
    config.write_text("aws: [{regions: [eu-west-1], include: ['nothing-*']}]\n")

    assert "1 left out by the configuration" in looked(stillfit, "-c", str(config)).out
