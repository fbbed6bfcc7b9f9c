"""What one call tells of all tables of a region: Contributor Insights, backups, exports."""

from dataclasses import replace
from typing import Any

import pytest

from collector.aws.settings.exports import DESCRIBED_A_LOOK
from collector.aws.source import AwsSource
from collector.aws.wire.listing import DENIED_AGAIN_S, EVERY_S
from stillfit.clock import FakeClock
from stillfit.model import Value
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, Fault, FaultKind, World
from tests.collector.aws.kit import (
    BY_STATUS,
    NOON,
    ORDERS,
    REGION,
    Brought,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
    put_table,
)

HERE = (DEFAULT_ACCOUNT, REGION)
CARTS = replace(ORDERS, table="carts")
ALL_KEYS = "ACCESSED_AND_THROTTLED_KEYS"


def backup(world: World, age_s: int, table: str = "orders", **more: Any) -> None:
    world.backups.put_backup(*HERE, {"TableName": table, "BackupCreationDateTime": NOON - age_s, **more})


def export(world: World, age_s: int, table: str = "orders", **more: Any) -> None:
    world.backups.put_export(*HERE, table, {"ExportTime": NOON - age_s, **more})


def settings(got: Brought, *names: str) -> dict[str, Value]:
    return {name: value for name, value in got.settings().items() if name in names}


def unread(got: Brought, source: AwsSource) -> dict[str, str]:
    """What the inventory misses of the whole region, and why."""
    return {gap.missing: gap.reason.value for gap in got.listed.gaps if gap.subject == source.scope}


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ({"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}, "THROTTLED_KEYS"),
        ({"ContributorInsightsStatus": "ENABLED"}, ALL_KEYS),
        ({"ContributorInsightsStatus": "ENABLING"}, ALL_KEYS),
        ({"ContributorInsightsStatus": "DISABLING"}, ""),
        ({"ContributorInsightsStatus": "DISABLED"}, ""),
        ({"ContributorInsightsStatus": "FAILED"}, "FAILED"),
    ],
    ids=str,
)
def test_contributor_insights_have_a_mode_and_a_state(
    world: World, source: AwsSource, clock: FakeClock, said: dict[str, str], mode: str
) -> None:
    world.dynamodb.put_table(*HERE, provisioned(), Extras(contributor_insights={"by-status": said}))
    got = cycle(source, clock)
    index, table = got.settings(BY_STATUS), got.settings()

    told = (index["contributor_insights"], index["contributor_insights_status"])
    assert told == (mode, said["ContributorInsightsStatus"])
    assert (table["contributor_insights"], table["contributor_insights_status"]) == ("", "DISABLED")


def test_backups_are_counted_by_table_with_the_newest(world: World, source: AwsSource, clock: FakeClock) -> None:
    backup(world, 7_200, BackupSizeBytes=10)
    backup(world, 3_600, BackupSizeBytes=20, BackupType="SYSTEM")
    backup(world, 60, BackupStatus="DELETED", BackupSizeBytes=40)
    backup(world, 60, "carts")

    assert settings(cycle(source, clock), "backups", "backups_bytes", "newest_backup") == {
        "backups": 2.0,
        "backups_bytes": 30.0,
        "newest_backup": "2026-11-02T11:00:00+00:00",
    }


