"""Record which tables and columns a real Cassandra server has, for the CQL stand-in.

Usage: python -m tests.standins.cql.record_catalogue ADDRESS > stillfit/standins/cql/catalogue/VERSION.json
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import WhiteListRoundRobinPolicy
from cassandra.query import dict_factory

STORED = {  # table: None for the whole keyspace
    "system": {
        "local",
        "peers",
        "peers_v2",
        "compaction_history",
        "size_estimates",
        "table_estimates",
        "prepared_statements",
        "top_partitions",
    },
    "system_schema": None,
    "system_distributed": {"repair_history", "parent_repair_history"},
}


def record(session: Session) -> dict[str, Any]:
    local = session.execute("SELECT release_version, cql_version, native_protocol_version FROM system.local").one()
    stored = session.execute("SELECT * FROM system_schema.columns")
    virtual = session.execute("SELECT * FROM system_virtual_schema.columns")
    return {
        **local,
        "stored": tables(row for row in stored if is_wanted(row)),
        "virtual": tables(virtual),
    }


def is_wanted(row: Mapping[str, Any]) -> bool:
    if row["keyspace_name"] not in STORED:
        return False
    wanted = STORED[row["keyspace_name"]]
    return wanted is None or row["table_name"] in wanted


def tables(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """{keyspace.table: {column: "kind position type"}}, keys first, as `SELECT *` gives them."""
    columns: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        columns[f"{row['keyspace_name']}.{row['table_name']}"].append(row)
    return {
        table: {
            row["column_name"]: f"{row['kind']} {row['position']} {row['type']}" for row in sorted(found, key=order)
        }
        for table, found in sorted(columns.items())
    }


def order(row: Mapping[str, Any]) -> tuple[int, int, str]:
    kinds = ("partition_key", "clustering", "static", "regular")
    return kinds.index(row["kind"]), row["position"], row["column_name"]


def record_from(address: str, port: int = 9042) -> dict[str, Any]:
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([address]), row_factory=dict_factory)
    with Cluster(
        [address], port=port, protocol_version=4, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
    ) as cluster:
        return record(cluster.connect())


def main(address: str) -> None:
    json.dump(record_from(address), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
