"""One look at running systems: read them once into a store that is thrown away, judge as the daemon would, forget."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from collector.source import Source
from stillfit import cycle
from stillfit.clock import Clock
from stillfit.costs.pricebook import PriceBook
from stillfit.errors import SourceError
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Batch, Gap
from stillfit.parts import knowledge
from stillfit.store.store import Store

MINUTES = timedelta(hours=3)
"""How far back a look judges by the minute; what is older comes as hours. What asks for days judges hours anyway."""


def look_at(sources: Sequence[Source], clock: Clock) -> tuple[cycle.Turn, tuple[Gap, ...]]:
    """Read each source once, one after the other, and judge. A source that cannot be read is a Gap on its scope."""
    with passing_store(clock) as store:
        for source in sources:
            take(source, source.collect(None, clock.now()), store, clock.now())
        return judged(store, sources, clock)


@contextmanager
def passing_store(clock: Clock) -> Iterator[Store]:
    """A store in a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stillfit-look-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'look.db'}", clock=clock, ballast_bytes=0)
        try:
            yield store
        finally:
            store.close()


def take(source: Source, batches: Iterable[Batch], store: Store, at: datetime) -> SourceError | None:
    """Keep what a source brings; what ends it early is kept as a Gap and handed back."""
    try:
        for batch in batches:
            store.write(batch)
    except SourceError as error:
        refused(source, error, store, at)
        return error
    return None


def refused(source: Source, error: SourceError, store: Store, at: datetime) -> None:
    """Say of all that a source is for that it could not be read."""
    gap = Gap(subject=source.scope, missing="*", reason=error.reason, detail=str(error), source=source.id)
    store.write(Batch(source=source.id, at=at, gaps=(gap,)))


def judged(
    store: Store, sources: Iterable[Source], clock: Clock, prices: PriceBook | None = None
) -> tuple[cycle.Turn, tuple[Gap, ...]]:
    """What a look at the store says, and what could not be read. `prices`: the packaged ones where left out."""
    snapshot = Intake(store, clock, Health()).snapshot(sources, (), MINUTES)
    known = knowledge()
    return cycle.look(snapshot, replace(known, prices=prices) if prices else known), snapshot.gaps
