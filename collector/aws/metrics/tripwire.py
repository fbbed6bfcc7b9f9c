"""Asking for the cause of throttling only where something was throttled. Pure.

ReadThrottleEvents and WriteThrottleEvents count every refused event whatever refused it; the cause-specific metrics
split them up, and ThrottledRequests counts requests that had at least one such event on the table or an index (DynamoDB
developer guide, "DynamoDB metrics and dimensions" and "Diagnosing throttling", 2025). So where the generic metric is
known to be zero its parts are zero by definition: they are said to be, without being asked and paid for (eight metrics
a subject, and one an operation). Where it is not known, its parts are Gaps "not asked".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.aws.metrics.decode import Missing
from collector.aws.metrics.operations import empty
from collector.aws.metrics.planner import Stretch
from collector.aws.metrics.queries import (
    CAUSES,
    CONSUMED,
    DIRECTIONS,
    THROTTLED_REQUESTS,
    THROTTLES,
    Ask,
    Questions,
    causes_of,
)
from stillfit.model import Gap, GapReason, Series, Subject

GENERIC = {f"{direction}_throttle_events": direction for direction in DIRECTIONS}
WATCHED = frozenset(
    metric
    for spec in (*CONSUMED, *THROTTLES.values(), *CAUSES["read"], *CAUSES["write"])
    for metric, _, _ in spec.brings
)
"""What tripwires, tiers and reports of keys look at as it comes."""
_REQUESTS = THROTTLED_REQUESTS.brings[0][0]


@dataclass(slots=True)
class Tripwire:
    """What the generic metrics said in a pass, by subject and direction. A `Wires` (collector/aws/looks/passes.py)."""

    questions: Questions
    watched: frozenset[str] = WATCHED
    seen: dict[tuple[Subject, str], list[Series]] = field(default_factory=dict)

    @classmethod
    def together(cls, several: Sequence[Tripwire]) -> Tripwire:
        """What several passes said, one at least: a table and its index may be of two."""
        found = cls(several[0].questions)
        for one in several:
            for key, pieces in one.seen.items():
                found.seen[key] = [*found.seen.get(key, ()), *pieces]
        return found

    def note(self, series: Iterable[Series]) -> None:
        """Take the generic throttle series out of what was read; others are passed over."""
        for one in series:
            if one.metric in GENERIC:
                kept = replace(one, times=one.times.copy(), values=one.values.copy())  # not the whole page they lie in
                self.seen.setdefault((one.subject, GENERIC[one.metric]), []).append(kept)

    def causes(self) -> Iterator[tuple[Ask, Stretch]]:
        """The cause-specific asks for each direction of each subject, where something was refused."""
        for (subject, direction), pieces in self.seen.items():
            for stretch in (_stretch(one) for one in pieces if _tripped(one)):
                for spec in CAUSES[direction]:
                    yield self.questions.ask(subject, spec), stretch

    def quiet_causes(self) -> Iterator[Series]:
        """The cause-specific series that are known to be empty."""
        for (subject, direction), pieces in self.seen.items():
            for one in pieces:
                if not _tripped(one):
                    for metric in causes_of(direction):
                        yield empty(subject, metric, one.period_s, one.covered[0])

    def not_asked(self, missing: Missing, source: str) -> Iterator[Gap]:
        """The parts of a generic metric that could not be read."""
        for way, spec in THROTTLES.items():
            if spec is missing.ask.spec:
                yield from not_asked(missing, causes_of(way), source)

    def requests(
        self, family: Sequence[Subject], operations: Sequence[str], went: Mapping[Subject, int]
    ) -> Iterator[tuple[Ask, Stretch]]:
        """ThrottledRequests of a table (first of its `family`), for the stretches in which anything was refused.

        `went`: indexes that are gone, and until when they were there at most (epoch seconds).
        """
        for stretch in self._stretches(family[0]):
            if not self._quiet(family, went, stretch):
                for operation in operations:
                    yield self.questions.ask(family[0], THROTTLED_REQUESTS, operation), stretch

    def quiet_requests(
        self, family: Sequence[Subject], operations: Sequence[str], went: Mapping[Subject, int]
    ) -> Iterator[Series]:
        """ThrottledRequests of a table, for the stretches in which nothing was refused, there or on an index."""
        for stretch in self._stretches(family[0]):
            if self._quiet(family, went, stretch):
                for operation in operations or ("",):
                    yield empty(family[0], _REQUESTS, stretch.period_s, stretch.window, operation)

    def _stretches(self, table: Subject) -> tuple[Stretch, ...]:
        return tuple(_stretch(one) for one in self.seen.get((table, "read"), ()))

    def _quiet(self, family: Sequence[Subject], went: Mapping[Subject, int], stretch: Stretch) -> bool:
        """Whether it is known of every member and direction that nothing was refused."""
        then = (index for index, until in went.items() if until > stretch.window.start)
        return all(
            any(_stretch(one) == stretch and not _tripped(one) for one in self.seen.get((member, direction), ()))
            for member in (*family, *then)
            for direction in DIRECTIONS
        )


def not_asked(wire: Missing, parts: Iterable[str], source: str) -> Iterator[Gap]:
    """What a tripwire that could not be read would have led to: canonical metrics."""
    generic = wire.ask.slots[0].metric
    detail = f"asked only where {generic} tells that something was refused, and that could not be read"
    for metric in parts:
        yield Gap(
            subject=wire.ask.subject,
            missing=metric,
            reason=GapReason.NOT_ASKED,
            detail=detail,
            source=source,
            span=wire.stretch.window,
        )


def refusals(series: Iterable[Series]) -> Iterator[Series]:
    """Those of what was WATCHED that tell of refused requests, without the page that they lie in."""
    consumed = {metric for spec in CONSUMED for metric, _, _ in spec.brings}
    for one in series:
        if one.metric not in consumed and one.values.any():
            yield replace(one, times=one.times.copy(), values=one.values.copy())


def origin(questions: Questions, ask: Ask) -> Ask:
    """The generic ask that led to this one, so that both are read again when this one fails; else the ask itself."""
    for direction in DIRECTIONS:
        if ask.spec in CAUSES[direction] or (ask.spec is THROTTLED_REQUESTS and direction == "read"):
            return questions.ask(ask.subject, THROTTLES[direction])
    return ask


def may_lead_to(ask: Ask, operations: Sequence[str]) -> int:
    """Billed metrics that a generic ask calls for at most: its causes, and once a table its refused requests."""
    direction = next((way for way, spec in THROTTLES.items() if spec is ask.spec), None)
    if direction is None:
        return 0
    is_table = not ask.subject.index
    return len(CAUSES[direction]) + (len(operations) if is_table and direction == "read" else 0)


def _tripped(generic: Series) -> bool:
    return bool(generic.values.any())


def _stretch(series: Series) -> Stretch:
    return Stretch(series.period_s, series.covered[0])
