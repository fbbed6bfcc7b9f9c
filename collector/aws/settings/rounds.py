"""A small call that each table needs of its own: at most once an hour a table, and so many a look.

Some of these calls may be made ten times a second only (API reference, DescribeContinuousBackups). So a region of
thousands of tables is gone through in several looks, those that wait longest first; a table whose turn has not come
says so, and one that could not be read keeps what was read last.

A table that is being made or deleted is not asked: of it the service answers as of one that is not there, or that the
question cannot be understood (recorded by ack-api-quirks in October 2026, DDB-TABLE-115 and 455).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from collector.aws.settings.tables import Description, Settings
from collector.aws.wire.failures import GarbledError, amiss, failure
from collector.aws.wire.listing import DENIED_AGAIN_S, EVERY_S
from collector.aws.wire.pool import Pool, Task
from stillfit.errors import SourceError
from stillfit.model import GapReason

CALLS_A_LOOK = 300
"""What a look waits for, at ten a second: half a minute (ours)."""


_COMING_OR_GOING = frozenset({"CREATING", "DELETING"})


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of one table, until when (monotonic seconds) that is good, and why it is not newer."""

    due: float = float("-inf")
    settings: Settings | None = None
    error: SourceError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One kind of call: which attributes it tells, and how one table is asked. `ask` raises SourceError.

    `concerns`: which tables have those attributes at all; of others nothing is asked and nothing is missing.
    """

    attributes: tuple[str, ...]
    action: str
    ask: Callable[[Description], Settings]
    concerns: Callable[[Description], bool] = lambda _: True


class Round:
    """One detail of all tables of a source. Tables are known by their names, and by the ids behind them."""

    def __init__(self, detail: Detail, pool: Pool) -> None:
        self.detail = detail
        self._pool = pool
        self._said: dict[str, Said] = {}
        self._ids: dict[str, object] = {}
        self._unconcerned: frozenset[str] = frozenset()
        self._unsettled: frozenset[str] = frozenset()
        self._asked: list[tuple[str, Task[Said]]] = []

    def begin(self, tables: Mapping[str, Description], now: float) -> None:
        """Ask those whose turn it is; forget the tables that are not named. `now` is monotonic seconds."""
        self._unconcerned = frozenset(name for name, table in tables.items() if not self.detail.concerns(table))
        tables = {name: table for name, table in tables.items() if name not in self._unconcerned}
        ids = {name: table.get("TableId") for name, table in tables.items()}
        self._said = {name: said for name, said in self._said.items() if name in ids and ids[name] == self._ids[name]}
        self._ids = ids
        self._unsettled = frozenset(
            name for name, table in tables.items() if table.get("TableStatus") in _COMING_OR_GOING
        )
        asked = tables.keys() - self._unsettled
        due = sorted((self.of(name).due, name) for name in asked if self.of(name).due <= now)
        self._asked = [
            (name, self._pool.submit(self._ask, tables[name], self.of(name), now)) for _, name in due[:CALLS_A_LOOK]
        ]

    def finish(self) -> None:
        """Wait for the answers."""
        for name, task in self._asked:
            self._said[name] = task.result()
        self._asked = []

    def of(self, name: str) -> Said:
        return self._said.get(name, _UNSAID)

    def missing(self, name: str) -> SourceError | None:
        """Why something of a table is not known, or not as new as it should be."""
        said = self.of(name)
        if name in self._unconcerned:
            return None
        if said.settings is None and said.error is None:
            return SourceError(self._waits(name), reason=GapReason.NOT_ASKED, retryable=True)
        return said.error

    def _waits(self, name: str) -> str:
        call = f'{self.detail.action} for table "{name}"'
        if name in self._unsettled:
            return f"{call} waits: the table is being made or deleted"
        return f"{call} waits for its turn: {CALLS_A_LOOK} tables are asked a look"

    def _ask(self, table: Description, before: Said, now: float) -> Said:
        try:
            return Said(now + EVERY_S, self._read(table))
        except SourceError as error:
            wait = DENIED_AGAIN_S if error.reason is GapReason.DENIED else 0
            return replace(before, due=now + wait, error=error)

    def _read(self, table: Description) -> Settings:
        try:
            return self.detail.ask(table)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            garbled = GarbledError(f"an answer that cannot be read: {amiss(error)}")
            raise failure(garbled, action=self.detail.action, about=f'table "{table.get("TableName")}"') from error


class Rounds:
    """Several details of the same tables, asked at the same time."""

    def __init__(self, details: Iterable[Detail], pool: Pool) -> None:
        self._rounds = tuple(Round(detail, pool) for detail in details)

    def begin(self, tables: Mapping[str, Description], now: float) -> None:
        for one in self._rounds:
            one.begin(tables, now)

    def finish(self) -> None:
        for one in self._rounds:
            one.finish()

    def settings(self, name: str) -> Settings:
        return {key: value for one in self._rounds for key, value in (one.of(name).settings or {}).items()}

    def missing(self, name: str) -> Iterator[tuple[str, SourceError]]:
        """Each attribute of a table that is not known, or not as new as it should be, and why."""
        for one in self._rounds:
            error = one.missing(name)
            if error is not None:
                yield from ((attribute, error) for attribute in one.detail.attributes)


_UNSAID = Said()
