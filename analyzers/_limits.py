"""Which limit refused: the ladder of dynamodb/throttling, from the service's own word down to inference.

1. The eight cause metrics of 2025 (developer guide, diagnosing throttling): high confidence.
2. A decrease of capacity shortly before, a throttled index behind a table: what stands beside the refusals.
3. The table's own cap, the account's quota and the growth rules of on-demand, or a replay of the burst bucket.
4. Nothing of it: the cause is undetermined, and the sentence says what would tell.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from analyzers._capacity import PARTITION_CEILING, Fits, Numbers, consumed, explain, in_force
from analyzers._refusals import Refused, cause_metrics
from stillfit.case import Case
from stillfit.metrics import THROTTLE_REASONS
from stillfit.model import AttributeChange, Confidence, Level, Value

TABLE_QUOTA = 40_000
"""Default units per second of one on-demand table, read and write alike (developer guide, service quotas)."""
NEW_TABLE_WARMTH = {"read": 12_000, "write": 4_000}
"""What a new on-demand table takes at once (developer guide, on-demand capacity mode)."""
NEAR = 0.9
"""Share of a limit that counts as reached (ours: minutes are averages, a limit is met within seconds)."""
EXPLAINED = 0.5
"""Share of the events that one limit must explain to be named (ours: the majority)."""
CALM = 0.7
"""Utilisation below which refusals are not a matter of capacity (ours: the usual auto scaling target)."""
HISTORY_S = 1800
"""On-demand doubles its reach over 30 minutes, so that much is needed before a jump (on-demand capacity mode)."""


class Limit(NamedTuple):
    """The limit that was met, how sure that is, and why, as the end of a sentence."""

    cause: str
    confidence: Confidence
    why: str


def limit_met(case: Case, refused: Refused) -> Limit:
    """The first rung of the ladder that bears."""
    told = _told(case, refused)
    lowered = _lowered(case, refused)
    if told is not None and not (told.cause == "provisioned" and lowered):
        return told
    if lowered and (told or not _is_key_range(case, refused)):
        return _scaled_in(refused, lowered[0], Confidence.HIGH if told else Confidence.MEDIUM)
    return _beside(case, refused) or _inferred(case, refused)


def _told(case: Case, refused: Refused) -> Limit | None:
    """The service's own word. A part of the cause metrics is enough where it explains the majority."""
    names = cause_metrics(refused.direction) if refused.direction else ()
    known = [(case.total(name), name) for name in names if case.proves(name)]
    most, metric = max(known, default=(0.0, ""))
    if not most or most < EXPLAINED * refused.total:
        return None
    reason = next(one for one in THROTTLE_REASONS if one in metric)
    return Limit(reason, Confidence.HIGH, f"DynamoDB itself counts {most:.0f} of them as {_REASONS[reason]}")


_REASONS = {
    "provisioned": "beyond the provisioned capacity",
    "key_range": "beyond what one key range can take: the load sits on few partition keys",
    "on_demand_max": "beyond the maximum that was set for on-demand",
    "account_limit": "beyond the account's limit for a table",
}


def _lowered(case: Case, refused: Refused) -> tuple[AttributeChange, ...]:
    """Decreases of capacity at most the threshold before the first refusal, or during them, newest first."""
    before = timedelta(minutes=case.threshold("scale_in_minutes"))
    first, last = (datetime.fromtimestamp(time, UTC) for time in (refused.first, refused.last))
    names = [f"provisioned_{one}_units" for one in ([refused.direction] if refused.direction else ["read", "write"])]
    near = (one for one in case.changes if one.name in names and first - before <= one.at < last)
    found = [one for one in near if _number(one.after) < _number(one.before)]
    return tuple(sorted(found, key=lambda change: change.at, reverse=True))


def was_lowered(case: Case, refused: Refused) -> bool:
    """Whether capacity was taken away just before: then few refusals count as well."""
    return bool(refused.total and _lowered(case, refused))


