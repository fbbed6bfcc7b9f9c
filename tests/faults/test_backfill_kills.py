"""`stillfit backfill` as a process that is killed with SIGKILL, again and again, and begun again until it is done."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest

from collector.aws.metrics import cloudwatch
from collector.aws.metrics.queries import ALL
from stillfit.clock import FakeClock, SystemClock
from stillfit.model import Engine, Span, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World
from stillfit.standins.aws.calls import Call
from stillfit.store.store import Store
from tests.demo.kit import aws_environment
from tests.faults.backfill_child import ANSWERS_A_BATCH, WORKERS

HOUSE = Path(__file__).parents[2]
REGION = "eu-west-1"
HOUR, DAY = 3_600, 86_400
TABLES, DAYS = 40, 6
UNDER_WAY = WORKERS * cloudwatch.AHEAD + ANSWERS_A_BATCH
"""Requests that may have been answered and not been stored when a process dies."""
Key = tuple[tuple[tuple[str, str], ...], str, int, float, float]
"""Dimensions, name, period, start and end of what was asked."""
METRICS = {spec.name: spec.brings[0][0] for spec in ALL}
LONGEST_S = 600.0
KILLS = 4


class Told:
    """A point in every minute of every table; every fifth table refuses requests now and then."""

    def __init__(self) -> None:
        self._metrics: dict[Metric, int] = {}
        for number in range(TABLES):
            names = [
                "ConsumedReadCapacityUnits",
                *(["ReadThrottleEvents", "ReadKeyRangeThroughputThrottleEvents"] if number % 5 == 0 else []),
            ]
            for name in names:
                self._metrics[Metric.dynamodb(name, TableName=f"table-{number}")] = number

    def metrics(self, start: float, end: float) -> Iterator[Metric]:
        yield from self._metrics if end > start else ()

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if metric not in self._metrics or end <= start:
            return None
        times = np.arange(-(-int(start) // 60) * 60, int(end), 60, dtype=np.int64)
        values = ((times // 60 * 7_919 + self._metrics[metric]) % 1_009 + 1).astype(np.float64)
        if "Throttle" in metric.name:
            values[times // HOUR % 50 != 0] = np.nan
        return Points(times=times, sum=values, count=np.ones(len(times)))


@dataclass
class Asked:
    """What a stand-in was asked of each metric: how many billed metrics in which stretch, call by call."""

    calls: list[Counter[Key]] = field(default_factory=list)

    def note(self, call: Call) -> None:
        if call.operation != "GetMetricData":
            return
        window = (call.parameters["StartTime"], call.parameters["EndTime"])
        found: Counter[Key] = Counter()
        for query in call.parameters["MetricDataQueries"]:
            stat = query["MetricStat"]
            dimensions = tuple(sorted((one["Name"], one["Value"]) for one in stat["Metric"]["Dimensions"]))
            found[dimensions, stat["Metric"]["MetricName"], stat["Period"], *window] = 1
        self.calls.append(found)

    @property
    def metrics(self) -> int:
        return sum(one.total() for one in self.calls)


@dataclass
class Run:
    """A process, begun again and again on one store against one stand-in."""

    folder: Path
    now: float
    asked: Asked = field(default_factory=Asked)
    kills: int = 0
    lost: int = 0
    """Billed metrics that the kills may have cost."""

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/stillfit.db"

    def start(self, url: str) -> subprocess.Popen[str]:
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "stillfit.yaml"
        config.write_text(f"store: {self.url}\naws:\n  - regions: [{REGION}]\n    services: [dynamodb]\n")
        command = [sys.executable, "-m", "tests.faults.backfill_child", str(config), str(DAYS), str(self.now)]
        return subprocess.Popen(
            command,
            cwd=HOUSE,
            env=os.environ | aws_environment("x", url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, url: str) -> None:
        """Run to the end."""
        process = self.start(url)
        said, _ = process.communicate(timeout=LONGEST_S)
        assert process.returncode == 0, said

    def kill(self, standin: AwsStandIn, after: int) -> None:
        """Run, and kill as the last of so many requests comes, before it is answered; it may have ended before."""
        before, process = len(self.asked.calls), self.start(standin.url)

        def strike(_call: Call) -> None:
            if len(self.asked.calls) >= before + after:
                process.kill()
                process.wait()

        standin.world.before_call.append(strike)
        process.communicate(timeout=LONGEST_S)
        standin.settle()  # nothing that it sent is on its way still
        standin.world.before_call.remove(strike)
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            lost = [one for one in self.asked.calls[before:] if not self.has(one)]
            assert len(lost) <= UNDER_WAY
            self.lost += sum(one.total() for one in lost)

    def has(self, call: Counter[Key]) -> bool:
        """Whether what a request asked is in the store."""
        (dimensions, name, period_s, start, end), *_ = call
        table = dict(dimensions)["TableName"]
        subject = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, REGION), table=table)
        with closing(Store.open(self.url, clock=SystemClock(), exclusive=False, ballast_bytes=0)) as store:
            cover = store.cover(f"aws/default/{REGION}", Span(int(start), int(end)), period_s)
        return not cover.holes([(subject, METRICS[name], "")])

    def checksums(self) -> dict[str, str]:
        """Of every point and of all time that is vouched for, by series."""
        now = int(self.now)
        with closing(Store.open(self.url, clock=SystemClock(), exclusive=False, ballast_bytes=0)) as store:
            return {
                str(one.key): hashlib.sha256(
                    one.times.tobytes() + one.values.tobytes() + repr(one.covered).encode()
                ).hexdigest()
                for one in store.series(Span(now - 20 * DAY, now))
            }


@pytest.fixture
def world() -> World:
    """Its time stands still, as that of the process does."""
    now = FakeClock().now().timestamp() + 1_234
    world = World(now=lambda: now)
    for number in range(TABLES):
        description = {"TableName": f"table-{number}", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, description)
    world.provide(DEFAULT_ACCOUNT, REGION, Told())
    return world


def test_killed_again_and_again_it_reads_the_same_and_pays_only_for_what_was_under_way(
    world: World, tmp_path: Path
) -> None:
    random = Random(4)
    whole, killed = (Run(tmp_path / name, world.now()) for name in ("whole", "killed"))
    with AwsStandIn(world) as standin:
        world.before_call.append(whole.asked.note)
        whole.finish(standin.url)
        world.before_call[:] = [killed.asked.note]
        for _ in range(KILLS):
            killed.kill(standin, random.randint(1, len(whole.asked.calls) // 2))
        killed.finish(standin.url)
        done = len(killed.asked.calls)
        killed.finish(standin.url)

    assert killed.kills >= KILLS - 1
    assert killed.lost > 0
    assert killed.checksums() == whole.checksums()
    assert whole.asked.metrics <= killed.asked.metrics <= whole.asked.metrics + killed.lost
    assert len(killed.asked.calls) == done, "what is known was asked again"
