"""The passes of one look: asks that are read together, and what their tripwires lead to.

    passes = Passes(source_id, at, reading, questions, meter)
    yield from passes.read(planned)              # asked and noted
    yield from passes.follow(members, served)    # what that pass has shown to be empty, and what it calls for
    gaps = passes.unread()                       # of all of them

What must not wait is a pass of its own and comes first (collector/aws/source.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.aws.looks.agenda import is_wire
from collector.aws.looks.reading import Look, Planned, Reading
from collector.aws.metrics.queries import CAUSES, CONSUMED, THROTTLES, Questions
from collector.aws.metrics.tripwire import Tripwire, not_asked
from collector.aws.settings.inventory import Member
from collector.aws.spending.meter import Meter, billed
from stillfit.model import Batch, Gap, Series, Subject
from stillfit.sheets import of_metrics

WATCHED = frozenset(
    metric
    for spec in (*CONSUMED, *THROTTLES.values(), *CAUSES["read"], *CAUSES["write"])
    for metric, _, _ in spec.brings
)
"""What tripwires, tiers and reports of keys look at as it comes; the rest goes by without an object for each series."""

Served = Callable[[Subject], Sequence[str]]
"""The operations that a table serves, as far as is known."""


@dataclass(slots=True)
class _Pass:
    look: Look
    tripwire: Tripwire = field(default_factory=Tripwire)


@dataclass(slots=True)
class Passes:
    """Of one look of one source. Used by one thread."""

    source: str
    at: datetime
    reading: Reading
    questions: Questions
    meter: Meter
    note: Callable[[Sequence[Series]], None] = lambda _series: None
    """Sees what is WATCHED, as it comes."""
    _every: list[_Pass] = field(default_factory=list)
    _unfollowed: list[_Pass] = field(default_factory=list)
    """Those of which nobody has asked yet which operations were refused."""

    def read(self, planned: Iterable[Planned]) -> Iterator[Batch]:
        """A further pass."""
        one = _Pass(Look(self.at))
        one.look.note = lambda series: self._noted(one, series)
        self._every.append(one)
        self._unfollowed.append(one)
        yield from self.reading.batches(planned, one.look)

    def follow(
        self,
        members: Sequence[Member],
        served: Served | None,
        *,
        known: Iterable[Series] = (),
        more: Iterable[Planned] = (),
    ) -> Iterator[Batch]:
        """What the newest pass leads to, with what else is `known` to be empty and `more` to read.

        `served` None: which operations there are is not known yet, so the next pass asks which were refused.
        """
        newest = self._every[-1]
        quiet, refused = list(newest.tripwire.quiet_causes()), list[Planned]()
        if served is not None:
            for one in self._unfollowed:
                for member in members:
                    operations = served(member.table)
                    quiet += one.tripwire.quiet_requests(member.subjects, operations)
                    refused += one.tripwire.requests(self.questions, member.subjects, operations)
        self.meter.add(spared_metrics=len(quiet) * billed(1))
        empty = (*quiet, *known)
        if empty:
            yield Batch(source=self.source, at=self.at, series=empty)
        wanted = [*newest.tripwire.causes(self.questions), *refused, *more]
        yield from self.reading.batches(wanted, replace(newest.look, held=[]))  # a tripwire of `more` is not followed
        if served is not None:
            self.reading.settle(*(one.look for one in self._unfollowed))
            self._unfollowed.clear()

    def not_asked(self) -> Iterator[Gap]:
        """What a tripwire would have led to that could not be read."""
        for one in self._every:
            for missing in one.look.missing:
                if is_wire(missing.ask):
                    yield from not_asked(missing.ask, missing.stretch.window, self.source)

    def unread(self) -> Iterator[Gap]:
        """What could not be read."""
        for one in self._every:
            yield from self.reading.gaps(one.look)

    def _noted(self, one: _Pass, series: Iterable[Series]) -> None:
        seen = tuple(of_metrics(series, WATCHED))
        one.tripwire.note(seen)
        self.note(seen)


def refusals(series: Iterable[Series]) -> Iterator[Series]:
    """Those of what was seen that tell of refused requests, without the page that they lie in."""
    consumed = {metric for spec in CONSUMED for metric, _, _ in spec.brings}
    for one in series:
        if one.metric not in consumed and one.values.any():
            yield replace(one, times=one.times.copy(), values=one.values.copy())
