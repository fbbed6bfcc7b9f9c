"""What looking at DynamoDB through CloudWatch will cost, worked out from the very queries that the collector sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from collector.aws.meter import USD_PER_LISTING, USD_PER_METRIC, billed
from collector.aws.queries import LISTED, PER_OPERATION, Questions, standing
from stillfit.config import Aws
from stillfit.model import Engine, Subject

MONTH = timedelta(hours=730)
OPERATIONS = 3
"""Kinds of request (GetItem, Query, PutItem ...) that a table is assumed to serve (ours; the real ones are listed)."""

_TABLE = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="t")
_INDEX = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="t", index="i")


def metrics_a_look(subject: Subject, *, provisioned: bool) -> int:
    """Billed metrics that one quiet table or index takes in one look."""
    asked = standing(Questions(), subject, provisioned=provisioned)
    own = sum(billed(len(ask.slots)) for ask in asked)
    return own if subject.index else own + OPERATIONS * sum(billed(len(spec.brings)) for spec in PER_OPERATION)


def usd_a_month(metrics: float, every: timedelta) -> float:
    """List price of so many metrics in each look."""
    return metrics * (MONTH / every) * USD_PER_METRIC


def estimate(accounts: Iterable[Aws]) -> Iterator[str]:
    """The arithmetic for each cadence in use, a line for each kind of thing that is read."""
    for every in sorted({one.every for one in accounts}):
        looks = MONTH / every
        yield f"every {every.total_seconds() / 60:g} min = {looks:,.0f} looks a month, 0.01 USD for 1,000 metrics"
        for name, subject, provisioned in (
            ("a table on demand", _TABLE, False),
            ("a provisioned table", _TABLE, True),
            ("an index on demand", _INDEX, False),
            ("a provisioned index", _INDEX, True),
        ):
            metrics = metrics_a_look(subject, provisioned=provisioned)
            usd = usd_a_month(metrics, every)
            yield f"{name:20} {metrics:2} metrics x {looks:,.0f} = {metrics * looks:>9,.0f} = {usd:.2f} USD a month"
        listings = len(LISTED) * looks
        cost = f"{listings:>8,.0f} = {listings * USD_PER_LISTING:.2f} USD a month, the first million is free"
        yield f"{'a region':20} {len(LISTED):2} listings x {looks:,.0f} = {cost}"
    yield f"A table is taken to serve {OPERATIONS} kinds of request; in times of throttling up to 8 causes are asked."
    yield "`stillfit doctor` counts your tables and adds it up."
