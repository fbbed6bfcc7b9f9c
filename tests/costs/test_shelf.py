"""What was read of AWS's lists is kept, and an operator's own price wins over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillfit.costs.pricebook import Band, Price, PriceBook
from stillfit.costs.pricefile import read, written
from stillfit.errors import ConfigError
from stillfit.model import Confidence
from stillfit.prices import PriceShelf, own_prices, packaged_prices

READ_AT = datetime(2026, 11, 2, tzinfo=UTC)
WRITE = Price(
    sku="on_demand_write",
    region="eu-west-1",
    unit="WRU",
    bands=(Band(0.0, 7.07e-7),),
    effective_from=datetime(2026, 11, 1, tzinfo=UTC),
    fetched_at=READ_AT,
    source="AWS price list of AmazonDynamoDB",
    confidence=Confidence.HIGH,
    version="20261101000000",
)
READ = replace(WRITE, sku="on_demand_read", unit="RRU", bands=(Band(0.0, 1.4e-7),))


def usd(shelf: PriceShelf, sku: str = "on_demand_write", at: datetime = READ_AT) -> float | None:
    found = shelf.book.at(at).price(sku, "eu-west-1")
    return None if found is None else found.usd


def test_a_region_that_was_never_read_has_no_price() -> None:
    assert usd(PriceShelf()) is None


def test_what_was_read_is_in_force_at_once() -> None:
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook((WRITE,)))

    assert usd(shelf) == 7.07e-7
    assert shelf.fetched_at("eu-west-1") == READ_AT
    assert shelf.versions("eu-west-1") == {"AmazonDynamoDB": "20261101000000"}


def test_the_next_process_finds_what_was_read(tmp_path: Path) -> None:
    PriceShelf(tmp_path / "prices").take("eu-west-1", PriceBook((WRITE,)))

    shelf = PriceShelf(tmp_path / "prices")

    assert (usd(shelf), shelf.fetched_at("eu-west-1")) == (7.07e-7, READ_AT)


def test_a_spoilt_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "eu-west-1.yaml").write_text("prices: [{sku: on_demand_write, bands")

    assert PriceShelf(tmp_path).fetched_at("eu-west-1") is None


def test_a_folder_that_cannot_be_written_is_told_and_the_prices_hold(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shelf = PriceShelf(tmp_path / "file" / "prices")

    trouble = shelf.take("eu-west-1", PriceBook((WRITE,)))

    assert trouble.startswith("prices of eu-west-1 are kept in memory only, ")
    assert usd(shelf) == 7.07e-7


def test_an_operators_older_price_still_wins_over_the_list() -> None:
    own = replace(WRITE, bands=(Band(0.0, 5e-7),), effective_from=datetime(2025, 1, 1, tzinfo=UTC), version="")
    shelf = PriceShelf(own=PriceBook((own,)))
    shelf.take("eu-west-1", PriceBook((WRITE, READ)))

    assert (usd(shelf), usd(shelf, "on_demand_read")) == (5e-7, 1.4e-7)


def test_an_operators_future_price_does_not_hold_yet() -> None:
    own = replace(WRITE, bands=(Band(0.0, 5e-7),), effective_from=READ_AT + timedelta(days=30))
    shelf = PriceShelf(own=PriceBook((own,)))
    shelf.take("eu-west-1", PriceBook((WRITE,)))

    assert usd(shelf) == 7.07e-7
    assert usd(shelf, at=READ_AT + timedelta(days=30)) == 5e-7


def test_a_changed_price_keeps_its_history() -> None:
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook((WRITE,)))
    dearer = replace(WRITE, bands=(Band(0.0, 8e-7),), effective_from=datetime(2026, 12, 1, tzinfo=UTC))
    shelf.take("eu-west-1", PriceBook((dearer,)))

    assert [rate.usd for rate in shelf.book.rates("on_demand_write", "eu-west-1")] == [7.07e-7, 8e-7]


def test_an_unchanged_price_keeps_the_day_from_which_it_held() -> None:
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook((WRITE,)))
    again = replace(WRITE, effective_from=datetime(2026, 12, 1, tzinfo=UTC), fetched_at=READ_AT + timedelta(days=30))
    shelf.take("eu-west-1", PriceBook((again,)))

    assert [rate.since for rate in shelf.book.rates("on_demand_write", "eu-west-1")] == [WRITE.effective_from]
    assert shelf.fetched_at("eu-west-1") == again.fetched_at


def test_a_price_that_is_listed_no_more_is_unknown() -> None:
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook((WRITE, READ)))
    shelf.take("eu-west-1", PriceBook((READ,)))

    assert usd(shelf) is None


def test_a_list_that_has_not_changed_is_confirmed() -> None:
    shelf = PriceShelf()
    shelf.take("eu-west-1", PriceBook((WRITE,)))
    shelf.confirm("eu-west-1", READ_AT + timedelta(days=7))

    assert shelf.fetched_at("eu-west-1") == READ_AT + timedelta(days=7)
    assert usd(shelf) == 7.07e-7


def test_a_book_that_was_written_reads_as_the_same_book() -> None:
    book = PriceBook.of(packaged_prices(), PriceBook((WRITE,)))

    assert read(written(book, "a note\nof two lines"), name="written") == book


def test_every_mistake_of_every_own_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("prices: []")

    with pytest.raises(ConfigError) as caught:
        own_prices([tmp_path / "one.yaml", tmp_path / "two.yaml"])

    assert len(caught.value.mistakes) == 2
