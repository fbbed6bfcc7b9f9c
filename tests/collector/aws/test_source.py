"""A whole cycle against the stand-in: what it brings, what it costs, and how the next one goes on."""

from collections.abc import Generator
from datetime import timedelta

import numpy as np
import pytest

from collector.aws.metrics.queries import THROTTLES, causes_of
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.target import AwsTarget
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason, Span, Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import (
    BY_STATUS,
    KNOWN_TO,
    NOON,
    ORDERS,
    REGION,
    OpenSource,
    cycle,
    on_demand,
    put,
    put_table,
)

READS = "ConsumedReadCapacityUnits"
OF_ACCOUNT = 4 + 1 + 6
"""Billed metrics of the account and region: limits, number of tables, and what is provisioned."""


def test_it_is_a_source(source: AwsSource) -> None:
    typed: Source = source

    assert (typed.id, typed.scope.scope) == (f"aws/{DEFAULT_ACCOUNT}/{REGION}", (DEFAULT_ACCOUNT, REGION))


def test_an_account_that_is_not_the_configured_one_is_refused(opened: OpenSource) -> None:
    with pytest.raises(SourceError, match="belong to account 123456789012, not 999988887777"):
        opened(account="999988887777")


def test_aws_endpoint_url_is_honoured_by_every_client(
    aws: AwsStandIn, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    source = open_source(AwsTarget(region=REGION), clock)
    cycle(source, clock)
    source.close()

    services = {action.split(":")[0] for action in world.bill.calls}
    assert services == {"sts", "dynamodb", "application-autoscaling", "cloudwatch", "tag", "servicequotas"}


def test_points_come_as_canonical_series_with_their_cover(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, READS, [5, 7, np.nan, 9])
    got = cycle(source, clock).one("consumed_read_units")

    assert got.times.tolist() == [NOON - 240, NOON - 180, NOON - 60]
    assert got.values.tolist() == [5, 7, 9]
    assert got.covered == (Span(NOON - 300 - 3 * 3_600, KNOWN_TO),)


def test_an_index_has_series_of_its_own(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, READS, [1])
    put(world, READS, [8], GlobalSecondaryIndexName="by-status")
    got = cycle(source, clock)

    assert got.one("consumed_read_units").values.tolist() == [1]
    assert got.one("consumed_read_units", BY_STATUS).values.tolist() == [8]


def test_operations_in_use_are_found_and_read_by_name(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, "SuccessfulRequestLatency", [2.0] * 60, unit="Milliseconds", Operation="Query")
    got = cycle(source, clock)

    assert [one.dimension for one in got.all("successful_requests")] == ["Query"]
    assert got.one("request_latency_ms", statistic=Statistic.P99).values[-1] == 2.0
    assert got.one("throttled_requests").covered == (Span(NOON - 300 - 3 * 3_600, KNOWN_TO),)


def test_a_table_that_serves_nothing_is_vouched_for_as_far_as_listings_go(source: AwsSource, clock: FakeClock) -> None:
    got = cycle(source, clock).one("successful_requests")

    assert (len(got.times), got.covered[0].end) == (0, NOON - 900)


def test_who_looks_once_gets_the_inventory_before_anything_is_paid(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    source = opened(once=True)
    first = next(source.collect(None, clock.now()))

    assert (first.inventory, first.subjects_seen) == (True, (ORDERS, BY_STATUS))
    assert (world.bill.metrics, source.price.metrics > 0) == (0, True)


def test_sizes_of_descriptions_are_series(source: AwsSource, clock: FakeClock) -> None:
    got = cycle(source, clock).one("table_size_bytes", statistic=Statistic.LAST)

    assert (got.values.tolist(), got.covered) == ([1_000.0], (Span(NOON - 3_600, KNOWN_TO),))


def test_what_the_store_refused_is_read_again(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, READS, np.ones(60))
    cycle(source, clock)
    clock.advance(6 * 3_600)
    refused = source.collect(clock.now() - timedelta(hours=6), clock.now())
    assert isinstance(refused, Generator)
    while not any(one.metric == "consumed_read_units" for one in next(refused).series):
        pass
    refused.close()  # as when writing this batch failed

    assert cycle(source, clock).one("consumed_read_units").covered[0].start <= NOON


def test_a_first_look_goes_back_coarsely_and_ends_by_the_minute(world: World, opened: OpenSource) -> None:
    clock = FakeClock()
    put(world, READS, np.ones(10 * 60))
    coarse, fine = cycle(opened(first_look=timedelta(days=2)), clock, since_s=None).all("consumed_read_units")

    assert (coarse.period_s, fine.period_s) == (300, 60)
    assert (coarse.covered, fine.covered) == (
        (Span(NOON - 2 * 86_400, NOON - 10_800),),
        (Span(NOON - 10_800, KNOWN_TO),),
    )
    assert coarse.values.sum() + fine.values.sum() == 600


def test_each_reading_reads_the_quarter_of_an_hour_before_it_again(opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("orders",))
    cycle(source, clock)
    clock.advance(300)

    assert cycle(source, clock).one("consumed_read_units").covered == (Span(NOON - 900, KNOWN_TO + 300),)


def test_a_restart_reads_what_happened_while_it_was_down(opened: OpenSource, world: World, clock: FakeClock) -> None:
    cycle(opened(), clock)
    clock.advance(7_200)
    put(world, READS, np.ones(120), end=NOON + 7_200)
    got = cycle(opened(), clock, since_s=7_200).one("consumed_read_units")

    assert (got.covered[0].start, len(got.times)) == (NOON - 3 * 3_600, 120)


def test_what_failed_is_read_again_from_where_it_ended(world: World, opened: OpenSource, clock: FakeClock) -> None:
    source = opened(hot=("orders",))
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric=READS, since=NOON + 1))
    for _ in range(6):
        clock.advance(300)
        cycle(source, clock)
    world.faults.clear()
    clock.advance(300)
    got = cycle(source, clock)

    assert got.one("consumed_read_units").covered == (Span(NOON - 900, KNOWN_TO + 2_100),)
    assert got.one("consumed_write_units").covered == (Span(NOON + 900, KNOWN_TO + 2_100),)