def test_backups_and_exports_of_a_former_table_of_that_name_are_not_its_own(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    other = "11111111-1111-1111-1111-111111111111"
    backup(world, 60, TableId=other)
    export(world, 60, TableId=other, BilledSizeBytes=9)
    export(world, 90, BilledSizeBytes=1)

    assert settings(cycle(source, clock), "backups", "exports", "exports_billed_bytes") == {
        "backups": 0.0,
        "exports": 1.0,
        "exports_billed_bytes": 1.0,
    }


def test_a_finished_export_is_described_once(world: World, source: AwsSource, clock: FakeClock) -> None:
    export(world, 60, BilledSizeBytes=5_000)
    export(world, 30, ExportStatus="FAILED")
    first = cycle(source, clock)
    clock.advance(EVERY_S)
    cycle(source, clock)

    assert settings(first, "exports", "exports_billed_bytes", "newest_export") == {
        "exports": 1.0,
        "exports_billed_bytes": 5_000.0,
        "newest_export": "2026-11-02T11:59:00+00:00",
    }
    assert (world.bill.calls["dynamodb:DescribeExport"], world.bill.calls["dynamodb:ListExports"]) == (1, 2)


def test_exports_of_tables_that_are_left_out_are_not_described(
    world: World, opened: OpenSource, clock: FakeClock
) -> None:
    put_table(world, on_demand())
    export(world, 60, "carts")
    cycle(opened(exclude=("carts",)), clock)

    assert world.bill.calls["dynamodb:DescribeExport"] == 0


def test_many_exports_are_described_over_several_looks(world: World, source: AwsSource, clock: FakeClock) -> None:
    for number in range(DESCRIBED_A_LOOK + 1):
        export(world, number, BilledSizeBytes=1)
    first, second = cycle(source, clock), cycle(source, clock)

    assert settings(first, "exports", "exports_billed_bytes") == {"exports": DESCRIBED_A_LOOK + 1.0}
    assert unread(first, source) == {"newest_export": "partial", "exports_billed_bytes": "partial"}
    assert settings(second, "exports_billed_bytes") == {"exports_billed_bytes": DESCRIBED_A_LOOK + 1.0}
    assert unread(second, source) == {}


@pytest.mark.parametrize(
    "lost",
    [
        ("ListContributorInsights", {"contributor_insights", "contributor_insights_status"}),
        ("ListBackups", {"backups", "newest_backup", "backups_bytes"}),
        ("ListExports", {"exports", "newest_export", "exports_billed_bytes"}),
        ("DescribeExport", {"newest_export", "exports_billed_bytes"}),
    ],
)
@pytest.mark.parametrize("kind", [FaultKind.ACCESS_DENIED, FaultKind.THROTTLE, FaultKind.GARBAGE, FaultKind.HTML])
def test_what_one_call_would_tell_is_missed_once_for_all_tables(
    lost: tuple[str, set[str]], kind: FaultKind, world: World, source: AwsSource, clock: FakeClock
) -> None:
    operation, blind = lost
    put_table(world, on_demand())
    export(world, 60)
    world.faults.add(Fault(kind=kind, operation=operation))
    got = cycle(source, clock)

    assert set(unread(got, source)) == blind
    assert not blind & got.settings().keys()
    assert got.settings()["ttl_status"] == "DISABLED"


def test_what_was_refused_is_tried_again_after_a_while(world: World, source: AwsSource, clock: FakeClock) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListBackups", count=1))
    first = cycle(source, clock)
    clock.advance(DENIED_AGAIN_S - 1)
    second = cycle(source, clock)
    clock.advance(1)
    third = cycle(source, clock)

    assert [one.settings().get("backups") for one in (first, second, third)] == [None, None, 0.0]
    assert [unread(one, source).get("backups") for one in (first, second, third)] == ["denied", "denied", None]


def test_a_list_too_long_for_one_look_is_told_as_partial_until_it_is_whole(
    world: World, source: AwsSource, clock: FakeClock
) -> None:
    for number in range(5_001):  # fifty pages of a hundred a look
        backup(world, number)
    first, second = cycle(source, clock), cycle(source, clock)

    assert ("backups" in first.settings(), unread(first, source)["backups"]) == (False, "partial")
    assert (second.settings()["backups"], unread(second, source)) == (5_001.0, {})


def test_an_empty_page_of_a_list_is_not_its_end(world: World, source: AwsSource, clock: FakeClock) -> None:
    backup(world, 60)
    world.faults.add(Fault(kind=FaultKind.EMPTY_PAGE, operation="ListBackups", count=1))

    assert cycle(source, clock).settings()["backups"] == 1.0


def test_a_list_that_goes_in_circles_is_garbled(world: World, source: AwsSource, clock: FakeClock) -> None:
    for number in range(201):
        backup(world, number)
    world.faults.add(Fault(kind=FaultKind.REPEATED_TOKEN, operation="ListBackups"))

    assert unread(cycle(source, clock), source)["backups"] == "garbled"
