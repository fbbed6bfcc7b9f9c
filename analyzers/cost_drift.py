"""cost/drift: a DynamoDB table costs more than it did, and why.

Fires when the last 7 days cost more a month than the mean of the 1 to 3 weeks before, by a share and by an amount that
both matter, and more than every one of those weeks. Stays silent on what became cheaper, on growth that is small in
either measure, and on a week that is dear but has been matched before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp, log
from types import MappingProxyType

from stillfit.case import Analyzer, Case, Threshold
from stillfit.costs.weekly import Factors, Week, factors, mean, weeks_of
from stillfit.model import (
    Answer,
    AttributeChange,
    Confidence,
    Engine,
    Evidence,
    EvidenceKind,
    Finding,
    Level,
    Severity,
    Span,
    Unknown,
)

WINDOW = timedelta(days=28)
RECENT = timedelta(days=7)  # whole weeks only: a weekend is compared with a weekend
SETTINGS = (
    "billing_mode",
    "provisioned_read_units",
    "provisioned_write_units",
    "autoscaling_read_min",
    "autoscaling_write_min",
    "autoscaling_read_target",
    "autoscaling_write_target",
)
FROM_NOTHING = log(1_000)  # ours: what multiplied more often began from next to nothing, and no ratio to that tells
GREW = 1.05  # ours: mean item size moves slowly in a large table, 5 % in a week is already much


def find(case: Case) -> Answer:
    if not case.costs:
        return Unknown(
            f"{case.subject.name}: what it costs could not be told, so neither can a change of it", ("cost",)
        )
    if changed := case.changed("table_class", WINDOW):
        when = f"{changed[0].at:%Y-%m-%d}"
        return Unknown(f"{case.subject.name}: its table class changed on {when}; weeks around that are not comparable")
    weeks = weeks_of(case)
    if isinstance(weeks, Unknown):
        return weeks
    recent, before = _comparable(weeks[0], weeks[1:])
    rise = recent.cost - mean(before).cost
    relative, absolute = case.threshold("relative_growth") / 100, case.threshold("absolute_growth")
    least = max(mean(before).cost * (1 + relative), *(week.cost for week in before))
    if rise < absolute or recent.cost < least:
        return None

    return _finding(case, recent, before)


def _comparable(recent: Week, before: Sequence[Week]) -> tuple[Week, tuple[Week, ...]]:
    """Storage counts where it is known in all weeks, else in none."""
    weeks = (recent, *before)
    if any(week.storage is None for week in weeks):
        weeks = tuple(week.without_storage() for week in weeks)
    return weeks[0], weeks[1:]


def _finding(case: Case, recent: Week, before: tuple[Week, ...]) -> Finding:
    usual = mean(before)
    parts = factors(usual, recent)
    cause = _cause(case, usual, recent, parts)
    change = _setting_behind(case, cause)
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause=cause,
        severity=Severity.WARNING,
        confidence=_confidence(cause, len(before)),
        since=_since(case, change),
        summary=_summary(usual, recent, parts, cause, change),
        evidence=_evidence(case, before, recent, parts),
    )


def _cause(case: Case, usual: Week, recent: Week, parts: Factors) -> str:
    """The part that makes up most of what rose; falling parts do not count against it."""
    share = case.threshold("dominant_share") / 100
    stored = (recent.storage or 0.0) - (usual.storage or 0.0)
    if stored >= share * (recent.cost - usual.cost):
        return "storage_growth"
    named = {"index_added": parts.new_indexes, "setting_change": parts.settings, "price_change": parts.price}
    if parts.requests is None or parts.units_per_request is None:
        named["cannot_tell"] = parts.used
    else:
        named["more_traffic"] = parts.requests
        named[_heavier(usual, recent)] = parts.units_per_request
    risen = sum(value for value in named.values() if value > 0)
    largest = max(named, key=lambda name: named[name])
    return largest if risen and named[largest] >= share * risen else "mixed"


def _heavier(usual: Week, recent: Week) -> str:
    """Writes cost by item size alone; reads also by how many items they touch."""
    reads, whole = recent.used_by_reads - usual.used_by_reads, recent.used - usual.used
    grew = usual.item_bytes and recent.item_bytes and recent.item_bytes >= GREW * usual.item_bytes
    return "bigger_items" if grew or reads < whole / 2 else "heavier_reads"


def _setting_behind(case: Case, cause: str) -> AttributeChange | None:
    """The newest change of a setting that could be behind it, of the table or one of its indexes."""
    if cause not in {"setting_change", "mixed"}:
        return None
    family = (case, *(one for one in case.related if one.subject.level is Level.INDEX))
    found = [change for one in family for name in SETTINGS for change in one.changed(name, 2 * RECENT)]
    return max(found, key=lambda change: change.at, default=None)


def _since(case: Case, change: AttributeChange | None) -> datetime:
    return change.at if change else case.window.ends_at - RECENT


def _confidence(cause: str, weeks_before: int) -> Confidence:
    if cause in {"cannot_tell", "mixed"}:
        return Confidence.LOW
    return Confidence.HIGH if weeks_before >= 3 else Confidence.MEDIUM


def _summary(usual: Week, recent: Week, parts: Factors, cause: str, change: AttributeChange | None) -> str:
    times = f"{recent.cost / usual.cost:.2f} times" if usual.cost >= 1 else "far more than"
    told = [f"costs {recent.cost:,.0f} USD a month, {times} the {usual.cost:,.0f} of before: {CAUSES[cause]}"]
    rises = [
        f"{name} x {exp(value):.2f}" for name, value in _factors(parts) if value is not None and abs(value) >= log(1.01)
    ]
    told += [", ".join(rises)] if rises else []
    told += [] if _factors(parts) else ["next to nothing was used before"]
    if change is not None:
        told.append(f"{change.name} went from {change.before} to {change.after} on {change.at:%Y-%m-%d}")
    return "; ".join(told)


def _factors(parts: Factors) -> tuple[tuple[str, float | None], ...]:
    """How often the throughput cost multiplied by each part; together they make the whole. None where it began."""
    used = parts.used if parts.requests is None else None
    every = (
        ("requests", parts.requests),
        ("units per request", parts.units_per_request),
        ("units used", used),
        ("new indexes", parts.new_indexes),
        ("capacity paid per unit used", parts.settings),
        ("list price", parts.price),
    )
    began = any(value is not None and abs(value) > FROM_NOTHING for _, value in every)
    return () if began else every


def _evidence(case: Case, before: tuple[Week, ...], recent: Week, parts: Factors) -> tuple[Evidence, ...]:
    window, week = case.window, int(RECENT.total_seconds())
    earlier = Span(window.end - (len(before) + 1) * week, window.end - week)
    newest = Span(window.end - week, window.end)
    costs = [one.cost for one in before]
    numbers = [
        _number("cost_now", "USD/month", (recent.cost, recent.cost, recent.cost), newest),
        _number("cost_before", "USD/month", (min(costs), mean(before).cost, max(costs)), earlier),
    ]
    if recent.storage is not None:
        stored = recent.storage - (mean(before).storage or 0.0)
        numbers.append(_number("storage_rise", "USD/month", (stored, stored, stored), newest))
    for name, value in _factors(parts):
        if value is not None:
            ratio = exp(value)
            numbers.append(_number(f"{name.replace(' ', '_')}_ratio", "ratio", (ratio, ratio, ratio), newest))
    return tuple(numbers)


def _number(signal: str, unit: str, value: tuple[float, float, float], window: Span) -> Evidence:
    low, mid, high = value
    return Evidence(
        signal=signal,
        unit=unit,
        kind=EvidenceKind.DERIVED,
        source="consumption and provisioned capacity at list prices",
        low=low,
        mid=mid,
        high=high,
        window=window,
    )


CAUSES = MappingProxyType(
    {
        "bigger_items": "each request uses more units, as when items grow",
        "heavier_reads": "each read uses more units: it touches more items, or reads strongly what it read eventually",
        "more_traffic": "there are more requests",
        "price_change": "the list price changed",
        "index_added": "an index is written that was not there before",
        "setting_change": "more capacity is paid for each unit used: the mode or the provisioned capacity changed",
        "storage_growth": "more bytes are kept",
        "mixed": "several parts rose together",
        "cannot_tell": "more units are used, and requests were not counted, so traffic cannot be told from size",
    }
)

ANALYZER = Analyzer(
    id="cost/drift",
    levels=frozenset({Level.TABLE}),
    engines=frozenset({Engine.DYNAMODB}),
    needs=frozenset(),  # `weeks_of` proves coverage week by week: two good weeks suffice where four are not there
    wants=frozenset(
        {
            "consumed_read_units",
            "consumed_write_units",
            "provisioned_read_units",
            "provisioned_write_units",
            "successful_requests",
            "table_size_bytes",
            "item_count",
        }
    ),
    window=WINDOW,
    hourly=True,
    causes=CAUSES,
    thresholds=(
        Threshold(
            name="relative_growth",
            value=10,
            unit="%",
            why="ours: less is within the week-to-week noise of most tables; the amount must be reached as well",
        ),
        Threshold(
            name="absolute_growth",
            value=50,
            unit="USD/month",
            why="ours: below this nobody's hour is repaid; the share must be reached as well",
        ),
        Threshold(
            name="dominant_share",
            value=60,
            unit="%",
            why="ours: a part that makes up three fifths of the rise is called its cause, else it is mixed",
        ),
    ),
    find=find,
)
