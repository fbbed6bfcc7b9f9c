"""Which series there are and where each lives: its shard and its place (row) in the shard's blocks.

A shard holds up to 500 series of one source, period and tier, so that one writer owns it and rows of a block have the
same ticks. Places are given once and never move.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from stillfit.model import SeriesKey, Statistic, Subject
from stillfit.sheets import Roster, Signal
from stillfit.store import schema
from stillfit.store.database import upsert
from stillfit.store.grid import Grid
from stillfit.store.rollup import Fold, fold_of

SHARD_ROWS = 500  # 500 series x 60 ticks compress as well as larger blocks and rewrite in about 0.4 ms (measured)
PLACES = 512
"""A place is one number, so that an array can hold many: shard * PLACES + row."""

_Places = NDArray[np.int64]
_Member = tuple[Signal, Subject]


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A group of series with the same ticks; `roster` and `folds` by row."""

    id: int
    source: str
    tier: str
    roster: Roster
    folds: list[Fold]

    @property
    def period_s(self) -> int:
        return self.roster.period_s

    @property
    def keys(self) -> tuple[SeriesKey, ...]:
        return tuple(map(self.roster.key, range(self.rows)))

    @property
    def rows(self) -> int:
        return len(self.folds)

    @property
    def grid(self) -> Grid:
        return Grid.of_period(self.period_s)


class _Known:
    """The places of one source's series."""

    def __init__(self) -> None:
        self._by_signal: defaultdict[tuple[int, Signal], dict[Subject, int]] = defaultdict(dict)
        self._rosters: WeakKeyDictionary[Roster, _Places] = WeakKeyDictionary()

    def add(self, shard: Shard) -> None:
        for row, (signal, subject) in enumerate(_members(shard.roster)):
            self._by_signal[shard.period_s, signal][subject] = shard.id * PLACES + row

    def places(self, roster: Roster) -> _Places:
        """Where each series of a roster lives, -1 for one that has no place yet; looked up once for each roster."""
        found = self._rosters.get(roster)
        if found is None:
            known, period_s = self._by_signal, roster.period_s
            each = (known[period_s, signal].get(subject, -1) for signal, subject in _members(roster))
            found = np.fromiter(each, np.int64, len(roster))
            if (found >= 0).all():
                self._rosters[roster] = found
        return found


