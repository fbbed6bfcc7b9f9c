"""CPU per collected point, ours beside plain boto3 on one stand-in, and what one cycle of a fleet costs.

    python -m bench.collect_cpu                  # three readers in turn, medians and their ratio
    python -m bench.collect_cpu --tables 1000    # a whole cycle of a fleet, collecting only

The stand-in runs in a process of its own, so that its work is not ours. All ask the same metrics over the same window
and must come to the same checksum: ours without and with storing on SQLite, and plain boto3, which stores nothing. Each
round has a window of its own, so that there is always something new to store. Read ratios, not absolutes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Self

import boto3
import numpy as np
import orjson
import structlog

from collector.aws.metrics.cloudwatch import WORKERS, MetricReader
from collector.aws.metrics.planner import Request, Stretch, pack
from collector.aws.metrics.queries import CONSUMED, PROVISIONED, Questions
from collector.aws.source import open_source
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.pool import Pool
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import FakeClock, SystemClock
from stillfit.garbage import look_seldom
from stillfit.model import Batch, Engine, Span, Subject
from stillfit.sheets import Sheet, Sheets
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World
from stillfit.store.store import Store

REGION = "eu-west-1"
METRICS = (*CONSUMED, *PROVISIONED)
STATISTICS = 3
"""Of each of them."""
TABLES = 500
OPERATIONS = ("GetItem", "PutItem")
UNLIMITED = 1e9  # calls a second: the limiter would only make us wait


class Fleet:
    """Every table alike: busy consumption, two operations, nothing throttled. Values differ by metric and minute."""

    def __init__(self, tables: int) -> None:
        self._latencies = [
            Metric.dynamodb("SuccessfulRequestLatency", TableName=f"table{n}", Operation=operation)
            for n in range(tables)
            for operation in OPERATIONS
        ]

    def metrics(self, start: float, end: float) -> Iterable[Metric]:  # noqa: ARG002  (the provider's signature)
        return self._latencies

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if "Throttle" in metric.name or not metric.name.startswith(("Consumed", "Provisioned", "Successful")):
            return None
        first = int(-(-start // 60) * 60)
        times = np.arange(first, int(end), 60, dtype=np.int64)
        values = (1.0 + (times // 60 + len(metric.name)) % 997).astype(np.float64)
        return Points(
            times=times,
            sum=values + values + values,
            count=np.full(len(times), 3.0),
            minimum=values,
            maximum=values + 1,
        )


def serve(tables: int, pipe: Pipe) -> None:
    """The stand-in's process: serves until told to stop."""
    world = World()
    world.provide(DEFAULT_ACCOUNT, REGION, Fleet(tables))
    for number in range(tables):
        on_demand = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, {"TableName": f"table{number}", **on_demand})
    with AwsStandIn(world) as aws:
        pipe.send(aws.url)
        while pipe.recv() == "bill":
            pipe.send((world.bill.metrics, world.bill.datapoints))


