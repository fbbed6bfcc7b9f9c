"""What is gone is read once more, up to when that was seen, and then forgotten. Pure, apart from remembering.

A table, an index or a node is read as rarely as every hour or three, and CloudWatch answers for one that was dropped as
for any other. So what it told between its last reading and its end is asked when its last values are all shown, in one
reading, with what was still owed of its past. What comes back before that is read on as if nothing had been; what is
made anew under the name of what was forgotten begins as what is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from collector.aws.looks.history import PIECE_S, family
from collector.aws.looks.progress import NEWCOMER_S, OVERLAP_S, Begin, Progress
from collector.aws.looks.reading import Planned
from collector.aws.looks.turns import seconds
from collector.aws.metrics.decode import Missing
from collector.aws.metrics.planner import DAY, MINUTES_KEPT_S
from collector.aws.metrics.queries import Ask
from stillfit.model import Subject

GIVEN_UP_S = NEWCOMER_S
"""How long what is gone is asked again where requests fail as a whole, or where there is no time (ours)."""
HELD_S = 14 * DAY
"""How long a budget that is used up holds it back at most: minutes are kept for a day more (ours)."""
NO_INDEXES: Mapping[Subject, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Gone:
    at: int
    """The end of the window of the look that saw it gone."""
    asks: tuple[Ask, ...]
    since: int
    """Since when all of it may be asked: at first `at`."""


@dataclass(slots=True)
class Farewell:
    """Of one source. Used by one thread."""

    progress: Progress
    _gone: dict[Hashable, _Gone] = field(default_factory=dict)
    """By family: a table with its indexes, a cluster with its nodes."""
    _under_way: dict[Hashable, _Gone] = field(default_factory=dict)
    _indexes: dict[Subject, dict[Subject, int]] = field(default_factory=dict)
    """By table, the indexes that went, and when that was seen."""

    def note(self, gone: Iterable[Ask], there: Container[Subject], at: int) -> None:
        """A look at `at` (epoch seconds) has found `gone` what these were asked of, and `there` what it is not.

        What is noted twice is asked once, up to when it was first seen gone.
        """
        for key, one in list(self._gone.items()):
            self._keep(key, replace(one, asks=tuple(ask for ask in one.asks if ask.subject not in there)))
        families: defaultdict[Hashable, list[Ask]] = defaultdict(list)
        for ask in gone:
            families[family(ask.subject)].append(ask)
        for key, asks in families.items():
            before = self._gone.get(key, _Gone(at, (), at))
            every = {ask.number: ask for ask in (*before.asks, *asks)}
            if len(every) > len(before.asks):  # of a table and its index that goes first, all up to the later end
                self._gone[key] = _Gone(at, tuple(every.values()), at)
        self._note_indexes({ask.subject for asks in families.values() for ask in asks}, there, at)

    def remember(self, indexes: Iterable[Subject], at: int) -> None:
        """At a start: these were there before. Those that `note` does not find went by `at` (epoch seconds)."""
        self._note_indexes(indexes, (), at)

    def indexes(self, table: Subject) -> Mapping[Subject, int]:
        """Those of a table that went, and when that was seen: until then it is their requests too that it refused.

        They are known for longer than they are asked: a table may be read again from before its index went.
        """
        return self._indexes.get(table, NO_INDEXES)

    @property
    def subjects(self) -> Iterator[Subject]:
        """What is gone and not forgotten."""
        return (ask.subject for one in self._gone.values() for ask in one.asks)

    def due(self, begin: Begin, most: float, wanted: Callable[[Ask], bool]) -> list[Planned]:
        """What is to be read now of what went long enough ago; `most`: as much as fits in, share of the full speed.

        What is not `wanted` waits for HELD_S: a budget that is used up is not for ever.
        """
        planned: list[Planned] = []
        spent_s = 0.0
        self._under_way.clear()
        for key, one in self._gone.items():
            asks = tuple(filter(wanted, one.asks))
            if len(asks) < len(one.asks):
                self._gone[key] = replace(one, since=begin.until)
            if asks and OVERLAP_S <= begin.until - one.at <= HELD_S and spent_s < PIECE_S * most:
                pieces = [piece for ask in asks for piece in self._pieces(ask, begin, one.at)]
                spent_s += sum(map(seconds, pieces))
                planned += pieces
                self._under_way[key] = replace(one, asks=asks)
        return planned

    @property
    def tables(self) -> Iterator[tuple[Subject, ...]]:
        """Whole tables that are under way, each before its indexes."""
        for one in self._under_way.values():
            subjects = sorted({ask.subject for ask in one.asks}, key=lambda subject: subject.index)
            if not subjects[0].index:
                yield tuple(subjects)

    def done(self, missing: Iterable[Missing], now: int) -> None:
        """Forget what was under way. What failed in requests that failed as a whole is asked again, for a while."""
        again = {one.ask.number for one in missing if one.whole}
        for key, under_way in self._under_way.items():
            done = {ask.number: ask for ask in under_way.asks if ask.number not in again}
            one = self._gone[key]
            self._keep(key, replace(one, asks=tuple(ask for ask in one.asks if ask.number not in done)))
            self.progress.drop(done.values())
        late = [key for key, one in self._gone.items() if now - one.since > GIVEN_UP_S or now - one.at > HELD_S]
        for key in late:
            self.progress.drop(self._gone.pop(key).asks)

    def _note_indexes(self, gone: Iterable[Subject], there: Container[Subject], at: int) -> None:
        for table, indexes in list(self._indexes.items()):
            self._indexes[table] = {
                one: went for one, went in indexes.items() if one not in there and at - went <= MINUTES_KEPT_S
            }
        for one in gone:
            if one.index:
                self._indexes.setdefault(replace(one, index=""), {})[one] = at
        self._indexes = {table: indexes for table, indexes in self._indexes.items() if indexes}

    def _pieces(self, ask: Ask, begin: Begin, at: int) -> Iterator[Planned]:
        for piece in self.progress.stretches(ask, replace(begin, until=at)):
            yield ask, piece
        for piece in self.progress.past(ask) if self.progress.owes(ask) else ():
            yield ask, piece

    def _keep(self, key: Hashable, one: _Gone) -> None:
        if one.asks:
            self._gone[key] = one
        else:
            self._gone.pop(key, None)
