"""Prometheus itself: it scrapes what is served and promtool refuses what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.servers.fixtures import MakePrometheus
from tests.servers.prometheus import Sample, promtool, scrape_configuration


@pytest.fixture
def target() -> Iterator[str]:
    registry = CollectorRegistry()
    Gauge("open_advice", "Advice that waits for somebody.", ["table"], registry=registry).labels("orders").set(3)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_scraped_page_can_be_queried(make_prometheus: MakePrometheus, target: str) -> None:
    prometheus = make_prometheus(target, job="demo")

    assert prometheus.wait_for("sum by (table, job) (open_advice) > 2") == [
        Sample(labels={"table": "orders", "job": "demo"}, value=3.0)
    ]


def test_a_rule_file_is_evaluated(make_prometheus: MakePrometheus, target: str, tmp_path: Path) -> None:
    rule = {"record": "advice:open:sum", "expr": "sum(open_advice)"}
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "stillfit", "rules": [rule]}]}))

    assert make_prometheus(target, rule_files=[rules]).wait_for("sum(advice:open:sum)") == [
        Sample(labels={}, value=3.0)
    ]


@pytest.mark.server("prometheus")
def test_promtool_accepts_our_scrape_configuration(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(scrape_configuration(["127.0.0.1:9115"])))

    assert "SUCCESS" in promtool("check", "config", path).stdout


@pytest.mark.server("prometheus")
def test_promtool_refuses_a_metric_without_help() -> None:
    answer = promtool("check", "metrics", text="open_advice 3\n")

    assert answer.returncode != 0
    assert "open_advice" in answer.stdout + answer.stderr
