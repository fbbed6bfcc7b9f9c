"""How much of the past a look reads, after everything that is due. Pure.

A first look at two weeks of thousands of tables takes CloudWatch's quota of datapoints for hours. So each look reads
the past of some tables and ends in time for the next; what is asked is asked over its whole length at once, since
metrics are billed and not points. Tables come one after the other, each whole: what its tripwires lead to is known only
where all of them were read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from collector.aws.limiter import OLDER_DATAPOINTS_PER_S
from collector.aws.planner import MAX_DATAPOINTS
from collector.aws.progress import Progress
from collector.aws.queries import Ask
from collector.aws.reading import Planned
from stillfit.model import Subject

ENDS_AT = 0.75
"""Share of the time between two looks after which only what must not wait is asked (ours: the rest is for storing)."""
LEAST_S = 30
"""Seconds of the quota that a look always gives what may wait, however late it is, or it would never be read (ours)."""


def left_s(elapsed_s: float, tick_s: int) -> float:
    """Seconds that a look may still ask for, which began `elapsed_s` ago."""
    return max(tick_s * ENDS_AT - elapsed_s, min(LEAST_S, tick_s * (1 - ENDS_AT)))


def allowance(elapsed_s: float, tick_s: int, pace: float) -> int:
    """Datapoints of the past that a look may still ask for. `pace`: share of the full speed."""
    return max(MAX_DATAPOINTS, int(left_s(elapsed_s, tick_s) * pace * OLDER_DATAPOINTS_PER_S))


def slice_of(progress: Progress, most: float) -> list[Planned]:
    """What is owed of as many tables as `most` datapoints allow, of one at least; those first that wait longest."""
    families: defaultdict[Hashable, list[Ask]] = defaultdict(list)
    for ask in progress.owed:
        families[_family(ask.subject)].append(ask)
    found: list[Planned] = []
    points = 0
    for asks in families.values():
        if found and points >= most:
            break
        planned = [(ask, piece) for ask in asks for piece in progress.past(ask)]
        points += sum(len(ask.slots) * piece.points for ask, piece in planned)
        found += planned
    return found


def _family(subject: Subject) -> Hashable:
    """A table with its indexes, a cluster with its nodes."""
    return subject.keyspace, subject.table, subject.cluster
