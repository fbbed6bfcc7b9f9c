"""Which tables a question of bursts may be asked of: those that refused requests, or came near their capacity. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from collector.aws.backfill.cover import Kept
from collector.aws.metrics.queries import DIRECTIONS, FIVE_MINUTES, THROTTLES
from collector.aws.settings.inventory import Member
from stillfit.model import Series, Span, Statistic, Subject

NEAR_CAPACITY = 0.80
"""Share of what is provisioned, over five minutes, at which single minutes may have been above it (the line at which
AWS recommends alarms on account capacity; here for a table)."""


def bursting(members: Iterable[Member], kept: Kept, span: Span) -> tuple[Member, ...]:
    """Of which the five-minute points of `span` raise the question."""
    every = tuple(members)
    wires = {spec.brings[0][0] for spec in THROTTLES.values()}
    refused = {one.subject.parent for one in kept.hourly(span, metrics=wires) if bool((one.values > 0.0).any())}
    full = _nearly_full([member for member in every if member.provisioned], kept, span)
    return tuple(member for member in every if member.table in refused or member.table in full)


def _nearly_full(members: Sequence[Member], kept: Kept, span: Span) -> set[Subject]:
    found: set[Subject] = set()
    for direction in DIRECTIONS if members else ():
        names = (f"consumed_{direction}_units", f"provisioned_{direction}_units")
        subjects = [subject for member in members for subject in member.subjects]
        series = kept.series(span, metrics=names, subjects=subjects, period_s=FIVE_MINUTES)
        used = {one.subject: one for one in series if (one.metric, one.statistic) == (names[0], Statistic.SUM)}
        for there in series:
            is_capacity = (there.metric, there.statistic) == (names[1], Statistic.AVERAGE)
            if is_capacity and there.subject in used and _peak(used[there.subject], there) > NEAR_CAPACITY:
                found.add(there.subject.parent)
    return found


def _peak(used: Series, provisioned: Series) -> float:
    """Greatest share of the capacity that was used in five minutes, where both are known."""
    _, left, right = np.intersect1d(used.times, provisioned.times, assume_unique=True, return_indices=True)
    capacity = provisioned.values[right] * used.period_s
    shares = used.values[left][capacity > 0.0] / capacity[capacity > 0.0]
    return float(shares.max(initial=0.0))
