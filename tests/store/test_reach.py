"""How far each series is known: the first stretch without a hole, whatever periods it is known from."""

from datetime import timedelta

import pytest

from stillfit.clock import FakeClock
from stillfit.model import Batch, Series, Span, Statistic
from stillfit.store.store import Store
from tests.store.builders import DAY, HOUR, NOON, NOON_S, ORDERS, READS, SCOPE, batch, series

NAME = (ORDERS, READS, "")


def known(start_h: float, end_h: float, *, period_s: int = 60, **names: object) -> Series:
    """Nothing published between two hours relative to noon."""
    ticks = HOUR / period_s
    return series({}, [(int(start_h * ticks), int(end_h * ticks))], period_s=period_s, **names)  # type: ignore[arg-type]  # names of a series


def exists(store: Store) -> None:
    store.write(Batch(source="cloudwatch", at=NOON, subjects_seen=(ORDERS, SCOPE), inventory=True))


def hours(start: int, end: int) -> Span:
    return Span(NOON_S + start * HOUR, NOON_S + end * HOUR)


def test_it_ends_with_the_last_whole_hour(store: Store) -> None:
    store.write(batch(known(-5, -0.25)))

    assert store.reach("cloudwatch") == {NAME: hours(-5, -1)}


def test_it_ends_where_the_first_hole_begins(store: Store) -> None:
    store.write(batch(known(-9, -6), known(-5, 0)))

    assert store.reach("cloudwatch") == {NAME: hours(-9, -6)}


def test_a_hole_of_a_minute_is_a_hole(store: Store) -> None:
    store.write(batch(known(-9, -6 - 1 / 60), known(-6, 0)))

    assert store.reach("cloudwatch") == {NAME: hours(-9, -7)}


def test_a_hole_that_was_filled_from_other_points_is_none(store: Store) -> None:
    store.write(batch(known(-9, -6), known(-5, 0)))
    store.write(batch(known(-7, -5, period_s=300)))

    assert store.reach("cloudwatch") == {NAME: hours(-9, 0)}


@pytest.mark.parametrize(("begins", "reached"), [(-8.5, (-9, 0)), (-0.5, (-1, -1))])
def test_a_series_that_begins_within_an_hour_has_no_hole_there(
    store: Store, begins: float, reached: tuple[int, int]
) -> None:
    store.write(batch(known(begins, 0)))

    assert store.reach("cloudwatch") == {NAME: hours(*reached)}


def test_a_start_within_an_hour_does_not_hide_a_hole_after_it(store: Store) -> None:
    store.write(batch(known(-8.5, -8), known(-5, 0)))

    assert store.reach("cloudwatch") == {NAME: hours(-9, -9)}


def test_the_statistic_of_which_least_is_known_counts(store: Store) -> None:
    store.write(batch(known(-9, 0), known(-9, -3, statistic=Statistic.COUNT)))

    assert store.reach("cloudwatch") == {NAME: hours(-9, -3)}


def test_an_average_of_requests_that_has_no_hours_leaves_it_to_the_others(store: Store) -> None:
    latency = "request_latency_ms"
    store.write(batch(*(known(-9, -3, metric=latency, statistic=one) for one in (Statistic.P99, Statistic.AVERAGE))))

    assert store.reach("cloudwatch") == {(ORDERS, latency, ""): hours(-9, -3)}


def test_each_dimension_has_its_own(store: Store) -> None:
    store.write(batch(known(-9, 0, dimension="GetItem"), known(-9, -3, dimension="Query")))

    assert store.reach("cloudwatch") == {
        (ORDERS, READS, "GetItem"): hours(-9, 0),
        (ORDERS, READS, "Query"): hours(-9, -3),
    }


def test_what_another_source_read_does_not_count(store: Store) -> None:
    store.write(batch(known(-9, 0), source="prometheus"))

    assert store.reach("cloudwatch") == {}


@pytest.mark.parametrize("days", [14, 15, 16, 62, 64, 454])
def test_what_was_not_heard_of_for_long_is_found(store: Store, clock: FakeClock, days: int) -> None:
    exists(store)
    store.write(batch(known(-9, 0, period_s=3600 if days > 63 else 60)))
    clock.advance(days * DAY)

    assert store.reach("cloudwatch")[NAME].end == NOON_S


def test_old_ends_of_what_is_gone_are_not_looked_for(store: Store, clock: FakeClock) -> None:
    exists(store)
    store.write(batch(known(-9, 0)))
    clock.advance(20 * DAY)
    store.write(Batch(source="cloudwatch", at=clock.now(), subjects_seen=(SCOPE,), inventory=True))

    assert store.reach("cloudwatch") == {}


def test_holes_older_than_15_days_are_left_to_a_backfill(store: Store, clock: FakeClock) -> None:
    store.write(batch(known(-9, -6), known(-5, 0)))
    clock.advance(15 * DAY)
    store.write(batch(known(0, 15 * 24), at=NOON + timedelta(days=15)))

    assert store.reach("cloudwatch")[NAME].end == NOON_S + 15 * DAY


def test_hours_are_known_from_points_that_are_short_enough(store: Store) -> None:
    store.write(batch(known(-9, -6), known(-6, -4, period_s=300), known(-4, 0, period_s=3600)))
    span = hours(-10, 0)

    assert store.cover("cloudwatch", span, 60).holes([NAME]) == (hours(-10, -9), hours(-6, 0))
    assert store.cover("cloudwatch", span, 300).holes([NAME]) == (hours(-10, -9), hours(-4, 0))
    assert store.cover("cloudwatch", span, 3600).holes([NAME]) == (hours(-10, -9),)


def test_what_was_never_read_is_one_hole(store: Store) -> None:
    assert store.cover("cloudwatch", hours(-3, 0), 60).holes([NAME]) == (hours(-3, 0),)
