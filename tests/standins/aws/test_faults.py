"""Every fault, as boto3 sees it."""

import math
import socket
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Call, Fault, FaultKind, Faults, World
from tests.standins.aws.conftest import Clock
from tests.standins.aws.kit import NOW, PROTOCOLS, REGION, ask, points, put, query, session

Connect = Callable[..., Any]
CALL = Call(
    service="cloudwatch",
    operation="ListMetrics",
    account=DEFAULT_ACCOUNT,
    region=REGION,
    arn="arn:aws:iam::123456789012:user/stillfit",
    user_id="AIDA",
    at=NOW,
    parameters={},
)
SERVICES: dict[str, Callable[[Any], Any]] = {
    "cloudwatch": lambda client: client.list_metrics(),
    "dynamodb": lambda client: client.list_tables(),
    "application-autoscaling": lambda client: client.describe_scalable_targets(ServiceNamespace="dynamodb"),
    "sts": lambda client: client.get_caller_identity(),
}
WHOLE = [(60.0 * minute - 600, float(minute)) for minute in range(10)]


@pytest.fixture
def orders(world: World) -> World:
    put(world, "orders", NOW - 600, [float(minute) for minute in range(10)])
    return world


def status_and_code(error: ClientError) -> tuple[int, str]:
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


# Instead of an answer

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


def connected(aws: AwsStandIn, service: Any, config: Config) -> Any:
    keys: dict[str, Any] = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    return session("").client(service, endpoint_url=aws.url, region_name=REGION, config=config, **keys)


def test_boto3_retries_a_throttled_call_by_itself(aws: AwsStandIn) -> None:
    aws.world.faults.add(Fault(kind=FaultKind.THROTTLE, count=1))
    client = connected(aws, "cloudwatch", Config(retries={"total_max_attempts": 3, "mode": "standard"}))

    assert client.list_metrics()["ResponseMetadata"]["RetryAttempts"] == 1
    assert (aws.world.bill.calls.total(), aws.world.bill.refused.total()) == (1, 1)
    client.close()


# On the wire


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
    with socket.create_connection(("127.0.0.1", aws.port), timeout=1) as connection:
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


# Inside an answer that says 200


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FaultKind.NAN_VALUES, math.nan),
        (FaultKind.INFINITE_VALUES, math.inf),
        (FaultKind.NEGATIVE_VALUES, -1.0),
        (FaultKind.HUGE_VALUES, 1e300),
    ],
)
def test_every_second_value_can_be_one_that_cannot_be(
    orders: World, connect: Connect, protocol: str, kind: FaultKind, value: float
) -> None:
    orders.faults.add(Fault(kind=kind, metric="ConsumedReadCapacityUnits"))
    (result,) = ask(connect("cloudwatch", protocol=protocol), query("orders"))["MetricDataResults"]

    assert result["Values"][1::2] == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert {str(float(one)) for one in result["Values"][::2]} == {str(value)}


def test_an_hour_can_come_twice(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.REPEATED_HOUR))

    assert points(ask(cloudwatch, query("orders"))["MetricDataResults"][0]) == WHOLE + WHOLE


def test_timestamps_can_be_off_every_period(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.SHIFTED_TIMESTAMPS))
    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert shown == [(second + 7, value) for second, value in WHOLE]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.RESULT_INTERNAL_ERROR, "InternalError"), (FaultKind.RESULT_FORBIDDEN, "Forbidden")],
)
def test_one_result_fails_and_the_other_does_not(
    orders: World, connect: Connect, protocol: str, kind: FaultKind, status: str
) -> None:
    put(orders, "carts", NOW - 60, [5])
    orders.faults.add(Fault(kind=kind, count=1))

    bad, good = ask(connect("cloudwatch", protocol=protocol), query("orders"), query("carts", id="b"))[
        "MetricDataResults"
    ]

    assert (bad["StatusCode"], bad["Values"], len(bad["Messages"])) == (status, [], 1)
    assert (good["StatusCode"], good["Values"]) == ("Complete", [5.0])


def test_a_result_fault_can_be_bound_to_a_metric(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadThrottleEvents"))

    results = ask(cloudwatch, query("orders"), query("orders", id="t", name="ReadThrottleEvents"))["MetricDataResults"]

    assert [result["StatusCode"] for result in results] == ["Complete", "Forbidden"]


def test_partial_data_without_a_token_is_half_the_points(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.PARTIAL_DATA))

    answer = ask(cloudwatch, query("orders"))

    assert (answer["MetricDataResults"][0]["StatusCode"], "NextToken" in answer) == ("PartialData", False)
    assert points(answer["MetricDataResults"][0]) == WHOLE[:5]


