"""Listing what has happened: nothing that was not named is asked, and yet no point is lost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from collector.aws.metrics.operations import EVERY_S, LISTING_DELAY_S, Listings
from collector.aws.metrics.queries import LISTED
from collector.aws.source import AwsSource
from collector.aws.spending.meter import Meter
from collector.aws.spending.plan import SHOWN_AFTER_S
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason, Series, Span, Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, Metric, Points, World
from tests.collector.aws.kit import KNOWN_TO, NOON, ORDERS, REGION, Brought, OpenSource, cycle, put

CONFLICTS = "TransactionConflict"
LATENCY = "SuccessfulRequestLatency"
HOUR = 3_600


def events(world: World, at: list[int], name: str = CONFLICTS, **dims: str) -> None:
    """One conflict at each of these minutes, known to the service from then on."""
    times = np.array(sorted(at), np.int64)
    metric = Metric.dynamodb(name, TableName="orders", **dims)
    world.put(DEFAULT_ACCOUNT, REGION, metric, Points(times=times, sum=np.ones(len(times))))


def asked(world: World) -> list[str]:
    """Names of the metrics that are asked from now on, each as often as it is billed."""
    names: list[str] = []
    world.before_call.append(lambda call: names.extend(_names(call.parameters.get("MetricDataQueries", ()))))
    return names


def _names(queries: Iterator[dict[str, dict[str, dict[str, str]]]]) -> list[str]:
    return [query["MetricStat"]["Metric"]["MetricName"] for query in queries]


def cycles(source: AwsSource, clock: FakeClock, hours: float, *, step_s: int = 300) -> Iterator[Brought]:
    for _ in range(int(hours * HOUR / step_s)):
        clock.advance(step_s)
        yield cycle(source, clock, since_s=step_s)


def test_what_was_not_named_is_empty_and_not_asked(world: World, source: AwsSource, clock: FakeClock) -> None:
    names = asked(world)
    got = cycle(source, clock).one("transaction_conflicts")

    assert (len(got.times), got.covered[0].end) == (0, NOON - LISTING_DELAY_S)
    assert CONFLICTS not in names


def test_what_was_named_is_asked(world: World, source: AwsSource, clock: FakeClock) -> None:
    events(world, [NOON - HOUR])
    got = cycle(source, clock).one("transaction_conflicts")

    assert (got.times.tolist(), got.covered[0].end) == ([NOON - HOUR], KNOWN_TO)


def test_one_listing_of_each_name_serves_a_quarter_of_an_hour(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    for _ in cycles(source, clock, 1):
        pass

    assert world.bill.calls["cloudwatch:ListMetrics"] == len(LISTED) * (1 + HOUR // EVERY_S)
    assert source.bill.listings == world.bill.calls["cloudwatch:ListMetrics"]


@pytest.mark.parametrize("hot", [("orders",), ()])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_point_of_a_sparse_metric_is_lost_or_denied(
    seed: int, hot: tuple[str, ...], world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source, random, hours = opened(hot=hot), np.random.default_rng(seed), 9
    at = {NOON + 60 * int(minute) for minute in random.integers(-120, hours * 60, size=12)}
    events(world, sorted(at))
    found: set[int] = set()
    for got in (cycle(source, clock), *cycles(source, clock, hours, step_s=900)):
        for one in got.all("transaction_conflicts"):
            times = set(one.times.tolist())
            assert _known(at, one) <= times <= _known(at, one, SHOWN_AFTER_S)
            found |= times

    late_s = LISTING_DELAY_S + EVERY_S + (0 if hot else 3 * HOUR)  # a cold table waits for its turn
    assert found >= {t for t in at if t < NOON + hours * HOUR - late_s}


def _known(at: set[int], series: Series, later_s: int = 0) -> set[int]:
    """Those that a series vouches for, and with `later_s` those that may have been shown early as well."""
    return {time for time in at if any(span.start <= time < span.end + later_s for span in series.covered)}


def test_no_minute_stays_unknown_for_longer_than_a_listing_is_late(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(hot=("orders",))
    events(world, [NOON + 7 * 60, NOON + 4 * HOUR])
    spans = [span for got in (cycle(source, clock), *cycles(source, clock, 6, step_s=900)) for span in _covered(got)]
    minutes = {t for span in spans for t in range(span.start, span.end, 60)}

    until = NOON + 6 * HOUR - LISTING_DELAY_S - EVERY_S
    assert minutes >= set(range(NOON - HOUR, until, 60))


def _covered(got: Brought) -> list[Span]:
    return [span for one in got.all("transaction_conflicts") for span in one.covered]


def test_an_operation_without_errors_is_not_asked_for_them(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, LATENCY, [2.0] * 60, unit="Milliseconds", Operation="Query")
    names = asked(world)
    got = cycle(source, clock)

    assert [one.dimension for one in got.all("system_errors")] == ["Query"]
    assert names.count(LATENCY) == 5
    assert "SystemErrors" not in names


def test_errors_that_begin_are_read_from_their_first_minute(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, LATENCY, [2.0] * 360, end=NOON + 5 * HOUR, unit="Milliseconds", Operation="Query")
    events(world, [NOON + 60], "SystemErrors", Operation="Query")
    cycle(source, clock)
    found = [one for got in cycles(source, clock, 1, step_s=600) for one in got.all("system_errors") if len(one.times)]

    assert found[0].times.tolist() == [NOON + 60]


def test_refused_requests_of_an_operation_that_was_not_known_are_read_later(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    cycle(source, clock)
    events(world, [NOON + 60], "WriteThrottleEvents")
    events(world, [NOON + 60], "ThrottledRequests", Operation="PutItem")
    found = [
        one for got in cycles(source, clock, 1, step_s=600) for one in got.all("throttled_requests") if len(one.times)
    ]

    assert {one.dimension for one in found} == {"PutItem"}


def test_what_was_silent_for_a_day_is_found_after_a_day_of_being_down(
    opened: OpenSource, world: World, clock: FakeClock
) -> None:
    cycle(opened(), clock)
    events(world, [NOON + 2 * HOUR])
    clock.advance(24 * HOUR)
    got = cycle(opened(), clock, since_s=24 * HOUR)

    assert [t for one in got.all("transaction_conflicts") for t in one.times.tolist()] == [NOON + 2 * HOUR]


def test_nothing_is_lost_while_listing_fails_for_hours(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    events(world, [NOON + 2 * HOUR])
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="ListMetrics", since=NOON + 1))
    missing = [got.missing()["transaction_conflicts"] for got in cycles(source, clock, 8, step_s=HOUR)]
    world.faults.clear()
    (after,) = cycles(source, clock, 1, step_s=HOUR)

    assert missing == ["throttled"] * 8
    assert after.one("transaction_conflicts").times.tolist() == [NOON + 2 * HOUR]


def test_what_was_known_is_still_asked_while_listing_fails(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, LATENCY, [2.0] * 120, end=NOON + HOUR, unit="Milliseconds", Operation="Query")
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="ListMetrics", since=NOON + 1))
    got = list(cycles(source, clock, 2, step_s=HOUR))

    assert any(one.dimension == "Query" for one in got[-1].all("request_latency_ms", statistic=Statistic.P99))


def test_rows_with_other_dimensions_are_passed_over(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, LATENCY, [2.0] * 60, Operation="ExecuteTransaction", OperationType="Read")
    put(world, LATENCY, [2.0] * 60, Operation="GetRecords", StreamLabel="2026")
    got = cycle(source, clock)

    assert [one.dimension for one in got.all("successful_requests", ORDERS)] == [""]


class Answering:
    """Stands where the connection stands, for answers that no service model lets through."""

    def __init__(self, *rows: Any) -> None:
        self._rows = list(rows)

    def pages(self, *_called: object, **_parameters: object) -> Iterator[list[Any]]:
        yield self._rows


GARBLED: tuple[Any, ...] = (
    {"MetricName": "UserErrors", "Dimensions": [{"Value": "orders"}]},
    {"MetricName": "UserErrors", "Dimensions": [{"Name": "TableName"}]},
    {"MetricName": "UserErrors", "Dimensions": [{"Name": ["TableName"], "Value": "orders"}]},
    {"MetricName": "UserErrors", "Dimensions": [{"Name": "TableName", "Value": ["orders"]}]},
    {"MetricName": "UserErrors", "Dimensions": 7},
    "orders",
)


@pytest.mark.parametrize("row", GARBLED, ids=str)
def test_a_listing_of_another_shape_is_garbled(row: Any) -> None:
    connection: Any = Answering(row)
    with pytest.raises(SourceError, match="cloudwatch:ListMetrics for aws/eu") as lost:
        Listings(connection, Meter(), "aws/eu").look(NOON, since=None)

    assert lost.value.reason is GapReason.GARBLED
