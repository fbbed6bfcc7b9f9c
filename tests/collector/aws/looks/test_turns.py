"""More tables that are new than one look has time for: tripwires of all, everything else in turns."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.aws import metered
from collector.aws import source as aws_source
from collector.aws.metrics.planner import HOUR
from collector.aws.source import AwsSource
from stillfit.clock import FakeClock
from stillfit.model import Span, Subject
from stillfit.standins.aws import World
from tests.collector.aws.kit import NOON, ORDERS, Brought, OpenSource, cycle, on_demand, put_table

TICK = 300
TABLES = ("orders", "carts", "stock", "users")
READ, WIRE = "consumed_read_units", "read_throttle_events"


@pytest.fixture
def source(world: World, opened: OpenSource, monkeypatch: pytest.MonkeyPatch) -> AwsSource:
    """In a hurry: one table a look is all that it has time for."""
    monkeypatch.setattr(metered, "ENDS_AT", 0.0)
    monkeypatch.setattr(aws_source, "PIECE_S", 0.0)
    for name in TABLES[1:]:
        put_table(world, on_demand(name, CreationDateTime=NOON - 30 * 24 * HOUR))
    return opened(first_look=timedelta(days=2), hot=("users",))


def read(got: Brought, metric: str) -> set[str]:
    return {name for name in TABLES if got.all(metric, table(name))}


def table(name: str) -> Subject:
    return replace(ORDERS, table=name)


def test_tripwires_and_what_is_hot_never_wait(source: AwsSource, clock: FakeClock) -> None:
    got = cycle(source, clock, since_s=None)

    assert read(got, WIRE) == set(TABLES)
    assert read(got, READ) == {"carts", "users"}


def test_what_waits_is_a_gap_until_its_turn(source: AwsSource, clock: FakeClock) -> None:
    looks = [cycle(source, clock, since_s=None)]
    for _ in range(3):
        clock.advance(TICK)
        looks.append(cycle(source, clock))
    waiting = [{name for name in TABLES if got.missing(table(name)).get(READ) == "not asked"} for got in looks]

    assert waiting == [{"orders", "stock"}, {"stock"}, set(), set()]
    assert [read(got, READ) - {"users"} for got in looks[:3]] == [{"carts"}, {"orders"}, {"stock"}]
    assert not any(WIRE in got.missing(table(name)) for got in looks for name in TABLES)


def test_who_waited_has_no_hole(source: AwsSource, clock: FakeClock) -> None:
    looks = [cycle(source, clock, since_s=None)]
    for _ in range(2):
        clock.advance(TICK)
        looks.append(cycle(source, clock))
    past, newest = [one.covered[0] for got in looks for one in got.all(READ, table("stock"))]

    assert past.start <= NOON + 2 * TICK - 2 * 24 * HOUR
    assert past.end == newest.start
    assert newest == Span(newest.start, int(clock.now().timestamp()) - 120)


def test_what_is_known_and_waits_is_late_and_no_gap(source: AwsSource, clock: FakeClock) -> None:
    for number in range(4):
        clock.advance(TICK if number else 0)
        cycle(source, clock, since_s=TICK if number else None)
    clock.advance(4 * HOUR)
    looks = []
    for _ in range(len(TABLES)):
        looks.append(cycle(source, clock))
        clock.advance(TICK)

    assert set().union(*(read(got, READ) for got in looks)) == set(TABLES)
    assert not any(got.missing(table(name)) for got in looks for name in TABLES)


@pytest.mark.parametrize(("has_time", "looks"), [(True, 1), (False, len(TABLES) - 1)])
def test_a_look_reads_on_while_it_has_time(
    has_time: bool, looks: int, source: AwsSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "ENDS_AT", 0.75 if has_time else 0.0)
    brought = set(TABLES) - read(cycle(source, clock, since_s=None), READ)
    for _ in range(looks - 1):
        clock.advance(TICK)
        brought -= read(cycle(source, clock), READ)

    assert brought == set()
