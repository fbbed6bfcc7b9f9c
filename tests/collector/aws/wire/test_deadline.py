"""Every call ends: one that drips for ever at its deadline, and one that is under way at a stop."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from botocore.config import Config
from botocore.exceptions import HTTPClientError

from collector.aws.wire import deadline
from collector.aws.wire.deadline import Deadlines, hang_up
from collector.aws.wire.failures import OutOfTimeError
from collector.aws.wire.limiter import StoppedError
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import REGION
from tests.standins.aws.kit import own_session

DRIPS = (FaultKind.SLOW_DRIP, FaultKind.SLOW_HEAD)
WHOLE_S = 0.1


@pytest.fixture(autouse=True)
def hangs_up() -> None:
    """Not here: it is the deadline that ends a call."""


@dataclass
class Hand:
    """The time by which calls are ended; it stands still unless a test moves it."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def passes_when_struck(self, world: World, kind: FaultKind) -> None:
        """Let a call's time be over as soon as it was left without an answer."""

        def move() -> None:
            wait_until_struck(world, kind)
            self.now += WHOLE_S

        threading.Thread(target=move, daemon=True).start()


@pytest.fixture(autouse=True)
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    moved = Hand()
    monkeypatch.setattr(deadline, "time", moved)
    return moved


def wait_until_struck(world: World, kind: FaultKind) -> None:
    pause = threading.Event()
    assert any(world.faults.struck[kind] or pause.wait(0.005) for _ in range(24_000)), "two minutes, and not struck"


def client(aws: AwsStandIn, attempts: int = 1) -> Any:
    config = Config(read_timeout=60, retries={"mode": "standard", "total_max_attempts": attempts})
    keys: dict[str, Any] = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "region_name": REGION}
    return own_session("").create_client("dynamodb", endpoint_url=aws.url, config=config, **keys)


@pytest.fixture
def watched(aws: AwsStandIn) -> Iterator[tuple[Any, Deadlines]]:
    made, deadlines = client(aws), Deadlines(WHOLE_S)
    deadlines.watch(made)
    yield made, deadlines
    deadlines.close()
    made.close()


@pytest.mark.parametrize("kind", [*DRIPS, FaultKind.HANG])
def test_a_call_ends_at_its_deadline_however_its_answer_comes(
    kind: FaultKind, world: World, watched: tuple[Any, Deadlines], hand: Hand
) -> None:
    made, deadlines = watched
    world.faults.add(Fault(kind=kind, seconds=0.01, count=1))
    hand.passes_when_struck(world, kind)

    with pytest.raises(OutOfTimeError, match=r"no whole answer in 0\.1 s"), deadlines.call():
        made.list_tables()


def test_a_call_is_left_alone_until_its_deadline(world: World, watched: tuple[Any, Deadlines], hand: Hand) -> None:
    made, deadlines = watched
    world.faults.add(Fault(kind=FaultKind.HANG, count=1))
    hanging = threading.Thread(target=_suffer, args=(made, deadlines))
    hanging.start()
    wait_until_struck(world, FaultKind.HANG)
    hand.now = WHOLE_S * 0.99
    hanging.join(5 * WHOLE_S)
    is_left_alone = hanging.is_alive()
    hand.now = WHOLE_S
    hanging.join()

    assert is_left_alone


def test_the_call_after_it_is_served(world: World, watched: tuple[Any, Deadlines], hand: Hand) -> None:
    made, deadlines = watched
    world.faults.add(Fault(kind=FaultKind.SLOW_DRIP, seconds=0.01, count=1))
    hand.passes_when_struck(world, FaultKind.SLOW_DRIP)
    with pytest.raises(OutOfTimeError), deadlines.call():
        made.list_tables()

    with deadlines.call():
        assert made.list_tables()["TableNames"] == ["orders"]


def test_a_call_that_was_ended_is_not_tried_again(world: World, aws: AwsStandIn, hand: Hand) -> None:
    made, deadlines = client(aws, attempts=4), Deadlines(WHOLE_S)
    deadlines.watch(made)
    world.faults.add(Fault(kind=FaultKind.HANG))
    hand.passes_when_struck(world, FaultKind.HANG)

    with pytest.raises(OutOfTimeError), deadlines.call():
        made.list_tables()
    assert world.faults.struck[FaultKind.HANG] == 1
    deadlines.close()
    made.close()


@pytest.mark.parametrize("kind", [*DRIPS, FaultKind.HANG])
def test_a_stop_ends_what_is_under_way_at_once(kind: FaultKind, world: World, aws: AwsStandIn) -> None:
    made, deadlines, met = client(aws), Deadlines(3_600), list[BaseException]()
    deadlines.watch(made)
    world.faults.add(Fault(kind=kind, seconds=0.01))

    def call() -> None:
        try:
            with deadlines.call():
                made.list_tables()
        except StoppedError as error:
            met.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until_struck(world, kind)
    deadlines.stop()
    thread.join(timeout=60)

    assert (len(met), thread.is_alive()) == (1, False)
    deadlines.close()
    made.close()


def test_after_a_stop_no_call_begins(watched: tuple[Any, Deadlines], world: World) -> None:
    made, deadlines = watched
    deadlines.stop()

    with pytest.raises(StoppedError), deadlines.call():
        made.list_tables()
    assert world.bill.calls.total() == 0


def test_one_call_that_hangs_ends_no_other(world: World, watched: tuple[Any, Deadlines], hand: Hand) -> None:
    made, deadlines = watched
    world.faults.add(Fault(kind=FaultKind.HANG, operation="DescribeTable"))
    hanging = threading.Thread(target=_suffer, args=(made, deadlines))
    hanging.start()
    wait_until_struck(world, FaultKind.HANG)
    hand.now = WHOLE_S  # the time of the hanging one is over, that of those which begin now is not
    while hanging.is_alive():
        with deadlines.call():
            assert made.list_tables()["TableNames"] == ["orders"]


def _suffer(made: Any, deadlines: Deadlines) -> None:
    with pytest.raises(OutOfTimeError), deadlines.call():
        made.describe_table(TableName="orders")


def test_the_installed_botocore_still_lets_its_connections_be_replaced(watched: tuple[Any, Deadlines]) -> None:
    made, _ = watched
    pools = made._endpoint.http_session._manager.pool_classes_by_scheme

    assert {scheme: pool.__module__ for scheme, pool in pools.items()} == dict.fromkeys(
        ("http", "https"), "collector.aws.wire.deadline"
    )


def test_a_botocore_that_has_moved_is_told_of_once_and_works(aws: AwsStandIn) -> None:
    made, deadlines = client(aws), Deadlines(60)
    del made._endpoint.http_session._pool_classes_by_scheme
    with structlog.testing.capture_logs() as logs:
        deadlines.watch(made)

    with deadlines.call():
        assert made.list_tables()["TableNames"] == ["orders"]
    assert [line["event"] for line in logs] == ["aws calls have no deadline but the read timeout"]
    deadlines.close()
    made.close()


def test_a_client_hangs_up_although_the_error_of_a_call_is_remembered(world: World, aws: AwsStandIn) -> None:
    """The frames of its traceback hold the pool of connections."""
    before, made = set(threading.enumerate()), client(aws)
    world.faults.add(Fault(kind=FaultKind.RESET, count=1))
    with pytest.raises(HTTPClientError) as remembered:
        made.list_tables()
    made.list_tables()
    serving = set(threading.enumerate()) - before

    hang_up(made)
    for thread in serving:
        thread.join(60)
    assert {thread for thread in serving if thread.is_alive()} == set()
    assert remembered.tb is not None