class Registry:
    """All series, kept in memory and read on from the database as other processes add some."""

    def __init__(self) -> None:
        self._shards: dict[int, Shard] = {}
        self._known: defaultdict[str, _Known] = defaultdict(_Known)
        self._subjects: dict[str, Subject] = {}
        self._lock = threading.Lock()

    def shards(self, connection: sa.Connection) -> tuple[Shard, ...]:
        """Every shard, as the database has it now."""
        self._refresh(connection)
        return tuple(self._shards.values())

    def shard(self, shard_id: int) -> Shard:
        """A shard that `places` has named."""
        return self._shards[shard_id]

    def places(self, connection: sa.Connection, source: str, tier: str, rosters: Sequence[Roster]) -> Sequence[_Places]:
        """Where the series of a source live; new ones are written. The caller commits, or calls `forget`."""
        found = self._found(source, rosters)
        if _whole(found):
            return found
        self._refresh(connection)
        fresh: dict[int, set[_Member]] = defaultdict(set)
        for roster, places in zip(rosters, self._found(source, rosters), strict=True):
            members = tuple(_members(roster))
            fresh[roster.period_s].update(members[row] for row in np.flatnonzero(places < 0).tolist())
        for period_s, its_members in fresh.items():  # of some rosters all may be known
            if not its_members:
                continue
            self._add(connection, (source, period_s, tier), sorted(its_members, key=_neighbourly))
        self._refresh(connection)
        return self._found(source, rosters)

    def forget(self, source: str) -> None:
        """Read a source's series anew at the next use: what was registered has been rolled back."""
        with self._lock:
            self._known.pop(source, None)
            self._shards = {key: shard for key, shard in self._shards.items() if shard.source != source}

    def _found(self, source: str, rosters: Sequence[Roster]) -> Sequence[_Places]:
        with self._lock:
            return [self._known[source].places(roster) for roster in rosters]

    def _add(self, connection: sa.Connection, group: tuple[str, int, str], members: Sequence[_Member]) -> None:
        source, period_s, tier = group
        open_shards = [s for s in self._shards.values() if (s.source, s.period_s, s.tier) == group]
        newest = max(open_shards, key=lambda shard: shard.id, default=None)
        free = SHARD_ROWS - newest.rows if newest else 0
        if newest and free:
            self._fill(connection, newest.id, newest.rows, [_row(source, period_s, one) for one in members[:free]])
        for start in range(free, len(members), SHARD_ROWS):
            insert = sa.insert(schema.shard).values(source=source, period_s=period_s, tier=tier)
            made = connection.execute(insert.returning(schema.shard.c.id)).scalar_one()
            rows = [_row(source, period_s, one) for one in members[start : start + SHARD_ROWS]]
            self._fill(connection, made, 0, rows)

    def _fill(self, connection: sa.Connection, shard: int, first: int, rows: Sequence[dict[str, object]]) -> None:
        placed = [{**row, "shard": shard, "place": place} for place, row in enumerate(rows, first)]
        connection.execute(sa.insert(schema.series), placed)

    def _refresh(self, connection: sa.Connection) -> None:
        """Read the shards that are new or have grown."""
        with self._lock:
            for shard_id, rows in self._sizes(connection):
                if shard_id not in self._shards or self._shards[shard_id].rows < rows:
                    self._load(connection, shard_id)

    def _sizes(self, connection: sa.Connection) -> Iterable[tuple[int, int]]:
        """Each shard that holds a series, with its rows: two steps in an index for each, however many series."""
        last = sa.select(sa.func.max(schema.series.c.place)).where(schema.series.c.shard == schema.shard.c.id)
        query = sa.select(schema.shard.c.id, last.scalar_subquery())
        return [(row[0], row[1] + 1) for row in connection.execute(query) if row[1] is not None]

    def _load(self, connection: sa.Connection, shard_id: int) -> None:
        row = connection.execute(sa.select(schema.shard).where(schema.shard.c.id == shard_id)).one()
        table = schema.series
        columns = (table.c.subject, table.c.metric, table.c.statistic, table.c.dimension)
        query = sa.select(*columns).where(table.c.shard == shard_id).order_by(table.c.place)
        found = connection.execute(query).all()
        subjects = tuple(self._subject(text) for text, *_ in found)
        roster = Roster(row.period_s, subjects, tuple(_signal(*names) for _, *names in found))
        folds = [fold_of(signal.metric, signal.statistic) for signal in roster.signals]
        shard = self._shards[shard_id] = Shard(shard_id, row.source, row.tier, roster, folds)
        self._known[row.source].add(shard)

    def _subject(self, text: str) -> Subject:
        """The same object for all series of a subject."""
        if text not in self._subjects:
            self._subjects[text] = Subject.parse(text)
        return self._subjects[text]


def note_progress(connection: sa.Connection, source: str, last_end: int) -> None:
    """Remember the newest covered second of a source; it never goes back."""
    table = schema.progress
    before = connection.scalar(sa.select(table.c.last_end).where(table.c.source == source)) or last_end
    upsert(connection, table, [{"source": source, "last_end": max(before, last_end)}])


def _members(roster: Roster) -> Iterable[_Member]:
    return zip(roster.signals, roster.subjects, strict=True)


def _whole(found: Iterable[_Places]) -> bool:
    return all((places >= 0).all() for places in found)


@lru_cache(maxsize=100_000)
def _text(subject: Subject) -> str:
    """A subject has some forty series, and encoding a name costs more than finding it."""
    return str(subject)


def _neighbourly(member: _Member) -> tuple[str, str, str, str]:
    """Series of one metric side by side: similar rows compress together."""
    (metric, statistic, dimension), subject = member
    return (metric, statistic, dimension, _text(subject))


def _row(source: str, period_s: int, member: _Member) -> dict[str, object]:
    (metric, statistic, dimension), subject = member
    return {
        "source": source,
        "subject": _text(subject),
        "metric": metric,
        "statistic": statistic.value,
        "period_s": period_s,
        "dimension": dimension,
    }


@lru_cache(maxsize=10_000)
def _signal(metric: str, statistic: str, dimension: str) -> Signal:
    """The same object for all series of a signal."""
    return Signal(intern(metric), Statistic(statistic), intern(dimension))
