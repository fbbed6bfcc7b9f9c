"""A whole fleet once around: asked, decoded and stored, against the quota's floor; CPU, memory, and no point lost.

    python -m bench.sweep                  # 400,000 metric-statistics; then 120,000 of 60 points each
    python -m bench.sweep --tables 100     # a fleet of another size

In the first part the service answers after 0.4 s, refuses what goes above 50 calls a second and fails one call in a
hundred; the windows are the newest five minutes. In the second it answers at once, with an hour by the minute. Three
sweeps each: the first makes the series known to the store, the second is what further ones cost, and the third is one
that closes an hour, so that it is summed up. Each part runs in a process of its own, whose peak of memory is printed.
What the store holds in the end is compared with what the service holds, metric by metric.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe

import numpy as np
import structlog

from bench._canned import CannedService, Service, held, seed_of
from collector.aws.looks.progress import Progress
from collector.aws.looks.reading import Look, Planned, Reading
from collector.aws.metrics.cloudwatch import WORKERS, MetricReader
from collector.aws.metrics.planner import MAX_QUERIES, Stretch
from collector.aws.metrics.queries import Ask, Questions
from collector.aws.metrics.specs import CAUSES, CONSUMED, LATENCY, SYSTEM_ERRORS, THROTTLED_REQUESTS, THROTTLES, Spec
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.limiter import CALLS_PER_S, Limiter
from collector.aws.wire.pool import Pool
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import FakeClock, SystemClock
from stillfit.garbage import look_seldom
from stillfit.model import Engine, Span, Statistic, Subject
from stillfit.sheets import points
from stillfit.store.store import Store

REGION = "eu-west-1"
UNLIMITED = 1e9
WIRES = tuple(THROTTLES.values())
DOZEN = tuple((spec, "") for spec in (*CONSUMED, *WIRES, *CAUSES["read"]))
FORTY = (
    *DOZEN,
    *((spec, "") for spec in CAUSES["write"]),
    *(
        (spec, name)
        for name in ("GetItem", "PutItem", "Query")
        for spec in (LATENCY, SYSTEM_ERRORS, THROTTLED_REQUESTS)
    ),
    *((spec, name) for name in ("Scan", "UpdateItem", "DeleteItem") for spec in (SYSTEM_ERRORS,)),
)
"""What is asked of each table: 12 and 40 statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is swept, and what serves it."""

    name: str
    tables: int
    asked: tuple[tuple[Spec, str], ...]
    points: int
    service: Service

    @property
    def statistics(self) -> int:
        return self.tables * sum(len(spec.brings) for spec, _ in self.asked)

    @property
    def floor_s(self) -> float:
        """What the quota of calls allows at best."""
        return -(-self.statistics // MAX_QUERIES) / CALLS_PER_S

    def subjects(self) -> list[Subject]:
        names = (f"table-{number:05}" for number in range(self.tables))
        return [Subject(engine=Engine.DYNAMODB, scope=("111122223333", REGION), table=name) for name in names]


QUOTA = Fleet(
    name="at the quota",
    tables=10_000,
    asked=FORTY,
    points=5,
    service=Service(latency_s=0.4, calls_per_s=CALLS_PER_S, failing=0.01),
)
HOURLY = Fleet(name="an hour at once", tables=10_000, asked=DOZEN, points=60, service=Service())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One time around."""

    wall_s: float
    cpu_s: float
    points: int


class Collecting:
    """The collector and the store of the daemon, without its inventory."""

    def __init__(self, fleet: Fleet, url: str, store: Store) -> None:
        clock = SystemClock()
        limiter = Limiter(clock, calls_per_s=fleet.service.calls_per_s or UNLIMITED)
        if fleet.service.calls_per_s is None:
            limiter.wait = lambda **_: None  # type: ignore[method-assign]  # neither calls nor datapoints are held back
        self._connection = Connection(AwsTarget(region=REGION, endpoint_url=url), clock, limiter, Patience())
        self._pool = Pool(WORKERS, "bench")
        reader = MetricReader(self._connection, limiter, Meter(), self._pool, "bench")
        self._reading = Reading("bench", reader, Progress(timedelta(0), timedelta(0)))
        self._store, self._fleet, self._questions = store, fleet, Questions()
        self._subjects = fleet.subjects()

    def sweep(self, end: int) -> Sweep:
        look = Look(datetime.fromtimestamp(end, UTC))
        cpu, wall, count = time.process_time(), time.perf_counter(), 0
        for batch in self._reading.batches(self._planned(end), look):
            count += points(batch.series)
            self._store.write(batch)
        assert not look.missing, look.missing[0].what_happened
        return Sweep(wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu, points=count)

    def _planned(self, end: int) -> Iterator[Planned]:
        stretch = Stretch(60, Span(end - 60 * self._fleet.points, end))
        return ((ask, stretch) for ask in self._asks())

    def _asks(self) -> Iterator[Ask]:
        for subject in self._subjects:
            for spec, part in self._fleet.asked:
                yield self._questions.ask(subject, spec, part)

    def close(self) -> None:
        self._pool.stop()
        self._connection.close()


