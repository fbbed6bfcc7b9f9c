"""Which key a full key range belongs to, and how full it is: Contributor Insights as evidence for dynamodb/throttling.

A partition serves 3,000 RCU and 1,000 WCU a second. Insights count 3 x write + read units a minute, so one key at the
ceiling for a whole minute has 180,000 (DynamoDB developer guide, how Contributor Insights works). A minute is a mean:
a key at half of it may have been full for thirty seconds. Where insights are off, or record throttled keys only, the
sentence says what could not be seen; keys are known by their tags alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzers._limits import Limit
from analyzers._refusals import Refused
from stillfit.case import Case
from stillfit.model import Confidence, Evidence, EvidenceKind, Series, Span, Statistic
from stillfit.redaction import hidden
from stillfit.series import covered_s

CEILING = 180_000
"""Units a minute of one key at the ceiling of its partition: 3 x 1,000 WCU x 60 s, or 3,000 RCU x 60 s."""
WRITE_WEIGHT = 3
"""Read units that a write unit counts as (developer guide, ConsumedThroughputUnits)."""

UNITS, OF_KEYS = "hottest_partition_key_units", "partition_key_units"
THROTTLES, THROTTLES_OF_KEYS = "hottest_partition_key_throttles", "partition_key_throttles"
METRICS = (UNITS, OF_KEYS, THROTTLES, THROTTLES_OF_KEYS)


class HotKey(NamedTuple):
    """The key that was first in its worst minute. `label`: its tag, with the key where the operator wants it."""

    label: str
    peak: float
    times_second: float | None
    """How many times the worst minute of the next key; None where no second key is known."""

    @property
    def tag(self) -> str:
        return hidden(self.label)

    @property
    def of_ceiling(self) -> float:
        return self.peak / CEILING


def with_keys(case: Case, refused: Refused, limit: Limit) -> Limit:
    """The limit with what is known of keys: the sentence goes on, and a full key can settle what was open."""
    if limit.cause not in {"key_range", "undetermined"}:
        return limit
    hot = hottest(case, refused)
    if hot is not None and hot.of_ceiling >= case.threshold("full_key_share"):
        used = _used(case, refused, hot)
        if limit.cause == "undetermined":
            return Limit("key_range", Confidence.MEDIUM, used)
        return Limit(limit.cause, Confidence.HIGH, f"{limit.why}; {used}")
    if limit.cause == "undetermined":
        return limit
    return Limit(limit.cause, limit.confidence, f"{limit.why}; {_told(case, refused, hot)}")


def hottest(case: Case, refused: Refused) -> HotKey | None:
    """The hottest partition key while requests were refused; None where no consumption of keys is known for then."""
    return _first(case, refused, UNITS, OF_KEYS)


def key_evidence(case: Case, refused: Refused) -> tuple[Evidence, ...]:
    """The hottest key's share of the ceiling, its share of all that was consumed, and its tag."""
    hot = hottest(case, refused)
    if hot is None or not hot.peak:
        throttled = _most_refused(case, refused)
        return (_tagged(case, "most_throttled_key", throttled.label),) if throttled and throttled.label else ()
    shares = (("hottest_key_share", hot.of_ceiling), ("hottest_key_of_consumed", _of_consumed(case, refused, hot)))
    found = [_share(case, refused, name, share) for name, share in shares if share is not None]
    return (*found, *((_tagged(case, "hottest_key", hot.label),) if hot.label else ()))


def _told(case: Case, refused: Refused, hot: HotKey | None) -> str:
    if hot is not None and hot.peak:
        return _used(case, refused, hot)
    throttled = _most_refused(case, refused)
    if throttled is not None and throttled.peak:
        often = f"{throttled.peak:.0f} times in its worst minute{_beside(case, throttled)}"
        return f"{throttled.tag or 'one key'} was refused most, {often}; {_unseen(case)}"
    if hot is not None or throttled is not None:
        return "no key was recorded for that time, though Contributor Insights is on: PartiQL requests are not seen"
    return f"which key is not known: {_unseen(case)}"


