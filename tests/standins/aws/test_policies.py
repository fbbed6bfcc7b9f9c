"""IAM policies: what a document does not allow is denied, a Deny wins, what cannot be judged is refused when read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from stillfit.standins.aws.insight_rules import rule_name
from stillfit.standins.aws.policies import Policy
from tests.standins.aws.kit import REGION, ask, query

Connect = Callable[..., Any]
PRINTED = json.loads((Path(__file__).parents[3] / "deploy/aws/iam-policy.json").read_text("utf-8"))
ORDERS = f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT}:table/orders"


def statement(action: Any, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def may(connect: Connect, world: World, *statements: dict[str, Any]) -> tuple[bool, bool]:
    """Whether tables may be listed, and whether orders may be described."""
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": "orders"})
    world.identities.add_key("AKIDPOLICY", policy=document(*statements))
    client = connect("dynamodb", access_key="AKIDPOLICY")
    return served(client.list_tables), served(client.describe_table, TableName="orders")


def served(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ((), (False, False)),
        ((statement("*"),), (True, True)),
        ((statement("dynamodb:*"),), (True, True)),
        ((statement("DynamoDB:listtables"),), (True, False)),
        ((statement(["dynamodb:List*", "dynamodb:DescribeTabl?"]),), (True, True)),
        ((statement("dynamodb:Describe?"),), (False, False)),
        ((statement("dynamodb:*", ORDERS),), (False, True)),
        ((statement("dynamodb:*", ORDERS.upper()),), (False, False)),
        ((statement("dynamodb:*", "arn:aws:dynamodb:*:*:table/o*"),), (False, True)),
        ((statement("dynamodb:*", "arn:aws:dynamodb:us-east-1:*:table/*"),), (False, False)),
        ((statement("*"), statement("dynamodb:Describe*", effect="Deny")), (True, False)),
        ((statement("dynamodb:Describe*", ORDERS, "Deny"), statement("*")), (True, False)),
        ((statement("cloudwatch:*"),), (False, False)),
    ],
    ids=range(13),
)
def test_a_policy_grants_what_it_names_and_no_more(
    world: World, connect: Connect, statements: tuple[dict[str, Any], ...], allowed: tuple[bool, bool]
) -> None:
    assert may(connect, world, *statements) == allowed


@pytest.mark.parametrize(("limit", "is_served"), [("DynamoDBContributorInsights*", True), ("Shop*", False)])
def test_reports_of_keys_can_be_limited_to_rules(world: World, connect: Connect, limit: str, is_served: bool) -> None:
    rule = rule_name("PKC", "orders")
    world.insights.put(DEFAULT_ACCOUNT, REGION, rule, {})
    allowed = statement("cloudwatch:GetInsightRuleReport", f"arn:aws:cloudwatch:*:*:insight-rule/{limit}")
    world.identities.add_key("AKIDPOLICY", policy=document(allowed))
    report = connect("cloudwatch", access_key="AKIDPOLICY").get_insight_rule_report
    window = {"StartTime": world.now() - 300, "EndTime": world.now(), "Period": 60}

    assert served(report, RuleName=rule, **window) is is_served


def test_a_denial_names_who_what_where_and_why(world: World, connect: Connect) -> None:
    world.identities.add_key("AKIDPOLICY", policy=document())

    with pytest.raises(ClientError) as denied:
        connect("dynamodb", access_key="AKIDPOLICY").describe_table(TableName="orders")
    assert denied.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{DEFAULT_ACCOUNT}:user/stillfit is not authorized to perform: dynamodb:DescribeTable on "
        f"resource: {ORDERS} because no identity-based policy allows the dynamodb:DescribeTable action"
    )


def test_who_one_is_cannot_be_denied(world: World, connect: Connect) -> None:
    world.identities.add_key("AKIDPOLICY", policy=document(statement("*", effect="Deny")))

    assert connect("sts", access_key="AKIDPOLICY").get_caller_identity()["Account"] == DEFAULT_ACCOUNT


def test_a_role_brings_its_policy_and_whoever_assumes_it_needs_the_right_to(world: World, connect: Connect) -> None:
    role = "arn:aws:iam::222233334444:role/reader"
    world.identities.add_role(role, policy=document(statement("cloudwatch:*")))
    world.identities.add_key("AKIDPOLICY", policy=document(statement("sts:AssumeRole", role)))
    keys = connect("sts", access_key="AKIDPOLICY").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    own = {"access_key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}

    assert served(lambda: ask(connect("cloudwatch", **own), query("orders")))
    assert not served(connect("dynamodb", **own).list_tables)
    assert not served(connect("sts", access_key="AKIDPOLICY").assume_role, RoleArn=f"{role}2", RoleSessionName="me")


def test_the_policy_that_we_print_can_be_judged_whole() -> None:
    assert len(Policy.read(PRINTED).statements) == len(PRINTED["Statement"])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"Statement": []}, "Version"),
        (document({**statement("*"), "Condition": {}}), "Condition"),
        (document({"Effect": "Allow", "NotAction": "*", "Resource": "*"}), "NotAction"),
        (document(statement("*", effect="Perhaps")), "Effect"),
        (document({"Effect": "Allow", "Action": "*"}), "Resource"),
        (document(statement([1])), "Action"),
    ],
    ids=["version", "condition", "not action", "effect", "resource", "type"],
)
def test_a_policy_that_cannot_be_judged_is_refused_when_it_is_read(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Policy.read(wrong)
