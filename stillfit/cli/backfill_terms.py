"""What a backfill costs, takes and has read, in the words that people read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from collector.aws.backfill.price import Estimate, Part
from collector.aws.backfill.run import Backfill
from collector.aws.metrics.planner import MINUTES_KEPT_S
from collector.aws.spending.meter import USD_PER_METRIC
from collector.aws.wire.limiter import OLDER_DATAPOINTS_PER_S
from stillfit.cli.aws_terms import dollars
from stillfit.config import Retention
from stillfit.configaws import Aws
from stillfit.export.wording import plural

MOST_NAMES = 8
_DAY = timedelta(days=1)
_SERVICES = {"keyspaces": "Keyspaces", "dax": "DAX"}


def bound_lines(days: int, kept: Retention) -> Iterator[str]:
    """What of the wished days is not read because the store would soon remove it."""
    if days * _DAY > kept.hours:
        yield f"the store keeps hours for {_days(kept.hours)} (retention.hours): nothing older is read"
    if min(days * _DAY, timedelta(seconds=MINUTES_KEPT_S)) > kept.minutes:
        yield f"the store keeps minutes for {_days(kept.minutes)} (retention.minutes): no older ones are read"


def unread_lines(accounts: Iterable[Aws]) -> Iterator[str]:
    """What is watched and has no history to be read by this command."""
    named = {service for one in accounts for service in one.services} - {"dynamodb"}
    if named:
        which = " and ".join(one for service, one in _SERVICES.items() if service in named)
        yield f"{which}: not read here; `stillfit run` reads their last days by itself (aws[].first_look)"


def price_lines(estimates: Iterable[Estimate]) -> Iterator[str]:
    """The arithmetic of what reading will cost, and how long the quotas make it take."""
    every = tuple(estimates)
    fives, minutes = (sum(parts, Part()) for parts in ([e.fives for e in every], [e.minutes for e in every]))
    sure = all(one.minutes_are_sure for one in every)
    yield f"to read, in points of five minutes (of an hour beyond 63 days): {_part(fives)}"
    if minutes.metrics and sure:
        yield f"then by the minute, as far back as those are kept: {_part(minutes)}"
    elif minutes.metrics:
        which = "of tables that refused requests or came near their capacity"
        yield f"then by the minute, {which}: at most {_part(minutes)}"
    if more := fives.more + minutes.more:
        yield f"and at most {more:,} metrics more where requests were refused, to name the limit: {_usd(more)}"
    if not fives.metrics + minutes.metrics:
        yield "the store has all of it"
        return
    first, whole = (max(column) for column in zip(*(one.seconds for one in every), strict=True))
    quota = f"{OLDER_DATAPOINTS_PER_S:,.0f} points a second of each account and region"
    most = dollars(sum(one.usd_at_most for one in every))
    yield f"{most} at most; {_time(first)} to {_time(whole)} by the quota ({quota})"


def read_lines(looked: Sequence[Backfill]) -> Iterator[str]:
    """What was read."""
    tables = sum(len(one.members) for one in looked)
    points = sum(one.bill.datapoints for one in looked)
    yield f"{plural(tables, 'table')}: {plural(points, 'point')} read"
    if names := sorted({name for one in looked for name in one.by_minute}):
        yield f"by the minute: {_names(names)}"


def could_not_lines(missing: Mapping[str, int], where: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What could not be read, by what was said; the same command asks for it again."""
    for why, count in sorted(missing.items()):
        yield f"could not be read: {count:,} metrics of {_names(sorted(where[why]))}: {why}"
    if missing:
        yield "the same command asks again for what is missing, and for nothing else"


def _days(length: timedelta) -> str:
    return "1 day" if length == _DAY else f"{length / _DAY:.3g} days"


def _part(part: Part) -> str:
    return f"{part.metrics:,} metrics in about {part.calls:,} calls, {_usd(part.metrics)}"


def _usd(metrics: int) -> str:
    return dollars(metrics * USD_PER_METRIC)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return f"{', '.join(names[:MOST_NAMES])}{f' and {more} more' if more > 0 else ''}"
