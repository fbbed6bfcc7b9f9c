"""How much of the past a look reads, after everything that is due. Pure.

A first look at two weeks of thousands of tables takes CloudWatch's quota of datapoints for hours. So each look reads
the past of some tables, piece by piece, and ends in time for the next. What is asked is asked over its whole length at
once, since metrics are billed and not points. Tables come one after the other, each whole: what its tripwires lead to
is known only where all of them were read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.aws.looks.progress import Progress
from collector.aws.looks.reading import Planned
from collector.aws.metrics.planner import MAX_DATAPOINTS
from collector.aws.metrics.queries import Ask
from collector.aws.wire.limiter import OLDER_DATAPOINTS_PER_S
from stillfit.model import Subject

ENDS_AT = 0.75
"""Share of the time between two looks after which only what must not wait is asked (ours: the rest is for storing)."""
PIECE_S = 20
"""Seconds of the quota after which a look asks the clock whether it has time for more (ours); so much it always has, or
what may wait would never be read where each look is late."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not read yet of the past."""

    subjects: int
    """Tables, indexes, clusters and nodes of which anything is owed."""
    seconds: int
    """The longest stretch that is owed of each, in all."""
    ends_at: datetime | None = None
    """When it will be read, at the pace of the last look; None where that look brought nothing of it."""


def backlog(progress: Progress, before_s: int = 0, now: datetime | None = None, tick_s: int = 0) -> Backlog:
    """What is owed now.

    `before_s`: seconds that were owed before this look, which is over at `now`; the next are `tick_s` apart.
    """
    longest: dict[Subject, int] = {}
    for ask, span in progress.owed_spans:
        longest[ask.subject] = max(span.seconds, longest.get(ask.subject, 0))
    left_s = sum(longest.values())
    if now is None or before_s <= left_s or not left_s:
        return Backlog(len(longest), left_s)
    return Backlog(len(longest), left_s, now + timedelta(seconds=tick_s * -(-left_s // (before_s - left_s))))


def datapoints(pace: float) -> int:
    """Of one piece of the past. `pace`: share of the full speed."""
    return max(MAX_DATAPOINTS, int(PIECE_S * pace * OLDER_DATAPOINTS_PER_S))


def slice_of(progress: Progress, most: float) -> list[Planned]:
    """What is owed of as many tables as `most` datapoints allow, of one at least; those first that wait longest."""
    families: defaultdict[Hashable, list[Ask]] = defaultdict(list)
    for ask in progress.owed:
        families[family(ask.subject)].append(ask)
    found: list[Planned] = []
    points = 0
    for asks in families.values():
        if found and points >= most:
            break
        planned = [(ask, piece) for ask in asks for piece in progress.past(ask)]
        points += sum(len(ask.slots) * piece.points for ask, piece in planned)
        found += planned
    return found


def family(subject: Subject) -> Hashable:
    """A table with its indexes, a cluster with its nodes."""
    return subject.keyspace, subject.table, subject.cluster
