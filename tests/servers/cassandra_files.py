"""What a Cassandra node reads at its start: cassandra.yaml, a logback file, and its Java arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.servers.java import java
from tests.servers.process import ServerError

VERSION = "5.0.9"
ARTIFACTS = Path(__file__).parents[2] / ".servers" / "cassandra"
JVM_OPTIONS = Path(__file__).with_name("cassandra_jvm.options")
FIRST_TOKEN = -(2**63)  # of Murmur3Partitioner, whose ring has 2**64
QUICK_START = (  # production waits here until gossip has spread; every node of ours is known beforehand
    "-Dcassandra.ring_delay_ms=2000",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.superuser_setup_delay_ms=0",
    "-Dcassandra.consistent.rangemovement=false",
)
LOGBACK = """\
<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="LEVEL"><appender-ref ref="console"/></root>
</configuration>
"""


def library(version: str = VERSION) -> Path:
    """Where `make servers` puts the jars."""
    return ARTIFACTS / f"lib-{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CassandraOptions:
    """`settings` go over our cassandra.yaml, key by key; the names of 4.0 are understood by every later version."""

    nodes: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)
    version: str = VERSION
    heap: str = "256M"
    jvm_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one node of a cluster lives."""

    index: int
    folder: Path
    cql_port: int
    storage_port: int
    jmx_port: int

    @property
    def address(self) -> str:
        return f"127.0.0.{self.index + 1}"


def write_configuration(place: Place, options: CassandraOptions) -> None:
    settings = {**_network(place, options), **_storage(place), **_size(), **options.settings}
    (place.folder / "cassandra.yaml").write_text(yaml.safe_dump(settings))
    (place.folder / "logback.xml").write_text(LOGBACK.replace("LEVEL", "INFO"))
    (place.folder / "logback-tools.xml").write_text(LOGBACK.replace("LEVEL", "WARN"))


def server_arguments(place: Place, options: CassandraOptions) -> tuple[str, ...]:
    return (
        *_java(place, options, "logback.xml"),
        f"-javaagent:{_memory_meter(options.version)}",
        "-Xms64M",
        f"-Xmx{options.heap}",
        *QUICK_START,
        f"-Dcassandra.config={(place.folder / 'cassandra.yaml').as_uri()}",
        f"-Dcassandra.jmx.local.port={place.jmx_port}",
        "-Dcassandra-foreground=yes",
        *options.jvm_options,
        "org.apache.cassandra.service.CassandraDaemon",
    )


def nodetool_arguments(place: Place, options: CassandraOptions) -> tuple[str, ...]:
    return (
        *_java(place, options, "logback-tools.xml"),
        "-Xmx128M",
        "org.apache.cassandra.tools.NodeTool",
        *("-h", "127.0.0.1", "-p", str(place.jmx_port)),
    )


def _java(place: Place, options: CassandraOptions, logback: str) -> tuple[str, ...]:
    runtime = java()
    if runtime is None:
        raise ServerError("Cassandra needs a JDK 17 (or 11), and none was found")
    return (
        str(runtime),
        f"@{JVM_OPTIONS}",
        f"-Duser.home={place.folder}",  # nodetool keeps a history there
        f"-Djava.io.tmpdir={place.folder}",
        f"-Djna.tmpdir={place.folder}",
        f"-Dcassandra.storagedir={place.folder / 'data'}",
        f"-Dcassandra.logdir={place.folder}",
        f"-Dlogback.configurationFile={place.folder / logback}",
        *("-cp", f"{library(options.version)}/*"),
    )


def _memory_meter(version: str) -> Path:
    return next(library(version).glob("jamm-*.jar"))


def _network(place: Place, options: CassandraOptions) -> dict[str, object]:
    """Every node is a seed: of nodes that start together, one that is none may die of "Unable to gossip"."""
    seeds = ",".join(f"127.0.0.{index + 1}:{place.storage_port}" for index in range(options.nodes))
    seed_provider = "org.apache.cassandra.locator.SimpleSeedProvider"
    return {
        "cluster_name": "stillfit tests",
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",
        "num_tokens": 1,
        "initial_token": str(FIRST_TOKEN + place.index * 2**64 // options.nodes),
        "auto_bootstrap": False,
        "auto_snapshot": False,  # a dropped keyspace leaves nothing behind
        "seed_provider": [{"class_name": seed_provider, "parameters": [{"seeds": seeds}]}],
        "listen_address": place.address,
        "rpc_address": place.address,
        "storage_port": place.storage_port,
        "native_transport_port": place.cql_port,
        "authenticator": "AllowAllAuthenticator",
        "authorizer": "AllowAllAuthorizer",
        "role_manager": "CassandraRoleManager",
    }


def _storage(place: Place) -> dict[str, object]:
    data = place.folder / "data"
    return {
        "data_file_directories": [str(data / "data")],
        "commitlog_directory": str(data / "commitlog"),
        "saved_caches_directory": str(data / "saved_caches"),
        "hints_directory": str(data / "hints"),
        "cdc_raw_directory": str(data / "cdc_raw"),
        "commitlog_sync": "periodic",
        "commitlog_sync_period_in_ms": 10_000,
    }


def _size() -> dict[str, object]:
    return {
        "commitlog_segment_size_in_mb": 16,
        "commitlog_total_space_in_mb": 256,
        "memtable_heap_space_in_mb": 64,
        "memtable_offheap_space_in_mb": 64,
        "memtable_allocation_type": "heap_buffers",
        "file_cache_size_in_mb": 32,
        "key_cache_size_in_mb": 8,
        "counter_cache_size_in_mb": 4,
        "concurrent_reads": 8,
        "concurrent_writes": 8,
        "concurrent_counter_writes": 4,
        "concurrent_compactors": 1,
        "compaction_throughput_mb_per_sec": 64,
    }
