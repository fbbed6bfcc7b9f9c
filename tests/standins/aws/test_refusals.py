"""What the services refuse: unknown, missing and misshapen parameters, unknown operations, unsigned requests."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from stillfit.standins.aws import Fault, FaultKind, World, cbor
from stillfit.standins.aws.dispatch import answer
from stillfit.standins.server import Request, Response
from tests.standins.aws.kit import NOW, query

TARGETS = {
    "monitoring": "GraniteServiceVersion20100801",
    "dynamodb": "DynamoDB_20120810",
    "application-autoscaling": "AnyScaleFrontendService",
}
WINDOW = {"StartTime": NOW - 60, "EndTime": NOW}


def signed(service: str, region: str = "eu-west-1") -> dict[str, str]:
    """The key's secret is not known to the world, so any signature will do; its age counts."""
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    scope = f"Credential=AKID/{moment[:8]}/{region}/{service}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    return {"authorization": signature, "x-amz-date": moment}


def post_json(world: World, service: str, operation: str, body: Any) -> Response:
    headers = {
        **signed(service),
        "x-amz-target": f"{TARGETS[service]}.{operation}",
        "content-type": "application/x-amz-json-1.0",
    }
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return answer(world, Request(method="POST", path="/", headers=headers, body=raw))


def post_form(world: World, service: str, **fields: str) -> Response:
    return answer(world, Request(method="POST", path="/", headers=signed(service), body=urlencode(fields).encode()))


def post_cbor(world: World, operation: str, body: bytes) -> Response:
    path = f"/service/{TARGETS['monitoring']}/operation/{operation}"
    headers = {**signed("monitoring"), "smithy-protocol": "rpc-v2-cbor"}
    return answer(world, Request(method="POST", path=path, headers=headers, body=body))


def code_of(response: Response) -> str:
    """The error's name in a JSON body."""
    assert response.status >= 400, response.body
    return str(orjson.loads(response.body)["__type"]).rpartition("#")[2]


@pytest.mark.parametrize(
    ("asked", "body", "code", "named"),
    [
        ("dynamodb.DescribeTable", {}, "ValidationException", "tableName"),
        ("dynamodb.DescribeTable", {"TableName": 7}, "SerializationException", "tableName"),
        ("dynamodb.DescribeTable", {"TableName": "orders", "Table": "x"}, "ValidationException", "'Table'"),
        ("dynamodb.ListTables", {"Limit": 0}, "ValidationException", "limit"),
        ("dynamodb.ListTables", {"Limit": 101}, "ValidationException", "limit"),
        ("dynamodb.ListTables", {"Limit": True}, "SerializationException", "limit"),
        ("dynamodb.ListTables", {"ExclusiveStartTableName": "a b c"}, "ValidationException", "pattern"),
        ("dynamodb.ListTables", b"[]", "SerializationException", "structure"),
        ("dynamodb.ListTables", b"{", "SerializationException", "JSON"),
        ("dynamodb.Listtables", {}, "UnknownOperationException", "Listtables"),
        ("monitoring.ListMetrics", {"RecentlyActive": "PT1H"}, "ValidationException", "recentlyActive"),
        ("application-autoscaling.DescribeScalableTargets", {}, "ValidationException", "serviceNamespace"),
    ],
)
def test_a_wrong_request_is_refused_with_the_services_code(
    world: World, asked: str, body: Any, code: str, named: str
) -> None:
    service, operation = asked.split(".")

    response = post_json(world, service, operation, body)

    assert code_of(response) == code
    assert named in response.body.decode()


@pytest.mark.parametrize(
    ("queries", "code", "named"),
    [
        (None, "ValidationException", "metricDataQueries"),
        ("all", "SerializationException", "metricDataQueries"),
        ([], "ValidationException", "required"),
        ([query("orders", Lable="x")], "ValidationException", "Lable"),
        ([query("orders", unit="Fish")], "ValidationException", "enum"),
        ([query("orders", period="60")], "SerializationException", "metricDataQueries.1.member.metricStat.period"),
        ([query("orders", period=0)], "ValidationException", "greater than or equal to 1"),
    ],
    ids=["none", "no list", "empty", "misspelt", "unit", "period", "zero period"],
)
def test_a_wrong_query_is_refused_by_its_place(world: World, queries: Any, code: str, named: str) -> None:
    response = post_json(world, "monitoring", "GetMetricData", {**WINDOW, "MetricDataQueries": queries})

    assert code_of(response) == code
    assert named in response.body.decode()


def test_all_mistakes_are_told_at_once(world: World) -> None:
    response = post_json(world, "dynamodb", "ListTables", {"Limit": 0, "Tables": 1})

    assert "2 validation errors detected" in response.body.decode()


