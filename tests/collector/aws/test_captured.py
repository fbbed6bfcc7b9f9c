"""Files of the AWS command line: read as they are, or refused with a line for each mistake."""

import re
from typing import Any

import pytest

from collector.aws.captured import Capture, is_answer, is_request, is_table, metrics_batch, request_window, table_batch
from stillfit.clock import FakeClock
from stillfit.errors import ConfigError
from stillfit.model import GapReason, Span, Statistic
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, SCOPE, provisioned

AT = FakeClock().now()
ARN = f"arn:aws:dynamodb:{SCOPE[1]}:{SCOPE[0]}:table/orders"


def query(id_: str = "m1", name: str = "ReadThrottleEvents", stat: str = "Sum", **dims: str) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in ({"TableName": "orders"} | dims).items()]
    metric = {"Namespace": "AWS/DynamoDB", "MetricName": name, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}


def request(*queries: Any, start: Any = "2026-11-02T11:00:00Z", end: Any = NOON) -> Capture:
    return Capture("request.json", {"MetricDataQueries": list(queries), "StartTime": start, "EndTime": end})


def answer(*results: dict[str, Any]) -> Capture:
    return Capture("answer.json", {"MetricDataResults": list(results), "Messages": []})


def result(id_: str = "m1", status: str = "Complete") -> dict[str, Any]:
    times = ["2026-11-02T11:59:00+00:00", "2026-11-02T11:58:00+00:00"]
    return {"Id": id_, "Label": "x", "Timestamps": times, "Values": [2.0, 1.0], "StatusCode": status}


def test_a_table_is_read_with_its_indexes() -> None:
    table = provisioned(TableArn=ARN, TableStatus="ACTIVE", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}])
    batch = table_batch(Capture("orders.json", {"Table": table}), AT)

    assert batch.subjects_seen == (ORDERS, BY_STATUS)
    assert batch.attributes[0].get("partition_key") == "pk"


def test_a_file_that_is_no_table_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"orders\.json: Table: KeyError"):
        table_batch(Capture("orders.json", {"Table": {"TableName": "orders"}}), AT)


def test_an_answer_with_its_request_is_series() -> None:
    counted = query("m2", "ConsumedReadCapacityUnits", "SampleCount", GlobalSecondaryIndexName="by-status")
    asked = request(query(), counted)
    throttles, reads = metrics_batch(asked, answer(result(), result("m2")), SCOPE, AT).series

    assert (throttles.subject, throttles.values.tolist()) == (ORDERS, [1.0, 2.0])
    assert throttles.covered == (Span(NOON - 3_600, NOON),)
    assert (reads.subject, reads.metric, reads.statistic) == (BY_STATUS, "consumed_read_units", Statistic.COUNT)


def test_what_is_not_complete_is_a_gap() -> None:
    batch = metrics_batch(request(query()), answer(result(status="PartialData")), SCOPE, AT)

    assert (batch.series, [gap.reason for gap in batch.gaps]) == ((), [GapReason.PARTIAL])


def test_an_operation_is_the_dimension_of_its_series() -> None:
    asked = request(query("m1", "SuccessfulRequestLatency", "p99", Operation="Query"))
    (series,) = metrics_batch(asked, answer(result()), SCOPE, AT).series

    assert (series.metric, series.statistic, series.dimension) == ("request_latency_ms", Statistic.P99, "Query")


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"Id": "e1", "Expression": "m1 * 2"}, "only MetricStat queries can be read"),
        (query(name="ConsumedReadCapacityUnit"), "did you mean ConsumedReadCapacityUnits?"),
        (query(stat="Average"), "statistic 'Average' of ReadThrottleEvents is not read: Sum"),
        (query(VectorIndexName="v"), "TableName is needed, with index or operation at most"),
        ({"Id": "m1"}, "only MetricStat queries"),
        ({"Id": "m1", "MetricStat": {}}, "this is no query of a metric"),
        (query("m0", name="WriteThrottleEvents"), "Id 'm0' stands there twice: give each query one of its own"),
    ],
)
def test_a_query_that_cannot_be_read_is_named_with_its_place(wrong: Any, line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("request.json: MetricDataQueries[1]: ")) as refused:
        metrics_batch(request(query("m0"), wrong), answer(), SCOPE, AT)
    assert line in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        metrics_batch(request(query(name="X"), query(stat="p50"), start=None), answer(), SCOPE, AT)
    assert len(refused.value.mistakes) == 3


@pytest.mark.parametrize(("start", "end"), [("soon", NOON), (NOON, NOON), (None, NOON)])
def test_a_request_must_say_its_window(start: Any, end: Any) -> None:
    with pytest.raises(ConfigError, match=r"StartTime|EndTime"):
        metrics_batch(request(query(), start=start, end=end), answer(result()), SCOPE, AT)


def test_the_window_of_a_request_is_told() -> None:
    assert request_window(request(query())) == Span(NOON - 3_600, NOON)


def test_periods_that_do_not_keep_to_the_clock_are_refused() -> None:
    odd = query()
    odd["MetricStat"]["Period"] = 300
    with pytest.raises(ConfigError, match="StartTime must be a multiple of it"):
        metrics_batch(request(odd, start=NOON - 1_860), answer(result()), SCOPE, AT)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"answer\.json: MetricDataResults"):
        metrics_batch(request(query()), answer({"Id": "m1"}), SCOPE, AT)


def test_files_are_told_apart() -> None:
    files: list[Any] = [{"Table": {}}, request(query()).content, answer().content, [], {"x": 1}]

    assert [(is_table(f), is_request(f), is_answer(f)) for f in files] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
        (False, False, False),
    ]


@pytest.mark.parametrize(
    ("name", "dims", "metric", "part"),
    [
        ("ConsumedWriteCapacityUnits", {}, "consumed_write_units", ""),
        ("ConsumedWriteCapacityUnits", {"Source": "GlobalTable"}, "write_units_by_source", "GlobalTable"),
        ("ReturnedBytes", {"Operation": "GetRecords", "StreamLabel": "2026"}, "stream_bytes", "2026"),
    ],
)
def test_dimensions_tell_metrics_of_one_name_apart(name: str, dims: dict[str, str], metric: str, part: str) -> None:
    (got,) = metrics_batch(request(query(name=name, **dims)), answer(result()), SCOPE, AT).series

    assert (got.metric, got.dimension) == (metric, part)


def test_what_is_of_the_account_names_no_table() -> None:
    one = query(name="UserErrors")
    with pytest.raises(ConfigError, match="UserErrors is of the account and region, it has none"):
        metrics_batch(request(one), answer(result()), SCOPE, AT)

    one["MetricStat"]["Metric"]["Dimensions"] = []
    (got,) = metrics_batch(request(one), answer(result()), SCOPE, AT).series
    assert (got.metric, got.subject.table) == ("user_errors", "")
