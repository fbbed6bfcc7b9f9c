"""Kills the child at seeded moments until its story is told, and compares what the stand-in shows with the story."""

from __future__ import annotations

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
LONGEST_S = 30.0
"""A child that lasts longer hangs."""
FROM_OUTSIDE = ("arrived", "done", "answered", "any moment")
PLACES = (*POINTS, *FROM_OUTSIDE)
START_S = 0.5
"""About what a child needs before its first commit; moments drawn uniformly begin there."""


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
    with SlackStandIn() as slack:
        run = Run(slack=slack, seed=seed, folder=folder, blind=blind)
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

    def killed(self, place: str, random: Random) -> bool:
        """Whether the child was killed; False when it told its story to the end."""
        from_inside = f"{place}:{random.randint(1, 3)}" if place in POINTS else ""
        store, said = f"sqlite:///{self.folder}/{self.seed}/stillfit.db", self.folder / f"{self.seed}.log"
        arguments = [store, self.slack.url, str(self.seed), from_inside, *(["blind"] if self.blind else [])]
        with said.open("a") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.child", *arguments], cwd=HOUSE, stdout=log, stderr=log
            )
        with _killing(self.slack, child, place, random):
            try:
                ended = child.wait(LONGEST_S)
            finally:
                child.kill()
                child.wait()
        assert ended in {0, -signal.SIGKILL}, f"seed {self.seed}: the child ended with {ended}:\n{said.read_text()}"
        return ended != 0


@contextmanager
def _killing(slack: SlackStandIn, child: subprocess.Popen[bytes], place: str, random: Random) -> Iterator[None]:
    """Kill from outside: at a moment of a call, shortly after its answer, or at any time."""
    timer = threading.Timer(START_S + random.random() * 0.4, child.kill)
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
            child.wait()

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
