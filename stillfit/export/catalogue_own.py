"""Series about stillfit itself: its jobs, its targets, and what its looking costs and how fresh it is."""

from __future__ import annotations

from collector.aws.spending.plan import Tier
from stillfit.export.exported import COLLECTOR, STATES, exported

TIERS = tuple(tier.value for tier in Tier)

ABOUT_ITSELF = exported(
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

TARGETS = exported(
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
        "target_overdue_seconds",
        "gauge",
        COLLECTOR,
        "How long the read under way has taken, where that is longer than its interval; else 0",
        "Above 0 outside a first look: the target answers slowly, and what is watched there is told late.",
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
        "series_dropped",
        "gauge",
        ("reason",),
        "Series of the fleet that the page leaves out",
        "Above 0: the fleet is larger than one page should be; narrow `include`.",
        {"reason": ("limit",)},
    ),
)

BILL = exported(
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
        "api_lost_cost_dollars_total",
        "counter",
        ("api",),
        "List-price dollars of requests whose answer was lost on the way: they may have been billed on top",
        "The bill lies between the dollars spent and both together; growing: the network or the service loses answers.",
    ),
    (
        "api_projected_cost_dollars",
        "gauge",
        COLLECTOR,
        "List-price dollars a month that reading a target comes to at its present plan",
        "More comes on top only while requests are refused.",
    ),
    (
        "api_budget_dollars",
        "gauge",
        COLLECTOR,
        "The monthly budget that the target is read within, with others of its account; absent without one",
        "Projected costs above it: even the slowest reading is too dear; raise it or watch fewer tables.",
    ),
    (
        "api_month_spent_dollars",
        "gauge",
        COLLECTOR,
        "List-price dollars that the calendar month (UTC) has come to at most, of all that share the target's budget",
        "Targets of one entry of `aws` tell the same sum: take the maximum of them, not the sum.",
    ),
    (
        "api_month_expected_dollars",
        "gauge",
        COLLECTOR,
        "What that month comes to by its end, at the present plan of all that share the target's budget",
        "Above the budget: even the slowest reading does not fit; raise it or watch fewer tables.",
    ),
    (
        "api_budget_exhausted",
        "gauge",
        COLLECTOR,
        "1 while the budget of the month is used up and only tripwires are read, and tables that are hot",
        "1: most judgements are unknown until the month ends; raise `monthly_budget`.",
    ),
    (
        "reading_stretched_steps",
        "gauge",
        COLLECTOR,
        "Steps by which the budget has stretched the readings of a target; 0 is the freshest plan",
        "Growing: the fleet outgrows its budget.",
    ),
    (
        "reading_owed_seconds",
        "gauge",
        COLLECTOR,
        "Time of the past that is not read yet: the longest of each table, index, cluster or node, in all",
        "Falls with each look after a first one or a long stop; what needs weeks of history is unknown until it is 0.",
    ),
    (
        "reading_owed_end_timestamp_seconds",
        "gauge",
        COLLECTOR,
        "Unix time at which all of the past will be read, at the pace of the last look",
        "Absent while something is owed: the last look brought none of it, see the gaps; or a budget is used up.",
    ),
    (
        "reading_causes_ratio",
        "gauge",
        COLLECTOR,
        "Share of the tripwires of hot tables that have lately led to causes, as projected costs count them",
        "1: requests are refused all the time, or nothing was read yet; absent while no table is hot.",
    ),
    (
        "reading_tables",
        "gauge",
        (*COLLECTOR, "tier"),
        "Tables by how closely they are read",
        "All hot: everything is near a limit, or the patterns of `hot` take too much.",
        {"tier": TIERS},
    ),
    (
        "reading_worst_age_seconds",
        "gauge",
        (*COLLECTOR, "tier"),
        "Longest time from when CloudWatch shows a refused request to the message, while nothing fails",
        "Above 420 for hot and 1200 for others the freshness promise is given up for the budget.",
        {"tier": TIERS},
    ),
)