def test_quiet_tables_cost_nothing_for_causes_and_are_known_to_be_quiet(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    got = cycle(source, clock)

    for direction in THROTTLES:
        for metric in causes_of(direction):
            assert (len(got.one(metric).times), got.one(metric).covered[0].end) == (0, KNOWN_TO)
    assert world.bill.metrics == source.bill.metrics == 6 + 6 + OF_ACCOUNT
    assert source.bill.spared_metrics == 2 * 8 + 1


def test_a_tripped_wire_asks_four_causes_in_the_same_cycle(world: World, source: AwsSource, clock: FakeClock) -> None:
    put(world, "ReadThrottleEvents", [3, 4])
    put(world, "ReadKeyRangeThroughputThrottleEvents", [3, 4])
    got = cycle(source, clock)

    assert got.one("read_key_range_throttle_events").values.tolist() == [3, 4]
    assert got.one("read_provisioned_throttle_events").values.tolist() == []
    assert world.bill.metrics == source.bill.metrics == 6 + 6 + 4 + OF_ACCOUNT


def test_throttled_requests_are_asked_when_an_index_was_throttled(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "SuccessfulRequestLatency", [1.0] * 60, unit="Milliseconds", Operation="PutItem")
    put(world, "WriteThrottleEvents", [2], GlobalSecondaryIndexName="by-status")
    put(world, "ThrottledRequests", [2], Operation="PutItem")

    assert cycle(source, clock).one("throttled_requests").values.tolist() == [2]


def test_causes_of_what_could_not_be_read_are_gaps_not_asked(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadThrottleEvents"))
    missing = cycle(source, clock).missing()

    assert missing == {"read_throttle_events": "denied"} | dict.fromkeys(causes_of("read"), "not asked")


def test_causes_that_failed_are_asked_again_over_the_same_time(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    put(world, "ReadThrottleEvents", [3])
    put(world, "ReadKeyRangeThroughputThrottleEvents", [3])
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ReadKeyRangeThroughputThrottleEvents", count=1))
    assert cycle(source, clock).missing() == {"read_key_range_throttle_events": "denied"}
    clock.advance(3_600)

    assert cycle(source, clock).one("read_key_range_throttle_events").values.tolist() == [3]


def test_the_bill_is_the_services_own_count(world: World, opened: OpenSource, clock: FakeClock) -> None:
    for number in range(30):
        put_table(world, on_demand(f"table{number}"))
        put(world, "SuccessfulRequestLatency", [1.0] * 30, TableName=f"table{number}", Operation="GetItem")
        put(world, "WriteThrottleEvents", [1.0] * (number % 2), TableName=f"table{number}")
    source = opened()
    cycle(source, clock, since_s=None)

    assert source.bill.metrics == world.bill.metrics
    assert source.bill.calls == world.bill.calls["cloudwatch:GetMetricData"]
    assert source.bill.datapoints == world.bill.datapoints
    assert world.bill.paged_metrics == 0


def test_a_consumer_that_stops_in_the_middle_leaves_nothing_behind(source: AwsSource, clock: FakeClock) -> None:
    batches = source.collect(None, clock.now())
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # the protocol promises an iterator only

    assert cycle(source, clock).one("consumed_read_units").covered


def test_a_table_that_turns_up_is_read_three_hours_back(world: World, source: AwsSource, clock: FakeClock) -> None:
    cycle(source, clock)
    put_table(world, on_demand("carts"))
    clock.advance(300)
    got = cycle(source, clock)
    carts = next(one for one in got.listed.subjects_seen if one.table == "carts")

    assert got.one("consumed_read_units", carts).covered == (Span(NOON + 300 - 3 * 3_600, KNOWN_TO + 300),)


def test_an_unknown_profile_is_a_sentence(opened: OpenSource) -> None:
    with pytest.raises(SourceError, match=r"no usable credentials .*nobody.*: set a profile"):
        opened(profile="nobody")


def test_no_credentials_at_all_are_a_sentence(opened: OpenSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(SourceError, match="sts:GetCallerIdentity for region eu-west-1 has no usable credentials"):
        opened()


def test_keys_that_were_rotated_are_picked_up_without_a_restart(
    world: World, source: AwsSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.identities.remove_key("AKIDEXAMPLE")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFRESH")

    assert cycle(source, clock).gaps == ()


def test_a_stop_in_mid_cycle_says_nothing_about_the_data(source: AwsSource, clock: FakeClock) -> None:
    batches = source.collect(None, clock.now())
    first = next(batches)
    source.close()

    assert [gap for batch in (first, *batches) for gap in batch.gaps] == []


def test_a_role_is_assumed_and_renewed_before_it_ends(world: World, opened: OpenSource, clock: FakeClock) -> None:
    role = "arn:aws:iam::222233334444:role/reader"
    world.identities.add_role(role, external_id="s3cret")
    source = opened(role_arn=role, external_id="s3cret")
    clock.advance(3_500)
    cycle(source, clock)

    assert source.id == f"aws/222233334444/{REGION}"
    assert world.bill.calls["sts:AssumeRole"] == 2


def test_a_role_that_refuses_us_is_named(world: World, opened: OpenSource) -> None:
    role = "arn:aws:iam::222233334444:role/reader"
    world.identities.add_role(role, external_id="s3cret")

    with pytest.raises(SourceError, match="sts:AssumeRole of arn:aws:iam::222233334444:role/reader") as refused:
        opened(role_arn=role, external_id="wrong")
    assert refused.value.reason is GapReason.DENIED
