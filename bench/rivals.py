"""Our collector beside YACE and cloudwatch_exporter on one stand-in: CPU, memory and what the service would bill.

    python -m bench.rivals                  # 1,000 tables x 4 metrics x 3 statistics, medians of three sweeps
    python -m bench.rivals --tables 100

Every program runs in a process of its own, is warmed by one sweep, and is measured from outside: CPU from
/proc/PID/stat, the peak of its memory from /proc/PID/status, billed metrics from the stand-in. A sweep of YACE and of
cloudwatch_exporter includes one rendering of /metrics, without which they do nothing; one of ours ends with its arrays.

The rivals are not part of this repository. What is not found is told and left out:

YACE 0.67: STILLFIT_YACE=/path/to/yace, or yace on the PATH. Built with Go 1.25 or newer in a module of its own that
requires github.com/prometheus-community/yet-another-cloudwatch-exporter v0.67.0: go build .../cmd/yace.

cloudwatch_exporter 0.16.0: STILLFIT_CLOUDWATCH_EXPORTER=CLASSPATH, for Java 17. The AWS SDK that it is published with
(2.27) cannot be pointed at another endpoint, so it runs with a newer one: a pom.xml that depends on
io.prometheus.cloudwatch:cloudwatch_exporter:0.16.0 and imports software.amazon.awssdk:bom:2.29.52, then
mvn dependency:build-classpath.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import numpy as np

from collector.aws.metrics.cloudwatch import WORKERS, MetricReader
from collector.aws.metrics.planner import Stretch, pack
from collector.aws.metrics.queries import CONSUMED, PROVISIONED, Questions
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.pool import Pool
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import SystemClock
from stillfit.model import Engine, Span, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World

REGION = "eu-west-1"
METRICS = (*CONSUMED, *PROVISIONED)
DELAY_S = 120
"""Between the newest point asked for and now: the rivals' own settings for metrics of a minute."""
UNLIMITED = 1e9
"""Calls a second: the limiter would only make us wait."""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
SWEEP_ENDS_S = 180.0
QUIET_S = 0.5
"""So long without a call: a sweep is over."""


