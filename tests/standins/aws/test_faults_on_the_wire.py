"""A fault on the wire: what breaks off, hangs, drips or is no answer at all, as boto3 sees it."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.standins.aws.conftest import Clock
from tests.standins.aws.kit import REGION, SERVICES, connected

Connect = Callable[..., Any]


def test_latency_is_slept_through_the_worlds_own_sleep(world: World, cloudwatch: Any, clock: Clock) -> None:
    world.faults.add(Fault(kind=FaultKind.LATENCY, seconds=0.4))
    cloudwatch.list_metrics()

    assert clock.slept == [0.4]


MEMBERS = {"cloudwatch": "Metrics", "dynamodb": "TableNames", "application-autoscaling": "ScalableTargets"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_reset_is_a_lost_connection_and_the_next_call_is_served(world: World, connect: Connect, service: str) -> None:
    world.faults.add(Fault(kind=FaultKind.RESET, count=1))
    client = connect(service)

    with pytest.raises(HTTPClientError):
        SERVICES[service](client)
    assert SERVICES[service](client)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_garbage_is_never_read_as_an_answer(world: World, connect: Connect, service: str) -> None:
    world.faults.add(Fault(kind=FaultKind.GARBAGE))

    with pytest.raises((ResponseParserError, UnicodeDecodeError)):
        SERVICES[service](connect(service))


@pytest.mark.parametrize("kind", [FaultKind.TRUNCATED, FaultKind.HTML])
@pytest.mark.parametrize("service", MEMBERS)
def test_boto3_takes_a_truncated_or_html_body_for_an_empty_answer(
    world: World, connect: Connect, service: str, kind: FaultKind
) -> None:
    """The trap for every collector: botocore's JSON parser swallows the error and says 200, without the member."""
    world.faults.add(Fault(kind=kind))

    answer = SERVICES[service](connect(service))

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert MEMBERS[service] not in answer


@pytest.mark.parametrize(("kind", "error"), [(FaultKind.TRUNCATED, ResponseParserError), (FaultKind.HTML, KeyError)])
def test_in_the_query_protocol_a_spoilt_body_is_an_error(
    world: World, connect: Connect, kind: FaultKind, error: type[Exception]
) -> None:
    world.faults.add(Fault(kind=kind))

    with pytest.raises(error):
        connect("sts").get_caller_identity()


def test_a_hanging_call_hangs_until_its_client_gives_up(aws: AwsStandIn) -> None:
    aws.world.faults.add(Fault(kind=FaultKind.HANG, count=1))
    client = connected(aws, "dynamodb", Config(retries={"total_max_attempts": 1}, read_timeout=0.05))

    with pytest.raises(ReadTimeoutError):
        client.list_tables()
    client.close()


@pytest.mark.parametrize("kind", [FaultKind.SLOW_DRIP, FaultKind.SLOW_HEAD])
def test_a_dripping_answer_outlasts_the_clients_patience_with_each_read(aws: AwsStandIn, kind: FaultKind) -> None:
    """botocore's read timeout is of one recv: only whoever cuts the connection sees the end of this."""
    aws.world.faults.add(Fault(kind=kind, seconds=0.01))
    with socket.create_connection(("127.0.0.1", aws.port), timeout=60) as connection:
        connection.sendall(request_bytes())
        pieces = [connection.recv(1) for _ in range(200)]

    assert all(pieces)


def request_bytes() -> bytes:
    """ListTables as it travels."""
    made = AWSRequest("POST", "http://127.0.0.1/", data=b"{}", headers={"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    SigV4Auth(Credentials("AKID", "secret"), "dynamodb", REGION).add_auth(made)
    lines = [f"{name}: {value}" for name, value in made.headers.items()]
    head = "\r\n".join(["POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 2", *lines])
    return f"{head}\r\n\r\n{{}}".encode()


@pytest.mark.parametrize("service", SERVICES)
def test_a_reset_in_the_middle_of_an_answer_is_a_lost_connection(world: World, connect: Connect, service: str) -> None:
    world.faults.add(Fault(kind=FaultKind.RESET_MIDWAY, count=1))

    with pytest.raises(HTTPClientError):
        SERVICES[service](connect(service))


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("service", SERVICES)
def test_an_html_page_can_come_with_any_status(world: World, connect: Connect, service: str, status: int) -> None:
    world.faults.add(Fault(kind=FaultKind.HTML, status=status))

    with pytest.raises(ClientError) as refused:
        SERVICES[service](connect(service))
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer.get("Error", {}).get("Code") == (None if service == "sts" else str(status))
