from typing import Any

import pytest

from collector.cassandra.schema import ClusterSchema, cluster_schema, is_collection
from stillfit.attributes import ATTRIBUTES

SIMPLE = "org.apache.cassandra.locator.SimpleStrategy"
NETWORK = "org.apache.cassandra.locator.NetworkTopologyStrategy"
TWCS = "org.apache.cassandra.db.compaction.TimeWindowCompactionStrategy"
STCS = "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"


def table(**options: Any) -> dict[str, Any]:
    defaults = {
        "keyspace_name": "shop",
        "table_name": "jobs",
        "bloom_filter_fp_chance": 0.01,
        "compaction": {"class": STCS},
        "default_time_to_live": 0,
        "gc_grace_seconds": 864_000,
    }
    return defaults | options


def column(name: str, type_text: str, kind: str = "regular", position: int = -1) -> dict[str, Any]:
    key = {"keyspace_name": "shop", "table_name": "jobs"}
    return key | {"column_name": name, "type": type_text, "kind": kind, "position": position}


COLUMNS = (
    column("state", "text"),
    column("id", "int", "clustering", 1),
    column("at", "timeuuid", "clustering", 0),
    column("queue", "text", "partition_key", 0),
    column("labels", "set<text>"),
    column("owner", "text", "static"),
)


def settings(row: dict[str, Any], *columns: dict[str, Any]) -> dict[str, Any]:
    found = cluster_schema("v1", [], [row], columns or COLUMNS).tables
    return dict(found["shop", "jobs"].settings)


def test_a_table_says_how_it_compacts_keeps_and_is_keyed() -> None:
    assert settings(table(gc_grace_seconds=3600, default_time_to_live=60)) == {
        "compaction": "SizeTieredCompactionStrategy",
        "only_purge_repaired": False,
        "unchecked_tombstone_compaction": False,
        "unsafe_aggressive_expiration": False,
        "gc_grace_s": 3600.0,
        "default_ttl_s": 60.0,
        "bloom_filter_fp_chance": 0.01,
        "clustering_columns": ("at", "id"),
        "clustering_types": ("timeuuid", "int"),
        "regular_columns": 2.0,
        "collections": ("labels",),
    }


def test_every_setting_is_a_canonical_attribute_of_its_type() -> None:
    found = settings(table(compaction={"class": TWCS}))

    assert {name for name, value in found.items() if not ATTRIBUTES[name].accepts(value)} == set()


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, 86_400.0),
        ({"compaction_window_unit": "HOURS", "compaction_window_size": "6"}, 21_600.0),
        ({"compaction_window_unit": "minutes", "compaction_window_size": "30"}, 1800.0),
        ({"compaction_window_size": "2"}, 172_800.0),
    ],
)
def test_a_time_window_is_seconds(options: dict[str, str], seconds: float) -> None:
    assert settings(table(compaction={"class": TWCS} | options))["compaction_window_s"] == seconds


def test_sub_options_of_compaction_are_read() -> None:
    options = {"class": TWCS, "unchecked_tombstone_compaction": "true", "unsafe_aggressive_sstable_expiration": "true"}
    found = settings(table(compaction=options))

    assert (found["unchecked_tombstone_compaction"], found["unsafe_aggressive_expiration"]) == (True, True)


def test_a_materialized_view_is_a_table_too() -> None:
    row = table(view_name="by_state")
    del row["table_name"]

    assert list(cluster_schema("v1", [], [row], ()).tables) == [("shop", "by_state")]


@pytest.mark.parametrize(
    ("type_text", "several_cells"),
    [
        ("text", False),
        ("set<text>", True),
        ("list<frozen<list<int>>>", True),
        ("map<text, int>", True),
        ("frozen<set<text>>", False),
        ("tuple<int, text>", False),
        ("vector<float, 3>", False),
        ("address", True),
        ("frozen<address>", False),
        ("'org.example.Custom'", False),
        ("duration", False),
    ],
)
def test_what_is_several_cells_counts_as_a_collection(type_text: str, several_cells: bool) -> None:
    assert is_collection(type_text) is several_cells


def replicated(**replication: str) -> ClusterSchema:
    return cluster_schema("v1", [{"keyspace_name": "shop", "replication": replication}], [], [])


@pytest.mark.parametrize(
    ("replication", "copies"),
    [
        ({"class": SIMPLE, "replication_factor": "2"}, 2),
        ({"class": NETWORK, "dc1": "3", "dc2": "1"}, 3),
        ({"class": NETWORK, "dc1": "3/1"}, 3),
        ({"class": NETWORK, "dc2": "3"}, 0),
        ({"class": "org.apache.cassandra.locator.LocalStrategy"}, 0),
    ],
)
def test_replicas_are_those_of_the_datacenter(replication: dict[str, str], copies: int) -> None:
    assert replicated(**replication).replicas("shop", "dc1") == copies


def test_an_unknown_keyspace_has_no_replicas() -> None:
    assert replicated().replicas("elsewhere", "dc1") == 0
