"""Operations without an answer are given up, and an account that is slow for an hour does not delay its tripwires."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from collector.aws.source import AwsSource
from collector.aws.wire.access import Access
from collector.aws.wire.breakers import GIVE_UP_AFTER, Lost, Slow
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import NOON, REGION, cycle, on_demand, put, put_table
from tests.standins.hangup import PATIENT


@pytest.fixture
def source(aws: AwsStandIn, world: World, clock: FakeClock) -> Iterator[AwsSource]:
    """Settings may keep a look waiting for a second, where an answer takes more than half of one; only faults do."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    world.faults.sleep = sleep
    access = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock, patience=PATIENT)
    access.connection._slow = Slow(0.5, 1.0, monotonic=lambda: now[0])
    opened = AwsSource(access)
    yield opened
    opened.close()


def slow(seconds: float, operation: str) -> Fault:
    return Fault(kind=FaultKind.LATENCY, seconds=seconds, operation=operation)


ACTION = "dynamodb:DescribeTable"
NO_ANSWER = SourceError("no answer", reason=GapReason.TIMEOUT, retryable=True)


def lost(times: int) -> Lost:
    operations = Lost()
    for _ in range(times):
        with pytest.raises(SourceError), operations.asking(ACTION):
            raise NO_ANSWER
    return operations


@pytest.mark.parametrize(("times", "given_up"), [(GIVE_UP_AFTER - 1, False), (GIVE_UP_AFTER, True)])
def test_an_operation_without_answers_is_given_up_for_the_cycle(times: int, given_up: bool) -> None:
    operations, asked = lost(times), []
    if given_up:
        with pytest.raises(SourceError, match="no answer"), operations.asking(ACTION):
            asked.append("never")
    else:
        with operations.asking(ACTION):
            asked.append("once more")

    assert asked == [] if given_up else asked == ["once more"]


@pytest.mark.parametrize("answers", [False, True])
def test_after_an_outage_one_goes_first_and_the_others_wait_to_see(answers: bool) -> None:
    operations, first_is_out, asked = lost(GIVE_UP_AFTER), Event(), []
    operations.forget()

    def ask(number: int) -> None:
        with operations.asking(ACTION):
            asked.append(number)
            first_is_out.wait(60)
            if not answers:
                raise NO_ANSWER

    with ThreadPoolExecutor(4) as threads:
        tasks = [threads.submit(ask, number) for number in range(4)]
        first_is_out.set()
        failed = [task for task in tasks if task.exception(timeout=60) is not None]

    assert (len(asked), len(failed)) == ((4, 0) if answers else (1, 4))


@pytest.mark.parametrize(("waited_s", "given_up"), [(9.9, False), (10.0, True), (10.1, True)])
def test_a_look_waits_so_long_for_slow_answers_and_no_longer(waited_s: float, given_up: bool) -> None:
    now = [1_000.0]
    waits = Slow(5.0, 10.0, monotonic=lambda: now[0])
    with waits.waiting():
        now[0] += 5.0 + waited_s

    if given_up:
        with pytest.raises(SourceError, match="this one has waited 10 s for slow answers") as left:
            waits.give_up("dynamodb:ListBackups", "here")
        assert left.value.reason is GapReason.TIMEOUT
    else:
        waits.give_up("dynamodb:ListBackups", "here")
    waits.forget()
    waits.give_up("dynamodb:ListBackups", "here")


def test_slow_calls_side_by_side_count_once() -> None:
    now = [1_000.0]
    waits = Slow(5.0, 10.0, monotonic=lambda: now[0])
    with waits.waiting(), waits.waiting(), waits.waiting():
        now[0] += 14.0
    waits.give_up("dynamodb:ListBackups", "here")


@pytest.mark.parametrize(("later_s", "given_up"), [(600.0, True), (600.1, False)])
def test_what_was_slow_is_forgotten_after_ten_minutes(later_s: float, given_up: bool) -> None:
    now = [0.0]
    waits = Slow(5.0, 10.0, monotonic=lambda: now[0])
    with waits.waiting():
        now[0] += 20.0
    now[0] += later_s

    if given_up:
        with pytest.raises(SourceError):
            waits.give_up("dynamodb:ListBackups", "here")
    else:
        waits.give_up("dynamodb:ListBackups", "here")


def test_settings_that_come_slowly_are_left_for_the_next_look_and_metrics_are_read(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(10):
        put_table(world, on_demand(f"table{number}"))
    cycle(source, clock)
    put(world, "ReadThrottleEvents", [5], end=NOON + 3_600)
    world.faults.add(slow(2.0, "ListTables"))
    clock.advance(3_660)
    got = cycle(source, clock)

    assert got.one("read_throttle_events").values.sum() == 5
    told = {gap.detail for gap in got.gaps if gap.reason is GapReason.TIMEOUT}
    assert any("is left for the next look" in detail for detail in told)
    assert not any(gap.missing == "read_throttle_events" for gap in got.gaps)


def test_the_look_after_a_slow_one_asks_again(aws: AwsStandIn, clock: FakeClock) -> None:
    now = [0.0]
    connection = Access(AwsTarget(region=REGION, endpoint_url=aws.url), clock).connection
    connection._slow = Slow(5.0, 10.0, monotonic=lambda: now[0])
    with connection._slow.waiting():
        now[0] += 20.0
    with pytest.raises(SourceError, match="is left for the next look"):
        connection.call("dynamodb", "ListTables", "here", expect="TableNames")
    connection.begin_cycle()

    assert connection.call("dynamodb", "ListTables", "here", expect="TableNames")["TableNames"] == ["orders"]
    connection.close()
