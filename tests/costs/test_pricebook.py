from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stillfit.costs.pricebook import PriceBook, is_flagged, may_drive_move
from tests.costs.kit import BOOK, NOW_PRICES

EAST = "us-east-1"
READ_ON = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "usd"),
    [
        (datetime(2024, 10, 31, 23, 59, 59, tzinfo=UTC), 1.25),
        (datetime(2024, 11, 1, tzinfo=UTC), 0.625),
        (datetime(2026, 11, 2, tzinfo=UTC), 0.625),
    ],
    ids=["the day before the cut", "the day of the cut", "now"],
)
def test_a_price_is_the_one_in_force_on_the_day(when: datetime, usd: float) -> None:
    price = BOOK.at(when).price("on_demand_write", EAST)

    assert price is not None
    assert price.usd * 1e6 == pytest.approx(usd)


@pytest.mark.parametrize(
    ("sku", "region", "when"),
    [
        ("on_demand_write", "eu-west-1", datetime(2026, 1, 1, tzinfo=UTC)),
        ("on_demand_write", EAST, datetime(2020, 1, 1, tzinfo=UTC)),
        ("replicated_write", EAST, datetime(2026, 1, 1, tzinfo=UTC)),
    ],
    ids=["another region", "before the book begins", "another resource"],
)
def test_a_price_that_is_not_in_the_book_is_unknown_and_not_zero(sku: str, region: str, when: datetime) -> None:
    assert BOOK.at(when).price(sku, region) is None


def test_the_history_of_a_rate_is_told_oldest_first() -> None:
    rates = BOOK.rates("on_demand_read", EAST)

    assert [round(rate.usd * 1e6, 3) for rate in rates] == [0.25, 0.125]
    assert rates[1].since == datetime(2024, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "usd"),
    [(0, 0.0), (18_600, 0.0), (18_601, 0.00065), (73_000, (73_000 - 18_600) * 0.00065)],
    ids=["nothing", "all of the free tier", "one above it", "100 units all month"],
)
def test_each_band_is_paid_at_its_own_price(hours: float, usd: float) -> None:
    price = NOW_PRICES.price("provisioned_write", EAST)

    assert price is not None
    assert price.cost(hours) == pytest.approx(usd)


@pytest.mark.parametrize(("days", "flagged"), [(89, False), (90, False), (91, True)])
def test_a_price_is_flagged_after_90_days(days: int, flagged: bool) -> None:
    assert is_flagged(READ_ON, READ_ON + timedelta(days=days)) is flagged


@pytest.mark.parametrize(("days", "fresh"), [(364, True), (365, True), (366, False)])
def test_a_price_drives_no_move_after_365_days(days: int, fresh: bool) -> None:
    assert may_drive_move(READ_ON, READ_ON + timedelta(days=days)) is fresh


def test_a_later_book_wins_over_an_earlier_one() -> None:
    price = NOW_PRICES.price("storage", EAST)
    assert price is not None
    own = PriceBook((replace(price, source="our contract"),))

    merged = PriceBook.of(BOOK, own).at(datetime(2026, 11, 2, tzinfo=UTC)).price("storage", EAST)

    assert merged is not None
    assert merged.source == "our contract"
