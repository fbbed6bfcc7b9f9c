from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from stillfit.case import Case
from stillfit.costs import cost_of
from stillfit.costs.demand import right_size
from stillfit.costs.dynamodb import figures
from stillfit.costs.saving import amount, saving
from stillfit.model import Span, Statistic, Unknown
from tests.builders import BY_STATUS, ORDERS, gap, series
from tests.costs.kit import BOOK, HOURS, MONTH_S, ON_DEMAND, PROVISIONED, cents, hourly, in_region, table

PER_SECOND = 1e6 / MONTH_S
"""Units per second that make a million a month."""

# A widely shared article advises 100 WCU and 500 RCU for 10 million writes and 50 million reads a month and says that
# they cost 9.50 USD: wrong by ten.
ARTICLE: dict[str, Any] = {"consumed_write_units": 10 * PER_SECOND, "consumed_read_units": 50 * PER_SECOND}


def test_the_articles_load_costs_12_50_on_demand_now() -> None:
    priced = figures(table(**ARTICLE), BOOK)

    assert cents(priced, "current", "writes") == (6.25, 6.25, 6.25)
    assert cents(priced, "current", "reads") == (6.25, 6.25, 6.25)
    assert cents(priced, "current", "throughput") == (12.50, 12.50, 12.50)


def test_the_articles_load_cost_25_before_the_price_cut() -> None:
    then = datetime(2024, 10, 31, tzinfo=UTC)

    assert cents(figures(replace(table(**ARTICLE), at=then), BOOK), "current", "throughput")[1] == 25.00


def test_the_articles_capacity_costs_94_90_and_not_9_50() -> None:
    capacity: dict[str, Any] = {"provisioned_write_units": 100.0, "provisioned_read_units": 500.0}
    priced = figures(table(settings=PROVISIONED, **ARTICLE, **capacity), BOOK)

    assert cents(priced, "current", "writes") == (47.45, 47.45, 47.45)
    assert cents(priced, "current", "reads") == (47.45, 47.45, 47.45)
    assert cents(priced, "current", "throughput") == (94.90, 94.90, 94.90)
    assert cents(priced, "on-demand", "throughput") == (12.50, 12.50, 12.50)
    assert isinstance(priced, tuple)
    found = saving(priced, ORDERS, "on-demand")
    assert found is not None
    assert found.arithmetic == "94.90 now - 12.50 on-demand = 82.40 USD a month"


def test_the_articles_load_right_sized_is_6_wcu_and_28_rcu_where_it_is_flat() -> None:
    low, mid, high = cents(figures(table(**ARTICLE), BOOK), "provisioned", "throughput")

    assert low == mid == round(6 * 0.00065 * 730 + 28 * 0.00013 * 730, 2) == 5.50
    assert high == round(11 * 0.00065 * 730 + 55 * 0.00013 * 730, 2)


def test_every_figure_shows_its_arithmetic() -> None:
    priced = figures(table(consumed_write_units=10 * PER_SECOND, table_size_bytes=40 * 2**30, item_count=0), BOOK)

    assert isinstance(priced, tuple)
    words = {(one.option, one.component): one.money.arithmetic for one in priced}
    assert words["current", "writes"] == "10,000,000 WRU x 0.625 USD per million = 6.25 USD"
    assert words["provisioned", "writes"] == "6.00 WCU x 0.00065 USD/h x 730 h = 2.85 USD"
    assert words["current", "storage"] == "40.00 GB x 0.25 USD = 10.00 USD"
    assert words["current", "total"] == "orders reads 0.00 + orders writes 6.25 + orders storage 10.00 = 16.25 USD"


def test_an_index_is_part_of_its_table() -> None:
    index = table(BY_STATUS, settings={}, consumed_write_units=10 * PER_SECOND)
    priced = figures(table(related=[index], **ARTICLE), BOOK)

    assert cents(priced, "current", "writes", BY_STATUS) == (6.25, 6.25, 6.25)
    assert cents(priced, "current", "throughput") == (18.75, 18.75, 18.75)


def test_an_item_is_billed_with_100_bytes_on_top() -> None:
    priced = figures(table(table_size_bytes=2**30, item_count=2**30 / 100), BOOK)

    assert cents(priced, "current", "storage") == (0.50, 0.50, 0.50)


def with_local_indexes(*sizes: float) -> Case:
    """A table of 1 GiB with two local indexes, of which the first ones have these sizes in bytes and 2**20 items."""
    names = ("by-day", "by-price")
    bare = table(settings=ON_DEMAND | {"local_indexes": names}, table_size_bytes=2**30, item_count=0)
    levels = (("local_index_bytes", sizes), ("local_index_items", [2**20] * len(sizes)))
    extra = [
        series(metric, [size], of=ORDERS, period_s=3_600, window=bare.window, statistic=Statistic.LAST, dimension=name)
        for metric, row in levels
        for name, size in zip(names, row, strict=False)
    ]
    return replace(bare, series=(*bare.series, *extra))


