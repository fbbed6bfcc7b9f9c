"""What becomes of a store that refuses, fails, answers in part or has nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from collector.promql.client import Endpoint, PromClient
from collector.promql.source import PrometheusSource
from stillfit.clock import FakeClock
from stillfit.config import Config, Prometheus
from stillfit.configfile import load
from stillfit.errors import SourceError
from stillfit.model import Batch, Engine, GapReason, Span, Subject
from stillfit.sources import endpoint, prometheus_sources, sources
from tests.collector.promql.fake_store import TABLE, Asked, FakeStore, Reply, refusal, steady, success

READS, THROTTLES = "aws_dynamodb_consumed_read_capacity_units_sum", "aws_dynamodb_read_throttle_events_sum"
UNTIL = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC)
SCOPE = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"))
ORDERS = replace(SCOPE, table="orders")
PAGE = Reply(body=b"<html>Sign in</html>")


@pytest.fixture
def store() -> Iterator[FakeStore]:
    with FakeStore(names=(READS, THROTTLES, "up")).serving() as one:
        yield one


@pytest.fixture
def source(store: FakeStore) -> Iterator[PrometheusSource]:
    settings = Prometheus(url=store.url, reads=("dynamodb",), first_look=timedelta(hours=6))
    (one,) = prometheus_sources(settings)
    yield one
    one.close()


def look(source: PrometheusSource) -> list[Batch]:
    return list(source.collect(None, UNTIL))


def reasons(batches: list[Batch]) -> dict[tuple[Subject, str], GapReason]:
    return {(gap.subject, gap.missing): gap.reason for batch in batches for gap in batch.gaps}


def test_each_name_is_a_batch_and_the_last_tells_who_was_seen(source: PrometheusSource) -> None:
    *brought, last = look(source)

    assert [series.metric for batch in brought for series in batch.series] == [
        "consumed_read_units",
        "read_throttle_events",
    ]
    assert (last.subjects_seen, last.inventory) == ((ORDERS,), False)
    assert {batch.source for batch in brought} == {"prometheus/main/dynamodb"}


def test_what_settled_follows_the_exporters_in_use(source: PrometheusSource) -> None:
    before = source.settle_s
    look(source)

    assert (before, source.settle_s) == (600 + 120, 300 + 120)


def test_a_long_look_is_asked_for_in_days(store: FakeStore) -> None:
    (one,) = prometheus_sources(Prometheus(url=store.url, reads=("dynamodb",), first_look=timedelta(days=3)))
    batches = look(one)
    one.close()

    spans = [int(asked["end"]) - int(asked["start"]) for asked in store.asked if THROTTLES in asked["query"]]
    assert spans == [86_340, 86_340, 86_340, 0]
    assert len(batches[0].series[0].covered) == 1


def test_a_question_too_large_is_asked_in_halves(store: FakeStore, source: PrometheusSource) -> None:
    def sparing(asked: Asked) -> Reply:
        long = int(asked["end"]) - int(asked["start"]) > 2 * 3_600
        return refusal(422, "execution", "query processing would load too many samples") if long else steady(asked)

    store.range = sparing
    series = look(source)[0].series[0]

    assert series.covered == (Span(int(series.times[0]), int(series.times[-1]) + 60),)
    assert len(series.times) == 361


def test_an_hour_that_is_too_large_is_a_gap(store: FakeStore, source: PrometheusSource) -> None:
    store.range = lambda asked: (
        steady(asked) if READS in asked["query"] else refusal(422, "execution", "too many samples")
    )

    found = reasons(look(source))

    assert found[SCOPE, "read_throttle_events"] is GapReason.PARTIAL
    assert (ORDERS, "read_throttle_events") not in found


@pytest.mark.parametrize("more", [{"warnings": ["store-3 is away"]}, {"isPartial": True}], ids=["Thanos", "cluster"])
def test_a_partial_answer_is_vouched_for_by_nobody(store: FakeStore, source: PrometheusSource, more: object) -> None:
    empty = {"resultType": "matrix", "result": []}
    store.range = lambda asked: steady(asked) if READS in asked["query"] else success(empty, **more)  # type: ignore[arg-type]

    batches = look(source)

    assert [series.metric for batch in batches for series in batch.series] == ["consumed_read_units"]
    assert reasons(batches)[SCOPE, "read_throttle_events"] is GapReason.PARTIAL


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        (Reply(body=b"", status=401), GapReason.DENIED, "give it a token, --token-file or token_file"),
        (Reply(body=b"no", status=403), GapReason.DENIED, "refused us (HTTP 403)"),
        (
            Reply(body=b"", status=302, headers={"Location": "/login"}),
            GapReason.DENIED,
            "sent us on to another address",
        ),
        (PAGE, GapReason.GARBLED, "is a sign-in page or proxy in between?"),
        (Reply(body=b"nothing here", status=404), GapReason.UNSUPPORTED, "has no Prometheus API there"),
        (Reply(body=b"slow down", status=429), GapReason.THROTTLED, "too many requests"),
        (Reply(body=b"<html>Bad gateway</html>", status=502), GapReason.UNREACHABLE, "failed (HTTP 502)"),
        (refusal(500, "internal", "disk"), GapReason.UNREACHABLE, "HTTP 500, disk"),
        (refusal(503, "timeout", "query timed out"), GapReason.TIMEOUT, "gave up on a question"),
        (refusal(400, "bad_data", "parse error"), GapReason.UNSUPPORTED, "parse error"),
        (Reply(body=b'{"status":"success","data":{"resultType'), GapReason.GARBLED, "other than JSON"),
        (Reply(body=b'{"status":"success"}'), GapReason.GARBLED, "another shape"),
        (success(7), GapReason.GARBLED, "another shape"),
        (Reply(body=b"[]"), GapReason.GARBLED, "other than JSON"),
        (Reply(body=b'{"status":"suc', cut=True), GapReason.UNREACHABLE, "no answer"),
    ],
)
def test_a_store_that_fails_whole_says_why(
    store: FakeStore, source: PrometheusSource, reply: Reply, reason: GapReason, said: str
) -> None:
    store.always = reply

    with pytest.raises(SourceError, match=r"^prometheus/main/dynamodb: ") as raised:
        look(source)

    assert raised.value.reason is reason
    assert said in str(raised.value)


def test_a_failure_is_told_of_each_account_that_was_seen(store: FakeStore, source: PrometheusSource) -> None:
    look(source)
    store.always = PAGE

    (told,) = _until_it_raises(source)

    assert [(gap.subject, gap.missing, gap.reason) for gap in told.gaps] == [(SCOPE, "*", GapReason.GARBLED)]


def _until_it_raises(source: PrometheusSource) -> Iterator[Batch]:
    try:
        yield from source.collect(None, UNTIL)
    except SourceError:
        return


@pytest.mark.parametrize("result", [[{}], [{"metric": TABLE, "values": [["x", "y"]]}], ["x"], [{"metric": 3}]])
def test_series_of_another_shape_bring_nothing(store: FakeStore, source: PrometheusSource, result: object) -> None:
    store.range = lambda _asked: success({"resultType": "matrix", "result": result})

    with pytest.raises(SourceError) as raised:
        look(source)

    assert raised.value.reason is GapReason.GARBLED


def test_a_store_without_a_known_name_says_so(store: FakeStore, source: PrometheusSource) -> None:
    store.names = ("up",)

    assert reasons(look(source)) == {(source.scope, "*"): GapReason.NO_DATA}


def test_holes_between_windows_are_told(store: FakeStore, tmp_path: Path) -> None:
    names = tmp_path / "names.yaml"
    names.write_text("exporters:\n  - {name: yace, like: yace, window_s: 60}\n")
    (one,) = prometheus_sources(Prometheus(url=store.url, reads=("dynamodb",), names_file=names))
    batches = look(one)
    one.close()

    assert not [series for batch in batches for series in batch.series]
    assert reasons(batches)[ORDERS, "read_throttle_events"] is GapReason.PARTIAL


def test_a_slow_drip_ends_at_the_deadline(store: FakeStore) -> None:
    seconds = iter(range(0, 1_000, 20))
    client = PromClient(Endpoint(url=store.url, timeout_s=10), "store", monotonic=lambda: next(seconds))

    with pytest.raises(SourceError) as raised:
        client.names(Span(0, 60))
    client.close()

    assert raised.value.reason is GapReason.TIMEOUT


def test_nobody_there_is_unreachable() -> None:
    client = PromClient(Endpoint(url="http://127.0.0.1:1"), "store")

    with pytest.raises(SourceError) as raised:
        client.names(Span(0, 60))
    client.close()

    assert raised.value.reason is GapReason.UNREACHABLE


@pytest.mark.parametrize(
    ("settings", "header", "sent"),
    [
        ({"token": SecretStr("s3cret")}, "Authorization", "Bearer s3cret"),
        ({"username": "me", "password": SecretStr("s3cret")}, "Authorization", "Basic bWU6czNjcmV0"),
        ({"tenant": "shop"}, "X-Scope-OrgID", "shop"),
    ],
)
def test_it_signs_in_as_told_and_never_shows_how(
    store: FakeStore, settings: dict[str, object], header: str, sent: str
) -> None:
    (one,) = prometheus_sources(Prometheus(url=store.url, reads=("dynamodb",), **settings))  # type: ignore[arg-type]
    look(one)
    store.always = Reply(body=b"", status=401)
    with pytest.raises(SourceError) as raised:
        look(one)
    one.close()

    assert {name.lower(): value for name, value in store.headers[0].items()}[header.lower()] == sent
    assert "s3cret" not in str(raised.value) + repr(Endpoint(url="x", token="s3cret", password="s3cret"))


def test_the_address_may_end_with_the_path_of_the_api(store: FakeStore) -> None:
    client = PromClient(Endpoint(url=f"{store.url}/api/v1/"), "store")

    assert "up" in client.names(Span(0, 60))
    client.close()


def test_a_token_file_is_read_at_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "stillfit.yaml").write_text(f"prometheus:\n  - url: https://x\n    token_file: {tmp_path}/token\n")

    (one,) = load(tmp_path / "stillfit.yaml", {}).prometheus

    assert endpoint(one).token == "s3cret"
    assert "s3cret" not in repr(one)


def test_a_token_that_no_request_can_carry_is_not_quoted(store: FakeStore) -> None:
    (one,) = prometheus_sources(Prometheus(url=store.url, reads=("dynamodb",), token=SecretStr("s3\0cret")))
    with pytest.raises(SourceError) as told:
        look(one)
    one.close()

    assert told.value.reason is GapReason.DENIED
    assert "cret" not in str(told.value)


def test_stores_and_engines_are_sources_of_their_own(clock: FakeClock) -> None:
    config = Config(prometheus=(Prometheus(url="http://x"), Prometheus(url="http://y", name="b", reads=("cassandra",))))

    assert [source.id for source, _ in sources(config, clock)] == [
        "prometheus/main/dynamodb",
        "prometheus/main/cassandra",
        "prometheus/b/cassandra",
    ]
    assert config.engines == {Engine.DYNAMODB, Engine.CASSANDRA}
