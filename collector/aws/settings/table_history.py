"""What descriptions of tables tell of time: sizes as series of hours, and switches of the billing mode. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import numpy as np

from collector.aws.settings.inventory import Member
from collector.aws.settings.tables import index_sizes
from stillfit.model import AttributeChange, Series, Span, Statistic, Subject

SIZE_PERIOD_S = 3_600
"""Period of the series of sizes: DescribeTable's own figures are some six hours old (its API reference)."""


def sizes(members: Iterable[Member], until: int) -> Iterator[Series]:
    """What DescribeTable counted, as the value of the hour that has just ended."""
    start = until // SIZE_PERIOD_S * SIZE_PERIOD_S - SIZE_PERIOD_S
    for member in members:
        for subject, metric, value in member.sizes:
            yield _counted(subject, metric, value, start)
        for metric, index, value in index_sizes(member.description):
            yield _counted(member.table, metric, value, start, index)


def _counted(subject: Subject, metric: str, value: float, start: int, part: str = "") -> Series:
    return Series(
        subject=subject,
        metric=metric,
        statistic=Statistic.LAST,
        period_s=SIZE_PERIOD_S,
        times=np.array([start], np.int64),
        values=np.array([value]),
        covered=(Span(start, start + SIZE_PERIOD_S),),
        dimension=part,
    )


def switches(members: Iterable[Member], since: datetime) -> Iterator[AttributeChange]:
    """Switches to on-demand that the service itself dates; a table that was created so has not switched."""
    for member in members:
        told = member.settings[member.table].get("on_demand_since")
        switched = datetime.fromisoformat(told) if isinstance(told, str) else since
        born_so = member.created is not None and switched - member.created <= timedelta(minutes=1)
        if switched > since and not born_so:
            yield AttributeChange(
                subject=member.table,
                name="billing_mode",
                before="PROVISIONED",
                after="PAY_PER_REQUEST",
                at=switched,
            )
