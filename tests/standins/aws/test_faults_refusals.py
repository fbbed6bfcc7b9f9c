"""A fault in place of an answer: the code and status by which boto3 tells it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.standins.aws.kit import REGION, SERVICES, connected

Connect = Callable[..., Any]


def status_and_code(error: ClientError) -> tuple[int, str]:
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


REFUSALS = {
    FaultKind.THROTTLE: {"query": (400, "Throttling"), "json": (400, "ThrottlingException")},
    FaultKind.UNAVAILABLE: {"query": (503, "ServiceUnavailable"), "json": (503, "ServiceUnavailable")},
    FaultKind.ACCESS_DENIED: {"query": (403, "AccessDenied"), "json": (400, "AccessDeniedException")},
    FaultKind.EXPIRED_TOKEN: {"query": (403, "ExpiredToken"), "json": (400, "ExpiredTokenException")},
    FaultKind.CLOCK_SKEW: {"query": (403, "SignatureDoesNotMatch"), "json": (400, "InvalidSignatureException")},
}


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_carries_the_services_code(world: World, connect: Connect, service: str, kind: FaultKind) -> None:
    world.faults.add(Fault(kind=kind, service=service))

    with pytest.raises(ClientError) as refused:
        SERVICES[service](connect(service))

    family = "query" if service in {"cloudwatch", "sts"} else "json"
    assert status_and_code(refused.value) == REFUSALS[kind][family]


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("cloudwatch", "InternalServiceError"),
        ("dynamodb", "InternalServerError"),
        ("application-autoscaling", "InternalServiceException"),
        ("sts", "InternalFailure"),
    ],
)
def test_an_internal_error_is_a_500(world: World, connect: Connect, service: str, code: str) -> None:
    world.faults.add(Fault(kind=FaultKind.INTERNAL_ERROR))

    with pytest.raises(ClientError) as refused:
        SERVICES[service](connect(service))

    assert status_and_code(refused.value) == (500, code)


def test_boto3_retries_a_throttled_call_by_itself(aws: AwsStandIn) -> None:
    aws.world.faults.add(Fault(kind=FaultKind.THROTTLE, count=1))
    client = connected(aws, "cloudwatch", Config(retries={"total_max_attempts": 3, "mode": "standard"}))

    assert client.list_metrics()["ResponseMetadata"]["RetryAttempts"] == 1
    assert (aws.world.bill.calls.total(), aws.world.bill.refused.total()) == (1, 1)
    client.close()


def test_any_refusal_can_be_made(world: World, connect: Connect) -> None:
    world.faults.add(Fault(kind=FaultKind.REFUSED, code="UnrecognizedClientException", status=400))

    with pytest.raises(ClientError) as refused:
        connect("dynamodb").list_tables()
    assert status_and_code(refused.value) == (400, "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("describe_table", "ResourceNotFoundException"),
        ("describe_time_to_live", "ResourceNotFoundException"),
        ("describe_continuous_backups", "TableNotFoundException"),
    ],
)
def test_a_table_can_be_gone_for_one_operation(world: World, connect: Connect, operation: str, code: str) -> None:
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": "orders"})
    world.faults.add(Fault(kind=FaultKind.NOT_FOUND))

    with pytest.raises(ClientError) as refused:
        getattr(connect("dynamodb"), operation)(TableName="orders")
    assert status_and_code(refused.value) == (400, code)
