"""Reads price books: the ones that come with stillfit, and an operator's own file over them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from stillfit.costs.pricebook import PriceBook
from stillfit.costs.pricefile import read
from stillfit.errors import ConfigError


def packaged_prices() -> PriceBook:
    """The dated list prices in the package."""
    books = sorted(files("stillfit.costs").joinpath("books").iterdir(), key=lambda one: one.name)
    return PriceBook.of(*(read(one.read_text("utf-8"), name=one.name) for one in books if one.name.endswith(".yaml")))


def prices(*own: Path) -> PriceBook:
    """The packaged prices with an operator's own over them. Raises ConfigError with every mistake of a file."""
    return PriceBook.of(packaged_prices(), *(_read(path) for path in own))


def _read(path: Path) -> PriceBook:
    try:
        return read(path.read_text("utf-8"), name=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError((f"{path}:1: file: cannot be read: {error}; check the path and its permissions",)) from error
