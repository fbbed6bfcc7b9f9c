"""Which series there are and where each lives: its shard and its place (row) in the shard's blocks.

A shard holds up to 500 series of one source, period and tier, so that one writer owns it and rows of a block have the
same ticks. Places are given once and never move.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from stillfit.model import Series, SeriesKey, Statistic, Subject
from stillfit.store import schema
from stillfit.store.database import upsert
from stillfit.store.grid import Grid
from stillfit.store.rollup import Fold, fold_of

SHARD_ROWS = 500  # 500 series x 60 ticks compress as well as larger blocks and rewrite in about 2 ms (measured)


class Place(NamedTuple):
    shard: int
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A group of series with the same ticks; `keys` and `folds` by row."""

    id: int
    source: str
    period_s: int
    tier: str
    keys: list[SeriesKey]
    folds: list[Fold]

    @property
    def grid(self) -> Grid:
        return Grid.of_period(self.period_s)


class Registry:
    """All series, kept in memory and read on from the database as other processes add some."""

    def __init__(self) -> None:
        self._shards: dict[int, Shard] = {}
        self._places: dict[str, dict[SeriesKey, Place]] = defaultdict(dict)
        self._lock = threading.Lock()

    def shards(self, connection: sa.Connection) -> tuple[Shard, ...]:
        """Every shard, as the database has it now."""
        self._refresh(connection)
        return tuple(self._shards.values())

    def register(
        self, connection: sa.Connection, source: str, tier: str, series: Sequence[Series]
    ) -> Mapping[SeriesKey, Place]:
        """Places of the series of a source; new ones are written. The caller commits, or calls `forget`."""
        self._refresh(connection)
        fresh = {one.key for one in series} - self._places[source].keys()
        by_period: dict[int, list[SeriesKey]] = defaultdict(list)
        for key in sorted(fresh, key=_neighbourly):
            by_period[key.period_s].append(key)
        for period_s, keys in by_period.items():
            self._add(connection, (source, period_s, tier), keys)
        self._refresh(connection)
        return self._places[source]

    def forget(self, source: str) -> None:
        """Read a source's series anew at the next use: what was registered has been rolled back."""
        with self._lock:
            self._places.pop(source, None)
            self._shards = {key: shard for key, shard in self._shards.items() if shard.source != source}

    def _add(self, connection: sa.Connection, group: tuple[str, int, str], keys: list[SeriesKey]) -> None:
        source, period_s, tier = group
        open_shards = [s for s in self._shards.values() if (s.source, s.period_s, s.tier) == group]
        newest = max(open_shards, key=lambda shard: shard.id, default=None)
        free = SHARD_ROWS - len(newest.keys) if newest else 0
        rows = [(newest.id, len(newest.keys) + i, key) for i, key in enumerate(keys[:free])] if newest else []
        for start in range(free, len(keys), SHARD_ROWS):
            insert = sa.insert(schema.shard).values(source=source, period_s=period_s, tier=tier)
            made = connection.execute(insert.returning(schema.shard.c.id)).scalar_one()
            rows += [(made, i, key) for i, key in enumerate(keys[start : start + SHARD_ROWS])]
        connection.execute(sa.insert(schema.series), [_row(source, *row) for row in rows])

    def _refresh(self, connection: sa.Connection) -> None:
        """Read the shards that are new or have grown."""
        with self._lock:
            for shard_id, rows in self._sizes(connection):
                if shard_id not in self._shards or len(self._shards[shard_id].keys) < rows:
                    self._load(connection, shard_id)

    def _sizes(self, connection: sa.Connection) -> Iterable[tuple[int, int]]:
        newest = sa.select(schema.series.c.shard, sa.func.max(schema.series.c.place) + 1)
        return [(row[0], row[1]) for row in connection.execute(newest.group_by(schema.series.c.shard))]

    def _load(self, connection: sa.Connection, shard_id: int) -> None:
        row = connection.execute(sa.select(schema.shard).where(schema.shard.c.id == shard_id)).one()
        table = schema.series
        found = connection.execute(sa.select(table).where(table.c.shard == shard_id).order_by(table.c.place)).all()
        keys = [_key(one) for one in found]
        folds = [fold_of(key.metric, key.statistic) for key in keys]
        self._shards[shard_id] = Shard(shard_id, row.source, row.period_s, row.tier, keys, folds)
        self._places[row.source].update({key: Place(shard_id, place) for place, key in enumerate(keys)})


def note_progress(connection: sa.Connection, source: str, last_end: int) -> None:
    """Remember the newest covered second of a source; it never goes back."""
    table = schema.progress
    before = connection.scalar(sa.select(table.c.last_end).where(table.c.source == source)) or last_end
    upsert(connection, table, [{"source": source, "last_end": max(before, last_end)}])


def _neighbourly(key: SeriesKey) -> tuple[str, str, str, Subject]:
    """Series of one metric side by side: similar rows compress together."""
    return (key.metric, key.statistic, key.dimension, key.subject)


def _row(source: str, shard: int, place: int, key: SeriesKey) -> dict[str, object]:
    return {
        "shard": shard,
        "place": place,
        "source": source,
        "subject": str(key.subject),
        "metric": key.metric,
        "statistic": key.statistic.value,
        "period_s": key.period_s,
        "dimension": key.dimension,
    }


def _key(row: sa.Row[tuple[object, ...]]) -> SeriesKey:
    return SeriesKey(Subject.parse(row.subject), row.metric, Statistic(row.statistic), row.period_s, row.dimension)
