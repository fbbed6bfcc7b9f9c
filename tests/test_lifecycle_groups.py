"""Of options that exclude each other one is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stillfit.advice import Advice, AdviceState
from stillfit.lifecycle import exclusive
from tests.builders import BY_STATUS, NOON, ORDERS
from tests.rules.lives import (
    DISMISSED,
    FIRES,
    MINUTE,
    OPEN,
    PENDING,
    RESOLVED,
    SNOOZED,
    Life,
    opened,
)


def in_group(name: str, rank: int, state: AdviceState, *, subject: Any = ORDERS, seen: bool = True) -> Advice:
    return replace(
        opened().advice,
        id=name,
        rule=name,
        title=name,
        group="capacity",
        rank=rank,
        state=state,
        subject=subject,
        last_seen=NOON if seen else NOON - MINUTE,
    )


def settle(*advice: Advice) -> dict[str, tuple[AdviceState, str]]:
    return {one.id: (one.state, one.superseded_by) for one in exclusive(advice, NOON)[0]}


def test_of_a_group_the_lowest_rank_is_shown_and_the_other_ends() -> None:
    size, mode = in_group("size", 1, OPEN), in_group("mode", 3, OPEN)
    after, (transition,) = exclusive((mode, size), NOON)

    assert [(one.id, one.state, one.superseded_by) for one in after] == [("mode", RESOLVED, "size"), ("size", OPEN, "")]
    assert (transition.advice_id, transition.reason) == ("mode", "size is advised instead: size")


def test_of_what_waits_only_the_best_may_come_next() -> None:
    settled = settle(in_group("size", 1, PENDING), in_group("mode", 3, PENDING))
    assert settled == {"size": (PENDING, ""), "mode": (PENDING, "size")}


def test_what_waits_displaces_what_is_shown_only_when_it_is_open() -> None:
    settled = settle(in_group("size", 1, PENDING), in_group("mode", 3, OPEN))
    assert settled == {"size": (PENDING, ""), "mode": (OPEN, "")}


def test_a_snoozed_option_still_stands_for_its_group() -> None:
    assert settle(in_group("size", 1, SNOOZED), in_group("mode", 3, PENDING))["mode"] == (PENDING, "size")


@pytest.mark.parametrize("over", [DISMISSED, RESOLVED])
def test_when_the_best_is_over_the_next_is_free(over: AdviceState) -> None:
    waiting = replace(in_group("mode", 3, PENDING), superseded_by="size")
    assert settle(in_group("size", 1, over, seen=False), waiting)["mode"] == (PENDING, "")


def test_two_indexes_of_one_table_may_each_be_right_sized() -> None:
    other = replace(BY_STATUS, index="by-day")
    settled = settle(in_group("a", 1, OPEN, subject=BY_STATUS), in_group("b", 1, OPEN, subject=other))
    assert settled == {"a": (OPEN, ""), "b": (OPEN, "")}


def test_right_sizing_an_index_goes_before_the_mode_of_its_table() -> None:
    settled = settle(in_group("a", 1, OPEN, subject=BY_STATUS), in_group("mode", 3, OPEN))
    assert settled["mode"] == (RESOLVED, "a")


def test_what_is_superseded_is_not_opened() -> None:
    life = Life().see(FIRES)
    life.record = replace(life.advice, superseded_by="A-other")

    assert life.see(*[FIRES] * 20).advice.state is PENDING
