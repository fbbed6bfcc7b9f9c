import pytest

from stillfit.standins.cql.catalogue import release


@pytest.mark.parametrize(
    ("family", "version", "virtual"), [("4.0", "4.0.19", 21), ("4.1", "4.1.10", 37), ("5.0", "5.0.9", 46)]
)
def test_each_release_has_the_virtual_tables_it_was_recorded_with(family: str, version: str, virtual: int) -> None:
    recorded = release(family)

    assert recorded.release_version == version
    assert sum(table.virtual for table in recorded.tables.values()) == virtual


@pytest.mark.parametrize(
    ("table", "families"),
    [
        ("system_views.tombstones_per_read", {"4.0", "4.1", "5.0"}),
        ("system_views.pending_hints", {"4.1", "5.0"}),
        ("system.top_partitions", {"4.1", "5.0"}),
        ("system_views.max_sstable_size", {"5.0"}),
    ],
)
def test_a_table_is_there_from_the_release_that_brought_it(table: str, families: set[str]) -> None:
    assert {family for family in ("4.0", "4.1", "5.0") if table in release(family).tables} == families


def test_columns_come_in_the_order_of_select_star() -> None:
    table = release("5.0").tables["system_views.tombstones_per_read"]

    assert [column.name for column in table.columns] == [
        "keyspace_name",
        "table_name",
        "count",
        "max",
        "p50th",
        "p99th",
    ]
    assert table.partition_key == ("keyspace_name", "table_name")


def test_an_unknown_release_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"known are 4\.0, 4\.1, 5\.0"):
        release("3.11")
