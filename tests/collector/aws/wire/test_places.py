"""Several sets of credentials for one account and region: its quotas are one, and so are the limiters."""

from collections.abc import Iterator

import orjson
import pytest

from collector.aws.wire.access import Access, Places
from collector.aws.wire.limiter import Limiter, StoppedError
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.model import Span
from stillfit.standins.aws import AwsStandIn, World
from tests.collector.aws.kit import NOON, REGION

METRIC = {"Namespace": "AWS/DynamoDB", "MetricName": "ReadThrottleEvents"}
QUERIES = orjson.dumps([{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}])


@pytest.fixture
def both(aws: AwsStandIn, clock: FakeClock) -> Iterator[tuple[Access, Access]]:
    """Two entries of a configuration that turn out to be the same account."""
    places = Places()
    first, second = (Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock, places=places) for _ in range(2))
    assert first.account() == second.account()
    yield first, second
    first.close()
    second.close()


def read(access: Access) -> None:
    """One request for metric data."""
    access.limiter.wait()
    window = Span(NOON - 600, NOON)
    access.connection.guarded(
        lambda clients: list(clients.lane.pages(QUERIES, window)), action="cloudwatch:GetMetricData", about="here"
    )


def test_two_that_read_metrics_in_turn_are_never_refused(
    world: World, both: tuple[Access, Access], clock: FakeClock
) -> None:
    world.quotas.limit("GetMetricData", per_second=50.0, burst=52.0)
    for _ in range(60):
        for access in both:
            read(access)

    assert world.bill.calls["cloudwatch:GetMetricData"] == 120
    assert world.bill.refused["cloudwatch:GetMetricData"] == 0
    assert clock.monotonic() >= (120 - 52) / 50.0


def test_two_that_list_in_turn_are_never_refused(world: World, both: tuple[Access, Access]) -> None:
    world.quotas.limit("ListMetrics", per_second=20.0, burst=22.0)
    for _ in range(20):
        for access in both:
            access.connection.call("cloudwatch", "ListMetrics", "here", expect="Metrics")

    assert world.bill.calls["cloudwatch:ListMetrics"] == 40
    assert world.bill.refused["cloudwatch:ListMetrics"] == 0


def test_what_one_is_told_of_the_quota_holds_for_both(both: tuple[Access, Access], clock: FakeClock) -> None:
    first, second = both
    second.limiter.keep(5.0)
    for _ in range(11):
        first.limiter.wait()

    assert clock.monotonic() == pytest.approx(1.0)


def test_each_is_stopped_alone(clock: FakeClock) -> None:
    first, second = Limiter(clock, calls_per_s=1.0), Limiter(clock, calls_per_s=9.0)
    second.join(first)
    first.stop()
    for _ in range(3):
        second.wait()

    assert clock.monotonic() >= 1.0
    with pytest.raises(StoppedError):
        first.wait()
