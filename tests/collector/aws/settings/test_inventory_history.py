"""What changes between two looks at the inventory, as the store keeps it: dated, once, and never for a failed call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.aws.source import AwsSource
from collector.aws.wire.listing import EVERY_S
from stillfit.clock import FakeClock
from stillfit.model import Span, Subject, Value
from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, Fault, FaultKind, World
from stillfit.standins.aws.calls import Call, RefusedError
from stillfit.store.store import Store
from tests.collector.aws.kit import (
    BY_STATUS,
    NOON,
    ORDERS,
    REGION,
    OpenSource,
    cycle,
    on_demand,
    provisioned,
    put_table,
)

Change = tuple[Subject, str, Value | None, Value | None]


class Watch:
    """A source whose cycles are stored."""

    def __init__(self, source: AwsSource, store: Store, clock: FakeClock) -> None:
        self._source, self._clock = source, clock
        self.store = store

    def look(self) -> None:
        """An hour passes, then one cycle is read and stored."""
        self._clock.advance(EVERY_S)
        for batch in cycle(self._source, self._clock).batches:
            self.store.write(batch)

    @property
    def changes(self) -> list[Change]:
        span = Span(NOON - 86_400, NOON + 10 * 86_400)
        return [(one.subject, one.name, one.before, one.after) for one in self.store.changes(span)]


@pytest.fixture
def watch(source: AwsSource, tmp_path: Path, clock: FakeClock) -> Iterator[Watch]:
    store = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=64 * 1024)
    yield Watch(source, store, clock)
    store.close()


def put(world: World, extras: Extras, **more: Any) -> None:
    world.dynamodb.put_table(DEFAULT_ACCOUNT, REGION, provisioned(**more), extras)


def test_a_second_look_at_the_same_changes_nothing(world: World, watch: Watch) -> None:
    watch.look()
    watch.look()

    assert watch.changes == []


def test_a_tag_that_is_set_is_a_change(world: World, watch: Watch) -> None:
    watch.look()
    put(world, Extras(tags={"team": "shop"}))
    watch.look()

    assert watch.changes == [(ORDERS, "tags", (), ("team=shop",))]


def test_an_added_and_a_removed_index_are_changes(world: World, watch: Watch) -> None:
    (index,) = provisioned()["GlobalSecondaryIndexes"]
    put_table(world, provisioned(GlobalSecondaryIndexes=[]))
    watch.look()
    put_table(world, provisioned(GlobalSecondaryIndexes=[index]))
    watch.look()
    put_table(world, provisioned(GlobalSecondaryIndexes=[]))
    watch.look()

    assert watch.changes == [(BY_STATUS, "exists", False, True), (BY_STATUS, "exists", True, False)]


@pytest.mark.parametrize(
    ("more", "change"),
    [
        (
            {"TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}},
            ("table_class", "STANDARD", "STANDARD_INFREQUENT_ACCESS"),
        ),
        ({"DeletionProtectionEnabled": True}, ("deletion_protection", False, True)),
        ({"TableStatus": "UPDATING"}, ("status", "ACTIVE", "UPDATING")),
        ({"MultiRegionConsistency": "STRONG"}, ("multi_region_consistency", None, "STRONG")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_setting_that_differs_is_a_change(
    world: World, watch: Watch, more: dict[str, Any], change: tuple[str, Value | None, Value | None]
) -> None:
    watch.look()
    put_table(world, provisioned(**more))
    watch.look()

    assert watch.changes == [(ORDERS, *change)]


DETAILS = (
    *("DescribeTimeToLive", "DescribeContinuousBackups", "DescribeKinesisStreamingDestination"),
    *("ListContributorInsights", "ListBackups", "ListExports", "DescribeExport", "GetResources", "ListTagsOfResource"),
    *("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"),
)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.ACCESS_DENIED, FaultKind.GARBAGE])
@pytest.mark.parametrize("operation", DETAILS)
def test_a_call_that_fails_and_works_again_changes_nothing(
    world: World, watch: Watch, operation: str, kind: FaultKind
) -> None:
    put(world, Extras(tags={"team": "shop"}, time_to_live={"TimeToLiveStatus": "ENABLED", "AttributeName": "at"}))
    world.backups.put_export(DEFAULT_ACCOUNT, REGION, "orders", {"ExportTime": NOON})
    world.backups.put_backup(DEFAULT_ACCOUNT, REGION, {"TableName": "orders", "BackupCreationDateTime": NOON})
    world.faults.add(Fault(kind=kind, operation=operation, until=NOON + EVERY_S + 60))
    watch.look()
    watch.look()
    world.faults.add(Fault(kind=kind, operation=operation))
    watch.look()

    assert watch.changes == []


def test_a_table_that_goes_and_comes_back_is_gone_and_there_again(world: World, watch: Watch) -> None:
    put_table(world, on_demand())
    watch.look()
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    watch.look()
    assert watch.changes == []

    watch.look()
    assert watch.changes == [(ORDERS, "exists", True, False), (BY_STATUS, "exists", True, False)]


def deny(world: World, table: str) -> None:
    """Nobody may describe this table."""

    def refuse(call: Call) -> None:
        if (call.operation, call.parameters.get("TableName")) == ("DescribeTable", table):
            raise RefusedError(
                "AccessDeniedException", f"User is not authorized to perform dynamodb:DescribeTable: {table}"
            )

    world.before_call.append(refuse)


def test_a_table_that_is_denied_keeps_no_deleted_one_alive(world: World, watch: Watch) -> None:
    deny(world, "carts")
    put_table(world, on_demand())
    watch.look()
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    watch.look()
    assert ORDERS in watch.store.subjects()

    watch.look()
    assert watch.changes == [(ORDERS, "exists", True, False), (BY_STATUS, "exists", True, False)]


@pytest.mark.parametrize("others", [(), ("carts",)], ids=["alone", "beside one that may be described"])
def test_a_table_that_is_denied_after_a_start_is_not_gone_nor_are_its_indexes(
    world: World, watch: Watch, opened: OpenSource, clock: FakeClock, others: tuple[str, ...]
) -> None:
    watch.look()
    deny(world, "orders")
    for name in others:
        put_table(world, on_demand(name))
    restarted = Watch(opened(), watch.store, clock)
    restarted.look()
    restarted.look()

    assert watch.changes == []
    assert {ORDERS, BY_STATUS} <= set(watch.store.subjects())


def test_one_empty_list_ends_nothing(world: World, watch: Watch) -> None:
    watch.look()
    world.dynamodb.delete_table(DEFAULT_ACCOUNT, REGION, "orders")
    watch.look()

    assert ORDERS in watch.store.subjects()


def test_sizes_of_indexes_without_metrics_of_their_own_are_history(world: World, watch: Watch) -> None:
    keys = [{"AttributeName": "at", "KeyType": "HASH"}]
    local = {"IndexName": "by-day", "KeySchema": keys, "IndexSizeBytes": 300, "ItemCount": 3}
    put_table(world, provisioned(LocalSecondaryIndexes=[local], VectorIndexes=[{"IndexName": "alike", "ItemCount": 7}]))
    watch.look()
    told = watch.store.series(Span(NOON, NOON + 3_600), subjects=[ORDERS])

    sizes = {(one.metric, one.dimension): one.values.tolist() for one in told if "_index_" in one.metric}
    assert sizes == {
        ("local_index_bytes", "by-day"): [300.0],
        ("local_index_items", "by-day"): [3.0],
        ("vector_index_items", "alike"): [7.0],
    }
