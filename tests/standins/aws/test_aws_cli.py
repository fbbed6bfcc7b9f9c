"""A second client that is not ours: the AWS CLI, with its own botocore, against the sample world."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillfit.standins.aws import AwsStandIn
from stillfit.standins.aws.sample import REGION, sample_world
from tests.standins.aws.kit import HOUR, NOW, query

pytestmark = pytest.mark.server("aws-cli")


@pytest.fixture(scope="module")
def sample() -> Iterator[AwsStandIn]:
    with AwsStandIn(sample_world(lambda: NOW)) as stand_in:
        yield stand_in


def run(sample: AwsStandIn, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    keys = {"AWS_ACCESS_KEY_ID": "AKIDCLI", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}
    quiet = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1"}
    command = ["aws", "--endpoint-url", sample.url, "--output", "json", *arguments]
    return subprocess.run(command, env=kept | keys | quiet, capture_output=True, text=True, timeout=300, check=False)


def told(sample: AwsStandIn, *arguments: str) -> Any:
    done = run(sample, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_cli_reads_the_inventory(sample: AwsStandIn) -> None:
    tables = told(sample, "dynamodb", "list-tables", "--page-size", "2")["TableNames"]
    described = told(sample, "dynamodb", "describe-table", "--table-name", "orders")["Table"]

    assert tables == ["audit-log", "orders", "sessions"]
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 90


def test_the_cli_pages_through_metric_data(sample: AwsStandIn, tmp_path: Path) -> None:
    asked = tmp_path / "queries.json"
    asked.write_text(json.dumps([query("orders"), query("sessions", id="b", stat="SampleCount")]))
    window = ["--start-time", str(NOW - HOUR), "--end-time", str(NOW), "--page-size", "50"]

    answer = told(sample, "cloudwatch", "get-metric-data", *window, "--metric-data-queries", f"file://{asked}")

    counted: dict[str, int] = {}
    for result in answer["MetricDataResults"]:
        counted[result["Id"]] = counted.get(result["Id"], 0) + len(result["Values"])
    assert counted == {"a": 60, "b": 60}


def test_the_cli_asks_the_other_services(sample: AwsStandIn) -> None:
    listed = told(sample, "cloudwatch", "list-metrics", "--namespace", "AWS/DynamoDB")["Metrics"]
    targets = told(sample, "application-autoscaling", "describe-scalable-targets", "--service-namespace", "dynamodb")

    assert len(listed) == 7  # the other two tables never throttle: no point, no metric
    assert targets["ScalableTargets"][0]["MaxCapacity"] == 200
    assert told(sample, "sts", "get-caller-identity")["Account"] == "123456789012"


def test_the_cli_shows_a_refusal(sample: AwsStandIn) -> None:
    done = run(sample, "dynamodb", "describe-table", "--table-name", "nowhere")

    assert done.returncode != 0
    assert "ResourceNotFoundException" in done.stderr
