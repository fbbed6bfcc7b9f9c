"""Kills the child at seeded moments until its story is told, and compares what the stand-in shows with the story."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from stillfit.standins.slack import Moment, SlackStandIn
from tests.faults.child import POINTS, story

HOUSE = Path(__file__).parents[2]
LONGEST_S = 300.0
"""A child that lasts longer hangs."""
FROM_OUTSIDE = ("arrived", "done", "answered", "any moment")
PLACES = (*POINTS, *FROM_OUTSIDE)
LIFE_S = 0.5
"""About how long a child lives that is not killed; moments of chance are drawn from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one story; transitions are named ADVICE#NUMBER. `kills`: how often at which place."""

    seed: int
    kills: Counter[str]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    disordered: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)

    def __str__(self) -> str:
        places = ", ".join(f"{place} {count}" for place, count in sorted(self.kills.items()))
        wrong = f"lost {list(self.lost)}, doubled {list(self.doubled)}, out of order {list(self.disordered)}"
        return f"seed {self.seed}: {self.kills.total()} kills ({places}); {wrong}"


def tell_through_kills(
    seed: int, kills: int, folder: Path, *, places: tuple[str, ...] = PLACES, blind: bool = False
) -> Told:
    """Run the story of `seed`, kill it `kills` times, then let it finish; it may end before the last kill."""
    random, done = Random(f"kills {seed}"), Counter[str]()
    with SlackStandIn() as slack, _nursery() as nursery:
        run = Run(slack=slack, seed=seed, folder=folder, blind=blind, nursery=nursery)
        for place in _drawn(places, kills, random):
            if not run.killed(place, random):
                break
            done[place] += 1
        else:
            assert not run.killed("", random)
        return _compare(seed, done, slack)


def _drawn(places: tuple[str, ...], kills: int, random: Random) -> list[str]:
    """Every place equally often, in an order of chance."""
    rounds = [random.sample(places, len(places)) for _ in range(kills // len(places) + 1)]
    return [place for one in rounds for place in one][:kills]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Starts children of one story, each on the store that the last one left."""

    slack: SlackStandIn
    seed: int
    folder: Path
    blind: bool
    nursery: subprocess.Popen[str]

    def killed(self, place: str, random: Random) -> bool:
        """Whether the child was killed; False when it told its story to the end."""
        child = Child(self.nursery, self._arguments(f"{place}:{random.randint(1, 3)}" if place in POINTS else ""))
        with _killing(self.slack, child, place, random):
            ended = child.wait()
        self.slack.settle()  # nothing that it sent is on its way still
        log = (self.folder / f"{self.seed}.log").read_text()
        assert ended in {0, -signal.SIGKILL}, f"seed {self.seed}: the child ended with {ended}:\n{log}"
        return ended != 0

    def _arguments(self, kill_at: str) -> list[str | int]:
        store, log = f"sqlite:///{self.folder}/{self.seed}/stillfit.db", str(self.folder / f"{self.seed}.log")
        return [log, store, self.slack.url, self.seed, kill_at, *(["blind"] if self.blind else [])]


class Child:
    """A process that the nursery forked. `kill` may come from any thread and at any time."""

    def __init__(self, nursery: subprocess.Popen[str], arguments: list[str | int]) -> None:
        assert nursery.stdin
        assert nursery.stdout
        self._answers = nursery.stdout
        self._ended = threading.Event()
        self._lock = threading.Lock()
        print(json.dumps(arguments), file=nursery.stdin, flush=True)
        self._pid = int(self._answers.readline())

    def kill(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """How it ended."""
        alarm = threading.Timer(LONGEST_S, self.kill)
        alarm.start()
        code = int(self._answers.readline())
        with self._lock:
            self._ended.set()
        hung = not alarm.is_alive()
        alarm.cancel()
        assert not hung, f"the child still ran after {LONGEST_S} s"
        return code

    def wait_until_dead(self) -> None:
        self._ended.wait(LONGEST_S)


@contextmanager
def _nursery() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.faults.nursery"]
    with subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        yield nursery  # leaving closes its input: it ends by itself


@contextmanager
def _killing(slack: SlackStandIn, child: Child, place: str, random: Random) -> Iterator[None]:
    """Kill from outside: at a moment of a call, shortly after its answer, or at any time."""
    timer = threading.Timer(random.random() * LIFE_S, child.kill)
    left = random.randint(1, 6)

    def struck(moment: Moment, _method: str) -> None:
        nonlocal left
        if {"arrived": Moment.ARRIVED}.get(place, Moment.DONE) is not moment:
            return
        left -= 1
        if left == 0 and place == "answered":
            threading.Timer(random.random() * 0.01, child.kill).start()
        elif left == 0:
            child.kill()
            child.wait_until_dead()

    if place == "any moment":
        timer.start()
    elif place in FROM_OUTSIDE:
        slack.hooks.append(struck)
    yield
    timer.cancel()
    with suppress(ValueError):
        slack.hooks.remove(struck)


def _compare(seed: int, kills: Counter[str], slack: SlackStandIn) -> Told:
    wanted = [f"{step.advice_id}#{step.number}" for _, step in story(seed)]
    shown = [
        f"{payload['advice']}#{payload['number']}"
        for post in slack.workspace.posts()
        if (payload := (post.content.metadata or {}).get("event_payload"))
    ]
    times = Counter(shown)
    by_advice = {name: [one for one in shown if one.startswith(f"{name}#")] for name, _ in map(_split, wanted)}
    disordered = tuple(name for name, numbers in by_advice.items() if numbers != sorted(numbers))
    return Told(
        seed=seed,
        kills=kills,
        lost=tuple(one for one in wanted if not times[one]),
        doubled=tuple(one for one, count in times.items() if count > 1 or one not in wanted),
        disordered=disordered,
    )


def _split(name: str) -> tuple[str, str]:
    advice, _, number = name.partition("#")
    return advice, number
