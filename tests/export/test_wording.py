from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stillfit.export.labels import LONGEST, clean
from stillfit.export.sparkline import sparkline
from stillfit.export.trends import Trend
from stillfit.export.wording import ago, band, dollars, length, moment, number, of_it, plural, value_of
from stillfit.model import Money
from tests.builders import NOON, ORDERS
from tests.export.fleet import LOOK, evidence


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0, "events", "0 events"),
        (0.0312, "", "0.031"),
        (12.44, "WCU/s", "12.4 WCU/s"),
        (12.0, "", "12"),
        (1_234_567, "", "1,234,567"),
        (0.315, "ratio", "31.5%"),
        (1_536, "bytes", "1.5 KiB"),
        (5 * 1024**4, "bytes", "5 TiB"),
        (3_000 * 1024**5, "bytes", "3,000 PiB"),
        (410.4, "USD", "$410.40"),
    ],
)
def test_numbers_are_told_with_about_three_digits(value: float, unit: str, told: str) -> None:
    assert number(value, unit) == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0, "$0.00"), (0.0042, "$0.0042"), (0.01, "$0.01"), (999.99, "$999.99"), (1_000, "$1,000"), (-12.4, "−$12.40")],
)
def test_cents_are_told_where_they_are_worth_reading(amount: float, told: str) -> None:
    assert dollars(amount) == told


def test_a_figure_without_spread_has_no_band() -> None:
    money = Money(low=10.001, mid=10, high=10.002, price_date=NOON, arithmetic="")

    assert band(money) == ""
    assert band(replace(money, high=11)) == "$10.00 to $11.00"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "120 min"), (7_200, "2 h"), (172_799, "48 h"), (172_800, "2 d")],
)
def test_a_length_is_told_in_one_unit(seconds: float, told: str) -> None:
    assert length(seconds) == told


def test_a_moment_has_its_day_where_it_is_not_todays() -> None:
    assert moment(NOON - timedelta(hours=3), NOON) == "09:00"
    assert moment(datetime(2026, 10, 31, 9, tzinfo=UTC), NOON) == "2026-10-31 09:00"


def test_the_last_seconds_are_just_now() -> None:
    assert ago(NOON - timedelta(seconds=4), NOON) == "just now"
    assert ago(NOON - timedelta(seconds=5), NOON) == "5 s ago"


def test_evidence_is_told_with_its_interval_and_its_unit_once() -> None:
    assert (
        value_of(evidence("tombstones", 5_722, "tombstones", low=4_768, high=5_722))
        == "5,722 tombstones (4,768 to 5,722)"
    )
    assert value_of(evidence("saved", 410.4, "USD", low=380, high=452)) == "$410.40 ($380.00 to $452.00)"
    assert value_of(evidence("events", 7, "events")) == "7 events"


def test_evidence_without_a_number_is_its_text_or_not_known() -> None:
    bare = replace(evidence("partition_key", 0), low=None, mid=None, high=None)

    assert value_of(replace(bare, text="customer_id")) == "customer_id"
    assert value_of(bare) == "not known"


def test_counts_have_their_plural() -> None:
    assert [plural(0, "table"), plural(1, "table"), plural(2_000, "table")] == ["0 tables", "1 table", "2,000 tables"]


@pytest.mark.parametrize("length_", [LONGEST, LONGEST + 1], ids=["at", "above"])
def test_a_label_is_cut_beyond_its_longest(length_: int) -> None:
    assert len(clean("x" * length_)) == LONGEST


def test_emoji_and_letters_of_any_script_stay_as_they_are() -> None:
    assert clean("заказы 注文 🧨") == "заказы 注文 🧨"


def test_a_line_breaks_where_time_is_not_known() -> None:
    drawn = sparkline(Trend(ORDERS, "reads", LOOK, (1.0, 2.0, None, None, 3.0, 4.0)))

    assert drawn.count('class="line"') == 2
    assert drawn.count('class="dot"') == 1


def test_a_line_of_zeros_lies_on_the_ground() -> None:
    drawn = sparkline(Trend(ORDERS, "reads", LOOK, (0.0, 0.0, 0.0)))

    assert "nan" not in drawn
    assert "25.5" in drawn


def test_nothing_known_draws_nothing_and_does_not_fail() -> None:
    assert 'class="dot"' not in sparkline(Trend(ORDERS, "reads", LOOK, (None, None)))


@pytest.mark.parametrize(
    ("reason", "name", "told"),
    [
        ("orders: how it is paid is not known", "orders", "how it is paid is not known"),
        ('dynamodb:DescribeTable for table "orders" failed', "orders", "dynamodb:DescribeTable for it failed"),
        ("not: the size is not known: nothing read it", "not", "the size is not known: nothing read it"),
        ("the size is not known", "the", "the size is not known"),
        ("the size is not known", "", "the size is not known"),
    ],
)
def test_a_reason_is_shared_without_the_name_and_never_turned_by_it(reason: str, name: str, told: str) -> None:
    assert of_it(reason, name) == told
