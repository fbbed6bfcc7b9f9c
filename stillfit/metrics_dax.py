"""Canonical metrics of DynamoDB Accelerator (DAX).

Meanings follow "DAX metrics and dimensions" of the DynamoDB developer guide. "DAX sends metrics to CloudWatch only when
they have a non-zero value" (there), so that each of its counters is sparse; a level that is absent stays no data, as a
node that is down sends none either.

What is requested is counted of the cluster: its sum is the load, and a node's share only follows from how clients
spread their connections. What can run out is read of each node, because the average of a cluster hides the one that is
full: at 100 percent of memory on any node writes are throttled (developer guide, CacheMemoryUtilization).
"""

from __future__ import annotations

from stillfit.metric import Kind, Metric, Row, metrics_of
from stillfit.model import Engine, Level, Statistic

OPERATIONS = (
    *("get_item", "batch_get_item", "put_item", "update_item", "delete_item", "batch_write_item"),
    *("query", "scan", "transact_get_items", "transact_write_items"),
)
"""What is counted apart, as canonical names have it."""
CACHES = ("item", "query", "scan")

_SUM = frozenset({Statistic.SUM})
_LEVEL = frozenset({Statistic.AVERAGE, Statistic.MAXIMUM})
_CLUSTER = frozenset({Level.CLUSTER})
_NODE = frozenset({Level.NODE})


def _counted(name: str, unit: str, meaning: str, levels: frozenset[Level] = _CLUSTER) -> Row:
    return f"dax_{name}", Kind.SPARSE_COUNTER, unit, _SUM, levels, meaning


def _level(name: str, unit: str, meaning: str) -> Row:
    return f"dax_{name}", Kind.GAUGE, unit, _LEVEL, _NODE, meaning


DAX: tuple[Metric, ...] = metrics_of(
    Engine.DAX,
    _counted("requests", "requests", "requests of all kinds that the cluster handled"),
    *(_counted(f"{one}_requests", "requests", f"{one} requests that the cluster handled") for one in OPERATIONS),
    *(
        _counted(f"{cache}_cache_{outcome}", "lookups", f"lookups of the {cache} cache that {meant}")
        for cache in CACHES
        for outcome, meant in (("hits", "were found"), ("misses", "were not found and went to DynamoDB"))
    ),
    _counted("failed_requests", "requests", "requests that ended in an error, the user's or the cluster's own"),
    _counted("error_requests", "requests", "requests that ended in a user error, throttled ones included"),
    _counted("throttled_requests", "requests", "requests that DAX refused; what DynamoDB refused is not in it"),
    _counted("fault_requests", "requests", "requests that ended in an internal error of the cluster"),
    _level("cpu_percent", "percent", "share of the node's CPU in use"),
    _level("memory_percent", "percent", "share of the cache memory in use; at 100 the node throttles writes"),
    _level("cached_bytes", "bytes", "data in the item and query caches, estimated"),
    _level("client_connections", "connections", "simultaneous connections of clients"),
    _level("network_in_percent", "percent", "share of the node type's baseline bandwidth in use, received"),
    _level("network_out_percent", "percent", "share of the node type's baseline bandwidth in use, sent"),
    _level("cpu_credit_balance", "credits", "CPU credits left; burstable (t) node types only"),
    _level(
        "cpu_surplus_credit_balance", "credits", "surplus credits spent and not yet paid back; burstable types only"
    ),
    _counted("evicted_bytes", "bytes", "data evicted to make room for what was newly requested", _NODE),
    _counted("network_in_bytes", "bytes", "bytes received", _NODE),
    _counted("network_out_bytes", "bytes", "bytes sent", _NODE),
    _counted("network_in_packets", "packets", "packets received", _NODE),
    _counted("network_out_packets", "packets", "packets sent", _NODE),
    _counted("network_in_exceeded", "packets", "packets held back or dropped above the inbound bandwidth", _NODE),
    _counted("network_out_exceeded", "packets", "packets held back or dropped above the outbound bandwidth", _NODE),
    _counted("cpu_credits_used", "credits", "CPU credits spent; burstable (t) node types only", _NODE),
    _counted("cpu_surplus_credits_charged", "credits", "surplus credits that are billed; burstable types only", _NODE),
)
"""Every canonical metric of DAX."""
