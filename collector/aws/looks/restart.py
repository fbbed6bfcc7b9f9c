"""How far each ask had been read before this process began, from what the store knows of the series it brings. Pure.

An ask was read as far as all that it brings was. The generic throttle metrics are tripwires: what they lead to is read
after them, so they count as read as far as that was as well, or a stop in between would leave a hole there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from collector.aws.metrics.operations import LISTED_FOR_S
from collector.aws.metrics.queries import CAUSES, LATENCY, THROTTLED_REQUESTS, THROTTLES, Ask
from stillfit.model import Span, Subject

Name = tuple[Subject, str, str]
"""Subject, metric, dimension."""
Reach = Callable[[], Mapping[Name, Span]]
"""Asks the store, once a start, which stretch of each series is known without a hole."""

_REQUESTS = THROTTLED_REQUESTS.brings[0][0]
_SERVED = LATENCY.brings[0][0]


class Reached:
    """What one source had read."""

    def __init__(self, known: Mapping[Name, Span] | None = None) -> None:
        self._known = known or {}
        self._told: set[Name] = set()
        self._served: defaultdict[Subject, dict[str, int]] = defaultdict(dict)
        self._refused: defaultdict[Subject, dict[str, int]] = defaultdict(dict)
        for (subject, metric, part), span in self._known.items():
            if metric == _SERVED:
                self._served[subject][part] = span.end
            elif metric == _REQUESTS:
                self._refused[subject][part] = span.end

    @property
    def subjects(self) -> frozenset[Subject]:
        """All of which anything is known."""
        return frozenset(subject for subject, _, _ in self._known)

    def of(self, ask: Ask) -> Span | None:
        """Known without a hole of everything that the ask brings; None where something never was."""
        if not self._known:
            return None
        names = tuple(self._names(ask))
        self._told.update((ask.subject, slot.metric, ask.part) for slot in ask.slots)
        self._told.update(name for name in names if name[2] == ask.part)
        spans = [self._known.get(name) for name in names]
        known = [span for span in spans if span is not None]
        if len(known) < len(spans):
            return None
        return Span(max(span.start for span in known), min(span.end for span in known))

    def left(self, since: int) -> Reached:
        """What nothing has been told of: an operation that is not listed now, and may be again.

        Of a part that something was told of, only what is not known from `since` on: the rest of it is not listed
        because there is none, and there are many such names.
        """
        if not self._told:
            return self
        parts = {(subject, part) for subject, _, part in self._told}
        return Reached(
            {
                name: span
                for name, span in self._known.items()
                if name not in self._told and ((name[0], name[2]) not in parts or span.start > since)
            }
        )

    def _names(self, ask: Ask) -> Iterator[Name]:
        yield ask.subject, ask.slots[0].metric, ask.part  # its slots come together, or are known together to be empty
        direction = next((way for way, spec in THROTTLES.items() if spec is ask.spec), None)
        for cause in CAUSES[direction] if direction else ():
            for metric, _, _ in cause.brings:
                yield ask.subject, metric, ""
        if direction == "read" and not ask.subject.index:
            for operation in self._lately(ask.subject):
                yield ask.subject, _REQUESTS, operation

    def _lately(self, table: Subject) -> Iterable[str]:
        """Operations that were still listed when reading stopped; where none was, what was told last; "" where nothing.

        Tripwires are read before it is known which operations there are.
        """
        served, refused = self._served.get(table, {}), self._refused.get(table, {})
        newest = max(served.values(), default=0)
        lately = [operation for operation, end in served.items() if end > newest - LISTED_FOR_S]
        return lately or (max(refused, key=refused.__getitem__, default=""),)
