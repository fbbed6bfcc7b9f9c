"""Cassandra itself answers as the collectors expect it to."""

import pytest

from tests.servers.cassandra import CassandraServer
from tests.servers.cassandra_files import VERSION
from tests.servers.fixtures import MakeCassandra
from tests.servers.process import ServerError

INSERT = "INSERT INTO {}.queue (shard, id) VALUES (0, %s)"
DELETE = "DELETE FROM {}.queue WHERE shard = 0 AND id = %s"


def test_the_server_says_which_release_it_is(cassandra: CassandraServer) -> None:
    with cassandra.session() as session:
        row = session.execute("SELECT release_version FROM system.local").one()

    assert row.release_version == VERSION


def test_tombstones_read_are_seen_in_the_virtual_table(cassandra: CassandraServer, keyspace: str) -> None:
    with cassandra.session() as session:
        session.execute(f"CREATE TABLE {keyspace}.queue (shard int, id int, PRIMARY KEY (shard, id))")
        for number in range(100):
            session.execute(INSERT.format(keyspace), [number])
            session.execute(DELETE.format(keyspace), [number])
        session.execute(f"SELECT * FROM {keyspace}.queue WHERE shard = 0")
        rows = session.execute("SELECT * FROM system_views.tombstones_per_read").all()

    (queue,) = [row for row in rows if row.keyspace_name == keyspace]
    assert queue.count == 1
    assert 100 <= queue.max <= 124  # a bucket bound: buckets of the histogram grow by a fifth


def test_a_flush_by_nodetool_leaves_an_sstable(cassandra: CassandraServer, keyspace: str) -> None:
    with cassandra.session() as session:
        session.execute(f"CREATE TABLE {keyspace}.orders (id int PRIMARY KEY)")
        session.execute(f"INSERT INTO {keyspace}.orders (id) VALUES (1)")

    cassandra.flush(keyspace)

    assert "SSTable count: 1" in cassandra.nodetool("tablestats", f"{keyspace}.orders")


def test_a_command_that_nodetool_refuses_is_an_error_with_its_words(cassandra: CassandraServer) -> None:
    with pytest.raises(ServerError, match=r"nodetool flush no_such ended with 1: .*no_such"):
        cassandra.nodetool("flush", "no_such")


def test_three_nodes_form_one_cluster_and_each_speaks_for_itself(make_cassandra: MakeCassandra) -> None:
    server = make_cassandra(nodes=3, settings={"tombstone_warn_threshold": 100})

    assert server.nodetool("status").count("UN  127.0.0.") == 3
    for index, address in enumerate(server.contact_points):
        with server.session(node=index) as session:
            assert session.execute("SELECT rpc_address FROM system.local").one().rpc_address == address
            setting = "SELECT value FROM system_views.settings WHERE name = 'tombstone_warn_threshold'"
            assert session.execute(setting).one().value == "100"
