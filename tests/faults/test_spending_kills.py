"""What was spent of a month, kept by a process that is killed with SIGKILL, at any request, again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from collector.aws.spending.meter import USD_PER_KEY, USD_PER_LISTING, USD_PER_METRIC
from collector.aws.spending.month import month_name
from collector.aws.spending.purse import AHEAD, AHEAD_USD
from stillfit.clock import FakeClock, SystemClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Metric, Points, World
from stillfit.standins.aws.calls import Call
from stillfit.store.store import Store
from tests.demo.kit import aws_environment
from tests.faults.spending_child import BETWEEN, QUERIES, WORKERS

HOUSE = Path(__file__).parents[2]
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{DEFAULT_ACCOUNT}:key/0a0b0c0d"
NOW, MONTH = FakeClock().now().timestamp(), month_name(FakeClock().now())
TABLES, LOOKS, KILLS = 40, 2, 4
LONGEST_S = 600.0
JUST_TAKEN = WORKERS * QUERIES * USD_PER_METRIC + 2 * USD_PER_LISTING + 2 * USD_PER_KEY
"""What may have been taken when a process dies and never left: a request of each worker, a page, a key."""
ROUNDING = 1e-9
BILLED = {"GetMetricData", "ListMetrics", "DescribeKey"}


@dataclass
class Life:
    """What became of one process: by the store and by the service, in dollars."""

    killed: bool
    counted: float
    billed: float


@dataclass
class Lives:
    """A process that is begun again and again on one store against one stand-in; each begins later than the last."""

    folder: Path
    standin: AwsStandIn
    requests: int = 0
    """Those that are billed, of all of them."""
    lived: int = 0

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/stillfit.db"

    def live(self, dies_at: int = 0) -> Life:
        """One process: killed as so many billed requests have come, the last of them unanswered; 0: to its end."""
        world, began = self.standin.world, self.requests
        counted, billed = self._counted(), _billed(world)
        now = NOW + self.lived * LOOKS * BETWEEN.total_seconds()
        process = self._start(now)

        def strike(call: Call) -> None:
            self.requests += call.operation in BILLED
            if dies_at and self.requests >= began + dies_at:
                process.kill()
                process.wait()

        world.before_call.append(strike)
        said, _ = process.communicate(timeout=LONGEST_S)
        self.standin.settle()  # nothing that it sent is on its way still
        world.before_call.remove(strike)
        self.lived += 1
        killed = process.returncode == -signal.SIGKILL
        assert killed or process.returncode == 0, said
        return Life(killed, self._counted() - counted, _billed(world) - billed)

    def _start(self, now: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.faults.spending_child", self.url, REGION, str(now), str(LOOKS)]
        return subprocess.Popen(
            command,
            cwd=HOUSE,
            env=os.environ | aws_environment("x", self.standin.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _counted(self) -> float:
        if not (self.folder / "stillfit.db").exists():
            return 0.0
        with closing(Store.open(self.url, clock=SystemClock(), exclusive=False, ballast_bytes=0)) as store:
            return sum(store.spending.spent(MONTH).values())


def _billed(world: World) -> float:
    """By the service, with what it gives away so many times a month."""
    calls = world.bill.calls
    listings = calls["cloudwatch:ListMetrics"] * USD_PER_LISTING
    return world.bill.dollars + listings + calls["kms:DescribeKey"] * USD_PER_KEY


class Served:
    """Each table serves requests in every minute, and every eighth refuses some."""

    def metrics(self, start: float, end: float) -> Iterator[Metric]:
        yield from self._all() if end > start else ()

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if metric not in set(self._all()) or end <= start:
            return None
        times = np.arange(-(-int(start) // 60) * 60, int(end), 60, dtype=np.int64)
        return Points(times=times, sum=np.full(len(times), 3.0), count=np.ones(len(times)))

    def _all(self) -> Iterator[Metric]:
        for number in range(TABLES):
            yield Metric.dynamodb("ConsumedReadCapacityUnits", TableName=f"table-{number}")
            if number % 8 == 0:
                yield Metric.dynamodb("ReadThrottleEvents", TableName=f"table-{number}")


@pytest.fixture
def standin() -> Iterator[AwsStandIn]:
    world = World(now=lambda: NOW)
    world.kms.put_key(KEY, "AWS")
    encrypted = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}}
    for number in range(TABLES):
        mode = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
        description = {"TableName": f"table-{number}", **mode, **(encrypted if number == 0 else {})}
        world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, description)
    world.provide(DEFAULT_ACCOUNT, REGION, Served())
    with AwsStandIn(world) as server:
        yield server


def test_killed_at_any_request_it_has_counted_nothing_too_little_and_at_most_what_it_was_about_to_spend(
    standin: AwsStandIn, tmp_path: Path
) -> None:
    random, lives = Random(7), Lives(tmp_path, standin)
    whole = lives.live()
    assert whole.billed > 5 * JUST_TAKEN
    assert whole.counted == pytest.approx(whole.billed, abs=ROUNDING)

    most = lives.requests * 3 // 4
    ends = [lives.live(dies_at=random.randint(2, most)) for _ in range(KILLS)]

    for one in ends:
        assert one.counted >= one.billed - ROUNDING
        spent = one.billed + JUST_TAKEN
        assert one.counted <= spent + min(AHEAD_USD, AHEAD * spent) + ROUNDING
    assert sum(one.killed and one.billed > 0 for one in ends) >= KILLS - 1
