"""Every series that stillfit exports: its name, type, labels and meaning. What is not listed here cannot be exported.

Names and labels are a contract with other people's dashboards and alerts: they are added, never renamed. Base units,
HELP on all, `_total` on counters only. No partition key, no id of an advice record and no error text is ever a label.
docs/metrics.md is printed from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stillfit.metrics import THROTTLE_REASONS

Type = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One metric. `values` closes the set of a label whose values the code itself chooses."""

    name: str
    type: Type
    labels: tuple[str, ...]
    help: str
    meaning: str
    """What is bad, and what to do; or what to use it for."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


TARGET = ("target",)
COLLECTOR = ("target", "collector")
TABLE = ("target", "table")
INDEX = ("target", "table", "index")
REPLICA = ("target", "keyspace", "table", "node")
NODE = ("target", "node")
KINDS = ("read", "write")
UNATTRIBUTED = "unattributed"
PERCENTILES = ("average", "maximum", "p50", "p99")
SEVERITIES = ("info", "warning", "critical")
STATES = ("pending", "open", "acknowledged", "snoozed", "dismissed", "resolved")
FIT_STATES = ("fits", "fits with changes", "strained", "does not fit", "unknown")
"""In the order of their numbers in stillfit_fit_state."""

_Plain = tuple[str, Type, tuple[str, ...], str, str]
_Row = _Plain | tuple[str, Type, tuple[str, ...], str, str, dict[str, tuple[str, ...]]]


def _rows(*rows: _Row) -> tuple[Exported, ...]:
    return tuple(
        Exported(
            name=f"stillfit_{row[0]}",
            type=row[1],
            labels=row[2],
            help=row[3],
            meaning=row[4],
            values=tuple(row[5].items()) if len(row) > 5 else (),
        )
        for row in rows
    )


ABOUT_ITSELF = _rows(
    ("build_info", "gauge", ("version", "python"), "1, with the running version", "Tells what runs where."),
    (
        "collect_duration_seconds",
        "histogram",
        COLLECTOR,
        "How long one read of a target took",
        "Longer than the target's interval: its data lags; read it rarer or narrow `include`.",
    ),
    (
        "collect_errors_total",
        "counter",
        (*COLLECTOR, "kind"),
        "Reads of a target that failed as a whole, by reason",
        "Any rise: stillfit is blind to that target; the status page says why and what to do.",
    ),
    (
        "job_runs_total",
        "counter",
        ("loop", "outcome"),
        "Runs of each job, by how they ended",
        (
            "`crashed` is a defect: report it with the log. `store`: the disk or database refused. "
            "`still running`: the job takes longer than its interval."
        ),
        {"outcome": ("ok", "store", "crashed", "still running")},
    ),
    (
        "job_last_success_timestamp_seconds",
        "gauge",
        ("loop",),
        "Unix time of the last run that ended well",
        "Older than a few intervals: the job hangs or fails.",
    ),
    (
        "heartbeat_timestamp_seconds",
        "gauge",
        ("loop",),
        "Unix time at which each loop was last seen to run",
        "Not moving: the daemon hangs; /-/healthy says the same.",
    ),
    (
        "config_last_reload_successful",
        "gauge",
        (),
        "1 when the configuration that was last given is in force",
        "0: a changed file was refused and the old one goes on; `stillfit config check` names the mistakes.",
    ),
    (
        "config_last_reload_success_timestamp_seconds",
        "gauge",
        (),
        "Unix time at which the configuration in force was taken",
        "Tells whether a change has arrived.",
    ),
    (
        "notify_total",
        "counter",
        ("sink", "outcome"),
        "Messages handed to a sink, by outcome",
        "Anything but `sent` means that people may not have been told.",
        {"outcome": ("sent", "retried", "unknown", "failed")},
    ),
    (
        "notify_errors_total",
        "counter",
        ("sink", "outcome"),
        "Messages that a sink did not take",
        "`failed`: a token, channel or webhook is wrong and nothing heals it but you; `retried` heals by itself.",
        {"outcome": ("retried", "unknown", "failed")},
    ),
    (
        "store_writable",
        "gauge",
        (),
        "1 while the store takes what is written",
        "0: disk full or database gone; what was decided waits, nothing is lost.",
    ),
    (
        "advice_transitions_total",
        "counter",
        ("rule", "to"),
        "Changes of state of advice",
        "Many in an hour on one rule: a line is drawn too close; see the rule's page.",
        {"to": STATES},
    ),
)

TARGETS = _rows(
    (
        "target_info",
        "gauge",
        ("target", "engine", "account", "region", "version"),
        "1, with what is known of a target",
        "Join it to other series on `target`.",
    ),
    (
        "target_up",
        "gauge",
        COLLECTOR,
        "1 when the last read of the target went well, 0 when it failed; absent before the first",
        "0: see the sources on the status page.",
    ),
    (
        "target_last_success_timestamp_seconds",
        "gauge",
        COLLECTOR,
        "Unix time of the last read that went well",
        "Absent: it never did.",
    ),
    (
        "sample_age_seconds",
        "gauge",
        COLLECTOR,
        "Age of the newest point that the target vouches for",
        "CloudWatch publishes minutes late; beyond 15 minutes nothing new is judged.",
    ),
    (
        "window_lag_seconds",
        "gauge",
        COLLECTOR,
        "Now minus the end of the window that was last judged",
        "Grows without end: the judging loop stands still.",
    ),
    (
        "api_requests_total",
        "counter",
        ("api",),
        "Calls of a paid API since the start",
        "What our own looking costs; see also the dollars.",
    ),
    (
        "api_metrics_requested_total",
        "counter",
        ("api",),
        "Metrics asked of a paid API, as it bills them",
        "CloudWatch bills metrics requested, not calls.",
    ),
    (
        "api_cost_dollars_total",
        "counter",
        ("api",),
        "List-price dollars spent on a paid API since the start",
        "increase(...[1d]) * 30 is the monthly bill of watching.",
    ),
    (
        "series_dropped",
        "gauge",
        ("reason",),
        "Series of the fleet that the page leaves out",
        "Above 0: the fleet is larger than one page should be; narrow `include`.",
        {"reason": ("limit",)},
    ),
)

DYNAMODB = _rows(
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

CASSANDRA = _rows(
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

JUDGED = _rows(
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

EXPORTED: dict[str, Exported] = {one.name: one for one in (*ABOUT_ITSELF, *TARGETS, *DYNAMODB, *CASSANDRA, *JUDGED)}
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
