"""The client of these tests: cassandra-driver, which shares no code with the stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import ConstantReconnectionPolicy, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import dict_factory

from stillfit.standins.cql import Column, CqlStandin, Keyspace, Table


@contextmanager
def session(standin: CqlStandin, **options: Any) -> Iterator[Session]:
    """A session with a pool to every node and no retries; a slow machine is given time."""
    profile = ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),
        retry_policy=FallthroughRetryPolicy(),
        request_timeout=60.0,
        row_factory=dict_factory,
    )
    settings = {
        "protocol_version": 4,
        "execution_profiles": {EXEC_PROFILE_DEFAULT: profile},
        "reconnection_policy": ConstantReconnectionPolicy(0.05, None),
        "connect_timeout": 60.0,
        "control_connection_timeout": 60.0,
    } | options
    with Cluster(standin.contact_points, **settings) as cluster:
        yield cluster.connect(wait_for_all_pools=True)


def ask(session: Session, query: str, port: int | None = None) -> list[dict[str, Any]]:
    """The rows of one query, from the node on this port or from any."""
    hosts = session.cluster.metadata.all_hosts()
    host = next((host for host in hosts if host.endpoint.port == port), None) if port else None
    return list(session.execute(query, host=host))


JOBS = Table(
    name="jobs",
    columns=(
        Column(name="queue", type="text", kind="partition_key", position=0),
        Column(name="at", type="timeuuid", kind="clustering", position=0, clustering_order="desc"),
        Column(name="labels", type="set<text>"),
    ),
    options={"gc_grace_seconds": 3600},
)
SHOP = Keyspace(
    name="shop",
    replication={"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "3"},
    tables=(JOBS,),
)
