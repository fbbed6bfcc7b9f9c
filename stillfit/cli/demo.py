"""`stillfit demo`: the daemon on a simulated fleet. Only the addresses and the clock differ from `stillfit run`."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from stillfit.cli.running import Serving, serve
from stillfit.cli.terminal import console, report
from stillfit.clock import ScaledClock
from stillfit.config import Cassandra, Config, Fact, Http, Slack, WorkloadConfig
from stillfit.configaws import Aws
from stillfit.demo.fleet import Addresses
from stillfit.demo.story import Story, story
from stillfit.errors import SourceError
from stillfit.export.view import View
from stillfit.model import GapReason

START_WITHIN_S = 20.0
BEHIND = timedelta(minutes=6)
"""How far the data of a first screen may lag: a tenth of the hour that is judged, by which detectors go."""
PATIENCE = 10
"""Pictures after which the first screen is printed whatever it shows, some 20 seconds at the usual speed."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "{account}", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_EC2_METADATA_DISABLED": "true"}
"""The simulated account takes its own number as key; a real profile of this machine is never used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    seed: int
    speed: float
    host: str
    port: int
    seconds: float
    """Real seconds to run; 0 is until Ctrl-C."""
    headless: bool


def run_demo(options: DemoOptions) -> None:
    """Show the whole program on a simulated fleet until Ctrl-C."""
    zero, origin = int(time.time()) // 60 * 60, time.monotonic()
    clock = ScaledClock(datetime.fromtimestamp(zero, UTC), options.speed, origin)
    with _fleet(options, zero, origin) as addresses, tempfile.TemporaryDirectory(prefix="stillfit-demo-") as folder:
        plan = story(options.seed)
        _point_at(addresses, plan)
        config = _config(plan, addresses, Path(folder), options)

        def greet(url: str) -> None:
            _greet(url, plan, addresses, options)

        screen = _Screen(whole=not options.headless)
        quiet = Serving(on_served=greet, on_view=screen, seconds=options.seconds, logged=logging.WARNING)
        serve(config, clock, quiet)  # a line a second that all is as it was would bury what changes


@contextmanager
def _fleet(options: DemoOptions, zero: int, origin: float) -> Iterator[Addresses]:
    """The simulated fleet in a process of its own, so that its work is not counted as ours; ends with the block."""
    told = [f"--seed={options.seed}", f"--zero={zero}", f"--origin={origin}", f"--scale={options.speed}"]
    command = [sys.executable, "-m", "stillfit.demo.fleet", *told]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own module
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SourceError("the simulated fleet did not start", reason=GapReason.UNREACHABLE, retryable=False)
            yield Addresses(**json.loads(line))
        finally:
            process.stdin.close()


def _point_at(addresses: Addresses, plan: Story) -> None:
    """Let boto3 find the stand-in where it would find AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({name: value.format(account=plan.account) for name, value in CREDENTIALS.items()})
    os.environ["AWS_ENDPOINT_URL"] = addresses.aws


def _config(plan: Story, addresses: Addresses, folder: Path, options: DemoOptions) -> Config:
    declared = [table for table in plan.tables if table.declared]
    return Config(
        instance="demo",
        store=f"sqlite:///{folder}/demo.db",
        aws=(_account(plan.region),),
        cassandra=(Cassandra(cluster=plan.cluster.name, contact_points=tuple(addresses.cassandra)),),
        slack=Slack(channel=addresses.slack_channel, token=SecretStr(addresses.slack_token), base_url=addresses.slack),
        http=Http(host=options.host, port=options.port),
        evaluate_every=timedelta(minutes=2),
        workloads=tuple(
            WorkloadConfig(
                name=table.name,
                tables=(table.name,),
                declared={name: _fact(value) for name, value in table.declared},
            )
            for table in declared
        ),
    )


def _account(region: str) -> Aws:
    """Three weeks of history, so that drift can be seen; prices as packaged, because the demo asks nobody outside."""
    return Aws(regions=(region,), every=timedelta(minutes=2), first_look=timedelta(days=22), prices="packaged")


def _fact(value: str | bool) -> Fact:  # the value of a fact, not a switch
    return Fact(value=value, declared_at=date.today() - timedelta(days=20), owner="demo architect")  # noqa: DTZ011  # a day


def _greet(url: str, plan: Story, addresses: Addresses, options: DemoOptions) -> None:
    out = console()
    out.print(f"stillfit demo: {len(plan.tables)} simulated tables and a cluster of {plan.cluster.nodes} nodes")
    out.print(f"  status   {url}")
    out.print(f"  metrics  {url.rstrip('/')}/metrics")
    out.print(f"  slack    {addresses.slack_page}  (what the channel would show)")
    out.print(f"  clock    {options.speed:g}x, seed {options.seed}; no account is used and nothing leaves this machine")


def _is_near(covered_until: datetime | None, at: datetime) -> bool:
    """Whether data reaches as far as it does between two looks; a source of prices has none."""
    return covered_until is None or at - covered_until <= BEHIND


class _Screen:
    """Prints the whole first look, or only that it was taken; then one line for each change of state."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._first = True
        self._patience = PATIENCE

    def __call__(self, view: View) -> None:
        if view.turn is None or not all(source.last_success or source.error for source in view.sources):
            return  # what has not been looked at once is not worth a screen
        if self._first:
            self._patience -= 1
            if self._patience and not all(_is_near(source.covered_until, view.at) for source in view.sources):
                return  # while the first look was read, minutes of the story went by
            self._first = False
            shown = report(view.turn, view.gaps, waiting=True) if self._whole else "first look taken"
            console().print(shown)
            console().print("What changes is told here as it happens. Ctrl-C ends it.")
        for transition in view.turn.transitions:
            record = next(one for one in view.advice if one.id == transition.advice_id)
            when = f"{transition.at:%H:%M}"
            console().print(f"{when}  {transition.after.upper():12} {record.subject.name}: {record.title}  {record.id}")
