"""A limit on what a look may cost holds whatever is asked, and asked again."""

import pytest

from collector.aws.spending.meter import USD_PER_LISTING, USD_PER_METRIC, Spending
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import OpenSource, cycle, on_demand, put_table


@pytest.mark.parametrize(("metrics", "refused"), [(99, False), (100, False), (101, True)])
def test_a_request_is_refused_that_would_go_beyond_the_limit(metrics: int, *, refused: bool) -> None:
    spending = Spending(130 * USD_PER_METRIC)
    spending.take(20 * USD_PER_METRIC)
    spending.note(10 * USD_PER_LISTING)

    if refused:
        with pytest.raises(SourceError, match=r"no more than 0\.0013 USD may be spent"):
            spending.take(metrics * USD_PER_METRIC)
    else:
        spending.take(metrics * USD_PER_METRIC)


def test_sources_share_a_limit_and_tell_what_they_did_not_ask(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    spending = Spending(45 * USD_PER_METRIC)  # a source takes 9 listings and 23 metrics
    both = [opened(spending=spending), opened(spending=spending)]
    first, second = (cycle(source, clock) for source in both)

    assert first.gaps == ()
    assert {gap.reason for gap in second.gaps} == {"not asked"}
    assert any("no more than 0.00045 USD may be spent" in gap.detail for gap in second.gaps)
    assert sum(source.bill.usd for source in both) <= 45 * USD_PER_METRIC


def test_what_is_asked_again_is_held_to_the_limit(world: World, opened: OpenSource, clock: FakeClock) -> None:
    for number in range(30):
        put_table(world, on_demand(f"table{number}"))
    world.faults.add(Fault(kind=FaultKind.RESULT_INTERNAL_ERROR, metric="ConsumedReadCapacityUnits", count=20))
    free = opened()
    cycle(free, clock)
    world.faults.add(Fault(kind=FaultKind.RESULT_INTERNAL_ERROR, metric="ConsumedReadCapacityUnits", count=20))
    source = opened(spending=Spending(free.price.usd + 9 * USD_PER_METRIC))
    cycle(source, clock)

    assert free.bill.usd > free.price.usd + 9 * USD_PER_METRIC
    assert 0 < source.bill.usd <= free.price.usd + 9 * USD_PER_METRIC
