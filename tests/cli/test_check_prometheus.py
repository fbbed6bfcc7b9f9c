"""`stillfit check --prometheus` against a real Prometheus that holds what YACE wrote, and against what is none."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Stillfit
from tests.collector.promql.history import YACE, Samples, openmetrics
from tests.servers.fixtures import MakePrometheus
from tests.servers.victoriametrics import VictoriaMetricsServer

WINDOWS = {
    "consumed_read_capacity_units_sum": 30_000.0,
    "consumed_read_capacity_units_sample_count": 60_000.0,
    "consumed_write_capacity_units_sum": 0.0,
    "consumed_write_capacity_units_sample_count": 0.0,
    "read_throttle_events_sum": 600.0,
    "read_key_range_throughput_throttle_events_sum": 600.0,
    "read_provisioned_throughput_throttle_events_sum": 0.0,
    "read_max_on_demand_throughput_throttle_events_sum": 0.0,
    "read_account_limit_throttle_events_sum": 0.0,
    "write_throttle_events_sum": 0.0,
}
"""Per five minutes: one read in a hundred is refused by a key range."""


def of_yace(values: dict[str, float], table: str = "orders") -> Iterator[Samples]:
    start = int(datetime.now(UTC).timestamp()) // 60 * 60 - 3 * 3_600
    for name, value in values.items():
        labels = YACE | {"dimension_TableName": table}
        yield Samples(name=f"aws_dynamodb_{name}", labels=labels, start=start, values=[value] * 181)


def of_jmx_exporter(tombstones: dict[str, float]) -> Iterator[Samples]:
    """One replica that serves 100 reads a second, as the rules of jmx_exporter's example name them."""
    labels = {"cluster": "prod", "datacenter": "dc1", "instance": "10.0.0.1:7070", "keyspace": "shop", "table": "jobs"}
    start = int(datetime.now(UTC).timestamp()) // 60 * 60 - 3_600

    def samples(name: str, values: list[float], **more: str) -> Samples:
        return Samples(name=f"cassandra_table_{name}", labels=labels | more, start=start, values=values)

    for quantile, value in tombstones.items():
        yield samples("tombstonescannedhistogram", [value] * 61, quantile=quantile)
        yield samples("livescannedhistogram", [3.0] * 61, quantile=quantile)
    yield samples("readlatency_seconds_count", [6_000.0 * minute for minute in range(61)])


@pytest.fixture
def stranger() -> Iterator[str]:
    """Something that answers, and is no Prometheus."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401 if "secret" in self.headers.get("Authorization", "") else 200)
            self.end_headers()
            self.wfile.write(b"<html>Sign in</html>")

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_throttled_table_is_named_with_its_cause(make_prometheus: MakePrometheus, stillfit: Stillfit) -> None:
    store = make_prometheus(history=openmetrics(of_yace(WINDOWS)))

    told = stillfit("check", "--prometheus", store.url)

    assert told.code == 1, told.err
    assert "orders" in told.out
    assert "key_range (dynamodb/throttling)" in told.out


def test_a_table_without_throttle_series_is_unknown_for_want_of_them(
    make_prometheus: MakePrometheus, stillfit: Stillfit
) -> None:
    lacking = {name: value for name, value in WINDOWS.items() if "throttle" not in name}
    history = openmetrics([*of_yace(WINDOWS), *of_yace(lacking, "events")])

    told = json.loads(stillfit("check", "--prometheus", make_prometheus(history=history).url, "-f", "json").out)

    (unknown,) = [one for one in told["unknowns"] if one["detector"] == "dynamodb/throttling"]
    assert unknown["subject"]["name"] == "events"
    assert "aws_dynamodb_read_throttle_events_sum" in unknown["reason"]


def test_a_store_with_nothing_known_is_no_health(make_prometheus: MakePrometheus, stillfit: Stillfit) -> None:
    told = stillfit("check", "--prometheus", make_prometheus().url)

    assert told.code == 4
    assert "no series of a known name: docs/prometheus_source.md" in told.err


def test_a_page_is_no_prometheus(stranger: str, stillfit: Stillfit) -> None:
    told = stillfit("check", "--prometheus", stranger)

    assert told.code == 4
    assert "something other than JSON (HTTP 200): is a sign-in page or proxy in between?" in told.err


def test_a_refused_token_is_never_shown(stranger: str, stillfit: Stillfit, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-4711\n")

    told = stillfit("check", "--prometheus", stranger, "--token-file", tmp_path / "token")

    assert told.code == 4
    assert "refused us (HTTP 401): give it a token, --token-file" in told.err
    assert "4711" not in told.out + told.err


def test_nobody_there_is_exit_4(stillfit: Stillfit) -> None:
    told = stillfit("check", "--prometheus", "http://127.0.0.1:1")

    assert told.code == 4
    assert told.err.startswith("http://127.0.0.1:1: no answer")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--prometheus", "localhost:9090"), "must begin with http:// or https://"),
        (("--prometheus", "http://me:hidden@store"), "no query: use --token-file"),
        (("--prometheus", "http://store", "--aws"), "give one of --observations, --aws and --prometheus"),
        (("--prometheus", "http://store", "--token-file", "/nowhere"), "a secret needs an https:// url"),
        (("--prometheus", "https://store", "--token-file", "/nowhere"), "--token-file: /nowhere cannot be read"),
    ],
)
def test_a_wrong_use_says_what_is_wrong(stillfit: Stillfit, arguments: tuple[str, ...], said: str) -> None:
    told = stillfit("check", *arguments)

    assert (told.code, "hidden" in told.err) == (2, False)
    assert said in told.err


def test_tombstones_that_jmx_exporter_saw_are_found_in_victoriametrics(
    make_victoriametrics: Callable[[str], VictoriaMetricsServer], stillfit: Stillfit
) -> None:
    store = make_victoriametrics(openmetrics(of_jmx_exporter({"0.50": 900.0, "0.99": 5_722.0})))

    told = stillfit("check", "--prometheus", store.url)

    assert told.code == 1, told.err
    assert "one read in a hundred passes 4768 to 5722 tombstones for 3 live rows on 10.0.0.1" in told.out
    assert "gc_grace_s: not configured. a metrics store holds no settings" in told.out
