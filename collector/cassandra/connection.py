"""cassandra-driver, set up for watching: one session, one small pool to each node, every query pinned to a node.

- Virtual tables describe the node that answers, so an unpinned query would rotate over nodes and mean nothing.
- Protocol version 4 is spoken by every release from 2.2 to 5.0: no negotiation, no step down in mid-flight.
- LOCAL_ONE, no retries, no speculation: a sick node is asked once and left alone.
- The driver's own schema and token metadata are off: system_schema is read when its version changes, by us.
"""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cassandra import ConsistencyLevel, DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import ExponentialReconnectionPolicy, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import SimpleStatement, dict_factory

from collector.cassandra.failures import DRIVER_ERRORS, QueryError, meaning
from stillfit.config import Cassandra
from stillfit.errors import SourceError
from stillfit.model import GapReason

PROTOCOL_VERSION = 4
CONNECT_TIMEOUT_S = 5.0
RECONNECT_FIRST_S, RECONNECT_MOST_S = 1.0, 60.0  # exponential with jitter: no storm after an outage
PAGE_ROWS = 5_000  # the driver's own default; a node with more tables is read in pages

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One node of the cluster, as the driver knows it. `name` is its address, with the port where addresses repeat."""

    name: str
    datacenter: str
    rack: str
    host: Any = None
    """The driver's handle."""


class Cql(Protocol):
    """What the collector needs of a connection."""

    def peers(self) -> tuple[Peer, ...]:
        """Every node, those that are down included."""
        ...

    def query(self, peer: Peer, statement: str, timeout_s: float) -> Sequence[Row]:
        """All rows, answered by this node and no other. Raises QueryError."""
        ...

    def close(self) -> None: ...


class Connection:
    """A live session."""

    def __init__(self, cluster: Cluster, session: Session) -> None:
        self._cluster = cluster
        self._session = session

    def peers(self) -> tuple[Peer, ...]:
        hosts = self._cluster.metadata.all_hosts()
        repeated = Counter(host.endpoint.address for host in hosts)
        peers = (_peer(host, with_port=repeated[host.endpoint.address] > 1) for host in hosts)
        return tuple(sorted(peers, key=lambda peer: peer.name))

    def query(self, peer: Peer, statement: str, timeout_s: float) -> Sequence[Row]:
        asked = SimpleStatement(statement, fetch_size=PAGE_ROWS)
        try:
            return list(self._session.execute(asked, host=peer.host, timeout=timeout_s))
        except DRIVER_ERRORS as error:
            raise meaning(error) from error

    def close(self) -> None:
        self._cluster.shutdown()


def _peer(host: Any, *, with_port: bool) -> Peer:
    address, port = host.endpoint.address, host.endpoint.port
    name = f"{address}:{port}" if with_port else str(address)
    return Peer(name=name, datacenter=host.datacenter or "", rack=host.rack or "", host=host)


def connect(settings: Cassandra, *, timeout_s: float = CONNECT_TIMEOUT_S) -> Connection:
    """Connect through the contact points and wait for a pool to each node that is up. Raises SourceError."""
    try:
        cluster = _cluster(settings, timeout_s)
    except (OSError, DriverException) as error:
        raise _not_set_up(settings, error) from error
    try:
        session = cluster.connect(wait_for_all_pools=True)  # a pinned query needs the pool of its node
    except DRIVER_ERRORS as error:
        cluster.shutdown()
        raise _unreachable(settings, meaning(error)) from error
    return Connection(cluster, session)


def _cluster(settings: Cassandra, timeout_s: float) -> Cluster:
    profile = ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),  # every node counts as near, so that each gets a pool
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=ConsistencyLevel.LOCAL_ONE,
        row_factory=dict_factory,
    )
    return Cluster(
        [_contact_point(text, settings.port) for text in settings.contact_points],
        port=settings.port,
        protocol_version=PROTOCOL_VERSION,
        auth_provider=_auth_provider(settings),
        ssl_context=_ssl_context(settings.tls_ca_file),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ExponentialReconnectionPolicy(RECONNECT_FIRST_S, RECONNECT_MOST_S, max_attempts=None),
        connect_timeout=timeout_s,
        control_connection_timeout=timeout_s,
        schema_metadata_enabled=False,
        token_metadata_enabled=False,
        monitor_reporting_enabled=False,
        application_name="stillfit",
    )


def _contact_point(text: str, port: int) -> tuple[str, int]:
    """`address`, `address:port` or `[v6]:port`."""
    address, colon, given = text.rpartition(":")
    if colon and given.isdigit() and (":" not in address or address.startswith("[")):
        return address.strip("[]"), int(given)
    return text.strip("[]"), port


def _auth_provider(settings: Cassandra) -> PlainTextAuthProvider | None:
    if settings.username is None:
        return None
    return PlainTextAuthProvider(settings.username, _password(settings))


def _password(settings: Cassandra) -> str:
    if settings.password is not None:
        return settings.password.get_secret_value()
    return settings.password_file.read_text().strip() if settings.password_file else ""


def _ssl_context(authority: Path | None) -> ssl.SSLContext | None:
    """Nodes are verified by their authority, not by name: they are contacted by address."""
    if authority is None:
        return None
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False
    return context


def _not_set_up(settings: Cassandra, error: Exception) -> SourceError:
    """A file that cannot be read, or a contact point without an address."""
    return SourceError(
        f'cassandra: cluster "{settings.cluster}" cannot be connected to: {type(error).__name__} {error}; '
        f"check contact_points ({', '.join(settings.contact_points)}), password_file and tls_ca_file",
        reason=GapReason.NOT_CONFIGURED,
        retryable=True,
    )


def _unreachable(settings: Cassandra, failure: QueryError) -> SourceError:
    points = ", ".join(settings.contact_points)
    return SourceError(
        f'cassandra: no contact point of cluster "{settings.cluster}" ({points}) could be used: it {failure}',
        reason=failure.reason,
        retryable=True,
    )
