"""dynamodb/throttling: requests refused because a limit was reached, and which limit that is.

Fires when at least one request in a thousand, and at least thirty, were refused over the window; when many were refused
and nobody knows of how many; or when any were refused right after capacity was taken down. Stays silent on a handful of
refusals: the SDK retries them and nobody notices; and on none, where the events of both directions are proven. Judges a
table and each of its indexes by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from analyzers._hot_keys import METRICS as HOT_KEYS
from analyzers._hot_keys import key_evidence, with_keys
from analyzers._limits import Limit, limit_met, throttled_indexes, was_lowered
from analyzers._refusals import Refused, cause_metrics, refused, refused_requests
from stillfit.case import Analyzer, Case, Threshold, until_proven, why_unproven
from stillfit.metrics import METRICS
from stillfit.model import Confidence, Engine, Evidence, EvidenceKind, Finding, Level, Severity, Unknown

CAUSES = {
    "provisioned": "the provisioned capacity of the table or index was used up",
    "key_range": "one key range took more than a partition can serve; more capacity does not help",
    "on_demand_max": "the maximum that was set for this on-demand table or index was reached",
    "account_limit": "the account's quota for one table was reached",
    "on_demand_ramp": "traffic grew faster than on-demand capacity follows: beyond warm throughput or double the peak",
    "scaled_in": "capacity was taken down shortly before, too far for the traffic that came",
    "index_back_pressure": "an index refuses writes, so writes to its table fail; the table itself has room",
    "undetermined": "requests are refused and what is known does not tell by which limit",
}
_DIRECTIONS = ("read", "write")
_WORST = {Severity.CRITICAL: 2, Severity.WARNING: 1, Severity.INFO: 0}


def find(case: Case) -> Finding | Unknown | None:
    told = [one for direction in _DIRECTIONS if (one := refused(case, direction)) is not None]
    told = [_felt(case, one) for one in told] or [one for one in (refused_requests(case),) if one is not None]
    counted = [one for one in told if _counts(case, one)]
    if counted:
        return _finding(case, max(counted, key=lambda one: _rank(case, one)))
    return _unsure(case, told) or _unseen(case, told) or _quiet(case, told)


def _felt(case: Case, one: Refused) -> Refused:
    """A table's writes that failed on an index are in ThrottledRequests and not among the table's own events."""
    if one.direction == "write" and not one.total and throttled_indexes(case):
        return refused_requests(case, "write") or one
    return one


def _counts(case: Case, one: Refused) -> bool:
    """Whether the refusals matter: enough of them, and enough of all requests, or a known reason to expect more."""
    if not one.total:
        return False
    if was_lowered(case, one):
        return True
    if one.least_share is None:
        return one.total >= case.threshold("large_events")
    return one.total >= case.threshold("min_events") and one.least_share >= case.threshold("min_ratio")


def _unsure(case: Case, told: list[Refused]) -> Unknown | None:
    """Enough was refused to matter, but of how many requests is not known exactly."""
    for one in told:
        exact = one.served is not None and one.served.exact and not one.contradicted
        if one.total >= case.threshold("min_events") and not exact:
            metric = f"consumed_{one.direction or 'read'}_units"
            count = f"{one.total:.0f} {one.direction} requests were refused".replace("  ", " ")
            return Unknown(f"{count}, of how many is not known: read the sample count of {metric}", (metric,))
    return None


def _unseen(case: Case, told: list[Refused]) -> Unknown | None:
    """Of one direction, or of both, nothing is known."""
    if any(not one.direction for one in told):
        return None
    seen = {one.direction for one in told}
    missing = tuple(f"{one}_throttle_events" for one in _DIRECTIONS if one not in seen)
    if not missing:
        return None
    reasons = "; ".join(why_unproven(case, name) for name in missing)
    steps = (until_proven(case, name, grant="Allow cloudwatch:GetMetricData for it") for name in missing)
    return Unknown(f"{reasons}{max(steps, key=len)}", missing)


def _quiet(case: Case, told: list[Refused]) -> Unknown | None:
    """Nothing, or next to nothing, was refused: health only where enough requests were seen.

    Where the throttle events themselves are proven and none came, nothing was refused, however few asked. Advice on a
    table that went quiet would else stand forever. ThrottledRequests is a floor and proves no such thing.
    """
    if not throttled_indexes(case) and all(_is_proven_none(one) for one in told):
        return None
    known = [one.served for one in told if one.served is not None]
    needed = case.threshold("min_requests")
    if not known:
        names = tuple(f"consumed_{one}_units" for one in _DIRECTIONS)
        count = f"{total:.0f} were" if (total := sum(one.total for one in told)) else "nothing was"
        return Unknown(f"{count} refused, but of how many requests is not known: read {' and '.join(names)}", names)
    requests = sum(one.likely for one in known)
    return Unknown(f"{requests:.0f} requests seen, {needed:.0f} needed") if requests < needed else None


def _is_proven_none(one: Refused) -> bool:
    """Whether the sum over all reasons is read and zero; single reasons, and requests, are only a lower bound."""
    return one.metric == f"{one.direction}_throttle_events" and not one.total


class _Rank(NamedTuple):
    severity: int
    events: float


def _rank(case: Case, one: Refused) -> _Rank:
    return _Rank(_WORST[_severity(case, one)], one.total)


def _severity(case: Case, one: Refused) -> Severity:
    """By share and by how long: a refused write is lost sooner than a refused read."""
    line = case.threshold("critical_read_ratio" if one.direction == "read" else "critical_write_ratio")
    lasting = one.minutes >= case.threshold("critical_minutes")
    return Severity.CRITICAL if lasting and (one.least_share or 0.0) >= line else Severity.WARNING


def _finding(case: Case, one: Refused) -> Finding:
    limit = with_keys(case, one, limit_met(case, one))
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause=limit.cause,
        severity=_severity(case, one),
        confidence=_confidence(one, limit),
        since=datetime.fromtimestamp(max(one.first, case.window.start), UTC),
        summary=f"{_amount(case, one)}: {limit.why}",
        evidence=(*_evidence(case, one), *(key_evidence(case, one) if limit.cause == "key_range" else ())),
    )


def _confidence(one: Refused, limit: Limit) -> Confidence:
    """The cause may be certain; whether it matters is not, where nobody knows of how many requests."""
    return Confidence.MEDIUM if limit.confidence is Confidence.HIGH and one.least_share is None else limit.confidence


def _amount(case: Case, one: Refused) -> str:
    kind = f"{one.direction} requests" if one.direction else "requests"
    share = "an unknown share" if one.least_share is None else f"{_at_least(one)}{one.least_share:.2%}"
    where = f"{'index' if case.subject.level is Level.INDEX else 'table'} {case.subject.name}"
    return f"{share} of {kind} to {where} were refused ({one.total:.0f} in {one.minutes:.0f} minutes)"


def _at_least(one: Refused) -> str:
    return "" if one.served is not None and one.served.exact else "at least "


def _evidence(case: Case, one: Refused) -> tuple[Evidence, ...]:
    """What the finding rests on, of its own direction only; requests and events are told apart."""
    direction = one.direction or "read"
    loud = tuple(name for name in cause_metrics(direction) if case.proves(name) and case.total(name))
    metrics = dict.fromkeys(
        (one.metric, *loud, f"consumed_{direction}_units", "throttled_requests", "successful_requests")
    )
    owned = [name for name in metrics if case.subject.level in METRICS[name].levels]
    settings = ("billing_mode", f"provisioned_{direction}_units", f"on_demand_max_{direction}_units", "partition_key")
    return (*_share(case, one), *case.evidence(*owned), *case.setting(*settings))


def _share(case: Case, one: Refused) -> tuple[Evidence, ...]:
    if one.least_share is None:
        return ()
    exact = one.served is not None and one.served.exact
    return (
        Evidence(
            signal="throttled_share",
            unit="ratio",
            kind=EvidenceKind.DERIVED,
            source=case.subject.engine.value,
            low=one.least_share,
            mid=one.least_share,
            high=one.least_share if exact else 1.0,
            window=case.window,
            points=len(one.events),
            coverage=case.coverage(one.metric),
        ),
    )


_OWN_RATIO = "ours: below one in a thousand the retries of the SDK hide it"

ANALYZER = Analyzer(
    id="dynamodb/throttling",
    levels=frozenset({Level.TABLE, Level.INDEX}),
    engines=frozenset({Engine.DYNAMODB}),
    needs=frozenset(),  # each direction is judged by what is proven of it; what is missing ends as Unknown in `find`
    wants=frozenset(
        {
            "throttled_requests",
            "successful_requests",
            *(f"{kind}_{one}_units" for kind in ("consumed", "provisioned") for one in _DIRECTIONS),
            *(f"{one}_throttle_events" for one in _DIRECTIONS),
            *(name for one in _DIRECTIONS for name in cause_metrics(one)),
            *HOT_KEYS,
        }
    ),
    follows=frozenset(f"{one}_throttle_events" for one in _DIRECTIONS),
    causes=CAUSES,
    thresholds=(
        Threshold(
            name="min_requests", value=1_000, unit="requests", why="ours: fewer say nothing about one in a thousand"
        ),
        Threshold(name="min_events", value=30, unit="events", why="ours: fewer say nothing about a rate"),
        Threshold(name="min_ratio", value=0.001, unit="ratio", why=_OWN_RATIO),
        Threshold(
            name="large_events",
            value=300,
            unit="events",
            why="ours: ten times the floor speaks for itself where the requests are not known",
        ),
        Threshold(
            name="scale_in_minutes",
            value=20,
            unit="minutes",
            why="ours: 15 datapoints lead to a scale-in, its effect shows within minutes (auto scaling page, 2023)",
        ),
        Threshold(name="critical_read_ratio", value=0.05, unit="ratio", why="ours: one read in twenty fails"),
        Threshold(name="critical_write_ratio", value=0.01, unit="ratio", why="ours: a write given up is lost"),
        Threshold(
            name="critical_minutes",
            value=5,
            unit="minutes",
            why="AWS's recommended alarm on throttle events asks for 5 of 5 minutes (awslabs/mcp, 2026)",
        ),
        Threshold(
            name="hot_key_share",
            value=0.5,
            unit="ratio",
            why="ours: a key at half a partition's ceiling over a minute was full for half of it, or is soon",
        ),
        Threshold(
            name="full_key_share",
            value=0.8,
            unit="ratio",
            why="ours: minutes are means and counts approximate, so four fifths of the ceiling is the ceiling",
        ),
        Threshold(
            name="key_concentration",
            value=3,
            unit="x",
            why="a key at three times the next one is hot by itself (AWS data-health skill, rule HK-02, 2026)",
        ),
    ),
    find=find,
)