class Tables:
    """Every table alike, a value a minute in each metric, all of them listed."""

    def __init__(self, tables: int) -> None:
        names = [spec.name for spec in METRICS]
        self._metrics = [Metric.dynamodb(name, TableName=f"table{n}") for n in range(tables) for name in names]
        self._known = frozenset(self._metrics)

    def metrics(self, start: float, end: float) -> Iterable[Metric]:  # noqa: ARG002  (the provider's signature)
        return self._metrics

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if metric not in self._known:
            return None
        times = np.arange(int(-(-start // 60) * 60), int(end), 60, dtype=np.int64)
        values = (1.0 + (times // 60 + len(metric.name)) % 997).astype(np.float64)
        return Points(times=times, sum=3 * values, count=np.full(len(times), 3.0), minimum=values, maximum=values + 1)


def serve(tables: int, pipe: Pipe) -> None:
    """The stand-in's process: tells its bill until told to stop."""
    world = World()
    world.provide(DEFAULT_ACCOUNT, REGION, Tables(tables))
    with AwsStandIn(world) as aws:
        pipe.send(aws.url)
        while pipe.recv() == "bill":
            pipe.send((world.bill.metrics, world.bill.datapoints, world.bill.calls.total()))


@dataclass(frozen=True, slots=True)
class Bill:
    metrics: int
    datapoints: int
    calls: int


@dataclass(frozen=True, slots=True)
class Sweep:
    cpu_s: float
    billed: int
    points: int


@dataclass(frozen=True, slots=True)
class Rival:
    """A program: how it is started on a port (nothing: it is not here), and how one sweep of it is begun."""

    name: str
    points: int
    command: Callable[[Path, int], list[str]] | None
    begin: Callable[[subprocess.Popen[str], int], object]
    missing: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=1_000)
    parser.add_argument("--sweeps", type=int, default=3)
    parser.add_argument("--ours", nargs=2, metavar=("URL", "POINTS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ours:
        sweep_when_told(chosen.ours[0], int(chosen.ours[1]), chosen.tables)
        return 0
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=serve, args=(chosen.tables, theirs), daemon=True)
    process.start()
    url: str = pipe.recv()
    try:
        for points in (1, 60):
            compare(rivals(url, points, chosen.tables), chosen, pipe, url)
    finally:
        pipe.send("stop")
        process.join()
    return 0


def compare(rivals: Iterable[Rival], chosen: argparse.Namespace, pipe: Pipe, url: str) -> None:
    series = chosen.tables * sum(len(spec.brings) for spec in METRICS)
    first: float | None = None
    for rival in rivals:
        if rival.command is None:
            print(f"  SKIPPED {rival.name}: {rival.missing}", flush=True)
            continue
        sweeps, peak_mb = measured(rival, chosen.sweeps, pipe, url)
        cpu = max(TICK_S, statistics.median(sweep.cpu_s for sweep in sweeps))
        points = statistics.median(sweep.points for sweep in sweeps)
        billed = statistics.median(sweep.billed for sweep in sweeps)
        first = first or cpu
        print(
            f"  {rival.name:<38} {cpu:7.3f} CPU-s  {1e6 * cpu / series:8.2f} us a statistic  "
            f"{1e6 * cpu / points:8.3f} us a point  {peak_mb:6.0f} MB peak  {billed:,.0f} billed  {cpu / first:6.1f}x",
            flush=True,
        )


def rivals(url: str, points: int, tables: int) -> Iterator[Rival]:
    """Ours first: the ratios are of it."""
    print(f"\n{tables:,} tables x {len(METRICS)} metrics x 3 statistics, {points} points a metric in each call")
    own = [sys.executable, "-m", "bench.rivals", "--tables", str(tables), "--ours", url, str(points)]
    yield Rival("stillfit, keeps all", points, lambda _, __: own, _told)
    yacht = os.environ.get("STILLFIT_YACE") or shutil.which("yace")
    for every in (False, True) if points > 1 else (False,):
        name = f"YACE, {'exportAllDataPoints' if every else 'keeps the newest'}"
        yield _yace(name, yacht, points, every=every)
    yield _cloudwatch_exporter(points)


def _yace(name: str, program: str | None, points: int, *, every: bool) -> Rival:
    def command(folder: Path, port: int) -> list[str]:
        (folder / "yace.yml").write_text(json.dumps(yace_settings(points, every=every)), "utf-8")
        options = ["-config.file", str(folder / "yace.yml"), "-listen-address", f"127.0.0.1:{port}"]
        return [str(program), *options, "-scraping-interval", "5", "-cloudwatch-concurrency", "20"]

    return Rival(name, points, command if program else None, _nothing, "no `yace` on the PATH, see --help")


def yace_settings(points: int, *, every: bool) -> dict[str, Any]:
    """YAML is a superset of JSON."""
    window = {"period": 60, "length": 60 * points, "delay": DELAY_S, "nilToZero": False}
    kept = {"addCloudwatchTimestamp": True, "exportAllDataPoints": True} if every else {}
    metrics = [{"name": spec.name, "statistics": _wanted(spec), **window, **kept} for spec in METRICS]
    job = {"name": "tables", "namespace": "AWS/DynamoDB", "regions": [REGION], "metrics": metrics}
    return {
        "apiVersion": "v1alpha1",
        "sts-region": REGION,
        "customNamespace": [job | {"dimensionNameRequirements": ["TableName"]}],
    }


def _cloudwatch_exporter(points: int) -> Rival:
    classes = os.environ.get("STILLFIT_CLOUDWATCH_EXPORTER")

    def command(folder: Path, port: int) -> list[str]:
        metrics = [
            {"aws_namespace": "AWS/DynamoDB", "aws_metric_name": spec.name, "aws_dimensions": ["TableName"]}
            | {"aws_statistics": _wanted(spec), "range_seconds": 60 * points, "period_seconds": 60}
            for spec in METRICS
        ]
        settings = {"region": REGION, "use_get_metric_data": True, "delay_seconds": DELAY_S, "metrics": metrics}
        (folder / "exporter.yml").write_text(json.dumps(settings), "utf-8")
        program = ["java", "-cp", str(classes), "io.prometheus.cloudwatch.WebServer"]
        return [*program, str(port), str(folder / "exporter.yml")]

    there = classes and shutil.which("java")
    missing = "no Java, or no STILLFIT_CLOUDWATCH_EXPORTER, see --help"
    return Rival("cloudwatch_exporter, keeps the newest", points, command if there else None, _scrape, missing)


def _wanted(spec: Any) -> list[str]:
    return [name for _, _, name in spec.brings]


def measured(rival: Rival, sweeps: int, pipe: Pipe, url: str) -> tuple[list[Sweep], float]:
    """A sweep to warm it up, then those that count; and the most memory that it ever had, in MB."""
    with tempfile.TemporaryDirectory() as folder, running(rival, Path(folder), url) as (process, port):
        found = []
        for _ in range(sweeps + 1):
            before, cpu = bill(pipe), cpu_s(process.pid)
            rival.begin(process, port)
            after = settled(pipe, before)
            if rival.begin is _nothing:
                _scrape(process, port)
            found.append(
                Sweep(cpu_s(process.pid) - cpu, after.metrics - before.metrics, after.datapoints - before.datapoints)
            )
        return found[1:], peak_mb(process.pid)


@contextmanager
def running(rival: Rival, folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    assert rival.command is not None
    port = free_port()
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": REGION}
    where = {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            rival.command(folder, port),
            env=os.environ | keys | where,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
        )
        try:
            yield process, port
        finally:
            process.terminate()
            process.communicate()


def settled(pipe: Pipe, before: Bill) -> Bill:
    """The bill once a sweep has begun and no call has come for a while. Raises TimeoutError."""
    until, last, since = time.monotonic() + SWEEP_ENDS_S, before, time.monotonic()
    while time.monotonic() < until:
        time.sleep(0.05)
        now = bill(pipe)
        if now != last:
            last, since = now, time.monotonic()
        elif now.metrics > before.metrics and time.monotonic() - since >= QUIET_S:
            return now
    raise TimeoutError(f"no sweep ended in {SWEEP_ENDS_S:g} s")


def bill(pipe: Pipe) -> Bill:
    pipe.send("bill")
    return Bill(*pipe.recv())


def _told(process: subprocess.Popen[str], port: int) -> None:  # noqa: ARG001  (as the others)
    """Ours sweeps for each line it reads."""
    assert process.stdin is not None
    process.stdin.write("sweep\n")
    process.stdin.flush()


def _scrape(process: subprocess.Popen[str], port: int) -> object:
    """Ask for /metrics and give its length, from a Java that may still be starting."""
    until = time.monotonic() + SWEEP_ENDS_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SWEEP_ENDS_S) as answer:
                return len(answer.read())
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)


def _nothing(process: subprocess.Popen[str], port: int) -> None:
    """YACE sweeps by itself, and again as soon as it has rested."""


def cpu_s(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sweep_when_told(url: str, points: int, tables: int) -> None:
    """Our side: planned requests to arrays in memory, once for each line on the standard input."""
    clock = SystemClock()
    limiter = Limiter(clock, calls_per_s=UNLIMITED)
    connection = Connection(AwsTarget(region=REGION, endpoint_url=url), clock, limiter, Patience())
    pool = Pool(WORKERS, "bench")
    reader = MetricReader(connection, limiter, Meter(), pool, "bench")
    questions = Questions()
    subjects = [Subject(engine=Engine.DYNAMODB, scope=("1", REGION), table=f"table{n}") for n in range(tables)]
    asks = [questions.ask(subject, spec) for subject in subjects for spec in METRICS]
    for _ in sys.stdin:
        end = int(time.time() - DELAY_S) // 60 * 60
        stretch = Stretch(60, Span(end - 60 * points, end))
        for _, got in reader.read(pack((ask, stretch) for ask in asks)):
            assert not got.missing, got.missing[0].what_happened
    pool.stop()
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
