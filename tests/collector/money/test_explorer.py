"""Cost Explorer is asked little, and a day that may still change is never told as final."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collector.aws.money.charges import Watch
from collector.aws.money.explorer import DAYS, Explorer, Told, is_new_day
from stillfit.clock import FakeClock
from stillfit.model import Engine, GapReason, Series, Subject
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from stillfit.standins.aws.cost_ledger import Commitment, CostLine
from tests.collector.money.conftest import OpenAccess

TODAY = date(2026, 11, 2)
LAST_MONTH = date(2026, 10, 10)
IRELAND = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, "eu-west-1"))
VIRGINIA = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, "us-east-1"))
ORDERS = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, "eu-west-1"), table="orders")
ARN = f"arn:aws:dynamodb:eu-west-1:{DEFAULT_ACCOUNT}:table/orders"
WATCH = Watch(
    account=DEFAULT_ACCOUNT,
    regions=("eu-west-1", "us-east-1"),
    engines=frozenset({Engine.DYNAMODB, Engine.KEYSPACES}),
)
OPERATIONS = (
    "GetCostAndUsage",
    "GetReservationCoverage",
    "GetReservationUtilization",
    "GetSavingsPlansCoverage",
    "GetSavingsPlansUtilization",
)


def bill(world: World, day: date = LAST_MONTH, **changes: Any) -> None:
    usual = {
        "service": "Amazon DynamoDB",
        "usage_type": "EU-ReadRequestUnits",
        "region": "eu-west-1",
        "unblended": 2.0,
        "amortized": 1.5,
        "usage": 1_000.0,
    }
    world.ledger.put(DEFAULT_ACCOUNT, CostLine(**{"day": day, **usual, **changes}))


def look(access: OpenAccess, at: datetime, tables: str = "") -> Told:
    return Explorer(access().connection, DEFAULT_ACCOUNT, tables).read(at, WATCH)


def found(told: Told, metric: str, subject: Subject = IRELAND, part: str = "on_demand_read") -> Series | None:
    wanted = (subject, metric, part)
    return next((one for one in told.series if (one.subject, one.metric, one.dimension) == wanted), None)


def value(told: Told, metric: str, day: date, subject: Subject = IRELAND, part: str = "on_demand_read") -> float | None:
    """What a day has; None where it is not vouched for."""
    one = found(told, metric, subject, part)
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    points = dict(zip(one.times.tolist(), one.values.tolist(), strict=True)) if one else {}
    return points.get(start)


@pytest.fixture
def invoiced(clock: FakeClock) -> FakeClock:
    """The eighth of the month: the last one is closed."""
    clock.sleep(6 * 86_400)
    return clock


def test_a_final_day_has_its_cost_its_share_of_fees_and_its_units(
    world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    bill(world)
    told = look(access, invoiced.now())

    assert value(told, "billed_usd", LAST_MONTH) == 2.0
    assert value(told, "amortized_usd", LAST_MONTH) == 1.5
    assert value(told, "billed_units", LAST_MONTH) == 1_000.0
    assert value(told, "billed_estimate_usd", LAST_MONTH) is None


def test_a_day_of_an_open_month_is_an_estimate(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world, date(2026, 11, 2))
    told = look(access, invoiced.now())

    assert value(told, "billed_estimate_usd", date(2026, 11, 2)) == 2.0
    assert value(told, "billed_usd", date(2026, 11, 2)) is None


@pytest.mark.parametrize(("age", "known"), [(1, 1.2), (2, 1.9), (3, 2.0)])
def test_a_young_day_is_told_as_far_as_it_is_known(
    world: World, access: OpenAccess, clock: FakeClock, age: int, known: float
) -> None:
    day = TODAY - timedelta(days=age)
    bill(world, day)

    assert value(look(access, clock.now()), "billed_estimate_usd", day) == pytest.approx(known)


def test_a_restated_day_replaces_what_was_told(world: World, access: OpenAccess, clock: FakeClock) -> None:
    day = TODAY - timedelta(days=1)
    bill(world, day)
    told = []
    for _ in range(2):
        told.append(value(look(access, clock.now()), "billed_estimate_usd", day))
        clock.sleep(3 * 86_400)

    assert told == [pytest.approx(1.2), pytest.approx(2.0)]


def test_a_young_day_without_cost_is_not_known(world: World, access: OpenAccess, clock: FakeClock) -> None:
    world.ledger.ripeness = {3: 1.0}
    bill(world, TODAY - timedelta(days=4))
    bill(world, TODAY - timedelta(days=1))

    one = found(look(access, clock.now()), "billed_estimate_usd")
    assert one is not None
    assert datetime.fromtimestamp(one.covered[-1].end, clock.now().tzinfo).date() == TODAY - timedelta(days=3)


def test_a_settled_day_without_cost_was_billed_nothing(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world)

    assert value(look(access, invoiced.now()), "billed_usd", LAST_MONTH + timedelta(days=1)) == 0.0


def test_regions_and_services_are_kept_apart(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world)
    bill(world, usage_type="ReadRequestUnits", region="us-east-1", unblended=5.0)
    bill(world, service="Amazon Keyspaces (for Apache Cassandra)", unblended=7.0)
    bill(world, service="AmazonCloudWatch", usage_type="EU-CW:ContributorEventsManaged", unblended=0.5)
    bill(world, service="AmazonCloudWatch", usage_type="EU-CW:GMD-Metrics", unblended=99.0)
    told = look(access, invoiced.now())

    home = Subject(engine=Engine.DYNAMODB, scope=(DEFAULT_ACCOUNT, "us-east-1"))
    keyspaces = Subject(engine=Engine.KEYSPACES, scope=IRELAND.scope)
    assert value(told, "billed_usd", LAST_MONTH) == 2.0
    assert value(told, "billed_usd", LAST_MONTH, home) == 5.0
    assert value(told, "keyspaces_billed_usd", LAST_MONTH, keyspaces, "keyspaces_on_demand_read") == 7.0
    assert value(told, "billed_usd", LAST_MONTH, part="contributor_event") == 0.5
    assert not any(99.0 in one.values for one in told.series)


@pytest.mark.parametrize("kind", ["Credit", "Refund", "Tax"])
def test_what_is_no_part_of_a_price_is_left_out(
    world: World, access: OpenAccess, invoiced: FakeClock, kind: str
) -> None:
    bill(world)
    bill(world, unblended=-50.0, record_type=kind)

    assert value(look(access, invoiced.now()), "billed_usd", LAST_MONTH) == 2.0


def test_tables_are_told_apart_by_their_tag(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world, tags=(("table", "orders"),))
    bill(world, unblended=9.0)
    told = look(access, invoiced.now(), "tag:table")

    assert value(told, "billed_usd", LAST_MONTH, ORDERS) == 2.0
    assert value(told, "billed_usd", LAST_MONTH) == 11.0


def test_tables_are_told_apart_by_resource_where_that_is_opted_in(
    world: World, access: OpenAccess, clock: FakeClock
) -> None:
    day = TODAY - timedelta(days=5)
    world.ledger.by_resource = True
    bill(world, day, resource=ARN)
    bill(world, day)

    assert value(look(access, clock.now(), "resource"), "billed_estimate_usd", day, ORDERS) == 2.0


def test_without_the_opt_in_costs_by_resource_are_a_gap_and_the_rest_is_there(
    world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    bill(world)
    told = look(access, invoiced.now(), "resource")

    (trouble,) = [trouble for missing, trouble in told.troubles if missing == "billed_usd"]
    assert (trouble.reason, "GetCostAndUsageWithResources" in trouble.sentence) == (GapReason.NO_DATA, True)
    assert value(told, "billed_usd", LAST_MONTH) == 2.0


def test_costs_by_resource_that_are_denied_are_a_gap_that_names_the_permission(
    world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    world.ledger.by_resource = True
    bill(world)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="GetCostAndUsageWithResources"))
    ((_, trouble),) = [one for one in look(access, invoiced.now(), "resource").troubles if one[0] == "billed_usd"]

    assert trouble.reason is GapReason.DENIED
    assert "grant ce:GetCostAndUsageWithResources" in trouble.sentence


COMMITMENTS = ("reservation_coverage", "reservation_utilization", "savings_plan_coverage", "savings_plan_utilization")


def test_coverage_and_use_of_commitments_are_of_the_account(
    world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH, region="eu-west-1", covered=60, on_demand=20, bought=80))
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH, region="us-east-1", covered=0, on_demand=50, bought=20))
    told = look(access, invoiced.now())

    covered, used = 100 * 60 / 130, 60.0
    told_of = [value(told, metric, LAST_MONTH, place, "") for metric in COMMITMENTS for place in (IRELAND, VIRGINIA)]
    assert told_of == pytest.approx([covered, covered, used, used] * 2, abs=1e-6)


def test_a_payer_is_not_told_what_other_accounts_have_covered(
    world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    mine = Commitment(day=LAST_MONTH, region="eu-west-1", covered=60, on_demand=40, bought=80)
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, mine, replace(mine, covered=0, account="222222222222"))
    told = look(access, invoiced.now())

    assert [value(told, metric, LAST_MONTH, part="") for metric in COMMITMENTS] == [60.0, 75.0, 60.0, 75.0]


def test_a_day_with_nothing_to_cover_has_no_share(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH, region="eu-west-1"))
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH + timedelta(days=1), region="eu-west-1", on_demand=5, bought=5))
    told = look(access, invoiced.now())

    for metric in COMMITMENTS:
        assert value(told, metric, LAST_MONTH, part="") is None
        assert value(told, metric, LAST_MONTH + timedelta(days=1), part="") == 0.0


def test_cost_explorer_that_was_never_opened_is_told_so(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    world.ledger.switched_on = False
    told = look(access, invoiced.now())

    assert {trouble.reason for _, trouble in told.troubles} == {GapReason.NOT_CONFIGURED}
    assert all("open it once in the console" in trouble.sentence for _, trouble in told.troubles)


def test_without_commitments_each_is_a_gap_of_its_own(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world)
    told = look(access, invoiced.now())

    assert [(missing, trouble.reason) for missing, trouble in told.troubles] == [
        ("reservation_coverage", GapReason.NO_DATA),
        ("reservation_utilization", GapReason.NO_DATA),
        ("savings_plan_coverage", GapReason.NO_DATA),
        ("savings_plan_utilization", GapReason.NO_DATA),
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denied_permission_is_a_gap_that_names_it(
    world: World, access: OpenAccess, invoiced: FakeClock, operation: str
) -> None:
    bill(world)
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH, region="eu-west-1", covered=1, bought=1))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))

    ((_, trouble),) = look(access, invoiced.now()).troubles

    assert trouble.reason is GapReason.DENIED
    assert f"grant ce:{operation}" in trouble.sentence


@pytest.mark.parametrize(
    "kind",
    [FaultKind.THROTTLE, FaultKind.INTERNAL_ERROR, FaultKind.RESET, FaultKind.GARBAGE, FaultKind.HTML],
)
def test_every_fault_is_a_gap_and_never_a_cost(
    world: World, access: OpenAccess, invoiced: FakeClock, kind: FaultKind
) -> None:
    bill(world)
    world.faults.add(Fault(kind=kind, service="ce"))
    told = look(access, invoiced.now())

    assert {one.metric for one in told.series} == {"cost_explorer_requests"}
    assert len(told.troubles) == 5


def test_every_page_of_every_question_is_counted(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world)
    for put in (world.ledger.reserve, world.ledger.commit):
        put(DEFAULT_ACCOUNT, Commitment(day=LAST_MONTH, region="eu-west-1", covered=1, bought=1))
    explorer = Explorer(access().connection, DEFAULT_ACCOUNT)
    explorer.read(invoiced.now(), WATCH)

    assert DAYS > 31  # costs come in two pages
    assert world.bill.cost_requests == explorer.requests == len(OPERATIONS) + 1


def test_what_is_not_watched_is_not_told_of(world: World, access: OpenAccess, invoiced: FakeClock) -> None:
    bill(world, tags=(("table", "deleted"),))
    bill(world, usage_type="APN1-ReadRequestUnits", region="ap-northeast-1", unblended=5.0)
    bill(world, service="Amazon DynamoDB Accelerator (DAX)", usage_type="EU-NodeUsage:dax.r5.large")
    explorer = Explorer(access().connection, DEFAULT_ACCOUNT, "tag:table")
    told = explorer.read(invoiced.now(), replace(WATCH, existing=frozenset({ORDERS})))

    assert {one.subject for one in told.series if one.metric == "billed_usd"} == {IRELAND}


@pytest.mark.parametrize("name", ["Amazon DynamoDB Accelerator (DAX)", "DynamoDB Accelerator (DAX)"])
def test_dax_is_found_under_either_of_its_names(
    name: str, world: World, access: OpenAccess, invoiced: FakeClock
) -> None:
    bill(world, service=name, usage_type="EU-NodeUsage:dax.r5.large")
    watch = replace(WATCH, engines=frozenset({Engine.DAX}))
    told = Explorer(access().connection, DEFAULT_ACCOUNT).read(invoiced.now(), watch)

    (one,) = [one for one in told.series if one.metric == "dax_billed_usd"]
    assert one.dimension == "dax_node/r5.large"


@pytest.mark.parametrize(
    ("since", "is_new"),
    [(None, True), (datetime(2026, 11, 1, 23, 59), True), (datetime(2026, 11, 2), False)],
    ids=["never", "yesterday", "since midnight"],
)
def test_a_day_is_read_once(since: datetime | None, is_new: bool, clock: FakeClock) -> None:
    known = None if since is None else since.replace(tzinfo=clock.now().tzinfo)

    assert is_new_day(known, clock.now()) is is_new


def test_a_request_whose_answer_is_lost_may_have_been_billed(
    world: World, access: OpenAccess, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.TRUNCATED, service="ce", count=1))
    explorer = Explorer(access().connection, DEFAULT_ACCOUNT)
    explorer.read(clock.now(), WATCH)

    assert explorer.lost == 1
    assert world.bill.cost_requests == explorer.requests + explorer.lost
