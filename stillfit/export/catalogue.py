"""Every series that stillfit exports: its name, type, labels and meaning. What is not listed here cannot be exported.

Names and labels are a contract with other people's dashboards and alerts: they are added, never renamed. Base units,
HELP on all, `_total` on counters only. No partition key, no id of an advice record and no error text is ever a label.
docs/metrics.md is printed from this file.
"""

from __future__ import annotations

from stillfit.export.catalogue_own import ABOUT_ITSELF, BILL, TARGETS
from stillfit.export.exported import (
    INDEX,
    KINDS,
    NODE,
    PERCENTILES,
    REPLICA,
    SEVERITIES,
    STATES,
    TABLE,
    UNATTRIBUTED,
    Exported,
    exported,
)
from stillfit.metrics import THROTTLE_REASONS

DYNAMODB = exported(
    (
        "dynamodb_table_info",
        "gauge",
        (*TABLE, "billing_mode", "table_class", "indexes"),
        "1, with the settings of a table",
        "Join it on target and table.",
    ),
    (
        "dynamodb_consumed_units_per_second",
        "gauge",
        (*INDEX, "kind"),
        "Capacity units consumed a second, mean of the last five settled minutes",
        "Compare with provisioned units; a table's own series excludes its indexes.",
        {"kind": KINDS},
    ),
    (
        "dynamodb_provisioned_units_per_second",
        "gauge",
        (*INDEX, "kind"),
        "Capacity units provisioned a second; absent when on-demand",
        "Consumption near it throttles; far below it is money unused.",
        {"kind": KINDS},
    ),
    (
        "dynamodb_throttled_events_per_second",
        "gauge",
        (*INDEX, "kind", "reason"),
        "Events refused a second, by the limit that refused them; 0 only where the time is known",
        "`key_range` is a hot key: more capacity does not help. `unattributed`: the reason is not published.",
        {"kind": KINDS, "reason": (*THROTTLE_REASONS, UNATTRIBUTED)},
    ),
    (
        "dynamodb_request_latency_seconds",
        "gauge",
        (*TABLE, "operation", "percentile"),
        "Server-side latency of served requests",
        "Throttled requests are not in it.",
        {"percentile": PERCENTILES},
    ),
    (
        "dynamodb_errors_per_second",
        "gauge",
        (*TABLE, "operation", "class"),
        "Errors a second: system (HTTP 500), conditional (a condition failed), conflict (a transaction lost)",
        "conditional failures cost write units; system errors are the service's own.",
        {"class": ("system", "conditional", "conflict")},
    ),
    (
        "dynamodb_size_bytes",
        "gauge",
        INDEX,
        "Size by DescribeTable, which the service refreshes about every six hours",
        "Drives storage cost.",
    ),
)

CASSANDRA = exported(
    (
        "cassandra_table_tombstones_per_read",
        "gauge",
        (*REPLICA, "percentile"),
        "Tombstones scanned per read at a replica: a bucket's upper bound",
        "Above 1,000 the server warns, at 100,000 it refuses the read (cassandra.yaml defaults).",
        {"percentile": PERCENTILES},
    ),
    (
        "cassandra_table_live_rows_per_read",
        "gauge",
        (*REPLICA, "percentile"),
        "Live rows returned per read at a replica: a bucket's upper bound",
        "Few beside many tombstones: the table is used as a queue.",
        {"percentile": PERCENTILES},
    ),
    (
        "cassandra_table_sstables_per_read",
        "gauge",
        (*REPLICA, "percentile"),
        "SSTables touched per read at a replica",
        "Above ten: compaction is behind or its strategy is wrong.",
        {"percentile": PERCENTILES},
    ),
    (
        "cassandra_table_reads_per_second",
        "gauge",
        REPLICA,
        "Local reads served by a replica a second",
        "The load behind the other figures.",
    ),
    (
        "cassandra_table_writes_per_second",
        "gauge",
        REPLICA,
        "Local writes, deletes included, at a replica a second",
        "The load behind the other figures.",
    ),
    (
        "cassandra_table_read_latency_seconds",
        "gauge",
        (*REPLICA, "percentile"),
        "Replica-side read latency",
        "Rises with tombstones and with SSTables per read.",
        {"percentile": PERCENTILES},
    ),
    (
        "cassandra_table_partition_max_bytes",
        "gauge",
        REPLICA,
        "Largest partition of a replica: a bucket's upper bound",
        "Above 100 MiB reads and compaction suffer.",
    ),
    (
        "cassandra_table_live_bytes",
        "gauge",
        REPLICA,
        "Live size on a replica's disk",
        "Drives storage and repair time.",
    ),
    (
        "cassandra_thread_pool_pending",
        "gauge",
        (*NODE, "pool"),
        "Tasks that wait in a thread pool of a node",
        "Above 0 for minutes: the node cannot keep up.",
    ),
    (
        "cassandra_pending_compactions",
        "gauge",
        NODE,
        "Compactions to do on a node",
        "Rising for hours: reads get slower.",
    ),
    ("cassandra_clients", "gauge", NODE, "Native-protocol connections of a node", "A sudden change: clients moved."),
)

JUDGED = exported(
    (
        "judgements",
        "gauge",
        ("detector", "answer"),
        "Subjects by what a detector last said of them",
        "`unknown` is neither health nor fault: the status page names what is missing.",
        {"answer": ("found", "nothing", "unknown")},
    ),
    (
        "advice_active",
        "gauge",
        ("rule", "severity", "target", "table", "subject"),
        "1 while advice stands, 0 for a day after it was resolved or dismissed",
        "Alert on it; `subject` is the index or node, empty for the table itself.",
        {"severity": SEVERITIES},
    ),
    (
        "advice_info",
        "gauge",
        ("rule", "target", "table", "subject", "state", "since"),
        "1, with the state of standing advice and when it began",
        "For tables; `since` is an ISO date and time.",
        {"state": STATES},
    ),
    ("recommendations", "gauge", ("state",), "Advice records by state", "How much is open.", {"state": STATES}),
    (
        "cost_dollars_per_month",
        "gauge",
        (*TABLE, "component", "basis", "option", "band"),
        "List-price dollars a month: as it is set (basis current) and under other options (alternative)",
        "The component `total` has all three bands, its parts only `mid`.",
        {"basis": ("current", "alternative"), "band": ("low", "mid", "high")},
    ),
    (
        "fit_state",
        "gauge",
        (*TABLE, "workload", "candidate", "basis"),
        "0 fits, 1 fits with changes, 2 strained, 3 does not fit, 4 unknown: compare with ==",
        "3 on basis current: a knock-out stands against the database it is on.",
        {"basis": ("current", "alternative")},
    ),
    (
        "evidence_coverage",
        "gauge",
        TABLE,
        "Share of the questions about a table that could be answered, 0 to 1",
        "Below 1: the status page names what is missing.",
    ),
    (
        "pricebook_age_seconds",
        "gauge",
        ("source",),
        "Age of the oldest price in use",
        "Past 90 days figures are flagged, past 365 they no longer drive a move.",
    ),
    (
        "notify_queue_length",
        "gauge",
        (),
        "Messages that wait to be sent",
        "Growing: the sink refuses or is away; nothing is lost meanwhile.",
    ),
)

EXPORTED: dict[str, Exported] = {
    one.name: one for one in (*ABOUT_ITSELF, *TARGETS, *BILL, *DYNAMODB, *CASSANDRA, *JUDGED)
}
"""Every exported metric by name."""

PROCESS = frozenset(
    {
        "process_virtual_memory_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
    }
)
"""What prometheus-client tells of the process itself, on Linux."""
