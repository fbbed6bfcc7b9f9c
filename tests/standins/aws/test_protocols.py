"""The three protocols of CloudWatch say the same; each is read by boto3's own parser."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import AwsStandIn, World
from stillfit.standins.server import Request
from tests.standins.aws.kit import NOW, PROTOCOLS, READS, ask, points, put, query

Connect = Callable[..., Any]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_brings_the_same_points(world: World, connect: Connect, protocol: str) -> None:
    put(world, "orders", NOW - 240, [1.5, float("nan"), 0.0, 1e15])

    [result] = ask(connect("cloudwatch", protocol=protocol), query("orders", Label="reads & <more>"))[
        "MetricDataResults"
    ]

    assert points(result) == [(-240, 1.5), (-120, 0.0), (-60, 1e15)]
    assert (result["Id"], result["Label"], result["StatusCode"]) == ("a", "reads & <more>", "Complete")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_lists_the_same_metrics(world: World, connect: Connect, protocol: str) -> None:
    put(world, "orders", NOW - 7200, [1.0])

    [metric] = connect("cloudwatch", protocol=protocol).list_metrics(Namespace="AWS/DynamoDB")["Metrics"]

    assert metric["MetricName"] == READS
    assert metric["Dimensions"] == [{"Name": "TableName", "Value": "orders"}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_refuses_with_the_query_code(connect: Connect, protocol: str) -> None:
    with pytest.raises(ClientError) as refused:
        ask(connect("cloudwatch", protocol=protocol), query("orders", id="Upper"))

    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert "^[a-z][a-zA-Z0-9_]*$" in refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_pages_alike(world: World, connect: Connect, protocol: str) -> None:
    put(world, "orders", NOW - 600, [float(n) for n in range(10)])
    client, seen = connect("cloudwatch", protocol=protocol), list[tuple[float, float]]()
    token: dict[str, Any] = {}

    while True:
        page = ask(client, query("orders"), MaxDatapoints=3, **token)
        seen += points(page["MetricDataResults"][0])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert seen == [(60 * n - 600, float(n)) for n in range(10)]


def test_the_protocol_really_differs(aws: AwsStandIn, world: World, connect: Connect) -> None:
    spoken = set()
    for protocol in PROTOCOLS:
        answer = connect("cloudwatch", protocol=protocol).list_metrics()
        spoken.add(answer["ResponseMetadata"]["HTTPHeaders"]["content-type"])

    assert spoken == {"application/x-amz-json-1.0", "text/xml", "application/cbor"}


def test_a_modelled_error_becomes_the_clients_own_exception(connect: Connect) -> None:
    dynamodb = connect("dynamodb")

    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException, match="Table: nowhere not found"):
        dynamodb.describe_table(TableName="nowhere")


def test_an_unknown_target_is_a_404(aws: AwsStandIn, world: World) -> None:
    from stillfit.standins.aws.dispatch import answer

    assert answer(world, Request(method="POST", path="/", headers={"x-amz-target": "Nobody_2012.Do"})).status == 404


def test_a_service_is_told_by_its_signature_in_the_query_protocol(connect: Connect) -> None:
    assert connect("sts").get_caller_identity()["Account"] == "123456789012"
