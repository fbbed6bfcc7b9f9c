"""What one cycle of the daemon costs on a fleet: collect over HTTP, store, judge, keep. CPU seconds of this process.

    python -m bench.cycle_1000 [--tables 1000] [--days 14]

The AWS stand-in runs in a process of its own, so that its work is not ours. All else is the daemon's own code: source,
intake, store (SQLite on disk), snapshot, turn, commit. `--days` of hourly history are written first and not counted: a
fleet that has been watched for weeks is judged on them. The last cycle is the steady state.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from bench.collect_cpu import REGION, UNLIMITED, StandInProcess
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.target import AwsTarget
from stillfit import cycle
from stillfit.clock import FakeClock, SystemClock
from stillfit.cycle import Knowledge, Turn
from stillfit.export.health import Health
from stillfit.garbage import look_seldom
from stillfit.intake import Intake
from stillfit.model import Batch, Engine, Series, Span, Statistic, Subject
from stillfit.parts import knowledge
from stillfit.snapshot import Snapshot
from stillfit.store.store import Store

CYCLES = 3
EVERY = timedelta(minutes=5)
LOOKBACK = timedelta(hours=3)
HOUR = 3_600
AT_ONCE = 100
"""Tables of history in one batch."""
REMEMBERED = (
    *((f"consumed_{way}_units", one) for way in ("read", "write") for one in (Statistic.SUM, Statistic.COUNT)),
    *((f"consumed_{way}_units", Statistic.MAXIMUM) for way in ("read", "write")),
    *((f"{way}_throttle_events", Statistic.SUM) for way in ("read", "write")),
    ("successful_requests", Statistic.SUM),
    ("request_latency_ms", Statistic.AVERAGE),
    ("request_latency_ms", Statistic.P99),
    ("table_size_bytes", Statistic.LAST),
)
"""The metric-statistics of which there is a past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a cycle."""

    name: str
    cpu_s: float
    wall_s: float


class Stopwatch:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def lap(self, name: str) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        self.steps.append(Step(name=name, cpu_s=cpu - self._cpu, wall_s=wall - self._wall))
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    @property
    def cpu_s(self) -> float:
        return sum(step.cpu_s for step in self.steps)


def history(account: str, tables: int, days: int, end: int) -> Iterator[Batch]:
    """Hourly points of every table up to `end`, with a daily wave, so that nothing is cheap because it is constant."""
    span = Span(end - days * 24 * HOUR, end)
    times = np.arange(span.start, span.end, HOUR, dtype=np.int64)
    wave = 1_000 + 300 * np.sin(2 * np.pi * (times % 86_400) / 86_400)
    for first in range(0, tables, AT_ONCE):
        subjects = [
            Subject(engine=Engine.DYNAMODB, scope=(account, REGION), table=f"table{number}")
            for number in range(first, min(tables, first + AT_ONCE))
        ]
        yield Batch(
            source=f"aws/{account}/{REGION}",
            at=datetime.fromtimestamp(end, UTC),
            series=tuple(_past(one, times, np.round(wave * (1 + place % 7)), span) for place, one in _named(subjects)),
        )


def _named(subjects: list[Subject]) -> Iterator[tuple[int, tuple[Subject, str, Statistic]]]:
    return enumerate((one, metric, statistic) for one in subjects for metric, statistic in REMEMBERED)


def _past(what: tuple[Subject, str, Statistic], times: np.ndarray, values: np.ndarray, span: Span) -> Series:
    subject, metric, statistic = what
    sparse = metric.endswith("throttle_events")
    return Series(
        subject=subject,
        metric=metric,
        statistic=statistic,
        period_s=HOUR,
        times=times[:0] if sparse else times,
        values=values[:0] if sparse else values,
        covered=(span,),
    )


class Bench:
    """One fleet and the daemon's parts on it."""

    def __init__(self, source: AwsSource, store: Store, now: datetime) -> None:
        self.source, self.store = source, store
        self.clock = FakeClock(now)
        self.intake = Intake(store, self.clock, Health())
        self.knowledge: Knowledge = knowledge()

    def cycle(self) -> tuple[Stopwatch, Snapshot, Turn]:
        watch = Stopwatch()
        self.intake.collect(self.source)
        watch.lap("collect, store")
        snapshot = self.intake.snapshot([self.source], (), LOOKBACK)
        watch.lap("read back")
        turn = cycle.turn(snapshot, self.knowledge, self.store.advice())
        watch.lap("judge")
        self.store.commit(turn.advice, turn.transitions, (), epoch=None)
        watch.lap("keep")
        return watch, snapshot, turn


def run(url: str, tables: int, days: int, folder: str) -> float:
    """Print every cycle; the CPU seconds of the last."""
    now = datetime.fromtimestamp(int(time.time()) // HOUR * HOUR - HOUR, UTC)
    target = AwsTarget(region=REGION, endpoint_url=url)
    source = open_source(target, SystemClock(), calls_per_s=UNLIMITED)
    with closing(source), closing(Store.open(f"sqlite:///{folder}/bench.db", clock=FakeClock(now))) as store:
        for batch in history(source.scope.scope[0], tables, days, int(now.timestamp()) - 4 * HOUR):
            store.write(batch)
        bench = Bench(source, store, now)
        for number in range(CYCLES):
            watch, snapshot, turn = bench.cycle()
            _print(number, watch, snapshot, turn)
            assert not [status.error for status in bench.intake.statuses([source]) if status.error]
            bench.clock.advance(EVERY.total_seconds())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024
    print(f"  peak memory of the process: {peak * 1024:.0f} MiB")
    return watch.cpu_s


def _print(number: int, watch: Stopwatch, snapshot: Snapshot, turn: Turn) -> None:
    points = sum(len(one.times) for one in snapshot.series)
    parts = "  ".join(f"{step.name} {step.cpu_s:6.2f}" for step in watch.steps)
    name = "first" if number == 0 else "steady"
    print(
        f"  {name:<7} {watch.cpu_s:7.2f} CPU-s: {parts}   ({len(snapshot.series):,} series, {points:,} points, "
        f"{len(turn.judgements):,} judgements)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=14, help="of hourly history before the first cycle")
    chosen = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    look_seldom()  # as the daemon does
    statistics = len(REMEMBERED)
    print(f"{chosen.tables:,} tables x {statistics} metric-statistics with {chosen.days} days of hourly history")
    with StandInProcess(chosen.tables) as stand_in, tempfile.TemporaryDirectory() as folder:
        run(stand_in.url, chosen.tables, chosen.days, folder)


if __name__ == "__main__":
    main()
