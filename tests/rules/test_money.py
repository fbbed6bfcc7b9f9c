"""Money is advised in order, on figures that are really made: right-size, then the mode, never both at once."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.costs import cost_of
from stillfit.costs.saving import saving
from stillfit.evidence import Facts, gather
from stillfit.model import Unknown
from stillfit.rulebook import packaged_rules
from stillfit.rules.engine import ask, render
from tests.builders import ORDERS
from tests.costs.kit import BOOK, HOURS, PROVISIONED, table
from tests.rules.builders import facts

RULES = {one.id: one for one in packaged_rules()}
RIGHT_SIZE, ON_DEMAND = RULES["dynamodb/right_size_capacity"], RULES["dynamodb/switch_to_on_demand"]


def priced(units: float | list[float], provisioned: float) -> Facts:
    """A table that reads so many units a second and holds so much capacity for it."""
    capacity: dict[str, Any] = {"provisioned_read_units": provisioned, "provisioned_write_units": 1.0}
    about = table(settings=PROVISIONED, consumed_read_units=units, **capacity)
    costs = cost_of(about, BOOK)
    assert not isinstance(costs, Unknown), costs.reason
    return gather(None, about, costs=costs)


def advised(told: Facts) -> list[str]:
    return [one.id for one in (RIGHT_SIZE, ON_DEMAND) if ask(one, told).fires]


@pytest.mark.parametrize(
    ("units", "provisioned", "rules"),
    [
        (300.0, 9000.0, ["dynamodb/right_size_capacity"]),
        (0.0, 9000.0, ["dynamodb/switch_to_on_demand"]),
        ([0.0] * (HOURS - 6) + [600.0] * 6, 600.0, ["dynamodb/switch_to_on_demand"]),
        (300.0, 500.0, []),
    ],
    ids=["steady and oversized", "idle", "idle but for one morning", "of its size"],
)
def test_the_cheaper_of_right_size_and_mode_is_advised(
    units: float | list[float], provisioned: float, rules: list[str]
) -> None:
    assert advised(priced(units, provisioned)) == rules


@given(st.floats(0, 2000), st.floats(1, 20_000), st.integers(1, HOURS))
def test_never_both_and_never_the_mode_that_saves_less(units: float, provisioned: float, busy: int) -> None:
    told = priced([units] * busy + [0.0] * (HOURS - busy), provisioned)
    rules = advised(told)

    assert len(rules) <= 1
    if ON_DEMAND.id in rules and told.savings["provisioned"].low > 0:
        assert told.savings["on_demand"].mid > told.savings["provisioned"].mid


def test_the_saving_of_the_right_size_is_what_the_decision_rests_on() -> None:
    told = priced(300.0, 9000.0)
    costs = cost_of(
        table(
            settings=PROVISIONED, consumed_read_units=300.0, provisioned_read_units=9000.0, provisioned_write_units=1.0
        ),
        BOOK,
    )

    assert not isinstance(costs, Unknown)
    assert told.savings[RIGHT_SIZE.saves] == saving(costs, ORDERS, "provisioned")


@pytest.mark.parametrize(
    ("scaling", "limits"),
    [
        ({"autoscales_reads": False}, ("100", "160")),
        ({"autoscales_reads": True, "autoscaling_read_max": 5_000}, ("100", "5000")),
        ({"autoscales_reads": True, "autoscaling_read_max": 159}, ("100", "160")),
    ],
    ids=["no target", "a maximum with room", "a maximum that is tight"],
)
def test_the_right_size_is_a_minimum_and_a_maximum_that_is_never_lowered(
    scaling: dict[str, Any], limits: tuple[str, str]
) -> None:
    asked: dict[str, Any] = {"consumed_read_units_per_second": 70, "peak_read_demand_per_second": 80}
    (command,) = render(RIGHT_SIZE, facts(RIGHT_SIZE, provisioned_read_units=1_000, **asked, **scaling)).option.commands

    words = shlex.split(command)
    assert tuple(words[words.index(f"--{end}-capacity") + 1] for end in ("min", "max")) == limits


@given(mean=st.floats(0, 1e5), ratio=st.floats(1, 50), most=st.none() | st.integers(1, 100_000))
def test_a_minimum_is_never_above_its_maximum(mean: float, ratio: float, most: int | None) -> None:
    asked: dict[str, Any] = {"consumed_read_units_per_second": mean, "peak_read_demand_per_second": mean * ratio}
    scaling: dict[str, Any] = {"autoscales_reads": most is not None}
    scaling |= {} if most is None else {"autoscaling_read_max": most}
    (command,) = render(RIGHT_SIZE, facts(RIGHT_SIZE, **asked, **scaling)).option.commands

    words = shlex.split(command)
    assert 1 <= int(words[words.index("--min-capacity") + 1]) <= int(words[words.index("--max-capacity") + 1])
