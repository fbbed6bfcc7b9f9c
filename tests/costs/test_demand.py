from __future__ import annotations

import numpy as np
import pytest

from stillfit.costs.demand import Direction, per_second, right_size, units_per_request
from stillfit.costs.estimate import Estimate
from stillfit.model import Span, Statistic
from tests.builders import NOON_S, ORDERS, case, series

HOUR_S = 3600


def sized(values: list[float], period: int = HOUR_S) -> Estimate:
    return right_size(np.array(values), period)


def test_a_steady_100_units_need_143_and_never_14_286() -> None:
    assert sized([100.0] * 24) == Estimate(143.0, 143.0, 286.0)


def test_minutes_hide_no_peak_so_utilisation_rests_at_half_at_worst() -> None:
    assert sized([100.0] * 60, 60) == Estimate(143.0, 143.0, 200.0)


def test_an_idle_table_still_holds_one_unit() -> None:
    assert sized([0.0] * 24) == Estimate(1.0, 1.0, 2.0)


def test_a_peak_is_held_for_the_hour_after_it() -> None:
    low, mid, high = sized([70.0] * 10 + [700.0] + [70.0] * 13)

    assert low == (23 * 100 + 1000) / 24
    assert mid == (22 * 100 + 2 * 1000) / 24
    assert high == 1000.0


@pytest.mark.parametrize(("period", "held"), [(60, 21), (300, 5), (1200, 2), (3600, 2)])
def test_scale_in_comes_20_minutes_after_the_peak(period: int, held: int) -> None:
    mid = sized([70.0] * 50 + [700.0] + [70.0] * 49, period).mid

    assert mid == (held * 1000 + (100 - held) * 100) / 100


def test_hours_that_are_not_known_are_left_out() -> None:
    assert sized([100.0, float("nan"), 100.0]) == sized([100.0, 100.0])


def test_nothing_known_needs_the_least_there_is() -> None:
    assert sized([float("nan")]) == Estimate(1.0, 1.0, 1.0)


def test_a_request_is_as_large_as_the_served_ones_were() -> None:
    counted = case(consumed_write_units=600.0, consumed_write_units__count=200.0)

    assert units_per_request(counted, Direction.WRITE) == pytest.approx(3.0)


def test_a_request_is_sized_by_the_time_in_which_both_were_counted() -> None:
    last_minutes = (Span(NOON_S - 300, NOON_S),)
    counted = series("consumed_write_units", [5] * 5, statistic=Statistic.COUNT, covered=last_minutes)

    assert units_per_request(case(consumed_write_units=600.0, extra=[counted]), Direction.WRITE) == pytest.approx(2.0)


def test_a_request_is_one_unit_where_nobody_counted() -> None:
    assert units_per_request(case(extra=[series("consumed_write_units", 600.0, of=ORDERS)]), Direction.WRITE) == 1.0


def test_parts_of_different_periods_are_one_rate() -> None:
    fine = series("successful_requests", 3_600, dimension="GetItem")
    coarse = series("successful_requests", 7_200, dimension="PutItem", period_s=300)

    assert per_second(case(extra=[fine, coarse]), "successful_requests").tolist() == pytest.approx([3.0] * 12)
