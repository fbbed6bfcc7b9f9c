"""The simulated fleet in this process on a clock that is stepped, watched by the real sources, store and turn.

with Watched(seed=7, folder=tmp_path) as watched:
    watched.go(minutes=40)
    watched.causes()
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.source import Source
from stillfit import cycle
from stillfit.advice import Advice
from stillfit.cli.demo import CREDENTIALS
from stillfit.clock import FakeClock
from stillfit.config import Aws, Cassandra, Config, Fact, Http, Slack, WorkloadConfig
from stillfit.cycle import Turn
from stillfit.demo.cloud import furnish
from stillfit.demo.cluster import ClusterWorld, nodes
from stillfit.demo.story import Story, story
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Finding, Judgement, Unknown
from stillfit.parts import assemble
from stillfit.snapshot import Snapshot
from stillfit.standins.aws import AwsStandIn, World
from stillfit.standins.cql import CqlStandin
from stillfit.standins.slack import TOKEN, Channel, Post, SlackStandIn
from stillfit.store.store import Store

CHANNEL = Channel(id="C0DATABASE", name="databases")
STEP = timedelta(minutes=5)
BALLAST = 64 * 1024


class Fleet:
    """The stand-ins of one story. `config` is what an operator of that fleet would write."""

    def __init__(self, seed: int, clock: FakeClock) -> None:
        self.story: Story = story(seed)
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

    def config(self, store: str) -> Config:
        clock_of_facts = FakeClock().now().date() - timedelta(days=20)
        return Config(
            instance="test",
            store=store,
            aws=(Aws(regions=(self.story.region,), first_look=timedelta(days=22)),),
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
                        name: Fact(value=value, declared_at=clock_of_facts, owner="test")
                        for name, value in table.declared
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


class Watched:
    """A fleet with everything of the daemon but its timer: each step collects, judges, keeps and sends."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.clock = FakeClock()
        self.fleet = Fleet(seed, self.clock)
        self.health = Health()
        self.turns: list[Turn] = []
        self.snapshots: list[Snapshot] = []
        self._url = f"sqlite:///{folder}/stillfit.db"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.fleet.served())
        self.config = self.fleet.config(self._url)
        self.store = Store.open(self._url, clock=self.clock, ballast_bytes=BALLAST)
        self._stack.callback(self.store.close)
        self.parts = assemble(self.config, self.store, self.clock)
        self._stack.callback(self.parts.close)
        self.intake = Intake(self.store, self.clock, self.health)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(source for source, _ in self.parts.sources)

    def go(self, minutes: float) -> Turn:
        """Let time pass in steps; the turn at its end."""
        end = self.clock.now() + timedelta(minutes=minutes)
        self.step()
        while self.clock.now() < end:
            self.clock.advance(STEP.total_seconds())
            self.step()
        return self.turns[-1]

    def look_after(self, minutes: float) -> Turn:
        """One turn after that long, with as little reading as it takes: the cluster has no past that can be asked."""
        cloud, cluster = self.sources
        self.intake.collect(cloud)  # so much history at once is slowed down by the limiter, on this clock
        end = self.clock.now() + timedelta(minutes=minutes)
        while self.clock.now() < end:
            self.intake.collect(cluster)
            self.clock.advance(STEP.total_seconds())
        self.intake.collect(cloud)
        self.intake.collect(cluster)
        return self.judge()

    def step(self) -> Turn:
        for source in self.sources:
            self.intake.collect(source)
        turn = self.judge()
        self.parts.sender.send_due(None)
        return turn

    def judge(self) -> Turn:
        snapshot = self.intake.snapshot(self.sources, self.config.workloads, self.config.lookback)
        turn = cycle.turn(snapshot, self.parts.knowledge, self.store.advice())
        self.store.commit(turn.advice, turn.transitions, self.parts.sender.compose(turn), epoch=None)
        self.snapshots.append(snapshot)
        self.turns.append(turn)
        return turn

    def messages(self) -> list[str]:
        """The first line of each message that now stands in the channel."""
        return [headline(post) for post in self.fleet.slack.workspace.roots(CHANNEL.id)]


def headline(post: Post) -> str:
    return next((str(block["text"]["text"]) for block in post.content.blocks if block["type"] == "header"), "")


def shown(post: Post) -> str:
    """All that a message shows, as one text."""
    return json.dumps([post.content.text, post.content.blocks, post.content.attachments], ensure_ascii=False)


def found(turn: Turn) -> dict[str, Finding]:
    """Findings by detector and name of what they are said of."""
    answers = ((one, one.answer) for one in turn.judgements)
    return {f"{one.detector} {one.subject.name}": answer for one, answer in answers if isinstance(answer, Finding)}


def unknowns(turn: Turn) -> list[Judgement]:
    return [one for one in turn.judgements if isinstance(one.answer, Unknown)]


def live(advice: tuple[Advice, ...]) -> list[str]:
    return sorted(f"{one.rule} {one.subject.name} {one.state}" for one in advice)
