"""The catalogue of metrics against the canonical vocabulary and the vendor's names."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.aws.metrics.queries import (
    ALL,
    CAUSES,
    LATENCY,
    PROVISIONED,
    THROTTLES,
    Ask,
    Questions,
    Spec,
    standing,
    written,
)
from stillfit.metrics import METRICS
from stillfit.metrics_dynamodb import FEATURES
from stillfit.model import Engine, Level
from tests.collector.aws.kit import BY_STATUS, ORDERS


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_metric_brings_canonical_ones_with_a_known_statistic(spec: Spec) -> None:
    for metric, statistic, _ in spec.brings:
        assert statistic in METRICS[metric].statistics
        assert METRICS[metric].engine is Engine.DYNAMODB


def test_every_canonical_metric_of_features_and_the_account_is_brought() -> None:
    brought = {metric for spec in ALL for metric, _, _ in spec.brings}
    described = {f"{kind}_index_{what}" for kind in ("local", "vector") for what in ("bytes", "items")}

    assert brought | described == brought | {metric.name for metric in FEATURES}
    assert not brought & described  # of those DescribeTable tells (table_history.py)


def test_each_brings_every_statistic_of_its_metrics() -> None:
    brought = {(metric, statistic) for spec in ALL for metric, statistic, _ in spec.brings}

    assert {(name, one) for name, _ in brought for one in METRICS[name].statistics} == brought


def test_no_metric_has_more_statistics_than_are_billed_as_one() -> None:
    assert max(len(spec.brings) for spec in ALL) == 5


def test_the_causes_carry_the_vendors_names() -> None:
    assert [spec.name for spec in CAUSES["write"]] == [
        "WriteProvisionedThroughputThrottleEvents",
        "WriteKeyRangeThroughputThrottleEvents",
        "WriteMaxOnDemandThroughputThrottleEvents",
        "WriteAccountLimitThrottleEvents",
    ]


def as_sent(ask: Ask, period_s: int) -> list[dict[str, Any]]:
    ids = [f"q{place}" for place in range(len(ask.slots))]
    queries: list[dict[str, Any]] = orjson.loads(written((ask,), ids, period_s))
    assert [query["Id"] for query in queries] == ids
    return queries


def test_an_index_is_asked_with_both_dimensions() -> None:
    (query,) = as_sent(Questions().ask(BY_STATUS, THROTTLES["read"]), 60)

    assert query["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "TableName", "Value": "orders"},
        {"Name": "GlobalSecondaryIndexName", "Value": "by-status"},
    ]


def test_an_operation_is_asked_with_its_dimension_and_five_statistics() -> None:
    queries = as_sent(Questions().ask(ORDERS, LATENCY, "Query"), 300)

    assert {query["MetricStat"]["Metric"]["Dimensions"][-1]["Value"] for query in queries} == {"Query"}
    assert [query["MetricStat"]["Stat"] for query in queries] == ["SampleCount", "Average", "p50", "p99", "Maximum"]


def test_what_is_not_provisioned_is_not_asked_for_its_provision() -> None:
    asked = {ask.spec for ask in standing(Questions(), ORDERS, provisioned=False)}

    assert not asked & set(PROVISIONED)


def test_metrics_of_tables_are_not_asked_of_indexes() -> None:
    brought = {slot.metric for ask in standing(Questions(), BY_STATUS, provisioned=True) for slot in ask.slots}

    assert all(Level.INDEX in METRICS[metric].levels for metric in brought)


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_any_name_is_written_so_that_it_can_be_read(table: str, index: str, operation: str) -> None:
    subject = replace(ORDERS, table=table, index=index)

    queries = as_sent(Questions().ask(subject, LATENCY, operation), 60)

    expected = {"TableName": table, "GlobalSecondaryIndexName": index, "Operation": operation}
    for query in queries:
        named = query["MetricStat"]["Metric"]["Dimensions"]
        assert {one["Name"]: one["Value"] for one in named} == expected
