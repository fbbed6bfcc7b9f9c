"""Tags as a setting, and the choice of tables by them."""

from dataclasses import replace

import pytest

from collector.aws.settings.inventory import TAG_LISTING
from collector.aws.source import AwsSource
from collector.aws.wire.listing import EVERY_S
from stillfit.clock import FakeClock
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, Fault, FaultKind, World
from tests.collector.aws.kit import ORDERS, REGION, Brought, OpenSource, cycle, on_demand, provisioned, put_table

PAYMENTS = (("team", "payments"),)
CARTS = replace(ORDERS, table="carts")


def tag(world: World, name: str, **tags: str) -> None:
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(name), Extras(tags=tags))


def watched(got: Brought) -> set[str]:
    return {one.table for one in got.listed.subjects_seen}


def told(got: Brought, table: str) -> dict[str, str]:
    """What the inventory says is missing of a table, and why."""
    return {gap.missing: gap.reason.value for gap in got.listed.gaps if gap.subject.table == table}


def deny(world: World, *operations: str, count: int | None = None) -> None:
    for operation in operations:
        world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation, count=count))


def test_tags_are_a_setting(world: World, source: AwsSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments", env="a=b")

    assert cycle(source, clock).settings()["tags"] == ("env=a=b", "team=payments")


def test_a_table_without_any_tag_says_so(world: World, source: AwsSource, clock: FakeClock) -> None:
    assert cycle(source, clock).settings()["tags"] == ()


def test_where_the_one_call_is_refused_each_table_is_asked(world: World, source: AwsSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments")
    deny(world, "GetResources")
    got = cycle(source, clock)

    assert got.settings()["tags"] == ("team=payments",)
    assert [gap.missing for gap in got.listed.gaps] == [TAG_LISTING]


def test_tags_that_nobody_may_read_are_a_gap_of_each_table(world: World, source: AwsSource, clock: FakeClock) -> None:
    deny(world, "GetResources", "ListTagsOfResource")
    got = cycle(source, clock)

    assert ("tags" in got.settings(), told(got, "orders")) == (False, {"tags": "denied"})


def test_a_table_is_chosen_by_its_tags(world: World, opened: OpenSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments")
    tag(world, "carts", team="shop")
    put_table(world, on_demand("logs"))
    got = cycle(opened(tags=PAYMENTS), clock)

    assert (watched(got), got.listed.inventory) == ({"orders"}, True)
    assert (told(got, "carts"), told(got, "logs")) == ({"*": "not asked"}, {"*": "not asked"})
    assert "left out by `tags`" in next(gap.detail for gap in got.listed.gaps if gap.subject == CARTS)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((("team", "pay*"),), True),
        ((("team", "payment?"),), True),
        ((("team", "Payments"),), False),
        ((("Team", "payments"),), False),
        ((("team", "payments"), ("env", "*")), True),
        ((("team", "payments"), ("env", "test")), False),
        ((("owner", "*"),), False),
    ],
    ids=str,
)
def test_every_tag_that_is_wanted_must_be_there(
    world: World, opened: OpenSource, clock: FakeClock, wanted: tuple[tuple[str, str], ...], found: bool
) -> None:
    tag(world, "orders", team="payments", env="prod")

    assert watched(cycle(opened(tags=wanted), clock)) == ({"orders"} if found else set())


def test_a_name_that_is_left_out_is_not_chosen_by_a_tag(world: World, opened: OpenSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments")
    tag(world, "carts", team="payments")

    assert watched(cycle(opened(tags=PAYMENTS, exclude=("carts",)), clock)) == {"orders"}


@pytest.mark.parametrize("refused", [False, True], ids=["at once", "one by one"])
def test_only_chosen_tables_are_asked_for_details(
    world: World, opened: OpenSource, clock: FakeClock, refused: bool
) -> None:
    tag(world, "orders", team="payments")
    tag(world, "carts", team="shop")
    deny(world, *(["GetResources"] if refused else []))
    got = cycle(opened(tags=PAYMENTS), clock)

    assert (watched(got), got.listed.inventory) == ({"orders"}, True)
    assert world.bill.calls["dynamodb:DescribeTimeToLive"] == 1


def test_a_table_whose_tags_cannot_be_read_is_neither_watched_nor_dropped_in_silence(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    deny(world, "GetResources", "ListTagsOfResource")
    got = cycle(opened(tags=PAYMENTS), clock)
    (gap,) = (gap for gap in got.listed.gaps if gap.subject == ORDERS)

    assert (watched(got), set(got.listed.undescribed)) == (set(), {ORDERS})
    assert (gap.missing, gap.reason) == ("*", "denied")
    assert 'table "orders" is not watched: `tags` of the configuration choose, its own are not known' in gap.detail
    assert "grant dynamodb:ListTagsOfResource" in gap.detail


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.GARBAGE, FaultKind.ACCESS_DENIED])
def test_a_chosen_table_stays_while_its_tags_cannot_be_read(
    world: World, opened: OpenSource, clock: FakeClock, kind: FaultKind
) -> None:
    tag(world, "orders", team="payments")
    tag(world, "carts", team="shop")
    source = opened(tags=PAYMENTS)
    cycle(source, clock)
    world.faults.add(Fault(kind=kind, operation="GetResources"), Fault(kind=kind, operation="ListTagsOfResource"))
    clock.advance(EVERY_S)
    got = cycle(source, clock)

    assert (watched(got), got.settings()["tags"], got.listed.inventory) == ({"orders"}, ("team=payments",), True)


def test_a_new_table_is_looked_up_at_once(world: World, opened: OpenSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments")
    source = opened(tags=PAYMENTS)
    cycle(source, clock)
    tag(world, "carts", team="payments")

    assert watched(cycle(source, clock)) == {"orders", "carts"}


def test_a_table_that_loses_the_tag_is_watched_no_longer(world: World, opened: OpenSource, clock: FakeClock) -> None:
    tag(world, "orders", team="payments")
    source = opened(tags=PAYMENTS)
    cycle(source, clock)
    tag(world, "orders", team="shop")
    clock.advance(EVERY_S)
    got = cycle(source, clock)

    assert (watched(got), told(got, "orders")) == (set(), {"*": "not asked"})