def test_local_indexes_are_stored_and_billed_beside_their_table() -> None:
    priced = figures(with_local_indexes(2**30 - 100 * 2**20, 2**31 - 100 * 2**20), BOOK)

    assert cents(priced, "current", "storage") == (1.00, 1.00, 1.00)
    assert isinstance(priced, tuple)
    words = next(one.money.arithmetic for one in priced if one.component == "storage")
    assert words == "4.00 GB (3.00 GB of it in local indexes) x 0.25 USD = 1.00 USD"


def test_a_local_index_without_a_known_size_leaves_the_storage_unknown() -> None:
    priced = figures(with_local_indexes(2**30), BOOK)

    assert isinstance(priced, tuple)
    assert {one.component for one in priced} == {"reads", "writes", "throughput"}


def test_a_source_that_does_not_tell_of_local_indexes_is_named_as_an_assumption() -> None:
    untold, none, vector = (
        figures(table(settings=ON_DEMAND | more, table_size_bytes=2**30), BOOK)
        for more in ({}, {"local_indexes": ()}, {"local_indexes": (), "vector_indexes": ("alike",)})
    )

    said = "local indexes not known: none assumed"
    assert [said in one[0].assumptions for one in (untold, none) if not isinstance(one, Unknown)] == [True, False]
    assert not isinstance(vector, Unknown)
    assert "vector indexes are not counted" in vector[0].assumptions


def test_infrequent_access_is_paid_at_its_own_prices() -> None:
    settings = ON_DEMAND | {"table_class": "STANDARD_INFREQUENT_ACCESS"}
    priced = figures(table(settings=settings, **ARTICLE, table_size_bytes=100 * 2**30), BOOK)

    assert cents(priced, "current", "throughput")[1] == round(10 * 0.78 + 50 * 0.155, 2)
    assert cents(priced, "current", "storage")[1] == 10.00


def test_a_table_without_a_known_size_has_a_throughput_and_no_total() -> None:
    priced = figures(table(**ARTICLE), BOOK)

    assert isinstance(priced, tuple)
    assert amount(priced, ORDERS, "current") is None
    assert saving(priced, ORDERS, "provisioned") is not None


def test_refused_requests_are_demand_that_an_option_must_carry() -> None:
    quiet, refusing = (
        figures(table(consumed_write_units=10.0, write_throttle_events=events), BOOK) for events in (0.0, 5.0)
    )

    assert cents(refusing, "current", "writes") == cents(quiet, "current", "writes")
    assert cents(refusing, "on-demand", "writes")[1] == pytest.approx(
        1.5 * cents(quiet, "on-demand", "writes")[1], abs=0.01
    )
    assert cents(refusing, "provisioned", "writes")[0] > cents(quiet, "provisioned", "writes")[0]


def test_time_not_seen_widens_the_figure_both_ways() -> None:
    seen = table(consumed_write_units=10.0)
    hole = Span(seen.window.start + 86400, seen.window.start + 2 * 86400)
    low, mid, high = cents(figures(without(seen, hole), BOOK), "current", "writes")

    assert mid == cents(figures(seen, BOOK), "current", "writes")[1]
    assert low == pytest.approx(13 / 14 * mid, abs=0.01)
    assert high == pytest.approx(15 / 14 * mid, abs=0.01)


def without(about: Case, hole: Span) -> Case:
    """The same case with a stretch of time that nobody vouches for."""
    covered = (Span(about.window.start, hole.start), Span(hole.end, about.window.end))
    kept = [(one, (one.times < hole.start) | (one.times >= hole.end)) for one in about.series]
    series = (replace(one, covered=covered, times=one.times[keep], values=one.values[keep]) for one, keep in kept)
    return replace(about, series=tuple(series))


@pytest.mark.parametrize(("days", "priced"), [(2, False), (3, True), (5, True)])
def test_a_new_index_is_priced_on_the_time_since_it_was_first_seen(days: int, priced: bool) -> None:
    young = table(BY_STATUS, settings={}, hours=days * 24, consumed_write_units=10 * PER_SECOND)
    answer = figures(table(related=[replace(young, window=table().window)], **ARTICLE), BOOK)

    assert isinstance(answer, tuple) is priced
    assert not priced or cents(answer, "current", "writes", BY_STATUS) == (6.25, 6.25, 6.25)