def _used(case: Case, refused: Refused, hot: HotKey) -> str:
    """The share of the ceiling, in words that fit below, at and above the lines."""
    took = f"the hottest key{f', {hot.tag},' if hot.tag else ''} took {hot.of_ceiling:.0%} of what a partition serves"
    whole = _of_consumed(case, refused, hot)
    also = _beside(case, hot) + (f" and {whole:.0%} of all that was consumed" if whole is not None else "")
    if hot.of_ceiling >= case.threshold("full_key_share"):
        return f"{took}{also}{_seen(case, refused)}"
    if hot.of_ceiling >= case.threshold("hot_key_share"):
        return f"{took}{also} in its worst minute, so it was full within that minute{_seen(case, refused)}"
    return f"no single key was near the ceiling: {took}{also}; several keys share the range{_seen(case, refused)}"


def _beside(case: Case, hot: HotKey) -> str:
    if hot.times_second is None or hot.times_second < case.threshold("key_concentration"):
        return ""
    return f", {hot.times_second:.0f} times the next key"


def _seen(case: Case, refused: Refused) -> str:
    span = _span(refused)
    known = max((covered_s(one, span) for one in case.parts(UNITS, Statistic.MAXIMUM)), default=0)
    return f" ({known // 60} of {span.seconds // 60} minutes seen)" if known < span.seconds else ""


def _unseen(case: Case) -> str:
    """In the words of the gap where there is one: off, being switched on, failed, throttled keys only, denied."""
    gap = next((one for one in case.gaps if one.missing in {UNITS, THROTTLES}), None)
    if gap is not None:
        return gap.detail
    if case.attribute("contributor_insights") == "":
        return "Contributor Insights is off"
    return "no report of Contributor Insights was read"


def _most_refused(case: Case, refused: Refused) -> HotKey | None:
    return _first(case, refused, THROTTLES, THROTTLES_OF_KEYS)


def _first(case: Case, refused: Refused, hottest_of: str, of_each: str) -> HotKey | None:
    span = _span(refused)
    whole = [one for one in case.parts(hottest_of, Statistic.MAXIMUM) if covered_s(one, span)]
    if not whole:
        return None
    peak = max(_peak(one, span) for one in whole)
    ranked = sorted(((_peak(one, span), one.dimension) for one in case.parts(of_each, Statistic.MAXIMUM)), reverse=True)
    known = [pair for pair in ranked if pair[0]]
    second = known[1][0] if len(known) > 1 else None
    return HotKey(known[0][1] if known else "", peak, peak / second if second else None)


def _span(refused: Refused) -> Span:
    """From the first refusal to the last: a key that was hot at another time refused nothing."""
    return Span(refused.first, refused.last)


def _peak(one: Series, span: Span) -> float:
    """Of the buckets that touch the span."""
    first, last = np.searchsorted(one.times, [span.start - one.period_s + 1, span.end])
    return float(one.values[first:last].max(initial=0.0))


def _of_consumed(case: Case, refused: Refused, hot: HotKey) -> float | None:
    """What the key took of the busiest minute of the table or index; None where that is not known for both ways."""
    ways = [f"consumed_{way}_units" for way in ("read", "write")]
    if not hot.peak or not case.proves(*ways) or any(case.period_s(way) != 60 for way in ways):
        return None
    reads, writes = (np.nan_to_num(case.values(way)) for way in ways)
    parts = case.parts(UNITS, Statistic.MAXIMUM)
    minute = _worst_minute(parts, _span(refused))
    place = (minute - case.window.start) // 60
    if not 0 <= place < len(reads):
        return None
    whole = float(reads[place] + WRITE_WEIGHT * writes[place])
    return min(1.0, hot.peak / whole) if whole else None


def _worst_minute(parts: tuple[Series, ...], span: Span) -> int:
    pairs = (
        (float(value), int(at))
        for one in parts
        for at, value in zip(one.times, one.values, strict=True)
        if span.start - one.period_s < at < span.end
    )
    return max(pairs)[1]


def _share(case: Case, refused: Refused, name: str, share: float) -> Evidence:
    span = _span(refused)
    parts = case.parts(UNITS, Statistic.MAXIMUM)
    known = max((covered_s(one, span) for one in parts), default=0)
    return Evidence(
        signal=name,
        unit="ratio",
        kind=EvidenceKind.DERIVED,
        source=case.subject.engine.value,
        low=share,
        mid=share,
        high=share,
        window=span,
        points=sum(len(one.times) for one in parts),
        coverage=known / span.seconds,
    )


def _tagged(case: Case, name: str, label: str) -> Evidence:
    return Evidence(
        signal=name, unit="", kind=EvidenceKind.MEASURED, source=case.subject.engine.value, text=label, points=1
    )
