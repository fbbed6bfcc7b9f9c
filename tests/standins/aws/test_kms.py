"""KMS as boto3 sees it: a key by its ARN or id, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from tests.standins.aws.kit import REGION

ARN = f"arn:aws:kms:{REGION}:{DEFAULT_ACCOUNT}:key/0a0b0c0d"


@pytest.mark.parametrize("named", [ARN, "0a0b0c0d"])
def test_a_key_is_described_by_arn_or_id(world: World, connect: Callable[..., Any], named: str) -> None:
    world.kms.put_key(ARN, "AWS")
    told = connect("kms").describe_key(KeyId=named)["KeyMetadata"]

    assert (told["Arn"], told["KeyManager"], told["KeyState"]) == (ARN, "AWS", "Enabled")


@pytest.mark.parametrize(
    ("named", "code"), [(ARN, "NotFoundException"), ("alias/aws/dynamodb", "NotModelledByStandIn")]
)
def test_what_is_no_key_is_refused(connect: Callable[..., Any], named: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        connect("kms").describe_key(KeyId=named)

    assert refused.value.response["Error"]["Code"] == code
