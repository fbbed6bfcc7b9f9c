"""Workloads of one table with what is declared about them."""

from __future__ import annotations

from datetime import timedelta

from stillfit.case import Case
from stillfit.fit.verdict import fit_of
from stillfit.model import DeclaredFact, FitVerdict, Value, Workload
from tests.builders import NOON, ORDERS, case

ON_DEMAND = case(ORDERS, settings={"billing_mode": "PAY_PER_REQUEST", "replica_regions": ()})
SETTLED: dict[str, Value] = {
    "joins_needed": False,
    "multi_cloud": False,
    "on_prem": False,
}
"""All that must be declared before a DynamoDB on-demand table can be said to fit."""


def workload(facts: dict[str, Value], *, days_ago: float = 1, about: Case = ON_DEMAND) -> Workload:
    when = NOON - timedelta(days=days_ago)
    declared = tuple(
        DeclaredFact(name=name, value=value, declared_at=when, owner="mara") for name, value in facts.items()
    )
    return Workload(name="orders", tables=(about.subject,), declared=declared)


def verdict(candidate: str, facts: dict[str, Value], *, days_ago: float = 1, about: Case = ON_DEMAND) -> FitVerdict:
    verdicts = fit_of(workload(facts, days_ago=days_ago, about=about), (about,), NOON)
    return next(one for one in verdicts if one.candidate == candidate)
