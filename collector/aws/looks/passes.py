"""The passes of one look: asks that are read together, and what their tripwires lead to.

    passes = Passes(source_id, at, reading, meter, wires)
    yield from passes.read(planned)    # asked and noted
    yield from passes.follow()         # what that pass has shown to be empty, and what it calls for
    gaps = passes.unread()             # of all of them

What must not wait is a pass of its own and comes first (collector/aws/source.py, service.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from collector.aws.looks.reading import Look, Planned, Reading
from collector.aws.metrics.decode import Missing
from collector.aws.spending.meter import Meter, billed
from stillfit.model import Batch, Gap, Series
from stillfit.sheets import of_metrics


class Wires(Protocol):
    """What one pass has shown of tripwires."""

    @property
    def watched(self) -> frozenset[str]:
        """Canonical metrics that are looked at as they come; the rest goes by without an object for each series."""
        ...

    def note(self, series: Iterable[Series], /) -> None:
        """Take the tripwires out of what was read; others are passed over."""
        ...

    def causes(self) -> Iterable[Planned]:
        """What is to be read because something was refused."""
        ...

    def quiet_causes(self) -> Iterable[Series]:
        """What is known to be empty because nothing was."""
        ...

    def not_asked(self, missing: Missing, source: str, /) -> Iterable[Gap]:
        """What something that could not be read would have led to."""
        ...


_Wires = TypeVar("_Wires", bound=Wires)
Together = Callable[[Sequence[_Wires]], tuple[Iterable[Series], Iterable[Planned]]]
"""What passes show to be empty, and call for, once it is known which operations there are."""


@dataclass(slots=True)
class _Pass(Generic[_Wires]):
    look: Look
    wires: _Wires


@dataclass(slots=True)
class Passes(Generic[_Wires]):
    """Of one look of one source. Used by one thread."""

    source: str
    at: datetime
    reading: Reading
    meter: Meter
    wires: Callable[[], _Wires]
    """Those of a new pass."""
    note: Callable[[Sequence[Series]], None] = lambda _series: None
    """Sees what is watched, as it comes."""
    _every: list[_Pass[_Wires]] = field(default_factory=list)
    _unfollowed: list[_Pass[_Wires]] = field(default_factory=list)
    """Those of which nobody has asked yet which operations were refused."""

    def read(self, planned: Iterable[Planned]) -> Iterator[Batch]:
        """A further pass."""
        one = _Pass(Look(self.at), self.wires())
        one.look.note = lambda series: self._noted(one, series)
        self._every.append(one)
        self._unfollowed.append(one)
        yield from self.reading.batches(planned, one.look)

    def follow(
        self,
        together: Together[_Wires] | None = lambda _wires: ((), ()),
        *,
        known: Iterable[Series] = (),
        more: Iterable[Planned] = (),
    ) -> Iterator[Batch]:
        """What the newest pass leads to, with what else is `known` to be empty and `more` to read.

        `together` None: which operations there are is not known yet, so the next pass asks which were refused.
        """
        newest = self._every[-1]
        quiet, refused = list(newest.wires.quiet_causes()), list[Planned]()
        if together is not None:
            empty, asked = together([one.wires for one in self._unfollowed])
            quiet += empty
            refused += asked
        self.meter.add(spared_metrics=len(quiet) * billed(1))
        series = (*quiet, *known)
        if series:
            yield Batch(source=self.source, at=self.at, series=series)
        wanted = [*newest.wires.causes(), *refused, *more]
        yield from self.reading.batches(wanted, replace(newest.look, held=[]))  # a tripwire of `more` is not followed
        if together is not None:
            self.reading.settle(*(one.look for one in self._unfollowed))
            self._unfollowed.clear()

    @property
    def missing(self) -> Iterator[Missing]:
        """What could not be read in any pass."""
        for one in self._every:
            yield from one.look.missing

    def not_asked(self) -> Iterator[Gap]:
        """What a tripwire would have led to that could not be read."""
        for one in self._every:
            for missing in one.look.missing:
                yield from one.wires.not_asked(missing, self.source)

    def unread(self) -> Iterator[Gap]:
        """What could not be read."""
        for one in self._every:
            yield from self.reading.gaps(one.look)

    def _noted(self, one: _Pass[_Wires], series: Iterable[Series]) -> None:
        seen = tuple(of_metrics(series, one.wires.watched))
        one.wires.note(seen)
        self.note(seen)
