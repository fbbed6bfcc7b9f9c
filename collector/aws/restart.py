"""How far each ask had been read before this process began, from what the store knows of the series it brings. Pure.

An ask was read as far as all that it brings was. The generic throttle metrics are tripwires: what they lead to is read
after them, so they count as read as far as that was as well, or a stop in between would leave a hole there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from collector.aws.operations import LISTED_FOR_S
from collector.aws.queries import CAUSES, THROTTLED_REQUESTS, THROTTLES, Ask
from stillfit.model import Span, Subject

Name = tuple[Subject, str, str]
"""Subject, metric, dimension."""
Reach = Callable[[], Mapping[Name, Span]]
"""Asks the store, once a start, which stretch of each series is known without a hole."""

_REQUESTS = THROTTLED_REQUESTS.brings[0][0]


class Reached:
    """What one source had read."""

    def __init__(self, known: Mapping[Name, Span] | None = None) -> None:
        self._known = known or {}
        self._told: set[tuple[Subject, str]] = set()
        self._requests: defaultdict[Subject, list[int]] = defaultdict(list)
        for (subject, metric, _), span in self._known.items():
            if metric == _REQUESTS:
                self._requests[subject].append(span.end)

    def of(self, ask: Ask) -> Span | None:
        """Known without a hole of everything that the ask brings; None where something never was."""
        self._told.add((ask.subject, ask.part))
        spans = [self._known.get(name) for name in _names(ask)]
        known = [span for span in spans if span is not None]
        if len(known) < len(spans):
            return None
        ends = [span.end for span in known]
        if ask.spec is THROTTLES["read"]:
            ends += self._lately(ask.subject)
        return Span(max(span.start for span in known), min(ends))

    def left(self) -> Reached:
        """Parts that nothing has been told of: an operation that is not listed now, and may be again."""
        return Reached({name: span for name, span in self._known.items() if (name[0], name[2]) not in self._told})

    def _lately(self, table: Subject) -> list[int]:
        """Ends of the refused requests of operations that were still listed when reading stopped."""
        ends = self._requests.get(table, [])
        return [end for end in ends if end > max(ends) - LISTED_FOR_S]


def _names(ask: Ask) -> Iterator[Name]:
    for slot in ask.slots:
        yield ask.subject, slot.metric, ask.part
    direction = next((way for way, spec in THROTTLES.items() if spec is ask.spec), None)
    for cause in CAUSES[direction] if direction else ():
        for metric, _, _ in cause.brings:
            yield ask.subject, metric, ""
