"""Tripwires of a service that names them and what they lead to, as `tripwire` has them for DynamoDB. Pure.

Where a tripwire is zero its parts are, by definition; where it is not, they are asked; where it is not known, they are
Gaps "not asked".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from collector.aws.metrics.decode import Missing
from collector.aws.metrics.operations import empty
from collector.aws.metrics.planner import Stretch
from collector.aws.metrics.queries import Ask, Questions, Spec
from collector.aws.metrics.tripwire import not_asked
from stillfit.model import Gap, Series, Subject

Name = tuple[Subject, str, str]
"""Subject, canonical metric, part."""


@dataclass(slots=True)
class Wires:
    """What the tripwires said in one pass; implements those of collector/aws/looks/passes.py."""

    questions: Questions
    asks: Mapping[Name, Ask]
    """By what comes back of them."""
    leads_to: Callable[[Spec], Iterable[Spec]]
    generic: dict[int, Ask]
    """By the number of an ask for a cause, the tripwire that led to it; it grows."""
    seen: list[tuple[Ask, Series]] = field(default_factory=list)

    @property
    def watched(self) -> frozenset[str]:
        """See `passes.Wires`."""
        return frozenset(metric for _, metric, _ in self.asks)

    def note(self, series: Iterable[Series]) -> None:
        """See `passes.Wires`."""
        for one in series:
            wire = self.asks.get((one.subject, one.metric, one.dimension))
            if wire is not None:
                kept = replace(one, times=one.times.copy(), values=one.values.copy())  # not the whole page they lie in
                self.seen.append((wire, kept))

    def causes(self) -> Iterator[tuple[Ask, Stretch]]:
        """See `passes.Wires`."""
        for wire, seen in self.seen:
            for spec in self.leads_to(wire.spec) if seen.values.any() else ():
                ask = self.questions.ask(wire.subject, spec, wire.part)
                self.generic[ask.number] = wire
                yield ask, Stretch(seen.period_s, seen.covered[0])

    def quiet_causes(self) -> Iterator[Series]:
        """See `passes.Wires`."""
        for wire, seen in self.seen:
            for metric in self._parts(wire) if not seen.values.any() else ():
                yield empty(wire.subject, metric, seen.period_s, seen.covered[0], wire.part)

    def not_asked(self, missing: Missing, source: str) -> Iterator[Gap]:
        """See `passes.Wires`."""
        yield from not_asked(missing, self._parts(missing.ask), source)

    def _parts(self, wire: Ask) -> Iterator[str]:
        for spec in self.leads_to(wire.spec):
            yield from (metric for metric, _, _ in spec.brings)
