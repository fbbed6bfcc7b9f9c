"""Builds from a configuration what the daemon works with. The one place where the concrete kinds are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from analyzers import ANALYZERS
from collector.aws.wire.access import Places
from collector.source import Source
from stillfit.case import Analyzer
from stillfit.clock import Clock
from stillfit.config import Config, ThresholdConfig
from stillfit.cycle import Knowledge
from stillfit.errors import ConfigError
from stillfit.model import Subject
from stillfit.money import billing_sources, price_shelf
from stillfit.notify import Sender, sender_of
from stillfit.prices import PriceShelf, packaged_prices
from stillfit.rulebook import packaged_rules
from stillfit.sources import sources
from stillfit.store.store import Store
from stillfit.workloads import thresholds
from stillfit.yamlfile import did_you_mean

Notified = Callable[[str, str], None]
"""Who is told of each attempt to send: name of the sink, and how it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What depends on the configuration; made anew at each reload, closed when replaced."""

    sources: tuple[tuple[Source, timedelta], ...]
    """Each source with how often it is read."""
    knowledge: Knowledge
    sender: Sender
    shelf: PriceShelf | None = None
    """Prices that are read while the daemon runs; without it those of `knowledge` stay."""

    @property
    def known(self) -> Knowledge:
        """What is known at this moment, prices included."""
        return self.knowledge if self.shelf is None else replace(self.knowledge, prices=self.shelf.book)

    def close(self) -> None:
        for source, _ in self.sources:
            source.close()


def assemble(config: Config, store: Store, clock: Clock, notified: Notified = lambda _sink, _outcome: None) -> Parts:
    """Everything the daemon works with. Raises ConfigError; opens no connection."""
    shelf, places = price_shelf(config), Places()
    return Parts(
        sources=(
            *sources(config, clock, store.reach, store.spending, places),
            *billing_sources(config, clock, shelf, store.subjects, places),
        ),
        knowledge=knowledge(config.thresholds),
        sender=sender_of(config, store.outbox, clock, notified),
        shelf=shelf,
    )


def knowledge(overrides: Iterable[ThresholdConfig] = ()) -> Knowledge:
    """Packaged detectors, rules and prices, with the operator's own lines."""
    drawn = tuple(overrides)
    mistakes = tuple(_mistakes(drawn))
    if mistakes:
        raise ConfigError(mistakes)
    defaults = {one.id: MappingProxyType({line.name: line.value for line in one.thresholds}) for one in ANALYZERS}

    def lines(analyzer: Analyzer, subject: Subject) -> Mapping[str, float]:
        usual = defaults.get(analyzer.id, MappingProxyType({}))
        return {**usual, **thresholds(drawn, analyzer.id, subject)} if drawn else usual

    return Knowledge(
        analyzers=ANALYZERS,
        rules=packaged_rules({one.id: frozenset(one.causes) for one in ANALYZERS}),
        prices=packaged_prices(),
        thresholds=lines,
    )


def _mistakes(overrides: Iterable[ThresholdConfig]) -> Iterator[str]:
    """Thresholds of detectors that do not exist, or that the detector does not have."""
    known = {one.id: [line.name for line in one.thresholds] for one in ANALYZERS}
    for position, one in enumerate(overrides):
        place = f"config: thresholds[{position}]"
        if one.detector not in known:
            yield f"{place}.detector: no detector {one.detector!r}{did_you_mean(one.detector, known)}"
        elif one.name not in known[one.detector]:
            yield f"{place}.name: {one.detector} has no {one.name!r}{did_you_mean(one.name, known[one.detector])}"
