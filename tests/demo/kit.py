"""The simulated fleet in this process on a clock that is stepped, watched by the real sources, store and turn.

with Watched(seed=7, folder=tmp_path) as watched:
    watched.go(minutes=40)
    found(watched.turns[-1])
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from stillfit.cli.demo import CREDENTIALS
from stillfit.clock import Clock, FakeClock
from stillfit.config import Cassandra, Config, Fact, Http, Slack, WorkloadConfig
from stillfit.configaws import Aws
from stillfit.cycle import Turn
from stillfit.demo.cloud import furnish
from stillfit.demo.cluster import ClusterWorld, nodes
from stillfit.demo.story import Story, story
from stillfit.standins.aws import AwsStandIn, World
from stillfit.standins.cql import CqlStandin
from stillfit.standins.slack import TOKEN, SlackStandIn
from tests.scenarios.watching import CHANNEL, Watching

STEP = timedelta(minutes=5)


class Fleet:
    """The stand-ins of one story. `config` is what an operator of that fleet would write."""

    def __init__(self, seed: int, clock: Clock, plan: Story | None = None) -> None:
        self.story: Story = plan or story(seed)
        self.zero = int(clock.now().timestamp())

        def now() -> float:
            return clock.now().timestamp()

        self.world = World(now=now)
        furnish(self.world, self.story, self.zero)
        cluster = self.story.cluster
        self.aws = AwsStandIn(self.world)
        self.cql = CqlStandin(
            nodes(cluster, self.zero), ClusterWorld(self.story, self.zero, now), cluster_name=cluster.name
        )
        self.slack = SlackStandIn([CHANNEL], now=now)

    def config(self, store: str, first_look: timedelta = timedelta(days=22)) -> Config:
        said_on = FakeClock().now().date() - timedelta(days=20)
        return Config(
            instance="test",
            store=store,
            aws=(Aws(regions=(self.story.region,), first_look=first_look, prices="packaged"),),
            cassandra=(
                Cassandra(
                    cluster=self.story.cluster.name,
                    contact_points=tuple(f"{host}:{port}" for host, port in self.cql.contact_points),
                ),
            ),
            slack=Slack.model_validate({"channel": CHANNEL.name, "token": TOKEN, "base_url": self.slack.url}),
            http=Http(port=0),
            workloads=tuple(
                WorkloadConfig(
                    name=table.name,
                    tables=(table.name,),
                    declared={
                        name: Fact(value=value, declared_at=said_on, owner="test") for name, value in table.declared
                    },
                )
                for table in self.story.tables
                if table.declared
            ),
        )

    @contextmanager
    def served(self) -> Iterator[Self]:
        """Run the stand-ins, and let boto3 find its own where it would find AWS."""
        with ExitStack() as stack:
            for one in (self.aws, self.cql, self.slack):
                stack.enter_context(one)
            stack.enter_context(environment(aws_environment(self.story.account, self.aws.url)))
            yield self


def aws_environment(account: str, url: str) -> dict[str, str]:
    return {name: value.format(account=account) for name, value in CREDENTIALS.items()} | {"AWS_ENDPOINT_URL": url}


@contextmanager
def environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """These AWS variables and no others, put back at the end."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)
        os.environ.update(before)


class Watched(Watching):
    """A fleet that is watched, on a clock that is stepped."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.steps = FakeClock()
        self.fleet = Fleet(seed, self.steps)
        self._served = ExitStack()
        self._served.enter_context(self.fleet.served())
        super().__init__(self.fleet.config(f"sqlite:///{folder}/stillfit.db"), self.steps)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._served.close()

    def go(self, minutes: float) -> Turn:
        """Let time pass in steps; the turn at its end."""
        end = self.clock.now() + timedelta(minutes=minutes)
        turn = self.step()
        while self.clock.now() < end:
            self.steps.advance(STEP.total_seconds())
            turn = self.step()
        return turn

    def look_after(self, minutes: float) -> Turn:
        """One turn after that long, with as little reading as it takes: the cluster has no past that can be asked."""
        cloud, cluster = self.sources
        self.intake.collect(cloud)  # so much history at once is slowed down by the limiter, on this clock
        end = self.clock.now() + timedelta(minutes=minutes)
        while self.clock.now() < end:
            self.intake.collect(cluster)
            self.steps.advance(STEP.total_seconds())
        self.collect()
        return self.judge()
