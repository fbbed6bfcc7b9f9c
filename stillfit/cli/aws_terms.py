"""What a look at AWS costs and what it is not allowed to see, in the words that people read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from collector.aws.permissions import BY_ACTION, Permission
from collector.aws.spending.meter import USD_PER_KEY, USD_PER_LISTING, USD_PER_METRIC, Bill, Price
from stillfit.export.wording import plural
from stillfit.model import Gap, GapReason

LISTING, KEY = "cloudwatch:ListMetrics", "kms:DescribeKey"
GRANT = "grant "
"""What the sentence of a refusal says before the permission that is missing (collector/aws/wire/failures.py)."""
LOST = frozenset({GapReason.TIMEOUT, GapReason.UNREACHABLE, GapReason.THROTTLED, GapReason.GARBLED, GapReason.PARTIAL})
"""Why something was not read that should have been; what is denied is told by its permission."""


def asked_so_far(calls: Mapping[str, int]) -> str:
    """What finding the tables took: free calls, and those of which so many a month are free."""
    free = sum(count for action, count in calls.items() if action not in {LISTING, KEY})
    listings, keys = calls.get(LISTING, 0), calls.get(KEY, 0)
    cost = f"the first million a month is free, else {dollars(listings * USD_PER_LISTING)}"
    told = f"{free:,} calls for settings, free; {listings:,} listings of metrics ({cost})"
    of_keys = f"the first 20,000 a month are free, else {USD_PER_KEY * 10_000:.2f} USD for 10,000"
    return f"{told}; {plural(keys, 'call')} to KMS ({of_keys})" if keys else told


def price_lines(prices: Iterable[Price]) -> Iterator[str]:
    """The arithmetic of what reading the metrics costs."""
    every = tuple(prices)
    metrics, more = sum(one.metrics for one in every), sum(one.more for one in every)
    yield f"{metrics:,} metrics x {USD_PER_METRIC * 1_000:.2f} USD / 1,000 = {dollars(metrics * USD_PER_METRIC)}"
    if more:
        most = f"{more:,} more where requests were refused, to name the limit"
        yield f"and at most {most}: {dollars((metrics + more) * USD_PER_METRIC)} in all"


def at_most(prices: Iterable[Price]) -> float:
    return sum(one.usd_at_most for one in prices)


def spent_line(bills: Iterable[Bill], seconds: float) -> str:
    every = tuple(bills)
    metrics, points = sum(one.metrics for one in every), sum(one.datapoints for one in every)
    calls, usd = sum(one.calls for one in every), metrics * USD_PER_METRIC
    told = f"{metrics:,} metrics in {calls:,} calls, {points:,} points, {seconds:.0f} s"
    return f"spent {dollars(usd)}: {told}{lost_clause(every)}"


def lost_clause(bills: Iterable[Bill]) -> str:
    """What may have been billed on top; nothing where every request was answered or refused."""
    lost = sum(one.lost_metrics for one in bills)
    if not lost:
        return ""
    return (
        f"; answers to {lost:,} more were lost on the way, which may have been billed: {dollars(lost * USD_PER_METRIC)}"
    )


def is_lost(gap: Gap) -> bool:
    """Whether something was not read that should have been, and granting a permission would not help."""
    return gap.reason in LOST or (gap.reason is GapReason.DENIED and not is_refusal(gap))


def refused_actions(gaps: Iterable[Gap]) -> tuple[tuple[Permission, int], ...]:
    """Each permission that was not granted, with how many tables, indexes or regions miss something by it.

    Credentials that expired and a clock that is off are denied too, and no grant helps them.
    """
    blinded: defaultdict[str, set[object]] = defaultdict(set)
    for gap in gaps:
        if is_refusal(gap):
            for action in BY_ACTION:
                if _names(gap, action):
                    blinded[action].add(gap.subject)
    return tuple((one, len(blinded[action])) for action, one in BY_ACTION.items() if action in blinded)


def is_refusal(gap: Gap) -> bool:
    """Whether a permission is what is missing, one of those that the policy grants."""
    return gap.reason is GapReason.DENIED and any(_names(gap, action) for action in BY_ACTION)


def _names(gap: Gap, action: str) -> bool:
    return f"{GRANT}{action} " in f"{gap.detail} "


def permission_lines(gaps: Iterable[Gap]) -> Iterator[str]:
    """What is not granted and what goes blind by it."""
    for permission, count in refused_actions(gaps):
        yield f"{permission.action} is not granted ({count} affected): blind to {permission.blind}"


def is_blind(gaps: Iterable[Gap]) -> bool:
    """Whether something without which nothing can be judged is missing, of all that was looked at or of a region."""
    every = tuple(gaps)
    signed_out = any(gap.reason is GapReason.DENIED and is_lost(gap) for gap in every)
    return signed_out or any(permission.essential for permission, _ in refused_actions(every))


def found_line(tables: int, indexes: int, regions: Iterable[str]) -> str:
    """How many there are, by region."""
    counted = Counter(regions)
    where = ", ".join(f"{count} in {name}" for name, count in sorted(counted.items()))
    told = f"{plural(tables, 'table')}{f' ({where})' if len(counted) > 1 else ''}"
    told = f"{told} and {plural(indexes, 'index', 'indexes')}"
    return told if tables else f"{told}: is this the right region?"


def dollars(usd: float) -> str:
    """With as many digits as show that looking is cheap, and not free."""
    return f"{usd:.2f} USD" if usd >= 1 or not usd else f"{usd:.3f} USD" if usd >= 0.01 else f"{usd:.5f} USD"