def truth(fleet: Fleet, minutes: np.ndarray) -> dict[str, tuple[int, float]]:
    """Points and checksum of each metric as the service holds it in these minutes."""
    found: defaultdict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    tables = [subject.table for subject in fleet.subjects()]
    for spec, part in fleet.asked:
        whose = [f"{table},{part}" if part else table for table in tables]
        for metric, statistic, name in spec.brings:
            there, values = held(np.array([seed_of(spec.name, one, name) for one in whose]), minutes)
            count, total = found[metric]
            found[metric] = (count + int(there.sum()), total + checksum(statistic, minutes * 60, values * there))
    return found


def stored(store: Store, span: Span, metric: str) -> tuple[int, float]:
    found = store.series(span, metrics=[metric])
    return points(found), sum(checksum(one.statistic, one.times, one.values) for one in found)


def checksum(statistic: Statistic, times: np.ndarray, values: np.ndarray) -> float:
    """Of whole numbers, so that the order of adding does not matter."""
    return float((values * (times % 86_400 + len(statistic))).sum())


def measure(fleet: Fleet, pipe: Pipe) -> None:
    """Three sweeps of a fleet, in a process of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    look_seldom()  # as the daemon does
    hour = int(time.time()) // 3_600 * 3_600 - 3_600
    length = 60 * fleet.points
    ends = (
        (hour - length, hour, hour + 3_600) if length >= 3_600 else (hour + 1_800, hour + 1_800 + length, hour + 3_600)
    )
    clock = FakeClock(datetime.fromtimestamp(hour, UTC))
    with (
        CannedService(fleet.service) as service,
        tempfile.TemporaryDirectory() as folder,
        closing(Store.open(f"sqlite:///{folder}/sweep.db", clock=clock)) as store,
    ):
        collecting = Collecting(fleet, service.url, store)
        sweeps = []
        for end in ends:
            clock.advance(end - clock.now().timestamp())
            sweeps.append(collecting.sweep(end))
        collecting.close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1) / 1024
        minutes = np.concatenate([np.arange((end - length) // 60, end // 60) for end in ends])
        for metric, expected in truth(fleet, minutes).items():
            found = stored(store, Span(ends[0] - length, ends[-1]), metric)
            assert found == expected, (metric, found, expected)
        pipe.send((sweeps, peak, service.counts()))


def show(fleet: Fleet) -> None:
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=measure, args=(fleet, theirs))
    process.start()
    theirs.close()
    sweeps, peak, (served, refused, broken) = mine.recv()
    process.join()
    print(f"\n{fleet.name}: {fleet.tables:,} tables, {fleet.statistics:,} metric-statistics of {fleet.points} points")
    for name, one in zip(("first", "further", "closing"), sweeps, strict=True):
        print(f"  {name:<8} {told(fleet, one)}")
    print(f"  {served:,} calls answered, {refused} refused over quota, {broken} failed; every point is in the store")
    print(f"  peak memory {peak:.0f} MiB", flush=True)


def told(fleet: Fleet, one: Sweep) -> str:
    floor = (
        f" ({one.wall_s / fleet.floor_s:.2f}x the floor of {fleet.floor_s:.1f} s)" if fleet.service.calls_per_s else ""
    )
    per_metric, per_point = 1e6 * one.cpu_s / fleet.statistics, 1e6 * one.cpu_s / one.points
    return (
        f"{one.wall_s:6.1f} s{floor}  {one.cpu_s:6.2f} CPU-s, {one.cpu_s / one.wall_s:.0%} of a core  "
        f"{per_metric:6.2f} us a metric  {per_point:6.3f} us a point"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=10_000)
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    for fleet in (QUOTA, HOURLY):
        show(replace(fleet, tables=chosen.tables))


if __name__ == "__main__":
    main()
