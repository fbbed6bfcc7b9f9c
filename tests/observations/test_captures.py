"""What the AWS command line printed is judged as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillfit.errors import ConfigError
from stillfit.model import Engine, Level, Span, Subject
from stillfit.observations import Observations, load_all

NOON = datetime(2026, 8, 24, 12, tzinfo=UTC)
END = int(NOON.timestamp())
TABLE = {
    "Table": {
        "TableName": "orders",
        "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
        "TableStatus": "ACTIVE",
        "CreationDateTime": "2024-01-01T00:00:00+00:00",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5, "NumberOfDecreasesToday": 0},
        "TableSizeBytes": 1000,
        "ItemCount": 10,
    }
}
REQUEST = {
    "StartTime": "2026-08-24T11:00:00Z",
    "EndTime": "2026-08-24T12:00:00Z",
    "MetricDataQueries": [
        {
            "Id": "throttles",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/DynamoDB",
                    "MetricName": "ReadThrottleEvents",
                    "Dimensions": [{"Name": "TableName", "Value": "orders"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
    ],
}
ANSWER = {
    "MetricDataResults": [
        {
            "Id": "throttles",
            "Label": "ReadThrottleEvents",
            "Timestamps": ["2026-08-24T11:30:00+00:00"],
            "Values": [42.0],
            "StatusCode": "Complete",
        }
    ],
    "Messages": [],
}
ORDERS = Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"), table="orders")


def moments(folder: Path, **files: object) -> tuple[Observations, ...]:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=4), encoding="utf-8")
    return load_all([folder])


def test_a_table_and_its_metrics_are_one_moment(tmp_path: Path) -> None:
    (moment,) = moments(tmp_path, table=TABLE, request=REQUEST, answer=ANSWER)

    assert (moment.at, moment.span) == (NOON, Span(END - 3600, END))
    assert [(one.subject, one.metric, one.values.tolist()) for one in moment.batch.series] == [
        (ORDERS, "read_throttle_events", [42.0])
    ]
    assert [one.tables for one in moment.workloads] == [(ORDERS,)]


def test_the_request_vouches_for_the_time_without_points(tmp_path: Path) -> None:
    (moment,) = moments(tmp_path, table=TABLE, request=REQUEST, answer=ANSWER)

    assert moment.batch.series[0].covered == (Span(END - 3600, END),)


def test_a_table_alone_is_as_old_as_its_file(tmp_path: Path) -> None:
    (moment,) = moments(tmp_path, table=TABLE)

    written = int((tmp_path / "table.json").stat().st_mtime)
    assert int(moment.at.timestamp()) == written
    assert {one.level for one in moment.batch.subjects_seen} == {Level.TABLE}


def test_metrics_alone_are_of_an_unknown_account(tmp_path: Path) -> None:
    (moment,) = moments(tmp_path, request=REQUEST, answer=ANSWER)

    assert moment.batch.series[0].subject.scope == ("unknown", "unknown")


def test_an_answer_without_its_request_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no request among the files asked for its ids"):
        moments(tmp_path, answer=ANSWER)


def test_two_requests_for_the_same_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="several requests among the files"):
        moments(tmp_path, one=REQUEST, two=REQUEST, answer=ANSWER)


def test_metrics_of_tables_in_two_regions_cannot_be_told_apart(tmp_path: Path) -> None:
    elsewhere = {"Table": {**TABLE["Table"], "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders"}}

    with pytest.raises(ConfigError, match="several accounts or regions"):
        moments(tmp_path, table=TABLE, other=elsewhere, request=REQUEST, answer=ANSWER)


def test_an_observation_file_that_speaks_of_tables_is_not_taken_for_a_capture(tmp_path: Path) -> None:
    said = {"at": "2026-08-24T12:00:00Z", "about": '"Table"', "subjects": [{"subject": str(ORDERS)}]}
    (moment,) = moments(tmp_path, said=said)

    assert moment.at == NOON


def test_a_request_alone_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give its answer as well"):
        moments(tmp_path, request=REQUEST)
