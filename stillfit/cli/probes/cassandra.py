"""One cluster: reached, signed in, each node asked, and each grant by one real query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from collector.cassandra.connection import Connection, Peer, connect
from collector.cassandra.failures import QueryError
from collector.cassandra.system_tables import LOCAL, PREPARED_STATEMENTS, TOP_PARTITIONS
from collector.cassandra.virtual_tables import VIEWS
from stillfit.cli.probes.probe import Probe, Result, failed, ok, warning
from stillfit.config import Cassandra, Config
from stillfit.errors import SourceError
from stillfit.model import GapReason

CONNECT_S, QUERY_S = 4.0, 3.0
GRANTS_FILE = "deploy/cassandra/grants.cql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Something to read, and what goes blind without it."""

    name: str
    statement: str
    blind: str
    essential: bool = False


GRANTS = (
    Grant(
        name="system_views",
        statement=VIEWS[0].statement,
        blind="tombstones, latencies and loads: nothing of this cluster can be judged (needs Cassandra 4.0)",
        essential=True,
    ),
    Grant(
        name="system.prepared_statements",
        statement=PREPARED_STATEMENTS,
        blind="null inserts, TTL and overwritten collections are told less surely",
    ),
    Grant(
        name="system.top_partitions",
        statement=TOP_PARTITIONS,
        blind="which partition has the most tombstones (Cassandra 4.1 on)",
    ),
)


def probes(config: Config) -> tuple[Probe, ...]:
    return tuple(Probe(area=f"cassandra {one.cluster}", run=_look(one), deadline_s=30.0) for one in config.cassandra)


def _look(settings: Cassandra) -> Callable[[], Iterator[Result]]:
    def look() -> Iterator[Result]:
        try:
            connection = connect(settings, timeout_s=CONNECT_S)
        except SourceError as error:
            yield failed("connect", str(error), "nothing of this cluster can be read until then")
            return
        with closing(connection):
            yield from _cluster(connection, settings)

    return look


def _cluster(connection: Connection, settings: Cassandra) -> Iterator[Result]:
    peers = connection.peers()
    who = f"as {settings.username}" if settings.username else "without signing in"
    yield ok("connect", f"{len(peers)} nodes, {who}, {'TLS' if settings.tls_ca_file else 'no TLS'}")
    answering: list[Peer] = []
    releases: set[str] = set()
    for peer in peers:
        try:
            releases |= {str(row["release_version"]) for row in connection.query(peer, LOCAL, QUERY_S)}
            answering.append(peer)
        except QueryError as error:
            yield warning(f"node {peer.name}", f"it {error}", "blind to this node; the others are watched")
    if not answering:
        yield failed("nodes", "no node answers queries", "see above what each of them says")
        return
    yield ok("nodes", f"{len(answering)} of {len(peers)} answer, release {', '.join(sorted(releases))}")
    for grant in GRANTS:
        yield _tried(connection, answering[0], grant)


def _tried(connection: Connection, peer: Peer, grant: Grant) -> Result:
    try:
        connection.query(peer, grant.statement, QUERY_S)
    except QueryError as error:
        fix = f"blind until then: {grant.blind}"
        if error.reason is GapReason.DENIED:
            return failed(grant.name, f"not granted: apply {GRANTS_FILE}", fix, essential=grant.essential)
        sentence = f"{peer.name} {error}"
        return failed(grant.name, sentence, fix) if grant.essential else warning(grant.name, sentence, fix)
    return ok(grant.name, "readable")
