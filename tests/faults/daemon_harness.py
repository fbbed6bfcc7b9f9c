"""Kills the whole daemon at seeded moments while the fleet's story goes on; then holds what was told to the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from stillfit.advice import Transition
from stillfit.clock import FakeClock, ScaledClock
from stillfit.demo.story import MINUTE, Event, Story, story
from stillfit.notify.compose import told
from stillfit.standins.slack import Moment, SlackStandIn
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.demo.kit import Fleet
from tests.faults.harness import HOUSE, Told

SCALE = 120.0  # two minutes a second; much faster, and what is read is too old to be judged when it is judged
STORY = timedelta(minutes=65)
"""By then the last calm table has been told of."""
PLACES = ("arrived", "done", "any moment")
STRUCK_WITHIN_S = 4.0
"""Real seconds to wait for a call of Slack to be struck at; where none comes the daemon is killed anyway."""
START_WITHIN_S = 300.0
SETTLED_WITHIN_S = 300.0


def busy(seed: int) -> Story:
    """The story, and one after the other of its calm tables asked for more than it was given, so that much is told."""
    plan = story(seed)
    calm = [
        replace(
            table,
            read_capacity=int(table.reads * 2),
            write_capacity=int(table.writes * 2),
            events=(Event(begins=(7 * place - 5) * MINUTE, ends=200 * MINUTE, load=6.0),),
        )
        for place, table in enumerate(plan.tables[5:])
    ]
    return replace(plan, tables=(*plan.tables[:5], *calm))


class KilledDaemon:
    """A fleet, and one daemon after the other on the store that the last one left."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._start, self._origin = FakeClock().now(), time.monotonic()
        self.clock = ScaledClock(self._start, SCALE, self._origin)
        self.fleet = Fleet(seed, self.clock, busy(seed))
        self.folder = folder / f"daemon-{seed}"
        self.folder.mkdir()
        self.url = f"sqlite:///{self.folder}/stillfit.db"

    def arguments(self) -> list[str]:
        config = self.fleet.config(self.url, first_look=timedelta(hours=2))
        path = self.folder / "config.json"
        path.write_text(_clear_text(config.model_dump_json(), self.fleet), "utf-8")
        return [str(path), self._start.isoformat(), str(self._origin), str(SCALE)]

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """A daemon whose jobs have begun. Whatever happens, it is gone at the end."""
        command = [sys.executable, "-m", "tests.faults.daemon_child", *self.arguments()]
        with (self.folder / "log").open("a") as log:
            child = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=log, text=True, env=_calm())
        assert child.stdout is not None
        drain = threading.Thread(target=_drained, args=(child, ready := threading.Event()))
        drain.start()
        try:
            assert ready.wait(START_WITHIN_S), f"the daemon did not start:\n{self.said()}"
            yield child
        finally:
            child.kill()
            child.wait()
            drain.join()
            child.stdout.close()

    def said(self) -> str:
        return (self.folder / "log").read_text("utf-8")[-4_000:]


def tell_through_daemon_kills(seed: int, kills: int, folder: Path) -> Told:
    """Run the fleet's story of a seed, kill the daemon so often on the way, and let the last one finish it."""
    random, run, done = Random(f"daemon kills {seed}"), KilledDaemon(seed, folder), Counter[str]()
    with run.fleet.served():
        for number in range(kills):
            place = PLACES[(number + seed) % len(PLACES)]
            with run.running() as child:
                done[_killed(run.fleet.slack, child, place, random)] += 1
            run.fleet.slack.settle()  # nothing that it sent is on its way still
        while _left_over(run):
            with run.running() as child:
                _finish(run, child)
        return _compare(run, seed, done)


