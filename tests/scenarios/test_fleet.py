"""The whole daemon on the simulated fleet: its own threads and pages, the real transports, time that runs fast."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from stillfit.clock import FakeClock, ScaledClock
from stillfit.daemon import Daemon
from stillfit.http import serve_pages
from stillfit.parts import assemble
from stillfit.store.store import Store
from tests.demo.kit import Fleet
from tests.scenarios.seen import Say
from tests.scenarios.watching import headlines

FAST = 90.0  # a minute and a half a second; faster leaves a busy machine no time to look
LONGEST_S = 600.0


@pytest.fixture
def clock() -> ScaledClock:
    return ScaledClock(FakeClock().now(), FAST)


@pytest.fixture
def fleet(clock: ScaledClock) -> Iterator[Fleet]:
    with Fleet(7, clock).served() as served:
        yield served


def test_the_daemon_finds_and_tells_what_happens_to_the_fleet(
    fleet: Fleet, clock: ScaledClock, tmp_path: Path, say: Say
) -> None:
    before = set(threading.enumerate())
    config = fleet.config(f"sqlite:///{tmp_path}/stillfit.db", first_look=timedelta(hours=2))
    hot, indexed, *_ = fleet.story.tables
    wanted = (hot.name, f"{indexed.name}/{indexed.indexes[0].name}", fleet.story.cluster.queue)

    with closing(Store.open(config.store, clock=clock, ballast_bytes=4096)) as store:
        daemon = Daemon(config, clock=clock, store=store, assemble=assemble)
        with serve_pages(daemon, config.http) as pages:
            daemon.start()
            told = wait_for(lambda: headlines(fleet.slack), wanted)
            metrics, status = read(f"{pages.url}/metrics"), read(pages.url)
            daemon.stop()
        transitions = store.transitions()

    for line in told:
        say(line)
    say(f"{clock.now() - FakeClock().now()} of the fleet's time; {len(transitions)} transitions, {len(told)} messages")
    assert len(set(told)) == len(told)
    assert "stillfit_advice_active{" in metrics
    assert all(name in status for name in (hot.name, fleet.story.cluster.queue))
    assert left_behind(before) == set()


def left_behind(before: set[threading.Thread]) -> set[threading.Thread]:
    """Threads that go on after a stop. A server takes a moment to see that its client has hung up in mid-call."""
    ours = {thread for thread in set(threading.enumerate()) - before if not thread.daemon}
    for thread in ours:
        thread.join(60.0)
    return {thread for thread in ours if thread.is_alive()}


def wait_for(seen: Callable[[], list[str]], names: tuple[str, ...]) -> list[str]:
    """The headlines, as soon as each of the names stands in one."""
    pause = threading.Event()
    for _ in range(int(LONGEST_S * 5)):
        told = seen()
        if all(any(name in line for line in told) for name in names):
            return told
        pause.wait(0.2)
    raise AssertionError(f"after {LONGEST_S:.0f} s nothing was told of some of {names}: {told}")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())
