"""What reading DynamoDB through CloudWatch costs, worked out from the very queries that the collector sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.aws.looks.agenda import is_wire
from collector.aws.metrics.queries import LATENCY, Questions, standing
from collector.aws.spending.meter import billed
from collector.aws.spending.plan import Load, Rhythm, Share, Tier, plan, told
from stillfit.configaws import Aws
from stillfit.model import Engine, Subject

OPERATIONS = 3
"""Kinds of request (GetItem, Query, PutItem ...) that a table is assumed to serve (ours; the real ones are listed)."""

TABLE = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="t")
INDEX = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="t", index="i")
KINDS = (
    ("a table on demand", TABLE, False),
    ("a provisioned table", TABLE, True),
    ("an index on demand", INDEX, False),
    ("a provisioned index", INDEX, True),
)


def metrics_a_look(subject: Subject, *, provisioned: bool, tier: Tier = Tier.WARM) -> Share:
    """Billed metrics that one table or index takes while nothing is refused there."""
    asked = tuple(standing(Questions(), subject, provisioned=provisioned))
    wires = sum(billed(len(ask.slots)) for ask in asked if is_wire(ask))
    rest = sum(billed(len(ask.slots)) for ask in asked if not is_wire(ask))
    serves = not subject.index and tier is not Tier.COLD
    return Share(tables=1, wires=wires, rest=rest + (OPERATIONS * billed(len(LATENCY.brings)) if serves else 0))


def usd_a_month(share: Share, tier: Tier, tick_s: int) -> float:
    """List price of reading such a table at the freshest plan."""
    return plan(Load({tier: share}), rhythm=Rhythm(tick_s)).usd_a_month


def estimate(accounts: Iterable[Aws]) -> Iterator[str]:
    """What each kind of thing costs a month at each cadence in use."""
    for tick_s in sorted({int(one.every.total_seconds()) for one in accounts}):
        cadences = plan(Load(), rhythm=Rhythm(tick_s)).cadences
        yield from (
            f"{tier}: tripwires every {told(one.wires_s)}, the rest every {told(one.rest_s)}"
            for tier, one in cadences.items()
        )
        yield f"{'USD a month':20}" + "".join(f"{tier.value:>8}" for tier in Tier)
        for name, subject, provisioned in KINDS:
            shares = {tier: metrics_a_look(subject, provisioned=provisioned, tier=tier) for tier in Tier}
            yield f"{name:20}" + "".join(f"{usd_a_month(share, tier, tick_s):>8.2f}" for tier, share in shares.items())
    yield "0.01 USD for 1,000 metrics. hot: near a limit, or refused requests lately; cold: served none in three hours."
    yield f"A table is taken to serve {OPERATIONS} kinds of request; causes come on top while some are refused."
