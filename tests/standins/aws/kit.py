"""Builders for the stand-in's tests: a world's points, requests, and clients pinned to a protocol."""

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World

NOW = 1_763_719_200.0  # 2025-11-21 10:00:00 UTC, a full hour
HOUR = 3_600
DAY = 86_400
REGION = "eu-west-1"
READS = "ConsumedReadCapacityUnits"
SERVICES: dict[str, Callable[[Any], Any]] = {
    "cloudwatch": lambda client: client.list_metrics(),
    "dynamodb": lambda client: client.list_tables(),
    "application-autoscaling": lambda client: client.describe_scalable_targets(ServiceNamespace="dynamodb"),
    "sts": lambda client: client.get_caller_identity(),
}
"""A cheap call of each."""
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")


def reads_of(table: str, name: str = READS) -> Metric:
    return Metric.dynamodb(name, TableName=table)


def put(world: World, table: str, start: float, values: list[float], **options: Any) -> None:
    """Minute points of one table's reads."""
    world.put(DEFAULT_ACCOUNT, REGION, reads_of(table), Points.regular(start=int(start), sum=values, **options))


def query(table: str, **changes: Any) -> dict[str, Any]:
    """One query; id=, stat=, period=, name=, unit= change it, everything else is added to the query itself."""
    stat: dict[str, Any] = {
        "Metric": {
            "Namespace": "AWS/DynamoDB",
            "MetricName": changes.pop("name", READS),
            "Dimensions": [{"Name": "TableName", "Value": table}],
        },
        "Period": changes.pop("period", 60),
        "Stat": changes.pop("stat", "Sum"),
    }
    if "unit" in changes:
        stat["Unit"] = changes.pop("unit")
    return {"Id": changes.pop("id", "a"), "MetricStat": stat, **changes}


def ask(client: Any, *queries: dict[str, Any], start: float = NOW - HOUR, **options: Any) -> dict[str, Any]:
    """GetMetricData in ascending order; end= defaults to NOW."""
    window = {"StartTime": start, "EndTime": options.pop("end", NOW), "ScanBy": "TimestampAscending"}
    answer: dict[str, Any] = client.get_metric_data(**{"MetricDataQueries": list(queries), **window, **options})
    return answer


def points(result: dict[str, Any]) -> list[tuple[float, float]]:
    """(seconds since NOW, value) of one result."""
    return [(t.timestamp() - NOW, v) for t, v in zip(result["Timestamps"], result["Values"], strict=True)]


class _PinnedLoader(Loader):
    """botocore's loader, the service offered in one protocol only: what an older or foreign client would speak."""

    protocol = ""

    def load_service_model(self, *args: Any, **options: Any) -> Any:
        model = super().load_service_model(*args, **options)
        if "metadata" in model and self.protocol:
            model["metadata"] = {**model["metadata"], "protocols": [self.protocol], "protocol": self.protocol}
        return model


@cache
def _loader(protocol: str) -> _PinnedLoader:
    """One loader for a protocol: the models are parsed once."""
    loader = _PinnedLoader()
    loader.protocol = protocol
    return loader


def own_session(protocol: str) -> botocore.session.Session:
    """A session that the caller may change: no other client is made from it."""
    inner = botocore.session.Session()
    if protocol:
        inner.register_component("data_loader", _loader(protocol))
    return inner


@cache
def session(protocol: str) -> boto3.Session:
    """The session of every test's clients; nothing of it is ever changed."""
    return boto3.Session(botocore_session=own_session(protocol))


def client(
    url: str,
    service: str,
    *,
    region: str = REGION,
    access_key: str = "AKIDEXAMPLE",
    protocol: str = "",
    token: str = "",
    secret: str = "secret",
) -> Any:
    """A boto3 client that neither retries nor checks parameters by itself."""
    return session(protocol).client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        aws_session_token=token or None,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60, parameter_validation=False),
    )


def connected(aws: AwsStandIn, service: Any, config: Config) -> Any:
    """A boto3 client with settings of its own."""
    keys: dict[str, Any] = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    return session("").client(service, endpoint_url=aws.url, region_name=REGION, config=config, **keys)
