"""What an answer vouches for: windows, empty answers, holes, doubles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from collector.promql.decode import Decoded, decode
from collector.promql.names import Defaults, queries
from collector.promql.namesfile import packaged, read
from stillfit.model import Series, Span, Statistic
from stillfit.series import dense

T = 1_800_000_000
NODE = {"cluster": "prod", "dc": "dc1", "instance": "10.0.0.1:9103", "keyspace": "shop", "table": "jobs"}
TABLE = {"account_id": "1", "region": "eu-west-1", "dimension_TableName": "orders"}


def decoded(name: str, *series: tuple[dict[str, str], list[str]], own: str = "") -> Decoded:
    known = read(own, name="n", known=packaged()) if own else packaged()
    query = next(one for one in queries(known, [name]))
    answer: list[dict[str, Any]] = [
        {"metric": labels, "values": [[T + 60 * place, value] for place, value in enumerate(values) if value]}
        for labels, values in series
    ]
    return decode(query, answer, Defaults())


def only(found: Decoded) -> Series:
    (series,) = found.series
    return series


def test_a_five_minute_total_is_a_fifth_of_it_a_minute_and_as_old_as_its_window() -> None:
    series = only(decoded("aws_dynamodb_consumed_read_capacity_units_sum", (TABLE, ["300", "600"])))

    assert list(series.values) == [60.0, 120.0]
    assert list(series.times) == [T - 360, T - 300]
    assert series.covered == (Span(T - 360, T - 240),)


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("aws_dynamodb_read_throttle_events_sum", (Span(T - 360, T - 180),)),
        ("aws_dynamodb_consumed_read_capacity_units_sum", (Span(T - 360, T - 300), Span(T - 240, T - 180))),
    ],
    ids=["sparse: asked and nothing published", "else: not known"],
)
def test_nan_is_zero_only_for_what_is_published_when_it_happens(name: str, covered: tuple[Span, ...]) -> None:
    series = only(decoded(name, (TABLE, ["5", "NaN", "10"])))

    assert list(series.values) == [1.0, 2.0]
    assert series.covered == covered


def test_a_minute_without_a_sample_is_not_known() -> None:
    series = only(decoded("aws_dynamodb_read_throttle_events_sum", (TABLE, ["0", "", "0"])))
    row = dense(series, Span(T - 360, T - 180), absent_is_zero=True)

    assert list(np.isnan(row)) == [False, True, False]


@pytest.mark.parametrize("value", ["-1", "+Inf", "-Inf"])
def test_what_cannot_be_true_is_not_known(value: str) -> None:
    series = only(decoded("aws_dynamodb_read_throttle_events_sum", (TABLE, ["0", value])))

    assert series.covered == (Span(T - 360, T - 300),)


def test_two_scrapers_of_one_exporter_are_one_voice() -> None:
    first, second = TABLE | {"instance": "a"}, TABLE | {"instance": "b"}
    series = only(decoded("aws_dynamodb_read_throttle_events_sum", (first, ["5", "", "5"]), (second, ["5", "50", ""])))

    assert list(series.values) == [1.0, 10.0, 1.0]
    assert series.covered == (Span(T - 360, T - 180),)


def test_operations_are_told_apart() -> None:
    name = "aws_dynamodb_successful_request_latency_sample_count"
    found = decoded(name, *((TABLE | {"dimension_Operation": one}, ["5"]) for one in ("GetItem", "Query")))

    assert {one.dimension for one in found.series} == {"GetItem", "Query"}


def test_windows_with_holes_between_them_give_no_total() -> None:
    rare = "exporters:\n  - {name: yace, like: yace, window_s: 60}\n"

    total = decoded("aws_dynamodb_consumed_read_capacity_units_sum", (TABLE, ["5"]), own=rare)
    level = decoded("aws_dynamodb_consumed_read_capacity_units_maximum", (TABLE, ["5"]), own=rare)

    assert (total.series, len(total.spoken)) == ((), 1)
    assert [one.statistic for one in level.series] == [Statistic.MAXIMUM]


def test_a_series_of_nobody_known_is_left_alone() -> None:
    assert decoded("aws_dynamodb_read_throttle_events_sum", ({"bucket": "x"}, ["1"])).series == ()


def test_mcac_counts_are_per_minute_as_asked() -> None:
    assert list(only(decoded("mcac_table_read_latency_total", (NODE, ["119.5"]))).values) == [119.5]


@pytest.mark.parametrize("answer", [[{}], ["x"], [{"metric": TABLE}], [{"metric": TABLE, "values": [[1]]}]])
def test_another_shape_is_refused(answer: list[Any]) -> None:
    (query,) = queries(packaged(), ["aws_dynamodb_read_throttle_events_sum"])

    with pytest.raises((LookupError, TypeError, ValueError)):
        decode(query, answer, Defaults())
