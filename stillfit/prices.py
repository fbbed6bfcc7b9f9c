"""Reads and keeps price books: the one that comes with stillfit, what was read of AWS's lists, an operator's own."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from stillfit.costs.pricebook import Price, PriceBook
from stillfit.costs.pricefile import read, written
from stillfit.costs.skus import service_of
from stillfit.errors import ConfigError

NOTHING = PriceBook()
NOTE = "Read from AWS's price list. Written by stillfit, and written anew when it reads the list again."


def packaged_prices() -> PriceBook:
    """The dated list prices in the package."""
    books = sorted(files("stillfit.costs").joinpath("books").iterdir(), key=lambda one: one.name)
    return PriceBook.of(*(read(one.read_text("utf-8"), name=one.name) for one in books if one.name.endswith(".yaml")))


def prices(*own: Path) -> PriceBook:
    """The packaged prices with an operator's own over them. Raises ConfigError with every mistake of a file."""
    return packaged_prices().under(own_prices(own))


def own_prices(paths: Iterable[Path]) -> PriceBook:
    """An operator's own files; a later one wins. Raises ConfigError with every mistake of every file."""
    books: list[PriceBook] = []
    mistakes: list[str] = []
    for path in paths:
        try:
            books.append(_read(path))
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return PriceBook.of(*books)


class PriceShelf:
    """The prices in use: packaged ones, over them what was read of AWS's lists, over all an operator's own.

    What was read is kept in a folder, one price file a region; without a folder, or where it cannot be written, only
    for as long as the process lives. Thread-safe.
    """

    def __init__(self, folder: Path | None = None, own: PriceBook = NOTHING) -> None:
        self.folder = folder
        """Where what was read is kept; None: in memory only."""
        self._own = own
        self._packaged = packaged_prices()
        self._lock = threading.Lock()
        self._fetched = {} if folder is None else dict(_kept_in(folder))
        self._book = self._bound()

    @property
    def book(self) -> PriceBook:
        """All prices, as one book."""
        return self._book

    def fetched_at(self, region: str) -> datetime | None:
        """When the list of a region was last read; None where it never was."""
        return max((one.fetched_at for one in self._fetched.get(region, NOTHING).prices), default=None)

    def versions(self, region: str) -> dict[str, str]:
        """Versions of the lists that the prices of a region were read from, by service code."""
        told: dict[str, str] = {}
        for one in self._fetched.get(region, NOTHING).prices:
            service = service_of(one.sku)
            told[service] = max(told.get(service, ""), one.version)
        return told

    def take(self, region: str, fetched: PriceBook) -> str:
        """Keep what was read of a region's list. A sentence where it could be kept in memory only, else empty.

        What the new list no longer tells is no longer in force: nothing of it is kept.
        """
        with self._lock:
            self._fetched[region] = _with_history(self._fetched.get(region, NOTHING), fetched)
            self._book = self._bound()
            return self._write(region)

    def confirm(self, region: str, at: datetime) -> str:
        """The list of a region has not changed until `at`."""
        known = self._fetched.get(region, NOTHING)
        return self.take(region, PriceBook(tuple(replace(one, fetched_at=at) for one in known.prices)))

    def _bound(self) -> PriceBook:
        return PriceBook.of(self._packaged, *self._fetched.values()).under(self._own)

    def _write(self, region: str) -> str:
        if self.folder is None:
            return ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(self.folder / f"{region}.yaml", written(self._fetched[region], NOTE))
        except OSError as error:
            return f"prices of {region} are kept in memory only, {self.folder} cannot be written: {error.strerror}"
        return ""


def _with_history(before: PriceBook, now: PriceBook) -> PriceBook:
    """Older prices of what is still listed; a price that has not changed keeps the day from which it held."""
    listed = {one.sku for one in now.prices}
    kept: list[Price] = [one for one in before.prices if one.sku in listed]
    for one in now.prices:
        held = [old for old in kept if old.sku == one.sku and old.effective_from <= one.effective_from]
        last = max(held, key=lambda old: old.effective_from, default=None)
        if last is not None and last.bands == one.bands:
            kept.remove(last)
            kept.append(replace(one, effective_from=last.effective_from))
        else:
            kept.append(one)
    return PriceBook.of(PriceBook(tuple(kept)))


def _kept_in(folder: Path) -> Iterable[tuple[str, PriceBook]]:
    """What an earlier process read. A file that cannot be read is none: the list is asked again."""
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        try:
            yield path.stem, _read(path)
        except ConfigError:
            continue


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> PriceBook:
    try:
        return read(path.read_text("utf-8"), name=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError((f"{path}:1: file: cannot be read: {error}; check the path and its permissions",)) from error
