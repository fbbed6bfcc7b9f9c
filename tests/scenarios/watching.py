"""Everything of the daemon but its timer, on a clock that the test holds: each step collects, judges, keeps and sends.

with Watching(config, clock) as watching:
    watching.step()
    clock.advance(60)
    watching.step()
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from collector.cassandra.connection import connect
from collector.cassandra.source import CassandraSource
from collector.source import Source
from stillfit import cycle
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.cycle import Turn
from stillfit.export.health import Health
from stillfit.intake import Intake
from stillfit.model import Finding, Judgement, Unknown
from stillfit.parts import Parts, assemble
from stillfit.snapshot import Snapshot
from stillfit.standins.slack import Channel, Post, SlackStandIn
from stillfit.store.store import Store
from tests.collector.cassandra.cluster import PATIENT

CHANNEL = Channel(id="C0DATABASE", name="databases")
BALLAST = 64 * 1024

Assemble = Callable[[Config, Store, Clock], Parts]


class Watching:
    """One configuration at work. `turns` and `snapshots` keep what each step decided and saw."""

    def __init__(self, config: Config, clock: Clock, assemble: Assemble = assemble) -> None:
        self.config = config
        self.clock = clock
        self.health = Health()
        self.turns: list[Turn] = []
        self.snapshots: list[Snapshot] = []
        self._assemble = assemble
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.store = Store.open(self.config.store, clock=self.clock, ballast_bytes=BALLAST)
        self._stack.callback(self.store.close)
        self.parts = self._assemble(self.config, self.store, self.clock)
        self._stack.callback(self.parts.close)
        for source, _ in self.parts.sources:
            if isinstance(source, CassandraSource):  # a node may be as slow as the machine that it shares with the test
                source._connect, source._patience = partial(connect, timeout_s=60.0), PATIENT
        self.intake = Intake(self.store, self.clock, self.health)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(source for source, _ in self.parts.sources)

    def step(self) -> Turn:
        """One round of all jobs."""
        self.collect()
        turn = self.judge()
        self.parts.sender.send_due(None)
        return turn

    def collect(self) -> None:
        for source in self.sources:
            self.intake.collect(source)

    def judge(self) -> Turn:
        """Judge and keep what was decided; nothing is sent."""
        snapshot = self.intake.snapshot(self.sources, self.config.workloads, self.config.lookback)
        turn = cycle.turn(snapshot, self.parts.knowledge, self.store.advice())
        self.store.commit(turn.advice, turn.transitions, self.parts.sender.compose(turn), epoch=None)
        self.snapshots.append(snapshot)
        self.turns.append(turn)
        return turn


def found(turn: Turn) -> dict[str, Finding]:
    """Findings by detector and name of what they are said of."""
    answers = ((one, one.answer) for one in turn.judgements)
    return {f"{one.detector} {one.subject.name}": answer for one, answer in answers if isinstance(answer, Finding)}


def unknowns(turn: Turn) -> list[Judgement]:
    return [one for one in turn.judgements if isinstance(one.answer, Unknown)]


def headlines(slack: SlackStandIn) -> list[str]:
    """The first line of each message that stands in the channel now, oldest first."""
    return [headline(post) for post in slack.workspace.roots(CHANNEL.id)]


def headline(post: Post) -> str:
    return next((str(block["text"]["text"]) for block in post.content.blocks if block["type"] == "header"), "")


def shown(post: Post) -> str:
    """All that a message shows, as one text."""
    return json.dumps([post.content.text, post.content.blocks, post.content.attachments], ensure_ascii=False)
