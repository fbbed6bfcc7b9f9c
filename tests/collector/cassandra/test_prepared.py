import pytest

from collector.cassandra.prepared import Shape, attributes, shapes
from collector.cassandra.schema import TableSchema

JOBS = TableSchema(
    keyspace="shop",
    table="jobs",
    settings={},
    primary_key=frozenset({"queue", "at"}),
    collections=frozenset({"labels"}),
)


def shape(text: str, keyspace: str | None = "shop") -> Shape | None:
    found = shapes([{"query_string": text, "logged_keyspace": keyspace}])
    return next(iter(found), None)


def told(*statements: str) -> dict[str, object]:
    found = shapes({"query_string": text, "logged_keyspace": "shop"} for text in statements)
    return dict(attributes(found, {("shop", "jobs"): JOBS})["shop", "jobs"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSERT INTO jobs (queue, at) VALUES (?, ?)", Shape("shop", "jobs", "INSERT", frozenset({"queue", "at"}))),
        (
            'insert into Other."Jobs" (a,"B") values (?,?) IF NOT EXISTS USING TTL ? AND TIMESTAMP ?',
            Shape("other", "Jobs", "INSERT", frozenset({"a", "B"}), sets_ttl=True),
        ),
        (
            "UPDATE jobs USING TTL 60 SET state = ?, labels = ? WHERE queue = ? AND at = ?",
            Shape("shop", "jobs", "UPDATE", frozenset({"state", "labels"}), sets_ttl=True),
        ),
        (
            "UPDATE jobs SET labels = labels + ?, n = n - 1, state = ? WHERE queue = ?",
            Shape("shop", "jobs", "UPDATE", frozenset({"state"})),
        ),
        ("DELETE FROM jobs WHERE queue = ?", Shape("shop", "jobs", "DELETE", frozenset({"queue"}))),
        (
            "DELETE state FROM jobs WHERE queue = ? AND at IN ?",
            Shape("shop", "jobs", "DELETE", frozenset({"queue", "at"}), deletes_cells=True),
        ),
        ("DELETE FROM jobs WHERE queue = ? AND at < ?", Shape("shop", "jobs", "DELETE", frozenset({"queue"}))),
    ],
)
def test_a_statement_becomes_its_shape(text: str, expected: Shape) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize("text", ["SELECT * FROM jobs", "INSERT INTO jobs JSON ?", "TRUNCATE jobs", "", "?;?"])
def test_what_is_not_understood_or_not_a_write_is_left_out(text: str) -> None:
    assert shape(text) is None


def test_a_batch_is_the_statements_in_it() -> None:
    writes = "INSERT INTO jobs (queue) VALUES (?); DELETE FROM jobs WHERE queue = ?"
    batch = f"BEGIN UNLOGGED BATCH USING TIMESTAMP ? {writes}; APPLY BATCH;"

    assert {one.verb for one in shapes([{"query_string": batch, "logged_keyspace": "shop"}])} == {"INSERT", "DELETE"}


def test_literals_neither_mislead_nor_stay() -> None:
    found = shape("INSERT INTO jobs (queue, state) VALUES ('it''s a ) USING TTL 5 secret', ?)")

    assert found == Shape("shop", "jobs", "INSERT", frozenset({"queue", "state"}))
    assert "secret" not in repr(found)


def test_the_same_statement_on_many_nodes_counts_once() -> None:
    assert (
        told("INSERT INTO jobs (queue) VALUES (?)", "insert into shop.jobs (QUEUE) values (?)")["prepared_inserts"] == 1
    )


def test_a_table_is_told_by_its_statements() -> None:
    assert told(
        "INSERT INTO jobs (queue, at, state, labels) VALUES (?, ?, ?, ?) USING TTL ?",
        "INSERT INTO jobs (queue, at) VALUES (?, ?)",
        "UPDATE jobs SET labels = ? WHERE queue = ? AND at = ?",
        "DELETE FROM jobs WHERE queue = ? AND at = ?",
        "DELETE FROM jobs WHERE queue = ?",
        "DELETE state FROM jobs WHERE queue = ?",
    ) == {
        "prepared_inserts": 2.0,
        "prepared_insert_columns": 4.0,
        "prepared_deletes": 3.0,
        "prepared_deletes_partition": 1.0,
        "prepared_ttl": 1.0,
        "prepared_collection_overwrites": 2.0,
    }


def test_a_table_without_statements_says_zero() -> None:
    assert set(told().values()) == {0.0}
