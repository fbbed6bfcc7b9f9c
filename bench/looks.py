"""Looks at ten thousand tables through the daemon's source: when the last tripwire is in the store, when the look ends.

    python -m bench.looks [--tables 10000] [--looks 2] [--first-look-hours 3]

The AWS stand-in serves in a process of its own, with 20 ms to each call; one table in five hundred refuses requests.
The source is the daemon's, on the real clock and at the quotas that AWS documents, with SQLite on disk. Each look is
told that it is five minutes after the one before, so that what is read every five minutes is due. In a first look of
three hours nothing is owed; longer ones show how much of the past a look takes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from typing import Any

import numpy as np
import structlog

from collector.aws.source import AwsSource, open_source
from collector.aws.wire.target import AwsTarget
from stillfit.clock import SystemClock
from stillfit.garbage import look_seldom
from stillfit.sheets import of_metrics, points
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, Faults, Metric, Points, World
from stillfit.store.store import Store

REGION = "eu-west-1"
TICK_S, HOUR = 300, 3_600
LATENCY_S = 0.02
ONE_IN = 500
WIRES = frozenset({"read_throttle_events", "write_throttle_events"})


@dataclass(frozen=True, slots=True)
class Told:
    """Tables that serve writes every minute; every five hundredth refuses some."""

    tables: int

    def metrics(self, start: float, end: float) -> Iterator[Metric]:
        for number in range(self.tables) if end > start else ():
            yield Metric.dynamodb("SuccessfulRequestLatency", TableName=named(number), Operation="PutItem")

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        first, last = -(-int(start) // 60) * 60, int(end)
        table = dict(metric.dimensions).get("TableName", "")
        is_refused = "Throttle" in metric.name and not (table and int(table[-5:]) % ONE_IN == 0)
        if first >= last or not table or "Read" in metric.name or is_refused:
            return None
        times = np.arange(first, last, 60, dtype=np.int64)
        values = (times // 60 % 997 + 1).astype(np.float64)
        return Points(times=times, sum=values, count=values, maximum=values, percentiles={50.0: values, 99.0: values})


@dataclass(slots=True)
class Seen:
    """One look. Seconds from its begin to when something was stored; None: it was not."""

    wires: int = 0
    last_wire_s: float = 0.0
    listed_s: float | None = None
    whole_s: float = 0.0
    points: int = 0
    metrics: int = 0


def named(number: int) -> str:
    return f"table-{number:05}"


def serve(tables: int, start: float, after: Any, pipe: Pipe) -> None:
    """The process: it is `start` and `after.value` seconds there."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    faults = Faults()
    faults.add(Fault(kind=FaultKind.LATENCY, seconds=LATENCY_S))
    world = World(now=lambda: start + after.value, faults=faults)
    for number in range(tables):
        described = {"TableName": named(number), "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, described)
    world.provide(DEFAULT_ACCOUNT, REGION, Told(tables))
    with AwsStandIn(world) as server:
        pipe.send(server.url)
        pipe.recv()


def look(source: AwsSource, store: Store, since: datetime | None, until: datetime) -> Seen:
    seen, began, before = Seen(), time.perf_counter(), source.bill.metrics
    for batch in source.collect(since, until):
        store.write(batch)
        after_s = time.perf_counter() - began
        wires = sum(1 for one in of_metrics(batch.series, WIRES) if one.period_s == 60)
        if wires:
            seen.wires, seen.last_wire_s = seen.wires + wires, after_s
        if batch.inventory:
            seen.listed_s = after_s
        seen.points += points(batch.series)
    seen.whole_s, seen.metrics = time.perf_counter() - began, source.bill.metrics - before
    return seen


def told(number: int, seen: Seen) -> str:
    listed = f"{seen.listed_s:6.1f} s" if seen.listed_s is not None else "never"
    return (
        f"  look {number}: {seen.wires:,} tripwires, the last stored after {seen.last_wire_s:6.1f} s; settings after "
        f"{listed}; whole after {seen.whole_s:6.1f} s; {seen.metrics:,} metrics billed, {seen.points:,} points"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=2)
    parser.add_argument("--first-look-hours", type=int, default=3)
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    look_seldom()  # as the daemon does
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    start, after = time.time() // HOUR * HOUR, context.Value("d", 0.0)
    process = context.Process(target=serve, args=(chosen.tables, start, after, theirs), daemon=True)
    process.start()
    target = AwsTarget(region=REGION, endpoint_url=mine.recv(), first_look=timedelta(hours=chosen.first_look_hours))
    clock = SystemClock()
    print(f"{chosen.tables:,} tables")
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Store.open(f"sqlite:///{folder}/looks.db", clock=clock)) as store,
        closing(open_source(target, clock)) as source,
    ):
        since = None
        for number in range(1, chosen.looks + 1):
            until = datetime.fromtimestamp(start + after.value, UTC)
            print(told(number, look(source, store, since, until)), flush=True)
            since, after.value = until, after.value + TICK_S
    mine.send("enough")
    process.join()


if __name__ == "__main__":
    main()
