"""A real Cassandra from its Maven artifacts and the machine's JDK: one node in about five seconds, three in fifteen.

All nodes of a server share their CQL and storage ports and differ by address (127.0.0.1, .2, .3), as in production;
JMX listens on 127.0.0.1 only, each node at its own port. On macOS, 127.0.0.2 and .3 need `ifconfig lo0 alias` first.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import WhiteListRoundRobinPolicy

from tests.servers.cassandra_files import (
    CassandraOptions,
    Place,
    nodetool_arguments,
    server_arguments,
    write_configuration,
)
from tests.servers.process import Command, ServerError, ServerProcess, accepts, free_ports, new_folder

START_SECONDS = 300.0  # five are usual; on a loaded machine of two cores it has been thirty
NODETOOL_SECONDS = 180.0
QUERY_SECONDS = 90.0
CONNECT_SECONDS = 60.0


class CassandraNode:
    """One node. Its data outlives `stop` and `kill`, so `start` brings it back as it was."""

    def __init__(self, place: Place, options: CassandraOptions) -> None:
        self.place, self.options = place, options
        name = f"Cassandra {options.version} at {place.address}"
        self.process = ServerProcess(
            Command(name=name, arguments=server_arguments(place, options), folder=place.folder)
        )

    @property
    def address(self) -> str:
        return self.place.address

    def launch(self) -> None:
        """Begin to start and return at once: the nodes of a new cluster wait for each other."""
        write_configuration(self.place, self.options)
        self.process.launch()

    def await_ready(self) -> None:
        """Return when the node takes CQL connections."""
        self.process.await_ready(lambda: accepts(self.place.address, self.place.cql_port), START_SECONDS)

    def start(self) -> None:
        self.launch()
        self.await_ready()

    def nodetool(self, *arguments: str) -> str:
        """What `nodetool ARGUMENTS` prints; about a second, most of it the start of a JVM."""
        answer = subprocess.run(
            [*nodetool_arguments(self.place, self.options), *arguments],
            capture_output=True,
            text=True,
            timeout=NODETOOL_SECONDS,
            check=False,
        )
        if answer.returncode != 0:
            said = answer.stdout + answer.stderr
            raise ServerError(f"nodetool {' '.join(arguments)} ended with {answer.returncode}: {said}")
        return answer.stdout


class CassandraServer:
    """A cluster: `CassandraServer(CassandraOptions(nodes=3)).start()`; `close` ends it and removes its data."""

    def __init__(self, options: CassandraOptions | None = None) -> None:
        self.options = options or CassandraOptions()
        addresses = [f"127.0.0.{index + 1}" for index in range(self.options.nodes)]
        self.port, storage_port, *jmx_ports = free_ports(2 + len(addresses), addresses)
        self.nodes = tuple(
            CassandraNode(
                Place(
                    index=index,
                    folder=new_folder(f"cassandra-{index + 1}"),
                    cql_port=self.port,
                    storage_port=storage_port,
                    jmx_port=jmx_port,
                ),
                self.options,
            )
            for index, jmx_port in enumerate(jmx_ports)
        )

    @property
    def contact_points(self) -> list[str]:
        return [node.address for node in self.nodes]

    def start(self) -> CassandraServer:
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_ready()
        return self

    def stop(self) -> None:
        for node in self.nodes:
            node.process.stop()

    def close(self) -> None:
        for node in self.nodes:
            node.process.close()

    def sigstop(self, node: int = 0) -> None:
        """Pause a node as a long garbage collection does: its connections stay open, nothing answers."""
        self.nodes[node].process.pause()

    def sigcont(self, node: int = 0) -> None:
        self.nodes[node].process.resume()

    def is_paused(self, address: str) -> bool:
        return any(node.process.is_paused for node in self.nodes if node.address == address)

    def nodetool(self, *arguments: str, node: int = 0) -> str:
        return self.nodes[node].nodetool(*arguments)

    def flush(self, keyspace: str, *tables: str) -> None:
        for node in self.nodes:
            node.nodetool("flush", keyspace, *tables)

    def compact(self, keyspace: str, *tables: str) -> None:
        for node in self.nodes:
            node.nodetool("compact", keyspace, *tables)

    @contextmanager
    def session(self, node: int | None = None, **cluster_options: object) -> Iterator[Session]:
        """A driver session on all nodes, or pinned to one (a virtual table speaks of the node that was asked)."""
        hosts = self.contact_points if node is None else [self.nodes[node].address]
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy(hosts), request_timeout=QUERY_SECONDS
        )
        patience = {"connect_timeout": CONNECT_SECONDS, "control_connection_timeout": CONNECT_SECONDS}
        profiles = {EXEC_PROFILE_DEFAULT: profile}
        cluster = Cluster(hosts, port=self.port, execution_profiles=profiles, **(patience | cluster_options))
        try:
            yield cluster.connect()
        finally:
            cluster.shutdown()
