"""What must hold for any load, checked against sums made here from the price page and nothing of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stillfit.costs.dynamodb import break_even, figures, on_demand_usd, provisioned_usd
from stillfit.costs.estimate import exactly
from stillfit.costs.saving import amount, saving
from stillfit.model import CostFigure, Money
from tests.builders import BY_STATUS, NOON, ORDERS
from tests.costs.kit import BOOK, MONTH_S, NOW_PRICES, ON_DEMAND, PROVISIONED, table

TEN = Money(low=10, mid=10, high=10, price_date=NOON, arithmetic="10 x 1 USD")
RATES = st.floats(min_value=0, max_value=40_000, allow_subnormal=False).map(lambda rate: round(rate, 3))
CAPACITIES = st.integers(min_value=1, max_value=40_000)
PER_MILLION = {
    ("read", "STANDARD"): Decimal("0.125"),
    ("write", "STANDARD"): Decimal("0.625"),
    ("read", "STANDARD_INFREQUENT_ACCESS"): Decimal("0.155"),
    ("write", "STANDARD_INFREQUENT_ACCESS"): Decimal("0.78"),
}
PER_HOUR = {
    ("read", "STANDARD"): Decimal("0.00013"),
    ("write", "STANDARD"): Decimal("0.00065"),
    ("read", "STANDARD_INFREQUENT_ACCESS"): Decimal("0.00016"),
    ("write", "STANDARD_INFREQUENT_ACCESS"): Decimal("0.00081"),
}


def priced(read: float, write: float, index: float, storage_class: str, capacity: int) -> tuple[CostFigure, ...]:
    mode = (PROVISIONED if capacity else ON_DEMAND) | {"table_class": storage_class}
    own: dict[str, Any] = (
        {"provisioned_read_units": float(capacity), "provisioned_write_units": float(capacity)} if capacity else {}
    )
    by_status = table(BY_STATUS, settings={}, hours=72, consumed_write_units=index, **own)
    about = table(
        settings=mode, hours=72, related=[by_status], consumed_read_units=read, consumed_write_units=write, **own
    )
    found = figures(about, BOOK)
    assert isinstance(found, tuple)
    return found


@settings(max_examples=500, deadline=None)  # two sums each: the thousand price traps
@given(RATES, RATES, RATES, st.sampled_from(["STANDARD", "STANDARD_INFREQUENT_ACCESS"]), CAPACITIES)
def test_unit_hour_mode_class_and_index_never_go_wrong(
    read: float, write: float, index: float, storage_class: str, capacity: int
) -> None:
    requests = {"read": Decimal(read), "write": Decimal(write) + Decimal(index)}
    on_demand = sum(requests[way] * MONTH_S / 1_000_000 * PER_MILLION[way, storage_class] for way in requests)
    provisioned = sum(2 * capacity * 730 * PER_HOUR[way, storage_class] for way in requests)

    for held, expected in ((0, on_demand), (capacity, provisioned)):
        found = amount(priced(read, write, index, storage_class, held), ORDERS, "current", "throughput")
        assert found is not None
        assert abs(found.mid - float(expected)) <= 0.005 + 1e-9 * float(expected)


@given(
    RATES.filter(lambda rate: rate > 0.01), st.floats(min_value=0.001, max_value=1), st.sampled_from(["read", "write"])
)
def test_provisioned_is_cheaper_exactly_above_28_9_percent_of_use(units: float, use: float, way: str) -> None:
    on_demand, provisioned = (NOW_PRICES.price(f"{mode}_{way}", "us-east-1") for mode in ("on_demand", "provisioned"))
    assert on_demand is not None
    assert provisioned is not None

    by_request = on_demand_usd(exactly(units * MONTH_S), on_demand).mid
    by_hour = provisioned_usd(exactly(units / use), provisioned).mid

    line = break_even(on_demand, provisioned)
    assert round(line, 3) == 0.289
    assert abs(use - line) < 1e-9 or (by_hour < by_request) is (use > line)


@settings(max_examples=60, deadline=None)
@given(RATES, RATES, st.integers(min_value=0, max_value=2_000), st.sampled_from(["on-demand", "provisioned"]))
def test_a_saving_is_positive_exactly_where_the_option_is_cheaper(
    read: float, write: float, capacity: int, option: str
) -> None:
    found = priced(read, write, 0.0, "STANDARD", capacity)
    now, then, saved = (
        amount(found, ORDERS, "current", "throughput"),
        amount(found, ORDERS, option, "throughput"),
        saving(found, ORDERS, option),
    )

    assert now is not None
    assert then is not None
    assert saved is not None
    assert (saved.mid > 0) is (then.mid < now.mid)
    assert (saved.low > 0) is (then.high < now.low)
    assert saved.low <= saved.mid <= saved.high


@settings(max_examples=60, deadline=None)
@given(st.lists(RATES, min_size=72, max_size=72), st.integers(min_value=0, max_value=500))
def test_every_figure_is_an_interval(rates: list[float], events: int) -> None:
    about = table(hours=72, consumed_write_units=rates, write_throttle_events=float(events))
    found = figures(about, BOOK)

    assert isinstance(found, tuple)
    assert all(0 <= one.money.low <= one.money.mid <= one.money.high for one in found)
    assert all(one.money.arithmetic for one in found)


def test_a_saving_of_an_option_that_was_not_priced_is_not_known() -> None:
    figure = CostFigure(subject=ORDERS, option="current", component="throughput", money=TEN)

    assert saving([figure], ORDERS, "provisioned") is None
