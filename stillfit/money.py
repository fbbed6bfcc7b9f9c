"""Prices and bills from a configuration: where prices are kept, and one source of money for each account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from collector.aws.money.bulk import OfferFiles
from collector.aws.money.prices import PriceReader
from collector.aws.money.source import BillingSource, BillingTarget, home_of
from collector.aws.wire.access import Access, Places
from collector.aws.wire.regions import ALL
from stillfit.clock import Clock
from stillfit.config import Config, Prices
from stillfit.configaws import Aws
from stillfit.costs.skus import DYNAMODB
from stillfit.model import Engine, Subject
from stillfit.prices import PriceShelf, own_prices
from stillfit.sources import regions_of, target

EVERY = timedelta(minutes=10)
"""How often it is looked whether a price list, a day of Cost Explorer or a bill file is due; mostly nothing is, and
nobody is asked."""

Existing = Callable[[], Iterable[Subject]]


def price_shelf(config: Config) -> PriceShelf:
    """The prices of an installation. Raises ConfigError with every mistake of its own price files."""
    path = config.store.partition("sqlite:///")[2].partition("?")[0]
    beside = Path(f"{path}.prices") if path else None
    return PriceShelf(config.prices.folder or beside, own_prices(config.prices.files))


def billing_sources(
    config: Config, clock: Clock, shelf: PriceShelf, existing: Existing, places: Places | None = None
) -> tuple[tuple[BillingSource, timedelta], ...]:
    """One for each account whose money is read, with how often.

    `existing` tells which tables there are; `places` is shared with all else that calls AWS.
    """
    places = places or Places()
    wanted = (one for one in config.aws if one.prices != "packaged" or one.cost_explorer or one.cost_files)
    return tuple((_source(one, clock, existing, (shelf, config.prices), places), EVERY) for one in wanted)


def price_source(settings: Aws, clock: Clock, shelf: PriceShelf) -> BillingSource:
    """Reads onto the shelf what DynamoDB costs in the regions of an account, once; no bill is asked for."""
    access = Access(target(settings, home_of(settings.regions[0])), clock)
    reader = PriceReader(shelf, settings.prices, connection=lambda: access.connection)
    return BillingSource(access, BillingTarget(regions=settings.regions, lists=(DYNAMODB,)), reader, shelf)


def _source(
    settings: Aws, clock: Clock, existing: Existing, kept: tuple[PriceShelf, Prices], places: Places
) -> BillingSource:
    """What an account is charged, asked where its partition answers for that."""
    shelf, prices = kept
    regions = regions_of(settings)
    access = Access(target(settings, home_of(regions[0])), clock, places=places)
    reader = PriceReader(
        shelf,
        settings.prices,
        connection=lambda: access.connection,
        files=OfferFiles(prices.url),
        refresh=prices.refresh,
    )
    wanted = BillingTarget(
        regions=regions,
        only_used=settings.regions == (ALL,),
        engines=frozenset(Engine(one) for one in settings.services),
        existing=existing,
        cost_explorer=settings.cost_explorer,
        cost_tables=settings.cost_tables or "",
        cost_files=settings.cost_files,
    )
    return BillingSource(access, wanted, reader, shelf)
