"""What a backfill will cost in metrics, calls and time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from collector.aws.looks.reading import Planned
from collector.aws.metrics.planner import MAX_DATAPOINTS, MAX_QUERIES, Stretch
from collector.aws.metrics.tripwire import may_lead_to
from collector.aws.spending.meter import USD_PER_METRIC, billed
from collector.aws.wire.limiter import CALLS_PER_S, OLDER_DATAPOINTS_PER_S
from stillfit.model import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a backfill. `more` are billed metrics at most, where requests turn out to have been refused."""

    metrics: int = 0
    more: int = 0
    calls: int = 0
    datapoints: int = 0

    def __add__(self, other: Part) -> Part:
        return Part(
            metrics=self.metrics + other.metrics,
            more=self.more + other.more,
            calls=self.calls + other.calls,
            datapoints=self.datapoints + other.datapoints,
        )

    @property
    def usd(self) -> float:
        return self.metrics * USD_PER_METRIC

    def seconds(self, calls_per_s: float) -> float:
        """The least that the quotas of one account and region allow, as the limiter keeps to them."""
        return max(self.calls / calls_per_s, self.datapoints / OLDER_DATAPOINTS_PER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of one account and region."""

    fives: Part
    minutes: Part
    """By the minute: of all that may turn out to ask for it."""
    minutes_are_sure: bool
    """Whether those are wanted whatever the five-minute points show."""
    calls_per_s: float = CALLS_PER_S
    """The quota of calls."""

    @property
    def seconds(self) -> tuple[float, float]:
        """Until the five-minute points are there, and in all."""
        return self.fives.seconds(self.calls_per_s), (self.fives + self.minutes).seconds(self.calls_per_s)

    @property
    def usd_at_most(self) -> float:
        """Without what is asked again because it failed."""
        both = self.fives + self.minutes
        return (both.metrics + both.more) * USD_PER_METRIC


def priced(planned: Iterable[Planned], served: Callable[[Subject], Sequence[str]]) -> Part:
    """Of each stretch as many calls as it takes when it is packed alone."""
    metrics = more = 0
    queries: Counter[Stretch] = Counter()
    for ask, stretch in planned:
        metrics += billed(len(ask.slots))
        more += may_lead_to(ask, served(ask.subject))
        queries[stretch] += len(ask.slots)
    calls = sum(-(-count // min(MAX_QUERIES, MAX_DATAPOINTS // one.points)) for one, count in queries.items())
    datapoints = sum(count * one.points for one, count in queries.items())
    return Part(metrics=metrics, more=more, calls=calls, datapoints=datapoints)
