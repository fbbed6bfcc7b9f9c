from typing import Any
from uuid import UUID

import pytest

from collector.cassandra import system_tables
from collector.cassandra.system_tables import SETTINGS, Local
from collector.cassandra.virtual_tables import Sample
from stillfit.attributes import ATTRIBUTES
from stillfit.model import Statistic

VERSION = UUID("7ad54392-bcdd-35a6-8417-4e047860b377")


def test_a_node_says_its_release_its_start_and_its_schema() -> None:
    row = {"release_version": "5.0.9", "gossip_generation": 1_795_259_014, "schema_version": VERSION}

    assert system_tables.local(row) == Local(release="5.0.9", generation=1_795_259_014, schema_version=str(VERSION))


def test_columns_are_grouped_by_table() -> None:
    rows = [{"table_name": "a", "column_name": "x"}, {"table_name": "b", "column_name": "x"}]

    assert system_tables.columns_by_table(rows) == {"a": frozenset({"x"}), "b": frozenset({"x"})}


def test_every_setting_is_a_canonical_attribute() -> None:
    assert {attribute for attribute, _ in SETTINGS.values()} <= set(ATTRIBUTES)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tombstone_warn_threshold", "1000", {"tombstone_warn_threshold": 1000.0}),
        ("max_hint_window_in_ms", "10800000", {"max_hint_window_s": 10_800.0}),
        ("tombstone_warn_threshold", "-1", {}),
        ("tombstone_warn_threshold", None, {}),
    ],
)
def test_a_setting_is_a_number_in_our_unit_or_nothing(name: str, value: str | None, said: dict[str, float]) -> None:
    assert system_tables.setting(name, [{"value": value}]) == said


def test_a_setting_that_a_release_lacks_is_nothing() -> None:
    assert system_tables.setting("tombstone_warn_threshold", []) == {}


def test_only_the_count_of_the_top_partition_leaves_never_its_key() -> None:
    rows: list[dict[str, Any]] = [
        {"keyspace_name": "shop", "table_name": "jobs", "top_type": "TOMBSTONES", "top": [("alice", 9), ("bob", 70)]},
        {"keyspace_name": "shop", "table_name": "jobs", "top_type": "SIZES", "top": [("alice", 10**9)]},
        {"keyspace_name": "shop", "table_name": "idle", "top_type": "TOMBSTONES", "top": None},
    ]

    assert system_tables.top_partitions(rows) == [
        Sample(keyspace="shop", table="jobs", metric="top_partition_tombstones", statistic=Statistic.LAST, value=70.0)
    ]
