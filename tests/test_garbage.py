"""The garbage collector of a process that holds a fleet."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from stillfit.garbage import look_seldom


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_old_objects_are_looked_through_hundreds_of_times_less_often() -> None:
    young, middle, old = gc.get_threshold()

    look_seldom()

    now = gc.get_threshold()
    assert now[0] * now[1] * now[2] > 500 * young * middle * old
