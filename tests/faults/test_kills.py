"""kill -9 in mid-send: no transition is lost, none is shown twice, and none overtakes an earlier one."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.harness import Told, tell_through_kills

KILLS = 50
SOAK_KILLS = 200
IN_A_STORY = 10


def test_fifty_kills_lose_no_transition_and_show_none_twice(tmp_path: Path) -> None:
    told = _until(KILLS, tmp_path)

    assert all(one.right for one in told), "\n".join(map(str, told))


@pytest.mark.soak
def test_two_hundred_kills_lose_no_transition_and_show_none_twice(tmp_path: Path) -> None:
    told = _until(SOAK_KILLS, tmp_path)

    assert all(one.right for one in told), "\n".join(map(str, told))


def test_without_read_back_the_same_kills_show_some_twice(tmp_path: Path) -> None:
    told = tell_through_kills(0, 2, tmp_path, places=("delivered",), blind=True)

    assert told.doubled
    assert not told.lost


def _until(kills: int, folder: Path) -> tuple[Told, ...]:
    """Stories with the seeds 0, 1, 2, ... two at a time, until so many kills struck."""
    told: list[Told] = []
    while (left := kills - sum(one.kills.total() for one in told)) > 0:
        seeds = range(len(told), len(told) + max(1, min(2, left // IN_A_STORY)))
        with ThreadPoolExecutor(2) as pool:
            told += pool.map(lambda seed: tell_through_kills(seed, min(IN_A_STORY, left), folder), seeds)
    _print(told)
    return tuple(told)


def _print(told: Iterable[Told]) -> None:
    told = tuple(told)
    print(*told, sep="\n")
    kills, lost = sum(one.kills.total() for one in told), sum(len(one.lost) for one in told)
    print(f"{kills} kills: {lost} transitions lost, {sum(len(one.doubled) for one in told)} shown twice")
