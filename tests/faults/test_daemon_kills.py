"""kill -9 of the whole daemon while it watches the fleet: nothing is lost, nothing is told twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.daemon_harness import tell_through_daemon_kills
from tests.scenarios.seen import Say


def test_five_kills_of_the_daemon_lose_nothing_and_tell_nothing_twice(tmp_path: Path, say: Say) -> None:
    told = tell_through_daemon_kills(7, 5, tmp_path)

    say(str(told))
    assert told.right, str(told)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_fifty_kills_of_the_daemon_lose_nothing_and_tell_nothing_twice(seed: int, tmp_path: Path, say: Say) -> None:
    told = tell_through_daemon_kills(seed, 5, tmp_path)

    say(str(told))
    assert told.right, str(told)
