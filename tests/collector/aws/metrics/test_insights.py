"""Contributor Insights against the stand-in: what is asked when, what it brings, what it costs, and what is told."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collector.aws.metrics.insights import MOST_REPORTS, MOST_TAGS, Insights
from collector.aws.settings.inventory import Member
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.pool import Pool
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.model import GapReason, Series, Span, Statistic, Subject
from stillfit.redaction import Redaction
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Extras, Fault, FaultKind, World
from stillfit.standins.aws.insight_rules import rule_name
from tests.collector.aws.kit import BY_STATUS, NOON, ORDERS, REGION, Brought, provisioned
from tests.standins.hangup import PATIENT

HERE = (DEFAULT_ACCOUNT, REGION)
REDACTION = Redaction(lambda: b"the secret of these tests")
ANN, BOB = (REDACTION.partition_key(key) for key in ("ann@example.com", "bob@example.com"))
MODES = {"": ("PKC", "PKT", "SKC", "SKT"), "keys": ("PKC", "PKT"), "THROTTLED_KEYS": ("PKT", "SKT")}
REPORTS = "cloudwatch:GetInsightRuleReport"


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def connection(aws: AwsStandIn, clock: FakeClock) -> Iterator[Connection]:
    target = AwsTarget(region=REGION, endpoint_url=aws.url)
    connection = Connection(target, clock, Limiter(clock), PATIENT)
    yield connection
    connection.close()


@pytest.fixture
def insights(connection: Connection, meter: Meter) -> Iterator[Insights]:
    pool = Pool(4, "insights")
    yield Insights(connection, meter, pool, "aws/here", REDACTION)
    pool.stop()


def switched_on(
    world: World, mode: str = "", subject: Subject = ORDERS, status: str = "ENABLED", **more: Any
) -> Member:
    """Insights as DescribeContributorInsights tells them, with the rules that the mode brings; as the inventory saw."""
    resource = f"{subject.table}-{subject.index}" if subject.index else subject.table
    names = [rule_name(kind, resource) for kind in MODES[mode]] if status == "ENABLED" else []
    said = {"ContributorInsightsStatus": status, "ContributorInsightsRuleList": names, **more}
    kept = {**_extras(world, subject), subject.index or None: said}
    world.dynamodb.put_table(*HERE, provisioned(subject.table), Extras(contributor_insights=kept))
    for name in names:
        world.insights.put(*HERE, name, {})
    shown = {"ENABLED": mode or "ACCESSED_AND_THROTTLED_KEYS", "FAILED": "FAILED"}.get(status, "")
    return member(subject, contributor_insights=shown, contributor_insights_status=status)


def _extras(world: World, subject: Subject) -> dict[str | None, Any]:
    table = world.dynamodb.table(*HERE, subject.table)
    return dict(table.extras.contributor_insights) if table else {}


def member(subject: Subject, **settings: str) -> Member:
    return Member(table=subject.parent, description={}, settings={subject: dict(settings)}, sizes=())


def minutes(*values: float) -> dict[int, float]:
    """The last minutes before noon."""
    return {NOON - 60 * (len(values) - place): value for place, value in enumerate(values)}


def contribute(world: World, kind: str, contributors: dict[str, dict[int, float]], resource: str = "orders") -> None:
    """By key; "a/b" is an item."""
    world.insights.put(*HERE, rule_name(kind, resource), {tuple(k.split("/")): v for k, v in contributors.items()})


def refused(subject: Subject = ORDERS, metric: str = "write_key_range_throttle_events") -> Series:
    return Series(
        subject=subject,
        metric=metric,
        statistic=Statistic.SUM,
        period_s=60,
        times=np.array([NOON - 60], np.int64),
        values=np.array([900.0]),
        covered=(Span(NOON - 300, NOON),),
    )


def look(insights: Insights, clock: FakeClock, *members: Member, note: tuple[Series, ...] = ()) -> Brought:
    insights.look(members, clock.monotonic())
    insights.note(note)
    return Brought(tuple(insights.batches(clock.now())))


def reports(world: World) -> int:
    return world.bill.calls[REPORTS]


# --- what it brings


def test_the_hottest_key_comes_by_the_minute_and_the_keys_by_their_tags(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    table = switched_on(world)
    contribute(world, "PKC", {"ann@example.com": minutes(90_000, 170_000), "bob@example.com": minutes(100_000, 10)})
    got = look(insights, clock, table)

    hottest = got.one("hottest_partition_key_units", statistic=Statistic.MAXIMUM)
    assert (hottest.times.tolist(), hottest.values.tolist()) == ([NOON - 120, NOON - 60], [100_000, 170_000])
    assert hottest.covered == (Span(NOON - 3 * 3_600, NOON),)
    each = got.all("partition_key_units", statistic=Statistic.MAXIMUM)
    assert {one.dimension: one.values.tolist() for one in each} == {ANN: [90_000, 170_000], BOB: [100_000, 10]}


def test_of_a_single_key_only_the_minutes_in_which_it_was_hot_are_vouched_for(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    table = switched_on(world)
    contribute(world, "PKC", {"ann@example.com": minutes(5, 0, 7)})
    one = look(insights, clock, table).one("partition_key_units", statistic=Statistic.MAXIMUM)

    assert one.covered == (Span(NOON - 180, NOON - 120), Span(NOON - 60, NOON))


def test_a_quiet_table_has_a_hottest_key_of_nothing_and_not_of_unknown(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    got = look(insights, clock, switched_on(world)).one("hottest_partition_key_units", statistic=Statistic.MAXIMUM)

    assert (len(got.times), got.covered) == (0, (Span(NOON - 3 * 3_600, NOON),))


def test_an_index_has_reports_of_its_own(world: World, insights: Insights, clock: FakeClock) -> None:
    index = switched_on(world, subject=BY_STATUS)
    contribute(world, "PKC", {"open": minutes(60_000)}, "orders-by-status")
    got = look(insights, clock, index)

    assert got.one("hottest_partition_key_units", BY_STATUS, Statistic.MAXIMUM).values.tolist() == [60_000]


def test_items_are_told_by_both_of_their_keys(world: World, insights: Insights, clock: FakeClock) -> None:
    table = switched_on(world, "THROTTLED_KEYS")
    contribute(world, "PKT", {"ann@example.com": minutes(800)})
    contribute(world, "SKT", {"ann@example.com/2026-11": minutes(800)})
    got = look(insights, clock, table, note=(refused(),))

    (item,) = got.all("item_throttles", statistic=Statistic.MAXIMUM)
    assert item.dimension == REDACTION.item("ann@example.com", "2026-11")
    assert item.dimension.startswith(f"{ANN}/sort#")
    assert got.one("hottest_partition_key_throttles", statistic=Statistic.MAXIMUM).values.tolist() == [800]


# --- when it asks


def test_only_the_hottest_partition_key_is_asked_for_while_nothing_is_refused(
    world: World, insights: Insights, clock: FakeClock, meter: Meter
) -> None:
    look(insights, clock, switched_on(world))

    assert (reports(world), meter.bill.reports, meter.bill.report_metrics) == (1, 1, 2)


@pytest.mark.parametrize(("later_s", "asked"), [(3_540, 1), (3_600, 2), (3_660, 2)], ids=["before", "at", "after"])
def test_that_is_once_an_hour(world: World, insights: Insights, clock: FakeClock, later_s: int, asked: int) -> None:
    table = switched_on(world)
    look(insights, clock, table)
    clock.advance(later_s)
    look(insights, clock, table)

    assert reports(world) == asked


@pytest.mark.parametrize(("later_s", "asked"), [(840, 4), (900, 8), (960, 8)], ids=["before", "at", "after"])
def test_a_key_range_that_refuses_calls_for_every_rule_each_quarter_of_an_hour(
    world: World, insights: Insights, clock: FakeClock, later_s: int, asked: int
) -> None:
    table = switched_on(world)
    look(insights, clock, table, note=(refused(),))
    clock.advance(later_s)
    look(insights, clock, table, note=(refused(),))

    assert reports(world) == asked


def test_a_key_range_that_begins_to_refuse_does_not_wait_for_the_hour(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    table = switched_on(world)
    look(insights, clock, table)
    clock.advance(900)
    look(insights, clock, table, note=(refused(),))

    assert reports(world) == 1 + 4


@pytest.mark.parametrize(
    ("metrics", "asked"),
    [
        (("write_throttle_events", "write_provisioned_throttle_events"), 1),
        (("write_throttle_events",), 4),
        (("write_throttle_events", "write_key_range_throttle_events"), 4),
        (("consumed_write_units",), 1),
    ],
    ids=["by capacity", "nothing says by what", "by a key range", "not refused"],
)
def test_refusals_of_another_limit_are_no_matter_of_keys(
    world: World, insights: Insights, clock: FakeClock, metrics: tuple[str, ...], asked: int
) -> None:
    look(insights, clock, switched_on(world), note=tuple(refused(metric=name) for name in metrics))

    assert reports(world) == asked


def test_the_next_report_overlaps_the_last_by_a_quarter_of_an_hour(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    table = switched_on(world)
    look(insights, clock, table)
    clock.advance(3_600)
    got = look(insights, clock, table).one("hottest_partition_key_units", statistic=Statistic.MAXIMUM)

    assert got.covered == (Span(NOON - 900, NOON + 3_600),)


def test_the_price_is_what_is_then_billed(world: World, insights: Insights, clock: FakeClock, meter: Meter) -> None:
    table = switched_on(world)
    insights.look([table], clock.monotonic())
    price = insights.price(NOON)
    insights.note([refused()])
    list(insights.batches(clock.now()))

    assert (price.metrics, price.metrics + price.more) == (2, meter.bill.report_metrics)
    assert insights.metrics_an_hour == 2
    assert meter.bill.usd == pytest.approx(world.bill.dollars)


def test_what_is_left_over_comes_first_in_the_next_look(world: World, insights: Insights, clock: FakeClock) -> None:
    tables = [switched_on(world, "keys", replace(ORDERS, table=f"t{n:03}")) for n in range(MOST_REPORTS + 2)]
    left = {gap.subject.table for gap in look(insights, clock, *tables).gaps}
    clock.advance(300)
    after = look(insights, clock, *tables)

    assert (left, after.gaps) == ({"t100", "t101"}, ())
    assert {one.subject.table for one in after.series} == left


def test_keys_beyond_the_bound_make_no_series_and_that_is_told(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    table = switched_on(world)
    seen: set[str] = set()
    for hour in range(MOST_TAGS // 3 + 2):
        contribute(world, "PKC", {f"{hour}-{n}": {int(clock.now().timestamp()) - 60: 9.0} for n in range(3)})
        got = look(insights, clock, table)
        seen |= {one.dimension for one in got.series if one.dimension}
        clock.advance(3_600)

    assert len(seen) == MOST_TAGS
    assert [(gap.missing, gap.reason) for gap in got.gaps] == [("partition_key_units", GapReason.PARTIAL)]


# --- what it cannot tell

EVIDENCE = "hottest_partition_key_units"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"mode": "THROTTLED_KEYS"}, "not configured: Contributor Insights records throttled keys only"),
        ({"status": "ENABLING"}, "no data: Contributor Insights is being switched on"),
        (
            {"status": "FAILED", "FailureException": {"ExceptionName": "LimitExceededException"}},
            "LimitExceededException), so no key can be named: the account has as many rules as it may have",
        ),
        (
            {"status": "FAILED", "FailureException": {"ExceptionName": "AccessDeniedException"}},
            "may not create its rules",
        ),
        ({"status": "FAILED"}, "no reason given), so no key can be named: switch it off"),
    ],
    ids=["throttled keys", "enabling", "limit", "denied to whoever", "no reason"],
)
def test_each_state_says_which_evidence_is_missing(
    world: World, insights: Insights, clock: FakeClock, state: dict[str, Any], said: str
) -> None:
    (gap,) = look(insights, clock, switched_on(world, **state)).gaps

    assert (gap.subject, gap.missing) == (ORDERS, EVIDENCE)
    assert said in f"{gap.reason}: {gap.detail}"


@pytest.mark.parametrize("status", ["DISABLED", "DISABLING"])
def test_that_it_is_off_is_told_where_a_key_is_looked_for_and_nowhere_else(
    world: World, insights: Insights, clock: FakeClock, status: str
) -> None:
    table = switched_on(world, status=status)
    quiet = look(insights, clock, table).gaps
    (gap,) = look(insights, clock, table, note=(refused(),)).gaps

    assert quiet == ()
    assert (gap.reason, gap.missing) == (GapReason.NOT_CONFIGURED, EVIDENCE)
    assert "stillfit never switches it on" in gap.detail
    assert reports(world) == 0


def test_nothing_that_switches_anything_is_ever_called(world: World, insights: Insights, clock: FakeClock) -> None:
    for mode, status in (("", "ENABLED"), ("THROTTLED_KEYS", "ENABLED"), ("", "DISABLED"), ("", "FAILED")):
        look(insights, clock, switched_on(world, mode, status=status), note=(refused(),))

    assert {*world.bill.calls, *world.bill.refused} == {"dynamodb:DescribeContributorInsights", REPORTS}


@pytest.mark.parametrize(
    ("operation", "action"),
    [("GetInsightRuleReport", REPORTS), ("DescribeContributorInsights", "dynamodb:DescribeContributorInsights")],
)
def test_a_denied_permission_is_a_gap_that_names_it_and_is_tried_again_after_a_quarter_of_an_hour(
    world: World, insights: Insights, clock: FakeClock, operation: str, action: str
) -> None:
    table = switched_on(world)
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation, count=1))
    (gap,) = look(insights, clock, table).gaps
    clock.advance(600)
    look(insights, clock, table)
    too_soon = reports(world)
    clock.advance(300)
    after = look(insights, clock, table)

    assert (gap.missing, gap.reason) == (EVIDENCE, GapReason.DENIED)
    assert f"grant {action}" in gap.detail
    assert (too_soon, after.gaps, reports(world)) == (0, (), 1)


def test_a_table_of_which_the_inventory_knows_nothing_is_left_alone(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    got = look(insights, clock, member(ORDERS), note=(refused(),))

    assert (got.batches, world.bill.calls) == ((), {})


def test_rules_that_are_gone_are_looked_up_anew(world: World, insights: Insights, clock: FakeClock) -> None:
    table = switched_on(world)
    look(insights, clock, table)
    world.insights.remove(*HERE, rule_name("PKC", "orders"))
    clock.advance(3_540)
    look(insights, clock, table)
    clock.advance(60)
    (gap,) = look(insights, clock, table).gaps
    look(insights, clock, table)

    assert (gap.missing, gap.reason) == (EVIDENCE, GapReason.NO_DATA)
    assert "found nothing" in gap.detail
    assert world.bill.calls["dynamodb:DescribeContributorInsights"] == 3


def test_rules_of_a_kind_that_nobody_knows_yet_are_passed_over(
    world: World, insights: Insights, clock: FakeClock
) -> None:
    names = ["DynamoDBContributorInsights-XYZ-orders-1", "SomebodysOwnRule"]
    got = look(insights, clock, switched_on(world, ContributorInsightsRuleList=names))

    assert [(gap.missing, gap.reason) for gap in got.gaps] == [(EVIDENCE, GapReason.NO_DATA)]
    assert reports(world) == 0


BROKEN = (
    *(FaultKind.THROTTLE, FaultKind.INTERNAL_ERROR, FaultKind.UNAVAILABLE, FaultKind.EXPIRED_TOKEN),
    *(FaultKind.CLOCK_SKEW, FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.GARBAGE, FaultKind.HTML),
)


@pytest.mark.parametrize("kind", BROKEN, ids=str)
def test_a_report_that_fails_is_a_gap_and_comes_with_a_later_look(
    world: World, insights: Insights, connection: Connection, clock: FakeClock, kind: FaultKind
) -> None:
    table = switched_on(world)
    contribute(world, "PKC", {"ann@example.com": minutes(9)})
    world.faults.add(Fault(kind=kind, operation="GetInsightRuleReport"))
    broken = look(insights, clock, table)
    world.faults.clear()
    connection.begin_cycle()
    clock.advance(900)
    mended = look(insights, clock, table)

    assert ([gap.missing for gap in broken.gaps], broken.series) == ([EVIDENCE], ())
    assert mended.one(EVIDENCE, statistic=Statistic.MAXIMUM).values.tolist() == [9]