class StandInProcess:
    def __init__(self, tables: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(tables, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.url: str = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("stop")
        self._process.join()

    def bill(self) -> tuple[int, int]:
        """Billed metrics and datapoints so far."""
        self._pipe.send("bill")
        metrics, datapoints = self._pipe.recv()
        return metrics, datapoints


@dataclass(frozen=True)
class Run:
    cpu_s: float
    points: int
    checksum: float


def measured(read: Callable[[], tuple[int, float]]) -> Run:
    began = time.process_time()
    points, checksum = read()
    return Run(time.process_time() - began, points, checksum)


def requests_for(tables: int, points: int, end: int, questions: Questions) -> list[Request]:
    stretch = Stretch(60, Span(end - 60 * points, end))
    subjects = (Subject(engine=Engine.DYNAMODB, scope=("1", REGION), table=f"table{n}") for n in range(tables))
    return list(pack((questions.ask(subject, spec), stretch) for subject in subjects for spec in METRICS))


class Ours:
    """The collector's own way from planned requests to series, and into a store where there is one."""

    def __init__(self, url: str, store: Store | None = None) -> None:
        clock = SystemClock()
        limiter = Limiter(clock, calls_per_s=UNLIMITED)
        self._connection = Connection(AwsTarget(region=REGION, endpoint_url=url), clock, limiter, Patience())
        self._pool = Pool(WORKERS, "bench")
        self._reader = MetricReader(self._connection, limiter, Meter(), self._pool, "bench")
        self._store = store

    def read(self, requests: list[Request]) -> tuple[int, float]:
        sheets: list[Sheet] = []
        for _, got in self._reader.read(requests):
            assert not got.missing, got.missing[0].what_happened
            sheets += got.series.parts
        if self._store is not None:
            at = requests[0].stretch.window.ends_at
            self._store.write(Batch(source="bench", at=at, series=Sheets(sheets)))
        checksum = sum(float((sheet.values * (sheet.times % 86_400)).sum()) for sheet in sheets)
        return sum(len(sheet.times) for sheet in sheets), checksum

    def close(self) -> None:
        self._pool.stop()
        self._connection.close()


class Plain:
    """boto3 as its documentation shows it: a paginator, default settings, every point kept."""

    def __init__(self, url: str) -> None:
        self._client = boto3.client("cloudwatch", region_name=REGION, endpoint_url=url)

    def read(self, requests: list[Request]) -> tuple[int, float]:
        points, checksum = 0, 0.0
        for queries, window in ((orjson.loads(one.body), one.stretch.window) for one in requests):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=window.starts_at, EndTime=window.ends_at
            )
            for result in (result for page in pages for result in page["MetricDataResults"]):
                for when, value in zip(result["Timestamps"], result["Values"], strict=True):
                    points += 1
                    checksum += value * (int(when.timestamp()) % 86_400)
        return points, checksum

    def close(self) -> None:
        self._client.close()


def compare(url: str, folder: str, *, tables: int, points: int, rounds: int) -> None:
    """A B C A B C on the same requests; the first round warms all up and is thrown away."""
    step = 60 * max(points, 12)
    first = int(time.time()) // 3_600 * 3_600 - (rounds + 1) * max(step, 3_600)
    clock = FakeClock(datetime.fromtimestamp(first, UTC))
    questions, runs = Questions(), []
    with closing(Store.open(f"sqlite:///{folder}/{points}.db", clock=clock)) as store:
        readers = (Ours(url), Ours(url, store), Plain(url))
        for number in range(rounds + 1):
            end = first + 60 * points + number * step
            clock.advance(end - clock.now().timestamp())
            requests = requests_for(tables, points, end, questions)
            runs.append([measured(partial(reader.read, requests)) for reader in readers])
            window = Span(end - 60 * points, end)
            assert sum(len(one.times) for one in store.series(window)) == runs[-1][0].points
        for reader in readers:
            reader.close()
    for run in runs:
        assert all(one.points == run[0].points for one in run), run
        assert all(abs(one.checksum - run[0].checksum) <= 1e-9 * abs(run[0].checksum) for one in run), run
    medians = [statistics.median(run[side].cpu_s for run in runs[1:]) for side in range(len(readers))]
    report(points, runs[-1][0].points, tables * len(METRICS) * STATISTICS, medians)


def report(points: int, total: int, metrics: int, medians: list[float]) -> None:
    print(f"\n{points} points each of {metrics:,} metric-statistics, {total:,} points, equal checksums")
    for name, seconds in zip(("stillfit", "and stored", "plain boto3"), medians, strict=True):
        per_point, per_metric = 1e6 * seconds / total, 1e6 * seconds / metrics
        print(f"  {name:<12} {seconds:8.3f} CPU-s  {per_point:8.3f} us a point  {per_metric:9.2f} us a metric")
    collected, stored, plain = medians
    print(f"  ratio of medians: {plain / collected:.1f}x, stored and all {plain / stored:.1f}x")


def cycle_of_a_fleet(stand_in: StandInProcess, tables: int) -> None:
    """A start after a stop and two cycles in its steady state, five minutes each, settings included."""
    target = AwsTarget(region=REGION, endpoint_url=stand_in.url)
    source = open_source(target, SystemClock(), calls_per_s=UNLIMITED)
    until = datetime.fromtimestamp(int(time.time()) // 60 * 60 - 600, UTC)
    print(f"\n{tables:,} on-demand tables, two operations each, collecting only:")
    for name in ("after a start", "steady", "steady"):
        before, cpu, wall = source.bill, time.process_time(), time.perf_counter()
        batches = list(source.collect(until - timedelta(minutes=5), until))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        points = sum(len(series.times) for batch in batches for series in batch.series)
        metrics, usd = source.bill.metrics - before.metrics, source.bill.usd - before.usd
        spared = source.bill.spared_metrics - before.spared_metrics
        print(
            f"  {name:<14} {cpu:6.2f} CPU-s  {wall:6.2f} s  {points:,} points  {metrics:,} billed, {spared:,} spared  "
            f"{usd:.4f} USD ({usd * 12 * 730:,.0f} a month at 5 minutes)"
        )
        assert not any(batch.gaps for batch in batches)
        until += timedelta(minutes=5)
    billed, _ = stand_in.bill()
    print(f"  the stand-in counted {billed:,} billed metrics, we {source.bill.metrics:,}")
    source.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, help="measure whole cycles of a fleet of so many tables instead")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    look_seldom()  # as the daemon does; plain boto3 gains by it as well
    with StandInProcess(chosen.tables or TABLES) as stand_in, tempfile.TemporaryDirectory() as folder:
        if chosen.tables:
            cycle_of_a_fleet(stand_in, chosen.tables)
            return
        for points in (1, 5, 60):
            compare(stand_in.url, folder, tables=TABLES, points=points, rounds=chosen.rounds)


if __name__ == "__main__":
    main()
