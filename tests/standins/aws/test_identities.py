"""Who may call: keys, accounts, assumed roles and their end."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import AwsStandIn, World
from tests.standins.aws.conftest import Clock
from tests.standins.aws.kit import client

Connect = Callable[..., Any]
ROLE = "arn:aws:iam::222233334444:role/audit/reader"


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("key", "account"), [("AKIDNOBODY", "123456789012"), ("111122223333", "111122223333"), ("AKIDMINE", "999988887777")]
)
def test_a_key_leads_to_its_account(world: World, connect: Connect, key: str, account: str) -> None:
    world.identities.add_key("AKIDMINE", account="999988887777")

    assert connect("sts", access_key=key).get_caller_identity()["Account"] == account


def test_a_strict_world_knows_only_its_own_keys(world: World, connect: Connect) -> None:
    world.identities.strict = True

    assert code_of(connect("sts").get_caller_identity) == "InvalidClientTokenId"
    assert code_of(connect("dynamodb").list_tables) == "UnrecognizedClientException"


def test_a_removed_key_is_refused_until_it_is_added_again(world: World, connect: Connect) -> None:
    sts = connect("sts")
    world.identities.remove_key("AKIDEXAMPLE")
    refused = code_of(sts.get_caller_identity)
    world.identities.add_key("AKIDEXAMPLE", account="111122223333")

    assert (refused, sts.get_caller_identity()["Account"]) == ("InvalidClientTokenId", "111122223333")


def assumed(aws: AwsStandIn, connect: Connect, **more: Any) -> Any:
    """A DynamoDB client with the role's keys."""
    keys = connect("sts").assume_role(RoleArn=ROLE, RoleSessionName="stillfit", **more)["Credentials"]
    own = {"access_key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}
    return client(aws.url, "dynamodb", **own)


def test_an_assumed_role_sees_its_own_account(world: World, aws: AwsStandIn, connect: Connect) -> None:
    world.identities.add_role(ROLE)
    world.dynamodb.put_table("222233334444", "eu-west-1", {"TableName": "theirs"})

    dynamodb = assumed(aws, connect)

    assert dynamodb.list_tables()["TableNames"] == ["theirs"]
    dynamodb.close()


@pytest.mark.parametrize(("age_s", "served"), [(899, True), (900, False)])
def test_an_assumed_role_ends(aws: AwsStandIn, connect: Connect, clock: Clock, age_s: int, served: bool) -> None:
    aws.world.identities.add_role(ROLE)
    dynamodb = assumed(aws, connect, DurationSeconds=900)
    clock.at += age_s

    if served:
        assert dynamodb.list_tables()["TableNames"] == []
    else:
        assert code_of(dynamodb.list_tables) == "ExpiredTokenException"
    dynamodb.close()


@pytest.mark.parametrize(
    ("arn", "given"),
    [(ROLE + "2", {"ExternalId": "s3cret"}), (ROLE, {}), (ROLE, {"ExternalId": "guess"})],
    ids=["unknown role", "no external id", "wrong external id"],
)
def test_a_role_is_assumed_only_as_its_trust_allows(
    world: World, connect: Connect, arn: str, given: dict[str, str]
) -> None:
    world.identities.add_role(ROLE, external_id="s3cret")

    assert code_of(connect("sts").assume_role, RoleArn=arn, RoleSessionName="stillfit", **given) == "AccessDenied"


def test_a_role_needs_a_role_arn(world: World) -> None:
    with pytest.raises(ValueError, match="arn:aws:iam::ACCOUNT:role/NAME"):
        world.identities.add_role("reader")