def _killed(slack: SlackStandIn, child: subprocess.Popen[str], place: str, random: Random) -> str:
    """Where it was struck: as a call of Slack arrived, when that was done and not yet answered, or at any moment."""
    if place == "any moment":
        threading.Event().wait(random.uniform(0.0, 2.0))
        child.kill()
        return place
    struck, wanted = threading.Event(), Moment.ARRIVED if place == "arrived" else Moment.DONE

    def strike(moment: Moment, method: str) -> None:
        if moment is wanted and method.startswith("chat.") and not struck.is_set():
            child.kill()
            child.wait()
            struck.set()

    slack.hooks.append(strike)
    struck.wait(STRUCK_WITHIN_S)
    with suppress(ValueError):
        slack.hooks.remove(strike)
    child.kill()
    return place if struck.is_set() else "any moment"


def _finish(run: KilledDaemon, child: subprocess.Popen[str]) -> None:
    """Until the story is over and nothing waits to be told; then stop it as systemd does."""
    pause, until = threading.Event(), time.monotonic() + SETTLED_WITHIN_S
    with closing(Store.open(run.url, clock=run.clock, exclusive=False)) as store:
        while _is_left_over(run, store):
            assert child.poll() is None, f"the daemon ended by itself:\n{run.said()}"
            assert time.monotonic() < until, f"not all was told: {dict(store.outbox.counts())}\n{run.said()}"
            pause.wait(0.2)
    child.send_signal(signal.SIGTERM)
    assert child.wait(120) == 0, f"the daemon did not stop cleanly:\n{run.said()}"


def _left_over(run: KilledDaemon) -> bool:
    """Whether the story goes on, or the last daemon decided something while it was told to stop."""
    with closing(Store.open(run.url, clock=run.clock, exclusive=False)) as store:
        return _is_left_over(run, store)


def _is_left_over(run: KilledDaemon, store: Store) -> bool:
    """Until something was told too: on a slow machine the story may be over before a daemon lived to judge it."""
    is_over = run.clock.now() - FakeClock().now() >= STORY
    return not is_over or _waiting(store) > 0 or not any(map(told, store.transitions()))


def _waiting(store: Store) -> int:
    counts = store.outbox.counts()
    return counts[OutboxState.QUEUED] + counts[OutboxState.SENDING]


def _compare(run: KilledDaemon, seed: int, kills: Counter[str]) -> Told:
    with closing(Store.open(run.url, clock=run.clock, exclusive=False)) as store:
        wanted = [_name(step) for step in store.transitions() if told(step)]
        queued = [f"{row.advice_id}#{row.number} {row.state}: {row.error}" for row in store.outbox.queued()]
    assert not queued, queued
    shown = [
        f"{payload['advice']}#{payload['number']}"
        for post in run.fleet.slack.workspace.posts()
        if (payload := (post.content.metadata or {}).get("event_payload"))
    ]
    times = Counter(shown)
    assert wanted, "the story told nothing"
    return Told(
        seed=seed,
        kills=kills,
        lost=tuple(one for one in wanted if not times[one]),
        doubled=tuple(one for one, count in times.items() if count > 1 or one not in wanted),
        disordered=tuple(one for one in set(wanted) if _overtaken(one, shown)),
    )


def _name(step: Transition) -> str:
    return f"{step.advice_id}#{step.number}"


def _overtaken(name: str, shown: list[str]) -> bool:
    """Whether a later transition of the same advice was shown before this one."""
    advice, _, number = name.partition("#")
    before = shown[: shown.index(name)] if name in shown else []
    return any(one.startswith(f"{advice}#") and int(one.partition("#")[2]) > int(number) for one in before)


def _clear_text(config: str, fleet: Fleet) -> str:
    """The configuration as JSON with its one secret, which opens nothing but the stand-in."""
    token = fleet.config("sqlite:///x").slack
    assert token is not None
    assert token.token is not None
    return config.replace("**********", token.token.get_secret_value())


def _calm() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "default"}


def _drained(child: subprocess.Popen[str], ready: threading.Event) -> None:
    """Read all that the child prints, so that it never waits for a reader."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "READY":
            ready.set()