def _number(value: Value | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _scaled_in(refused: Refused, change: AttributeChange, confidence: Confidence) -> Limit:
    minutes = max(0.0, (refused.first - change.at.timestamp()) / 60)
    unit = "RCU" if "read" in change.name else "WCU"
    fall = f"from {_number(change.before):g} to {_number(change.after):g} {unit}"
    return Limit("scaled_in", confidence, f"capacity was taken down {fall} {minutes:.0f} minutes before")


def _is_key_range(case: Case, refused: Refused) -> bool:
    """Whether the burst replay clears the capacity, so that its decrease was a coincidence."""
    return not _on_demand(case) and _replayed(case, refused) == Fits.KEY_RANGE


def _beside(case: Case, refused: Refused) -> Limit | None:
    """A write that an index refuses fails on the table; the table's own capacity may be idle meanwhile."""
    throttled = throttled_indexes(case) if refused.direction == "write" else ()
    if not throttled or sum(n for n, _ in throttled) < EXPLAINED * refused.total or _is_full(case, refused):
        return None
    names = ", ".join(f'"{name}"' for _, name in throttled)
    return Limit("index_back_pressure", Confidence.MEDIUM, f"writes wait for its index {names}, which refuses them")


def throttled_indexes(case: Case) -> tuple[tuple[float, str], ...]:
    """The table's indexes that refuse writes, with their events, worst first."""
    if case.subject.level is not Level.TABLE:
        return ()
    metric = "write_throttle_events"
    proven = (one for one in case.of_level(Level.INDEX) if one.proves(metric))
    found = [(one.total(metric), one.subject.index) for one in proven]
    return tuple(sorted((pair for pair in found if pair[0] > 0), reverse=True))


def _is_full(case: Case, refused: Refused) -> bool:
    return not _on_demand(case) and _replayed(case, refused) == Fits.PROVISIONED


def _inferred(case: Case, refused: Refused) -> Limit:
    """What consumption and settings leave possible."""
    mode = _on_demand(case)
    if not refused.direction:
        return _undetermined("only ThrottledRequests is known; the throttle events per direction would tell more")
    if mode is None:
        return _undetermined("the billing mode is not known; DescribeTable tells it")
    return _on_demand_limit(case, refused) if mode else _provisioned_limit(case, refused)


def _on_demand(case: Case) -> bool | None:
    """Whether throughput is paid per request; an index follows its table. None: not known."""
    family = (case, *(one for one in case.related if one.subject == case.subject.parent))
    modes = [mode for one in family if (mode := one.attribute("billing_mode")) is not None]
    if modes:
        return modes[0] == "PAY_PER_REQUEST"
    names = ("provisioned_read_units", "provisioned_write_units")
    return False if any(case.number(name) for name in names) else None


def _replayed(case: Case, refused: Refused) -> Fits | None:
    """The limit that explains the majority of the refusals by the burst bucket; None: cannot be replayed."""
    units, capacity = consumed(case, refused), in_force(case, refused)
    if units is None or capacity is None:
        return None
    weights = explain(refused, units, capacity)
    fits = max(weights, key=lambda one: weights[one])
    return fits if weights[fits] > EXPLAINED * refused.total else Fits.EITHER


def _provisioned_limit(case: Case, refused: Refused) -> Limit:
    capacity, ceiling = in_force(case, refused), PARTITION_CEILING[refused.direction]
    unit = "RCU" if refused.direction == "read" else "WCU"
    fits = _replayed(case, refused)
    if fits is Fits.PROVISIONED and capacity is not None:
        return Limit("provisioned", Confidence.MEDIUM, f"its {capacity.min():g} {unit} were used up")
    if fits is Fits.KEY_RANGE:
        return _key_range_below_capacity(case, refused, capacity)
    if capacity is None:
        return _undetermined(f"the provisioned {refused.direction} capacity is not known; DescribeTable tells it")
    if capacity.max() > ceiling:
        return _undetermined(f"a short spike and one full key range look alike here; {_WOULD_TELL}")
    why = f"one partition can carry {ceiling} {unit}/s, so its {capacity.min():g} {unit} end first"
    if refused.contradicted:
        return Limit("provisioned", Confidence.LOW, f"{why}. {_CONTRADICTED}")
    return Limit("provisioned", Confidence.LOW if fits is None else Confidence.MEDIUM, why)


_WOULD_TELL = "the KeyRangeThroughput and ProvisionedThroughput throttle metrics would tell"
_CONTRADICTED = "No consumption is reported for the same time, which contradicts the refusals: it is not idle"


def _key_range_below_capacity(case: Case, refused: Refused, capacity: Numbers | None) -> Limit:
    units = consumed(case, refused)
    if units is None or capacity is None:
        return _undetermined(_WOULD_TELL)
    loud = refused.events > 0
    use = float(np.nansum(units[loud]) / max(1.0, np.sum(capacity[loud]) * refused.period_s))
    why = (
        f"only {use:.0%} of the capacity was used meanwhile and the burst reserve was not empty: one key range was full"
    )
    return Limit("key_range", Confidence.MEDIUM if use < CALM else Confidence.LOW, why)


def _on_demand_limit(case: Case, refused: Refused) -> Limit:
    units = consumed(case, refused)
    if units is None:
        said = _CONTRADICTED if refused.contradicted else f"the consumed {refused.direction} units are not known"
        return _undetermined(f"{said}; {_WOULD_TELL}")
    loud = refused.events > 0
    served = float(np.nanmax(units[loud] / refused.period_s, initial=0))
    wanted = float(np.nanmax((units + refused.events)[loud] / refused.period_s, initial=0))
    cap = case.number(f"on_demand_max_{refused.direction}_units")
    if cap and (served >= NEAR * cap or wanted >= cap):
        return Limit("on_demand_max", Confidence.MEDIUM, f"{served:.0f} units/s ran against its own maximum of {cap:g}")
    if served >= NEAR * TABLE_QUOTA:
        return Limit("account_limit", Confidence.MEDIUM, f"{served:.0f} units/s ran against the quota of {TABLE_QUOTA}")
    return _ramp(case, refused, units, wanted) or _key_range_on_demand(case, refused, served)


def _ramp(case: Case, refused: Refused, units: Numbers, wanted: float) -> Limit | None:
    """Whether traffic grew faster than on-demand follows: beyond warm throughput, or double the earlier peak."""
    warm = case.number(f"warm_{refused.direction}_units")
    if warm:
        why = f"{wanted:.0f} units/s were wanted, {warm:g} is what it is warm for"
        return Limit("on_demand_ramp", Confidence.MEDIUM, why) if wanted > warm else None
    earlier = units[refused.times < refused.first]
    if len(earlier) * refused.period_s < HISTORY_S or np.isnan(earlier).all():
        return None
    peak = float(np.nanmax(earlier)) / refused.period_s
    if wanted <= max(2 * peak, NEW_TABLE_WARMTH[refused.direction]):
        return None
    return Limit("on_demand_ramp", Confidence.MEDIUM, f"it jumped from a peak of {peak:.0f} to {wanted:.0f} units/s")


def _key_range_on_demand(case: Case, refused: Refused, served: float) -> Limit:
    warm = case.number(f"warm_{refused.direction}_units") or NEW_TABLE_WARMTH[refused.direction]
    ceiling = PARTITION_CEILING[refused.direction]
    why = f"on-demand carries more than {served:.0f} units/s, one key range ends at {ceiling}: few keys take the load"
    return Limit("key_range", Confidence.MEDIUM if served < warm else Confidence.LOW, why)


def _undetermined(why: str) -> Limit:
    return Limit("undetermined", Confidence.LOW, f"which limit cannot be told: {why}")
