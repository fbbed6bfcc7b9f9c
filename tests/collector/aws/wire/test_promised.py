"""What counts as an answer of the promised shape, by botocore's own models."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape

from collector.aws.wire.promised import unlike

SESSION = botocore.session.Session()


def promised(service: str, operation: str) -> Shape:
    shape = SESSION.get_service_model(service).operation_model(operation).output_shape
    assert shape is not None
    return shape


SHAPES = {
    name: promised(service, operation)
    for name, service, operation in (
        ("tables", "dynamodb", "ListTables"),
        ("table", "dynamodb", "DescribeTable"),
        ("metrics", "cloudwatch", "ListMetrics"),
        ("report", "cloudwatch", "GetInsightRuleReport"),
        ("hourly", "ce", "GetCostAndUsage"),
        ("keys", "dynamodb", "GetItem"),
    )
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("tables", {"TableNames": ["orders"], "ResponseMetadata": {"HTTPStatusCode": 200}, "Newer": 7}),
        ("tables", {"TableNames": [], "LastEvaluatedTableName": None}),
        ("table", {"Table": {"ItemCount": 7, "TableSizeBytes": 7.0, "CreationDateTime": 1.5e9}}),
        ("table", {"Table": {"CreationDateTime": "2026-11-02T12:00:00Z", "DeletionProtectionEnabled": True}}),
        ("table", {"Table": {"CreationDateTime": datetime(2026, 11, 2, tzinfo=UTC), "TableStatus": "A NEW ONE"}}),
        ("report", {"AggregateValue": 7, "Contributors": [{"Keys": ["a"], "Datapoints": []}]}),
        ("report", {"AggregateValue": "NaN"}),
        ("hourly", {"ResultsByTime": [{"Total": {"UnblendedCost": {"Amount": "1"}}}]}),
        ("keys", {"Item": {"day": {"B": b"bytes"}}}),
    ],
)
def test_an_answer_as_promised_is_taken(name: str, answer: dict[str, Any]) -> None:
    assert unlike(answer, SHAPES[name]) == ""


@pytest.mark.parametrize(
    ("name", "answer", "where"),
    [
        ("tables", ["orders"], " is no structure"),
        ("tables", {"TableNames": "orders"}, ".TableNames is no list"),
        ("tables", {"TableNames": {"orders": 1}}, ".TableNames is no list"),
        ("tables", {"TableNames": ["orders", None]}, ".TableNames[] is no string"),
        ("tables", {"TableNames": [], "LastEvaluatedTableName": ["orders"]}, ".LastEvaluatedTableName is no string"),
        ("metrics", {"Metrics": [{"MetricName": ["ReadThrottleEvents"]}]}, ".Metrics[].MetricName is no string"),
        (
            "metrics",
            {"Metrics": [{"Dimensions": [{"Name": "TableName", "Value": 7}]}]},
            ".Metrics[].Dimensions[].Value",
        ),
        ("metrics", {"Metrics": [None]}, ".Metrics[] is no structure"),
        ("table", {"Table": {"ItemCount": True}}, ".Table.ItemCount is no long"),
        ("table", {"Table": {"ItemCount": 7.5}}, ".Table.ItemCount is no long"),
        ("table", {"Table": {"ItemCount": -1e300}}, ".Table.ItemCount is no long"),
        ("table", {"Table": {"ItemCount": "7"}}, ".Table.ItemCount is no long"),
        ("table", {"Table": {"DeletionProtectionEnabled": "no"}}, ".Table.DeletionProtectionEnabled is no boolean"),
        ("table", {"Table": {"CreationDateTime": True}}, ".Table.CreationDateTime is no timestamp"),
        ("report", {"AggregateValue": "secret"}, ".AggregateValue is no double"),
        ("hourly", {"ResultsByTime": [{"Total": []}]}, ".ResultsByTime[].Total is no map"),
        ("hourly", {"ResultsByTime": [{"Total": {7: {}}}]}, ".ResultsByTime[].Total has a key that is no string"),
        ("hourly", {"ResultsByTime": [{"Total": {"UnblendedCost": 7}}]}, ".ResultsByTime[].Total[] is no structure"),
    ],
)
def test_an_answer_of_another_shape_is_told_by_its_place_and_not_by_what_it_holds(
    name: str, answer: Any, where: str
) -> None:
    assert unlike(answer, SHAPES[name]).startswith(where)
