"""Answers as the service writes them, read by our lanes and by boto3's own parser: all three say the same."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.aws.metrics.decode import decode
from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import ALL, Questions
from collector.aws.wire.lane import OPERATION, Lane
from stillfit.model import Span
from tests.collector.aws.kit import ORDERS, REGION
from tests.collector.aws.wire.written import FORMS, Row, as_java
from tests.standins.aws.kit import own_session

START = 1_671_192_000
STRETCH = Stretch(60, Span(START, START + 300))
QUESTIONS = Questions()
ASKED = Request(stretch=STRETCH, asks=tuple(QUESTIONS.ask(ORDERS, spec, "") for spec in ALL[:4]))
CONTENT_TYPES = {"json": "application/x-amz-json-1.0", "smithy-rpc-v2-cbor": "application/cbor", "query": "text/xml"}

Points = dict[str, list[tuple[float, float]]]


class Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


class Replay:
    """CloudWatch clients whose requests never leave: each gets the bytes in `body` for an answer."""

    def __init__(self) -> None:
        self.body = b""
        self._clients: dict[tuple[str, bool], Any] = {}

    def client(self, protocol: str, *, raw: bool) -> Any:
        """`raw`: timestamps as the wire has them, as connection.py makes its client."""
        if (protocol, raw) not in self._clients:
            inner = own_session(protocol)
            if raw:
                inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda value: value)
            session = boto3.Session(botocore_session=inner)
            made = session.client("cloudwatch", region_name=REGION, config=Config(parameter_validation=False))
            made.meta.events.register(f"before-send.{OPERATION}", lambda **_: self._answer(protocol))
            self._clients[protocol, raw] = made
        return self._clients[protocol, raw]

    def _answer(self, protocol: str) -> AWSResponse:
        headers = HTTPHeaders()
        headers["Content-Type"], headers["smithy-protocol"] = CONTENT_TYPES[protocol], "rpc-v2-cbor"
        return AWSResponse("https://monitoring.example", 200, headers, Body(self.body))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    made = Replay()
    yield made
    made.close()


def ours(replay: Replay, protocol: str, *, fast: bool) -> Points:
    lane = Lane(replay.client(protocol, raw=True), fast=fast)
    got = decode(ASKED, list(lane.pages(ASKED.body, STRETCH.window)))
    assert not got.missing
    points = [list(zip(one.times.tolist(), one.values.tolist(), strict=True)) for one in got.series]
    return dict(zip(ASKED.ids, points, strict=True))


def boto3s(replay: Replay, protocol: str) -> Points:
    window = {"StartTime": STRETCH.window.starts_at, "EndTime": STRETCH.window.ends_at}
    answer = replay.client(protocol, raw=False).get_metric_data(MetricDataQueries=[], **window)
    return {
        one["Id"]: sorted((at.timestamp(), value) for at, value in zip(one["Timestamps"], one["Values"], strict=True))
        for one in answer["MetricDataResults"]
    }


@st.composite
def answers(draw: st.DrawFn) -> list[Row]:
    """A whole answer: ids in any order, minutes of the window in order or backwards, any values a metric can have."""
    rows: list[Row] = []
    for id_ in draw(st.permutations(ASKED.ids)):
        minutes = draw(st.lists(st.integers(0, 4), unique=True, max_size=5))
        times = sorted((START + 60 * minute for minute in minutes), reverse=draw(st.booleans()))
        values = draw(st.lists(st.floats(0.0, 1e300), min_size=len(times), max_size=len(times)))
        rows.append((id_, times, values))
    return rows


@pytest.mark.parametrize(("protocol", "written"), FORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=answers())
def test_any_answer_in_any_form_says_the_same_to_us_and_to_boto3(
    protocol: str, written: Callable[[Sequence[Row]], bytes], rows: list[Row], replay: Replay
) -> None:
    replay.body = written(rows)
    meant = {id_: sorted(zip(times, values, strict=True)) for id_, times, values in rows}

    assert boto3s(replay, protocol) == meant
    assert ours(replay, protocol, fast=True) == meant
    assert ours(replay, protocol, fast=False) == meant


@pytest.mark.parametrize(
    ("number", "text"),
    [(1_671_193_560, "1.67119356E9"), (1_671_192_000, "1.671192E9"), (0.0, "0.0"), (7, "7.0"), (1e7, "1.0E7"),
     (9_999_999.5, "9999999.5"), (0.0005, "5.0E-4"), (0.001, "0.001"), (5.9882853853397995, "5.9882853853397995")],
)  # fmt: skip
def test_doubles_are_written_as_the_service_prints_them(number: float, text: str) -> None:
    assert as_java(number) == text
