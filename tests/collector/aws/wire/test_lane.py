"""The fast lane against plain boto3 on the same answers, and what happens where botocore has moved on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collector.aws.metrics.decode import decode
from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import ALL, Questions
from collector.aws.wire.failures import GarbledError
from collector.aws.wire.lane import EMPTY, OPERATION, Lane, _checked
from stillfit.model import Series, Span
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, ORDERS, REGION, put
from tests.standins.aws.kit import PROTOCOLS, own_session

WINDOW = Span(NOON - 3_600, NOON)
OpenLane = Callable[..., Lane]


@pytest.fixture
def lane(aws: AwsStandIn) -> Iterator[OpenLane]:
    """lane(protocol=..., fast=...) over a client as connection.py makes it."""
    clients: list[Any] = []

    def open_lane(*, protocol: str = "", fast: bool = True) -> Lane:
        inner = own_session(protocol)
        inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda value: value)
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        clients.append(
            boto3.Session(botocore_session=inner).client(
                "cloudwatch", region_name=REGION, endpoint_url=aws.url, config=config
            )
        )
        return Lane(clients[-1], fast=fast)

    yield open_lane
    for client in clients:
        client.close()


def request() -> Request:
    questions = Questions()
    return Request(stretch=Stretch(60, WINDOW), asks=tuple(questions.ask(ORDERS, spec, "") for spec in ALL))


def read(lane: Lane, one: Request) -> Sequence[Series]:
    return decode(one, list(lane.pages(one.body, one.stretch.window))).series


def plain(url: str, one: Request) -> dict[str, list[tuple[float, float]]]:
    """What boto3 as it comes makes of the same question, by id."""
    import orjson

    client = boto3.client("cloudwatch", region_name=REGION, endpoint_url=url)
    window = {"StartTime": WINDOW.starts_at, "EndTime": WINDOW.ends_at, "ScanBy": "TimestampAscending"}
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=orjson.loads(one.body), **window)
    found: dict[str, list[tuple[float, float]]] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        points = zip((t.timestamp() for t in result["Timestamps"]), result["Values"], strict=True)
        found.setdefault(result["Id"], []).extend(points)
    client.close()
    return found


def by_id(series: Sequence[Series], one: Request) -> dict[str, list[tuple[float, float]]]:
    ids = one.ids
    points = [list(zip(s.times.tolist(), s.values.tolist(), strict=True)) for s in series]
    return dict(zip(ids, points, strict=True))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_fast_tuned_and_plain_boto3_bring_the_same(seed: int, world: World, aws: AwsStandIn, lane: OpenLane) -> None:
    random = np.random.default_rng(seed)
    for spec in ALL:
        values = np.where(random.random(60) < random.random(), np.nan, random.lognormal(3, 3, 60))
        put(world, spec.name, values)
    fast, tuned, one = lane(), lane(fast=False), request()

    expected = plain(aws.url, one)
    assert by_id(read(fast, one), one) == expected
    assert by_id(read(tuned, one), one) == expected
    assert (fast.fast, tuned.fast) == (True, False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_brings_the_same(protocol: str, world: World, lane: OpenLane) -> None:
    put(world, "ReadThrottleEvents", [1, np.nan, 2.5])
    one = request()

    assert read(lane(protocol=protocol), one) == read(lane(), one)


def test_another_protocol_turns_the_fast_lane_off_with_one_line(lane: OpenLane) -> None:
    with capture_logs() as logs:
        slow = lane(protocol="query")

    assert not slow.fast
    assert [line["event"] for line in logs] == ["cloudwatch fast lane off"]


def test_this_botocore_has_what_the_fast_lane_builds_on(lane: OpenLane, world: World) -> None:
    """Fails when an upgrade takes the fast lane away: then bench/collect_cpu.py shows what that costs."""
    bodies: list[bytes] = []
    one = lane()
    one._client.meta.events.register_first(
        f"before-call.{OPERATION}", lambda params, **_: bodies.append(params["body"])
    )
    with capture_logs() as logs:
        read(one, request())

    assert EMPTY in bodies[0]
    assert (one.fast, logs) == (True, [])


def test_a_body_of_another_shape_falls_back_and_loses_nothing(lane: OpenLane, world: World) -> None:
    put(world, "ReadThrottleEvents", [1, 2])
    one, expected = lane(), read(lane(fast=False), request())

    def moved(params: dict[str, Any], **_: object) -> None:
        params["body"] = params["body"].replace(b'"MetricDataQueries": []', b'"MetricDataQueries":[]')

    one._client.meta.events.register_first(f"before-call.{OPERATION}", moved)
    with capture_logs() as logs:
        assert read(one, request()) == expected
        assert read(one, request()) == expected

    assert (one.fast, len(logs)) == (False, 1)


def test_a_vanished_event_falls_back_and_loses_nothing(lane: OpenLane, world: World) -> None:
    put(world, "ReadThrottleEvents", [1, 2])
    one, expected = lane(), read(lane(fast=False), request())
    one._client.meta.events.unregister(f"before-parse.{OPERATION}", one._take)

    assert read(one, request()) == expected
    assert not one.fast


def test_pages_are_followed_to_the_end(lane: OpenLane, world: World) -> None:
    put(world, "ReadThrottleEvents", range(60))
    expected = read(lane(), request())
    world.faults.add(Fault(kind=FaultKind.CUT_PAGE, operation="GetMetricData", count=40))

    assert read(lane(), request()) == expected


def test_a_token_that_repeats_ends_the_pages(lane: OpenLane, world: World) -> None:
    put(world, "ReadThrottleEvents", range(60))
    world.faults.add(
        Fault(kind=FaultKind.CUT_PAGE, operation="GetMetricData"),
        Fault(kind=FaultKind.REPEATED_TOKEN, operation="GetMetricData"),
    )

    assert len(list(lane().pages(request().body, WINDOW))) <= 3


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.GARBAGE])
def test_an_answer_that_is_none_is_garbled(kind: FaultKind, fast: bool, lane: OpenLane, world: World) -> None:
    world.faults.add(Fault(kind=kind, operation="GetMetricData"))

    with pytest.raises(GarbledError):
        list(lane(fast=fast).pages(request().body, WINDOW))


@pytest.mark.parametrize("token", [["more"], {"more": 1}, 7, True])
def test_a_page_with_a_token_that_is_no_text_is_garbled(token: object) -> None:
    with pytest.raises(GarbledError, match="NextToken"):
        _checked({"MetricDataResults": [], "NextToken": token})


def test_a_refusal_stays_boto3s_and_is_told_to_the_limiter(world: World, aws: AwsStandIn, lane: OpenLane) -> None:
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="GetMetricData"))
    told: list[str] = []
    one = lane()
    one._on_throttle = lambda: told.append("slower")

    with pytest.raises(ClientError, match="Throttling"):
        list(one.pages(request().body, WINDOW))
    assert told == ["slower"]
