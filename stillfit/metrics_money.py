"""Canonical metrics of what was billed, one point a day, in UTC as bills are.

A day is under `billed_usd` once it is final: its month is invoiced, or the bill says so. Until then it is under
`billed_estimate_usd`, which AWS restates for days (Cost Management User Guide: refreshed at least once a day, final
when the month is closed). The two are never mixed, so that nothing is compared with half a day's cost. Credits, refunds
and taxes are in none of them: they say nothing of use or price.

The part (`dimension`) is a unit price by our name (on_demand_read, storage, pitr, ...), or AWS's usage type where we
have no name for it. Figures of a scope are those of all its tables and of what belongs to none.
"""

from __future__ import annotations

from stillfit.metric import Kind, Metric, Row, metrics_of
from stillfit.model import Engine, Level, Statistic

_SUM = frozenset({Statistic.SUM})
_AVERAGE = frozenset({Statistic.AVERAGE})
_SCOPE = frozenset({Level.SCOPE})

PREFIXES = {Engine.DYNAMODB: "", Engine.KEYSPACES: "keyspaces_", Engine.DAX: "dax_"}
"""What a metric of money begins with, by engine."""
_LEVELS = {
    Engine.DYNAMODB: frozenset({Level.TABLE, Level.SCOPE}),
    Engine.KEYSPACES: frozenset({Level.TABLE, Level.SCOPE}),
    Engine.DAX: frozenset({Level.CLUSTER, Level.SCOPE}),
}


def _billed(engine: Engine) -> tuple[Row, ...]:
    """A day without a line was billed nothing: sparse."""
    told = (
        ("billed_usd", "USD", "as invoiced; what savings plans cover is negated to nothing"),
        ("amortized_usd", "USD", "with fees of reservations and savings plans spread over what they cover"),
        ("billed_units", "units", "what was used, in the unit of its price"),
    )
    return tuple(
        (f"{PREFIXES[engine]}{name}", Kind.SPARSE_COUNTER, unit, _SUM, _LEVELS[engine], f"{how} {meaning}")
        for stem, unit, meaning in told
        for name, how in ((stem, "final, a day:"), (stem.replace("_", "_estimate_"), "not final yet, a day:"))
    )


_COVERED: tuple[Row, ...] = tuple(
    (name, Kind.GAUGE, "percent", _AVERAGE, _SCOPE, meaning)
    for name, meaning in (
        (
            "reservation_coverage",
            "share of provisioned capacity that reserved capacity paid for, a day, of the account",
        ),
        ("reservation_utilization", "share of reserved capacity that was used, a day, of the whole account"),
        ("savings_plan_coverage", "share of what savings plans could cover that they did, a day, of the account"),
        (
            "savings_plan_utilization",
            "share of the commitment to savings plans that was used, a day, of the account",
        ),
    )
)

_ASKED: Row = (
    "cost_explorer_requests",
    Kind.SPARSE_COUNTER,
    "requests",
    _SUM,
    _SCOPE,
    "our own requests to Cost Explorer, a cent each; told of the first region that is watched",
)

MONEY: tuple[Metric, ...] = (
    *metrics_of(Engine.DYNAMODB, *_billed(Engine.DYNAMODB), *_COVERED, _ASKED),
    *metrics_of(Engine.KEYSPACES, *_billed(Engine.KEYSPACES)),
    *metrics_of(Engine.DAX, *_billed(Engine.DAX)),
)