@pytest.mark.parametrize(
    ("about", "missing"),
    [
        (table(settings={}, **ARTICLE), ("billing_mode",)),
        (
            table(settings=PROVISIONED, **ARTICLE),
            ("provisioned_read_units", "provisioned_write_units"),
        ),
        (replace(table(**ARTICLE), series=()), ("consumed_read_units", "consumed_write_units")),
        (
            table(related=[replace(table(BY_STATUS), series=())]),
            ("consumed_read_units of index by-status", "consumed_write_units of index by-status"),
        ),
        (
            in_region(table(**ARTICLE), "eu-west-1"),
            tuple(
                f"price of {sku} in eu-west-1"
                for sku in ("on_demand_read", "on_demand_write", "provisioned_read", "provisioned_write")
            ),
        ),
    ],
    ids=["mode", "capacity", "consumption", "an index", "region without prices"],
)
def test_what_is_missing_is_named_and_nothing_is_priced(about: Case, missing: tuple[str, ...]) -> None:
    answer = cost_of(about, BOOK)

    assert isinstance(answer, Unknown)
    assert answer.missing == missing


@pytest.mark.parametrize("mode", [ON_DEMAND, PROVISIONED], ids=["on-demand", "provisioned"])
def test_a_global_table_is_not_priced_as_one_region(mode: dict[str, Any]) -> None:
    answer = cost_of(table(settings=mode | {"replica_regions": ("eu-west-1", "us-west-2")}, **ARTICLE), BOOK)

    reason = "orders: writes that are replicated to eu-west-1, us-west-2 are not priced yet"
    assert answer == Unknown(reason, ("replicated writes",))


def test_a_table_without_replicas_is_priced() -> None:
    assert isinstance(cost_of(table(settings=ON_DEMAND | {"replica_regions": ()}, **ARTICLE), BOOK), tuple)


@pytest.mark.parametrize(("hours", "priced"), [(71, False), (72, True), (73, True)])
def test_three_days_are_needed_to_speak_of_a_month(hours: int, priced: bool) -> None:
    answer = cost_of(table(hours=hours, **ARTICLE), BOOK)

    assert isinstance(answer, tuple) is priced


@pytest.mark.parametrize(("days", "said"), [(13, True), (14, False)])
def test_less_than_two_weeks_are_said(days: int, said: bool) -> None:
    answer = cost_of(table(hours=24 * days, **ARTICLE), BOOK)

    assert isinstance(answer, tuple)
    assert any("days were seen" in assumption for assumption in answer[0].assumptions) is said


def test_capacity_set_now_stands_in_for_its_history() -> None:
    settings = PROVISIONED | {"provisioned_write_units": 100.0, "provisioned_read_units": 500.0}

    assert cents(figures(table(settings=settings, **ARTICLE), BOOK), "current", "throughput")[1] == 94.90


def test_how_long_a_peak_is_held_is_said_as_it_is_counted() -> None:
    priced = figures(table(**ARTICLE), BOOK)

    assert isinstance(priced, tuple)
    said = " ".join(next(one for one in priced if one.option == "provisioned").assumptions)
    assert "mid holds each peak for 20 minutes more, an hour more where demand is known by the hour" in said
    for period, held_s in ((300, 1200), (3600, 3600)):
        one_peak = np.array([70.0] * 50 + [700.0] + [70.0] * 49)
        low, mid, _ = right_size(one_peak, period)
        assert round((mid - low) * 100 / 900) * period == held_s


def test_prices_that_grew_old_are_said() -> None:
    fresh, old = (
        figures(replace(table(**ARTICLE), at=datetime(2026, month, 1, tzinfo=UTC)), BOOK) for month in (10, 12)
    )

    assert isinstance(fresh, tuple)
    assert isinstance(old, tuple)
    assert not any("over 90 days ago" in one for one in fresh[0].assumptions)
    assert "prices were last read on 2026-08-20, over 90 days ago" in old[0].assumptions


def test_a_denied_table_is_unknown_and_costs_not_nothing() -> None:
    assert isinstance(cost_of(replace(table(), series=(), gaps=(gap(),)), BOOK), Unknown)


def test_an_idle_hour_without_a_point_is_idle_and_not_unknown() -> None:
    busy = table(consumed_write_units=[20.0] * (HOURS // 2) + [0.0] * (HOURS // 2))
    sparse = replace(hourly("consumed_write_units", [20.0] * (HOURS // 2) + [0.0] * (HOURS // 2), ORDERS))
    kept = replace(sparse, times=sparse.times[: HOURS // 2], values=sparse.values[: HOURS // 2])
    silent = replace(busy, series=(*(one for one in busy.series if one.metric != "consumed_write_units"), kept))

    assert cents(figures(silent, BOOK), "current", "writes") == cents(figures(busy, BOOK), "current", "writes")
