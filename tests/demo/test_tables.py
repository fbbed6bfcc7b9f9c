"""How a simulated table behaves: what is asked is served or refused, and refused for the reason that holds."""

from dataclasses import replace

import numpy as np
import pytest

from stillfit.demo.story import DAY, Event, IndexPlan, TablePlan
from stillfit.demo.tables import WRITE_CEILING, Minutes, TableModel

ZERO = 1_793_491_200
HOUR_FROM_ZERO = ZERO + 60 * np.arange(60, dtype=np.int64)
CALM = TablePlan(name="carts", reads=100, writes=40, item_bytes=900, items=1_000, swing=0.0)


def model(**changes: object) -> TableModel:
    return TableModel(replace(CALM, **changes), zero=ZERO, seed=7)  # type: ignore[arg-type]  # fields of TablePlan


def asked_per_s(rows: Minutes) -> np.ndarray:
    """Requests a second that came, by what became of them."""
    return (rows.served + rows.refused + rows.failed_on_index) / 60


@pytest.mark.parametrize("capacity", [0, 10, 40, 200])
def test_what_is_consumed_and_what_is_refused_make_what_was_asked(capacity: int) -> None:
    free = model().writes(HOUR_FROM_ZERO)

    limited = model(read_capacity=capacity, write_capacity=capacity).writes(HOUR_FROM_ZERO)

    assert np.allclose(asked_per_s(limited), asked_per_s(free), atol=0.05)
    assert np.allclose(limited.consumed * 60 / limited.unit, limited.served, atol=0.5)


@pytest.mark.parametrize(("capacity", "refuses"), [(30, True), (39, True), (60, False)])
def test_only_what_exceeds_the_provisioned_capacity_is_refused(capacity: int, refuses: bool) -> None:
    rows = model(read_capacity=500, write_capacity=capacity).writes(HOUR_FROM_ZERO)

    assert (rows.refused_provisioned.sum() > 0, rows.refused_key_range.sum()) == (refuses, 0)
    assert rows.consumed.max() <= capacity


@pytest.mark.parametrize(("share", "refuses"), [(0.0, False), (0.5, False), (0.9, True)])
def test_a_hot_key_is_refused_beyond_what_one_partition_writes(share: float, refuses: bool) -> None:
    hot = Event(begins=0, ends=DAY, hot_key_share=share)
    rows = model(writes=1_500, events=(hot,)).writes(HOUR_FROM_ZERO)

    assert (rows.refused_key_range.sum() > 0, rows.refused_provisioned.sum()) == (refuses, 0)
    assert (rows.consumed - asked_per_s(rows) * (1 - share)).max() <= WRITE_CEILING + 1


def test_a_table_on_demand_without_a_hot_key_refuses_nothing() -> None:
    assert model(writes=30_000).writes(HOUR_FROM_ZERO).refused.sum() == 0


def test_a_write_that_an_index_cannot_take_fails_on_the_table_too() -> None:
    index = IndexPlan(name="by-day", key="day", writes_per_write=1.0, capacity=30)
    table = model(read_capacity=200, write_capacity=200, indexes=(index,))

    own, of_index = table.writes(HOUR_FROM_ZERO), table.index_writes(index, HOUR_FROM_ZERO)

    assert of_index.refused_provisioned.min() > 0
    assert np.allclose(own.failed_on_index, of_index.refused_provisioned, atol=1)
    assert (own.refused.sum(), own.consumed.max()) == (0, 30)


def test_an_index_with_room_changes_nothing() -> None:
    index = IndexPlan(name="by-day", key="day", writes_per_write=1.0, capacity=300)
    alone, indexed = (model(indexes=indexes).writes(HOUR_FROM_ZERO) for indexes in ((), (index,)))

    assert (indexed.consumed.tolist(), indexed.failed.sum()) == (alone.consumed.tolist(), 0)


@pytest.mark.parametrize(("size", "units"), [(1_024, 1), (1_025, 2), (4_097, 5)])
def test_a_write_costs_one_unit_for_each_begun_kilobyte(size: int, units: int) -> None:
    assert set(model(item_bytes=size).writes(HOUR_FROM_ZERO).unit) == {units}


@pytest.mark.parametrize(("size", "units"), [(4_096, 0.5), (4_097, 1.0)])
def test_an_eventual_read_costs_half_a_unit_for_each_begun_four_kilobytes(size: int, units: float) -> None:
    assert set(model(item_bytes=size).reads(HOUR_FROM_ZERO).unit) == {units}


def test_growing_items_cost_more_units_and_bring_no_more_requests() -> None:
    grown = Event(begins=0, ends=DAY, item_size=2.6)
    before, after = (model(events=events).writes(HOUR_FROM_ZERO) for events in ((), (grown,)))

    assert before.served.tolist() == after.served.tolist()
    assert np.allclose(after.consumed, 3 * before.consumed)


def test_an_event_holds_from_its_first_minute_to_before_its_last() -> None:
    doubled = Event(begins=600, ends=1_200, load=2.0)
    before, after = (model(events=events).reads(HOUR_FROM_ZERO) for events in ((), (doubled,)))

    assert np.flatnonzero(after.consumed > 1.5 * before.consumed).tolist() == list(range(10, 20))


def test_saturday_and_sunday_are_calmer() -> None:
    monday = 1_793_577_600  # 2026-11-02
    week = monday + 60 * np.arange(7 * 24 * 60, dtype=np.int64)

    days = model().reads(week).consumed.reshape(7, -1).mean(axis=1)

    assert sorted(np.argsort(days)[:2]) == [5, 6]
    assert days[5:].max() < 0.93 * days[:5].min()
