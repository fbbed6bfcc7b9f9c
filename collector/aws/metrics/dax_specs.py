"""The CloudWatch metrics of DAX: name, dimensions and statistics.

Names and units: DynamoDB developer guide, "DAX metrics and dimensions". Which dimensions each has: CloudWatch user
guide, metrics supported by resource tags on telemetry (2026): all have ClusterId, and ClusterId with NodeId, except
CPUCreditBalance, which is of nodes only. Requests are asked of the cluster and what can run out of each node
(stillfit/metrics_dax.py says why). All are aggregated by the minute, and sent only when they are not zero.
"""

from __future__ import annotations

from collector.aws.metrics.queries import Spec
from stillfit.metrics_dax import CACHES
from stillfit.model import Statistic

NAMESPACE = "AWS/DAX"

_OPERATIONS = {
    "GetItemRequestCount": "get_item",
    "BatchGetItemRequestCount": "batch_get_item",
    "PutItemRequestCount": "put_item",
    "UpdateItemRequestCount": "update_item",
    "DeleteItemRequestCount": "delete_item",
    "BatchWriteItemRequestCount": "batch_write_item",
    "QueryRequestCount": "query",
    "ScanRequestCount": "scan",
    "TransactGetItemsCount": "transact_get_items",
    "TransactWriteItemsCount": "transact_write_items",
}
_COUNTED_OF_NODES = {
    "EvictedSize": "evicted_bytes",
    "NetworkBytesIn": "network_in_bytes",
    "NetworkBytesOut": "network_out_bytes",
    "NetworkPacketsIn": "network_in_packets",
    "NetworkPacketsOut": "network_out_packets",
    "NetworkBandwidthInAllowanceExceeded": "network_in_exceeded",
    "NetworkBandwidthOutAllowanceExceeded": "network_out_exceeded",
    "CPUCreditUsage": "cpu_credits_used",
    "CPUSurplusCreditsCharged": "cpu_surplus_credits_charged",
}
_LEVELS_OF_NODES = {
    "ClientConnections": "client_connections",
    "EstimatedDbSize": "cached_bytes",
    "BaselineNetworkBytesInUtilization": "network_in_percent",
    "BaselineNetworkBytesOutUtilization": "network_out_percent",
    "CPUCreditBalance": "cpu_credit_balance",
    "CPUSurplusCreditBalance": "cpu_surplus_credit_balance",
}


def _sum(name: str, metric: str) -> Spec:
    return Spec(name=name, brings=((f"dax_{metric}", Statistic.SUM, "Sum"),), namespace=NAMESPACE, part="")


def _level(name: str, metric: str) -> Spec:
    metric = f"dax_{metric}"
    brings = ((metric, Statistic.AVERAGE, "Average"), (metric, Statistic.MAXIMUM, "Maximum"))
    return Spec(name=name, brings=brings, namespace=NAMESPACE, part="")


THROTTLED = _sum("ThrottledRequestCount", "throttled_requests")
FAILED = _sum("FailedRequestCount", "failed_requests")
REQUESTS = _sum("TotalRequestCount", "requests")
OF_CLUSTER = (
    *(_sum(name, f"{metric}_requests") for name, metric in _OPERATIONS.items()),
    *(
        _sum(f"{cache.title()}Cache{outcome.title()}", f"{cache}_cache_{outcome}")
        for cache in CACHES
        for outcome in ("hits", "misses")
    ),
    _sum("ErrorRequestCount", "error_requests"),
    _sum("FaultRequestCount", "fault_requests"),
)
STRAIN = (_level("CPUUtilization", "cpu_percent"), _level("CacheMemoryUtilization", "memory_percent"))
"""Of each node, and always there while it is up."""
OF_NODE = (
    *(_sum(name, metric) for name, metric in _COUNTED_OF_NODES.items()),
    *(_level(name, metric) for name, metric in _LEVELS_OF_NODES.items()),
)
ALL = (THROTTLED, FAILED, REQUESTS, *OF_CLUSTER, *STRAIN, *OF_NODE)
"""Every metric of DAX that can be asked for."""