def test_duplicated_timestamps_come_in_order(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.DUPLICATE_TIMESTAMPS))

    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert len(shown) == 15
    assert sorted(set(shown)) == WHOLE
    assert shown == sorted(shown)


def test_unordered_timestamps_keep_their_values(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.UNORDERED_TIMESTAMPS))

    shown = points(ask(cloudwatch, query("orders"))["MetricDataResults"][0])

    assert shown != WHOLE
    assert sorted(shown) == WHOLE


def pages(client: Any) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    while True:
        page = ask(client, query("orders"), **token)
        yield page
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def joined(answers: Iterator[dict[str, Any]]) -> list[tuple[float, float]]:
    return [point for answer in answers for result in answer["MetricDataResults"] for point in points(result)]


def test_pages_cut_at_random_add_up_to_the_whole(orders: World, cloudwatch: Any) -> None:
    put(orders, "orders", NOW - 600, [float(minute) for minute in range(10)])
    orders.faults.add(Fault(kind=FaultKind.CUT_PAGE, probability=0.9))

    for _ in range(20):
        assert joined(pages(cloudwatch)) == WHOLE


def test_an_empty_page_is_followed_by_what_it_left_out(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=2))

    answers = list(pages(cloudwatch))

    assert [len(answer["MetricDataResults"]) for answer in answers] == [0, 0, 1]
    assert joined(iter(answers)) == WHOLE


def test_a_repeated_token_goes_on_for_ever(orders: World, cloudwatch: Any) -> None:
    orders.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=1), Fault(kind=FaultKind.REPEATED_TOKEN))

    tokens = [page["NextToken"] for page in islice(pages(cloudwatch), 5)]

    assert len(tokens) == 5
    assert len(set(tokens)) == 1


def test_lists_of_every_service_have_empty_pages_and_repeated_tokens(world: World, connect: Connect) -> None:
    for number in range(3):
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": f"table-{number}"})
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, count=1))
    dynamodb = connect("dynamodb")

    empty = dynamodb.list_tables(Limit=2)
    full = dynamodb.list_tables(Limit=2, ExclusiveStartTableName=empty["LastEvaluatedTableName"])
    world.faults.add(Fault(kind=FaultKind.REPEATED_TOKEN))
    again = dynamodb.list_tables(Limit=2, ExclusiveStartTableName=full["LastEvaluatedTableName"])

    assert (empty["TableNames"], full["TableNames"]) == ([], ["table-0", "table-1"])
    assert again["LastEvaluatedTableName"] == full["LastEvaluatedTableName"]


# Which calls, how often, when


@pytest.mark.parametrize(
    ("bound", "struck"),
    [
        ({}, True),
        ({"operation": "ListMetrics"}, True),
        ({"operation": "GetMetricData"}, False),
        ({"service": "cloudwatch", "region": REGION, "account": DEFAULT_ACCOUNT}, True),
        ({"service": "dynamodb"}, False),
        ({"region": "us-east-1"}, False),
        ({"account": "111122223333"}, False),
        ({"since": NOW}, True),
        ({"since": NOW + 1}, False),
        ({"until": NOW + 1}, True),
        ({"until": NOW}, False),
        ({"count": 0}, False),
        ({"probability": 0.0}, False),
    ],
    ids=str,
)
def test_a_fault_strikes_only_what_it_is_bound_to(
    world: World, cloudwatch: Any, bound: dict[str, Any], struck: bool
) -> None:
    world.faults.add(Fault(kind=FaultKind.LATENCY, **bound))
    cloudwatch.list_metrics()

    assert world.faults.struck[FaultKind.LATENCY] == int(struck)


def test_a_fault_is_over_when_its_count_is(world: World, cloudwatch: Any) -> None:
    world.faults.add(Fault(kind=FaultKind.LATENCY, count=2))
    for _ in range(5):
        cloudwatch.list_metrics()

    assert world.faults.struck[FaultKind.LATENCY] == 2


def test_the_same_seed_makes_the_same_bad_day() -> None:
    def day(seed: int) -> list[bool]:
        faults = Faults(seed=seed)
        faults.add(Fault(kind=FaultKind.THROTTLE, probability=0.3))
        return [faults.strike({FaultKind.THROTTLE}, CALL) is not None for _ in range(50)]

    assert day(1) == day(1) != day(2)
    assert 5 <= sum(day(1)) <= 25


def test_cleared_faults_are_over(world: World, cloudwatch: Any) -> None:
    world.faults.add(Fault(kind=FaultKind.THROTTLE))
    world.faults.clear()

    assert cloudwatch.list_metrics()["Metrics"] == []
