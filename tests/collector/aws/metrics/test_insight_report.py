"""The parser of Contributor Insights reports: what it takes, what it leaves out, and that it never says a key."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

from collector.aws.metrics.insight_report import KEPT_KEYS, Kind, Rule, read, rules_of
from collector.aws.wire.failures import GarbledError
from stillfit.model import Series, Span
from stillfit.redaction import Redaction
from stillfit.standins.aws.insight_rules import rule_name
from tests.collector.aws.kit import NOON, ORDERS

WINDOW = Span(NOON - 600, NOON)
REDACTION = Redaction(lambda: b"the secret of these tests")
SECRET = "4111-1111-1111-1111"


def rule(kind: Kind = Kind.PARTITION_KEY_UNITS) -> Rule:
    return Rule(subject=ORDERS, name=rule_name(kind, "orders"), kind=kind)


def row(back: int, value: float, **more: Any) -> dict[str, Any]:
    return {"Timestamp": NOON - 60 * back, "MaxContributorValue": value, "Maximum": value, **more}


def contributor(*keys: str, minutes: dict[int, float]) -> dict[str, Any]:
    points = [{"Timestamp": NOON - 60 * back, "ApproximateValue": value} for back, value in minutes.items()]
    return {"Keys": list(keys), "ApproximateAggregateValue": 1e9, "Datapoints": points}


def answer(*rows: dict[str, Any], contributors: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"KeyLabels": ["PartitionKey"], "MetricDatapoints": list(rows), "Contributors": list(contributors)}


def hottest(told: dict[str, Any]) -> Series:
    return read(told, rule(), WINDOW, REDACTION).series[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DynamoDBContributorInsights-PKC-orders-1576629651520", "PKC"),
        ("DynamoDBContributorInsights-SKT-my-PKC-table-by-day-1576629651520", "SKT"),
        ("DynamoDBContributorInsights-XYZ-orders-1576629651520", None),
        ("Mine-DynamoDBContributorInsights-PKC-orders-1", None),
    ],
)
def test_the_kind_of_a_rule_is_in_its_name(name: str, kind: str | None) -> None:
    assert [one.kind.value for one in rules_of(ORDERS, [name])] == ([kind] if kind else [])


def test_a_row_without_the_largest_contributor_is_told_by_its_maximum() -> None:
    only = {"Timestamp": NOON - 60, "Maximum": 7.0}

    assert hottest(answer(row(2, 9.0, Maximum=5.0), only)).values.tolist() == [9.0, 7.0]


@pytest.mark.parametrize("stamp", [NOON - 60, float(NOON - 60)], ids=["a whole number", "a float"])
def test_times_come_as_the_protocol_writes_them(stamp: float) -> None:
    assert hottest(answer({**row(1, 3.0), "Timestamp": stamp})).times.tolist() == [NOON - 60]


@pytest.mark.parametrize(
    "untrue",
    [
        row(1, float("nan")),
        row(1, float("inf")),
        row(1, -1.0),
        {**row(1, 5.0), "Timestamp": NOON - 59},
        row(0, 5.0),
        row(11, 5.0),
    ],
    ids=["not a number", "infinite", "negative", "between two minutes", "after the window", "before the window"],
)
def test_points_that_cannot_be_true_are_dropped_and_counted(untrue: dict[str, Any]) -> None:
    got = read(answer(row(2, 9.0), untrue), rule(), WINDOW, REDACTION)

    assert (got.series[0].values.tolist(), got.dropped) == ([9.0], 1)


def test_a_minute_that_comes_twice_counts_once_with_its_larger_value() -> None:
    assert hottest(answer(row(1, 5.0), row(1, 8.0), row(1, 6.0))).values.tolist() == [8.0]


def test_the_hottest_few_are_kept_by_their_worst_minute_and_not_by_their_sum() -> None:
    steady = contributor("steady", minutes=dict.fromkeys(range(1, 9), 50.0))
    others = tuple(contributor(f"k{n}", minutes={1: 100.0 + n}) for n in range(KEPT_KEYS))
    each = read(answer(contributors=(steady, *others)), rule(), WINDOW, REDACTION).series[1:]

    tags = [REDACTION.partition_key(f"k{n}") for n in reversed(range(KEPT_KEYS))]
    assert [one.dimension for one in each] == tags


def test_two_keys_that_share_a_tag_are_told_as_the_hotter() -> None:
    class Same(Redaction):
        def partition_key(self, value: str) -> str:
            return "key#000000"

    cool, warm = contributor("a", minutes={1: 5.0}), contributor("b", minutes={1: 9.0})
    _, one = read(answer(contributors=(cool, warm)), rule(), WINDOW, Same(REDACTION.secret)).series

    assert (one.dimension, one.values.tolist()) == ("key#000000", [9.0])


def test_of_no_other_number_anything_is_made() -> None:
    """AggregateValue, ApproximateUniqueCount and five of seven statistics mean nothing for DynamoDB's rules."""
    noise = {"AggregateValue": 1e12, "ApproximateUniqueCount": 10**9, "AggregationStatistic": "Sum"}
    plain = answer(row(1, 9.0), contributors=(contributor("a", minutes={1: 9.0}),))
    loud = {**answer(row(1, 9.0, Sum=1e12, UniqueContributors=1e9, Average=1e12)), **noise}

    assert read({**plain, **noise}, rule(), WINDOW, REDACTION).series == read(plain, rule(), WINDOW, REDACTION).series
    assert hottest(loud) == hottest(plain)


BROKEN: dict[str, Any] = {
    "rows are no list": {"MetricDatapoints": SECRET},
    "a row is a text": answer(SECRET),  # type: ignore[arg-type]
    "a time is no time": answer({**row(1, 1.0), "Timestamp": SECRET}),
    "a time beyond all times": answer({**row(1, 1.0), "Timestamp": 1e30}),
    "a value is a text": answer({**row(1, 1.0), "MaxContributorValue": SECRET}),
    "no statistic": answer({"Timestamp": NOON - 60}),
    "no keys": answer(contributors=({"Datapoints": [], SECRET: 1},)),
    "two keys where there is one": answer(contributors=(contributor(SECRET, SECRET, minutes={}),)),
    "no points": answer(contributors=({"Keys": [SECRET]},)),
    "a contributor is a text": answer(contributors=(SECRET,)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("told", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_refused_without_a_word_of_it(
    told: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(GarbledError) as refused:
        read(told, rule(), WINDOW, REDACTION)

    whole = "".join(traceback.format_exception(refused.value)) + repr(refused.value.__context__) + caplog.text
    assert SECRET not in whole
    assert refused.value.__context__ is None
