"""Hours that several periods know: the one that knows most of an hour tells it."""

import pytest

from stillfit.store.store import Store
from tests.store.builders import HOUR, NOON_S, around_noon, batch, series

MINUTES = series(dict.fromkeys(range(-60, -30), 1.0), [(-120, -30)])  # half of the hour before noon
FIVES = series(dict.fromkeys(range(-12, 0), 5.0), [(-12, 0)], period_s=300)


@pytest.mark.parametrize("order", [(MINUTES, FIVES), (FIVES, MINUTES)])
def test_half_an_hour_of_minutes_does_not_stand_for_the_hour(store: Store, order: tuple[object, ...]) -> None:
    for one in order:
        store.write(batch(one))  # type: ignore[arg-type]  # series
    (hourly,) = store.hourly(around_noon())

    assert dict(zip(hourly.times.tolist(), hourly.values.tolist(), strict=True)) == {NOON_S - HOUR: 60.0}
    assert sum(span.seconds for span in hourly.covered) == 2 * HOUR


def test_where_both_know_an_hour_it_is_told_once(store: Store) -> None:
    store.write(batch(series(dict.fromkeys(range(-60, 0), 1.0), [(-60, 0)]), FIVES))
    (hourly,) = store.hourly(around_noon())

    assert hourly.values.tolist() == [60.0]
