"""A store that refuses a batch ends the look, and the process lives on: nothing that was to come after it is lost."""

from itertools import islice

import pytest

from collector.aws.keyspaces import Keyspaces
from collector.aws.metrics.planner import DAY, HOUR
from collector.aws.metrics.queries import causes_of
from collector.source import Source
from stillfit.clock import FakeClock
from stillfit.model import Batch, GapReason, Span, Subject, merge_spans
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import NOON, ORDERS, Brought, OpenSource, cycle, put
from tests.collector.aws.services import JOBS, OpenService, put_cassandra, put_jobs

TICK = 1_200


def dynamodb(world: World) -> None:
    put(world, "SuccessfulRequestLatency", [1.0] * 60, Operation="PutItem")
    put(world, "ReadThrottleEvents", [7.0] * 5, end=NOON + 600)
    put(world, "ReadKeyRangeThroughputThrottleEvents", [7.0] * 5, end=NOON + 600)
    put(world, "ThrottledRequests", [7.0] * 5, end=NOON + 600, Operation="PutItem")


def keyspaces(world: World) -> None:
    put_jobs(world)
    put_cassandra(world, "SuccessfulRequestLatency", [4.0] * 90, end=NOON + 1_800, Operation="SELECT")
    put_cassandra(world, "ReadThrottleEvents", [7.0] * 5, end=NOON + 600, Operation="SELECT")
    put_cassandra(world, "StoragePartitionThroughputCapacityExceeded", [7.0] * 5, end=NOON + 600, Operation="SELECT")


def taken(source: Source, clock: FakeClock, refused: int | None) -> tuple[list[Batch], int]:
    """What is stored of a look, a second one that ends before batch `refused`, and two more; its batches."""
    stored = list(cycle(source, clock, since_s=None).batches)
    clock.advance(TICK)
    looking = source.collect(clock.now(), clock.now())
    second = list(islice(looking, refused))
    if refused is not None:
        looking.close()  # type: ignore[attr-defined]
    for _ in range(2):
        clock.advance(TICK)
        stored += cycle(source, clock).batches
    return [*stored, *second], len(second)


def is_whole(batches: list[Batch], subject: Subject, metric: str) -> bool:
    """Whether it is known of every minute, and all that was refused has come."""
    found = Brought(tuple(batches)).all(metric, subject)
    known = merge_spans(span for one in found for span in one.covered)
    return len(known) == 1 and max(one.values.sum() for one in found) == 35.0


@pytest.mark.parametrize("refused", [*range(1, 8), None])
def test_causes_are_read_whichever_batch_was_refused(
    refused: int | None, world: World, opened: OpenSource, clock: FakeClock
) -> None:
    dynamodb(world)
    batches, count = taken(opened(hot=("*",)), clock, refused)

    assert count > 4 if refused is None else count == min(count, refused)
    for metric in ("read_key_range_throttle_events", "throttled_requests"):
        assert is_whole(batches, ORDERS, metric)


@pytest.mark.parametrize("refused", [*range(1, 5), None])
def test_causes_of_a_service_are_read_whichever_batch_was_refused(
    refused: int | None, world: World, served: OpenService, clock: FakeClock
) -> None:
    keyspaces(world)
    batches, count = taken(served(Keyspaces, hot=("*",)), clock, refused)

    assert count > 3 if refused is None else count == min(count, refused)
    assert is_whole(batches, JOBS, "keyspaces_partition_throttle_events")


def past_without(wire: str, seen: str, source: Source, world: World, clock: FakeClock) -> list[Batch]:
    """A first look in which a tripwire fails as soon as its newest hours have come."""
    stored: list[Batch] = []
    for batch in source.collect(None, clock.now()):
        stored.append(batch)
        if any(one.metric == seen for one in batch.series):
            world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric=wire))
    return stored


def test_causes_of_a_past_whose_tripwire_failed_are_gaps_of_that_time(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    stored = past_without("WriteThrottleEvents", "write_throttle_events", opened(), world, clock)
    gaps = {gap.missing: gap for gap in Brought(tuple(stored)).gaps if gap.subject == ORDERS}

    assert gaps.keys() == {"write_throttle_events", *causes_of("write")}
    assert {gap.span for gap in gaps.values()} == {Span(NOON - 14 * DAY, NOON - 3 * HOUR)}


def test_causes_of_a_past_of_a_service_whose_tripwire_failed_are_gaps_of_that_time(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    keyspaces(world)
    stored = past_without("ReadThrottleEvents", "keyspaces_read_throttle_events", served(Keyspaces), world, clock)
    gaps = {gap.missing: gap for gap in Brought(tuple(stored)).gaps if gap.subject == JOBS}

    assert gaps["keyspaces_partition_throttle_events"].reason is GapReason.NOT_ASKED
    assert {gap.span for gap in gaps.values()} == {Span(NOON - 14 * DAY, NOON - 3 * HOUR)}
