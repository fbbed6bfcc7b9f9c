"""Key Management Service, reads only: whose key is whose. OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable

from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.world import World


def describe_key(world: World, call: Call) -> Answer:
    """By ARN or key id; by alias is not modelled, since of an AWS alias it would make the key."""
    asked = str(call.parameters["KeyId"])
    if "alias/" in asked:
        raise not_modelled("kms:DescribeKey of an alias")
    arn = asked if asked.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{asked}"
    manager = world.kms.manager(arn)
    if manager is None:
        raise RefusedError("NotFoundException", f"Key '{arn}' does not exist")
    key = arn.rpartition("/")[2]
    return {
        "KeyMetadata": {
            "AWSAccountId": arn.split(":")[4],
            "KeyId": key,
            "Arn": arn,
            "CreationDate": 0,
            "Enabled": True,
            "Description": "Default key that protects my DynamoDB data" if manager == "AWS" else "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": manager,
            "KeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": key.startswith("mrk-"),
        }
    }


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {"DescribeKey": describe_key}
