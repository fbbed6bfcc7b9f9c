"""What was billed and got lost on the way: our own bill bounds the service's from both sides."""

from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from collector.aws.spending.attempts import Attempts
from collector.aws.spending.meter import USD_PER_METRIC, Spending
from collector.aws.wire.sending import is_refusal, watch
from stillfit.clock import FakeClock
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import NOON, REGION, OpenSource, cycle, on_demand, put_table

GET, LIST = "GetMetricData", "ListMetrics"
LOST = (FaultKind.RESET_MIDWAY, FaultKind.TRUNCATED, FaultKind.GARBAGE, FaultKind.HTML)
REFUSED = (FaultKind.THROTTLE, FaultKind.ACCESS_DENIED, FaultKind.EXPIRED_TOKEN, FaultKind.CLOCK_SKEW)
UNSERVED = (FaultKind.RESET, FaultKind.INTERNAL_ERROR, FaultKind.UNAVAILABLE)


@pytest.mark.parametrize(
    ("kind", "status"), [*((kind, 200) for kind in LOST), (FaultKind.HTML, 403), (FaultKind.HTML, 503)]
)
def test_an_answer_that_is_lost_on_the_way_may_have_been_billed_and_was(
    kind: FaultKind, status: int, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation=GET, count=1, status=status))
    source = opened(attempts=2)
    cycle(source, clock)

    assert source.bill.lost_metrics > 0
    assert source.bill.metrics + source.bill.lost_metrics == world.bill.metrics


@pytest.mark.parametrize("kind", REFUSED)
def test_a_request_that_was_refused_is_not_billed(
    kind: FaultKind, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation=GET, count=2))
    source = opened(attempts=3)
    cycle(source, clock)

    assert (source.bill.lost_metrics, source.bill.metrics) == (0, world.bill.metrics)


@pytest.mark.parametrize("kind", UNSERVED)
def test_what_nobody_knows_to_have_been_served_is_counted_as_what_may_have_been_billed(
    kind: FaultKind, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation=GET, count=2))
    source = opened(attempts=3)
    cycle(source, clock)

    assert source.bill.metrics == world.bill.metrics
    assert 0 < source.bill.lost_metrics <= 2 * source.bill.metrics


def test_an_outage_costs_a_metric_a_reading_and_what_comes_after_it_is_whole(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    for number in range(400):
        put_table(world, on_demand(f"table-{number:03}"))
    source = opened(attempts=2, first_look=timedelta(hours=3))
    cycle(source, clock, since_s=None)
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation=GET))
    for _ in range(2):
        clock.advance(3_600)
        cycle(source, clock)
    before = source.bill.lost_metrics
    for _ in range(3):
        clock.advance(3_600)
        missing = cycle(source, clock).missing()
    world.faults.clear()
    clock.advance(300)
    after = cycle(source, clock)

    assert missing["consumed_read_units"] == "unreachable"
    assert 0 < source.bill.lost_metrics - before <= 3 * 2 * 4  # looks, attempts, readings
    assert after.one("consumed_read_units").covered[0].start <= NOON
    assert not [gap for gap in after.gaps if gap.reason == "unreachable"]


def test_a_host_that_cannot_be_reached_has_billed_nothing() -> None:
    client = boto3.client(
        "cloudwatch", REGION, endpoint_url="http://127.0.0.1:9", config=Config(retries={"max_attempts": 0})
    )
    watch(client)
    with Attempts() as attempts, pytest.raises(EndpointConnectionError):
        client.list_metrics()

    assert attempts.lost == 0


def test_the_services_bill_lies_between_what_was_answered_and_what_may_have_been_billed(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    for number in range(20):
        put_table(world, on_demand(f"table{number}"))
    for kind in (*LOST, *REFUSED, *UNSERVED):
        world.faults.add(Fault(kind=kind, operation=GET, probability=0.05, status=500))
    source = opened(attempts=2, hot=("*",))
    for _ in range(6):
        cycle(source, clock)
        clock.advance(300)

    bill = source.bill
    assert sum(world.faults.struck.values()) > 0
    assert bill.metrics <= world.bill.metrics <= bill.metrics + bill.lost_metrics


def test_a_listing_that_is_lost_is_counted_apart(world: World, opened: OpenSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.TRUNCATED, operation=LIST, count=1))
    source = opened(attempts=2)
    cycle(source, clock)

    assert (source.bill.lost_listings, source.bill.listings) == (1, world.bill.calls["cloudwatch:ListMetrics"] - 1)


def test_what_is_tried_again_after_a_lost_answer_is_held_to_the_limit(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    limit = 10 * USD_PER_METRIC  # of the four tripwires twice, and not a third time
    world.faults.add(Fault(kind=FaultKind.TRUNCATED, operation=GET))
    source = opened(attempts=3, spending=Spending(limit))
    got = cycle(source, clock)

    assert 0 < world.bill.dollars <= limit
    assert any(f"no more than {limit:g} USD may be spent" in gap.detail for gap in got.gaps)


@pytest.mark.parametrize(
    ("status", "code", "refusal"),
    [
        (200, "", False),
        (400, "ThrottlingException", True),
        (400, "400", False),
        (403, "", False),
        (499, "AccessDenied", True),
        (500, "InternalServiceFault", False),
        (503, "SlowDown", True),
    ],
)
def test_only_a_service_that_says_so_has_refused(status: int, code: str, *, refusal: bool) -> None:
    assert is_refusal({"status_code": status}, {"Error": {"Code": code}}) is refusal