def test_an_operation_only_the_service_has_is_a_501_that_says_so(world: World) -> None:
    response = post_json(world, "dynamodb", "GetItem", {})

    assert (response.status, code_of(response)) == (501, "NotModelledByStandIn")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Action": "GetCallerIdentity", "Version": "2011-06-15", "Extra": "1"}, "ValidationError"),
        ({"Action": "GetCallerIdentity", "Version": "2010-01-01"}, "InvalidAction"),
        ({"Action": "GetCallerIdentities", "Version": "2011-06-15"}, "InvalidAction"),
        ({"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": "an hour"}, "MalformedInput"),
        ({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "short"}, "ValidationError"),
        ({"Action": "AssumeRole", "Version": "2011-06-15", "Tags.member.2.Key": "k"}, "MalformedInput"),
        ({"Action": "AssumeRole", "Version": "2011-06-15", "Tags.entry.1.Key": "k"}, "MalformedInput"),
        ({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "a", "RoleArn.x": "b"}, "MalformedInput"),
    ],
    ids=["extra", "version", "action", "number", "missing", "numbering", "member", "both"],
)
def test_the_query_protocol_is_read_as_strictly(world: World, fields: dict[str, str], code: str) -> None:
    response = post_form(world, "sts", **fields)

    assert response.status == 400
    assert f"<Code>{code}</Code>" in response.body.decode()


@pytest.mark.parametrize("body", [b"\xa1", b"\x80", b"\xff", b"\xa1\x61a\xc2\x40", b"\xbf\x61a"], ids=repr)
def test_broken_cbor_is_a_serialization_exception(world: World, body: bytes) -> None:
    response = post_cbor(world, "ListMetrics", body)

    assert response.status == 400
    assert cbor.loads(response.body)["__type"].endswith("#SerializationException")
    assert response.headers["smithy-protocol"] == "rpc-v2-cbor"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "MissingAuthenticationTokenException"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=AKID"}, 400, "IncompleteSignatureException"),
        (signed("dynamodb"), 403, "InvalidSignatureException"),
    ],
    ids=["unsigned", "half signed", "signed for another service"],
)
def test_a_request_must_be_signed_for_its_service(
    world: World, headers: dict[str, str], status: int, code: str
) -> None:
    target = {"x-amz-target": f"{TARGETS['monitoring']}.ListMetrics"}

    response = answer(world, Request(method="POST", path="/", headers={**headers, **target}, body=b"{}"))

    assert (response.status, code_of(response)) == (status, code)


def test_what_stands_before_a_service_refuses_under_its_own_name(world: World) -> None:
    """As DynamoDB does: a namespace for each layer, and Message with a capital where a permission is missing."""

    def refused(operation: str, **parameters: str) -> dict[str, str]:
        told: dict[str, str] = orjson.loads(post_json(world, "dynamodb", operation, parameters).body)
        return told

    asked, gone = refused("DescribeTable"), refused("DescribeTable", TableName="orders")
    world.faults.add(Fault(kind=FaultKind.THROTTLE))
    slow = refused("ListTables")
    world.faults.clear()
    world.identities.add_key("AKID", policy={"Version": "2012-10-17", "Statement": []})
    denied = refused("ListTables")

    assert asked["__type"] == "com.amazon.coral.validate#ValidationException"
    assert gone["__type"] == "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    assert slow["__type"] == "com.amazon.coral.availability#ThrottlingException"
    assert denied["__type"] == "com.amazon.coral.service#AccessDeniedException"
    assert "dynamodb:ListTables" in denied["Message"]


def test_the_query_error_header_comes_only_to_those_who_ask(world: World) -> None:
    def refused(**more: str) -> Response:
        headers = {**signed("monitoring"), "x-amz-target": f"{TARGETS['monitoring']}.GetMetricData", **more}
        return answer(world, Request(method="POST", path="/", headers=headers, body=b"{}"))

    assert refused(**{"x-amzn-query-mode": "true"}).headers["x-amzn-query-error"] == "ValidationError;Sender"
    assert "x-amzn-query-error" not in refused().headers


def test_refused_calls_are_counted_apart_and_cost_nothing(world: World) -> None:
    post_json(world, "monitoring", "GetMetricData", {})

    assert (world.bill.refused["cloudwatch:GetMetricData"], world.bill.calls.total(), world.bill.dollars) == (1, 0, 0)


def test_every_operation_on_offer_is_one_the_model_knows() -> None:
    from stillfit.standins.aws.dispatch import OPERATIONS
    from stillfit.standins.aws.services import SERVICES

    known = {service.name: set(service.model.operation_names) for service in SERVICES}

    assert all(set(operations) <= known[name] for name, operations in OPERATIONS.items())


def test_every_shape_on_offer_compiles() -> None:
    from stillfit.standins.aws.dispatch import OPERATIONS
    from stillfit.standins.aws.services import SERVICES, answer_check, request_check

    for service in SERVICES:
        for name in OPERATIONS[service.name]:
            model = service.model.operation_model(name)
            assert model.output_shape is not None
            assert callable(answer_check(service, model.output_shape.name))
            assert model.input_shape is None or callable(request_check(service, model.input_shape.name))
