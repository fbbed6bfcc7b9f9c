"""The panels of stillfit-fleet as plain records: what is asked, how it is read, what is bad and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["stat", "graph", "stack", "table", "states"]
Step = tuple[float | None, str]
"""A threshold and the colour from there on; None is the bottom."""

GREEN, YELLOW, RED, BLUE, GREY = "#188038", "#F9AB00", "#D93025", "#1A73E8", "#80868B"
"""The colours of Slack and of the status page."""
HERE = 'job=~"$job",target=~"$target"'
FIT = (
    (0, "fits", GREEN),
    (1, "with changes", BLUE),
    (2, "strained", YELLOW),
    (3, "does not fit", RED),
    (4, "unknown", GREY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One panel. `at` is x, y, width, height on a grid of 24 columns."""

    title: str
    kind: Kind
    about: str
    at: tuple[int, int, int, int]
    queries: tuple[Query, ...]
    unit: str
    steps: tuple[Step, ...] = ((None, GREEN),)
    nothing: str = "no data"
    lines: bool = False
    """Whether the thresholds are drawn into the graph."""


def one(expr: str, legend: str = "") -> tuple[Query, ...]:
    return (Query(expr=expr, legend=legend),)


TOP = (
    Shown(
        title="Targets that answer",
        kind="stat",
        about="Share of accounts and clusters that could be read. Below 100%: the status page says which and why.",
        at=(0, 0, 4, 4),
        queries=one(f"avg(stillfit_target_up{{{HERE}}})"),
        unit="percentunit",
        steps=((None, RED), (1, GREEN)),
    ),
    Shown(
        title="Critical",
        kind="stat",
        about="Tables and nodes with standing critical advice. Above 0: work through the list below, top first.",
        at=(4, 0, 4, 4),
        queries=one(f'sum(stillfit_advice_active{{{HERE},severity="critical"}}) or vector(0)'),
        unit="short",
        steps=((None, GREEN), (1, RED)),
    ),
    Shown(
        title="Warnings",
        kind="stat",
        about="Standing warnings. Plan them for this week.",
        at=(8, 0, 4, 4),
        queries=one(f'sum(stillfit_advice_active{{{HERE},severity="warning"}}) or vector(0)'),
        unit="short",
        steps=((None, GREEN), (1, YELLOW)),
    ),
    Shown(
        title="No longer fit",
        kind="stat",
        about="Tables with a certain knock-out against the database they are on. Above 0: see the verdicts below.",
        at=(12, 0, 4, 4),
        queries=one(f'count(stillfit_fit_state{{{HERE},basis="current"}} == 3) or vector(0)'),
        unit="short",
        steps=((None, GREEN), (1, RED)),
    ),
    Shown(
        title="Cost a month, now",
        kind="stat",
        about="List-price dollars a month of every priced table as it is set. A step up: see each table's cost below.",
        at=(16, 0, 4, 4),
        queries=one(f'sum(stillfit_cost_dollars_per_month{{{HERE},component="total",basis="current",band="mid"}})'),
        unit="currencyUSD",
        steps=((None, BLUE),),
        nothing="not priced",
    ),
    Shown(
        title="Age of the data",
        kind="stat",
        about="Age of the newest point of the stalest target. Beyond 15 minutes nothing new is judged there.",
        at=(20, 0, 4, 4),
        queries=one(f"max(stillfit_sample_age_seconds{{{HERE}}})"),
        unit="s",
        steps=((None, GREEN), (900, YELLOW), (3_600, RED)),
    ),
)
STANDING = (
    Shown(
        title="What stands, worst first",
        kind="table",
        about="Standing advice. What to do, with evidence and price, is on the status page and in Slack.",
        at=(0, 4, 16, 9),
        queries=one(
            f"max by (severity, rule, target, table, subject, state, since) ("
            f"stillfit_advice_info{{{HERE}}} * on (rule, target, table, subject) group_left (severity) "
            f"(stillfit_advice_active{{{HERE}}} == 1))"
        ),
        unit="none",
        nothing="nothing stands",
    ),
    Shown(
        title="Advice by state",
        kind="graph",
        about="Records in each state. Open that only grows: nobody works on it. Many dismissed: a rule is wrong here.",
        at=(16, 4, 8, 9),
        queries=one('sum by (state) (stillfit_recommendations{job=~"$job"})', "{{state}}"),
        unit="short",
    ),
)
LOAD = (
    Shown(
        title="DynamoDB: refused, by reason",
        kind="stack",
        about="Events refused a second. key_range: a hot key, more capacity does not help. provisioned: raise it, or "
        "mend auto scaling. account_limit: ask for a quota.",
        at=(0, 13, 12, 8),
        queries=one(
            f"sum by (table, index, reason) (stillfit_dynamodb_throttled_events_per_second{{{HERE}}}) > 0 or "
            f"sum by (reason) (stillfit_dynamodb_throttled_events_per_second{{{HERE}}}) * 0",
            "{{table}} {{index}} {{reason}}",
        ),
        unit="ops",
    ),
    Shown(
        title="DynamoDB: consumed and provisioned units",
        kind="graph",
        about="Units a second of all tables. Consumed near provisioned throttles; far below it is money unused.",
        at=(12, 13, 12, 8),
        queries=(
            Query(
                expr=f"sum by (kind) (stillfit_dynamodb_consumed_units_per_second{{{HERE}}})",
                legend="consumed {{kind}}",
            ),
            Query(
                expr=f"sum by (kind) (stillfit_dynamodb_provisioned_units_per_second{{{HERE}}})",
                legend="provisioned {{kind}}",
            ),
        ),
        unit="short",
    ),
    Shown(
        title="DynamoDB: p99 of served requests",
        kind="graph",
        about="Server-side latency of the ten slowest operations. Throttled requests are not in it: look left first.",
        at=(0, 21, 12, 8),
        queries=one(
            "topk(10, max by (table, operation) "
            f'(stillfit_dynamodb_request_latency_seconds{{{HERE},percentile="p99"}}))',
            "{{table}} {{operation}}",
        ),
        unit="s",
    ),
    Shown(
        title="Cassandra: tombstones per read, p99",
        kind="graph",
        about="Worst replica of the ten worst tables. The server warns at 1,000 and aborts the read at 100,000.",
        at=(12, 21, 12, 8),
        queries=one(
            "topk(10, max by (keyspace, table) "
            f'(stillfit_cassandra_table_tombstones_per_read{{{HERE},percentile="p99"}}))',
            "{{keyspace}}.{{table}}",
        ),
        unit="short",
        steps=((None, GREEN), (1_000, YELLOW), (100_000, RED)),
        lines=True,
    ),
    Shown(
        title="Cassandra: local reads and writes",
        kind="graph",
        about="Per second over all replicas. Writes without reads, or reads of deleted rows only: see the tombstones.",
        at=(0, 29, 12, 8),
        queries=(
            Query(
                expr=f"sum by (keyspace, table) (stillfit_cassandra_table_reads_per_second{{{HERE}}})",
                legend="reads {{keyspace}}.{{table}}",
            ),
            Query(
                expr=f"sum by (keyspace, table) (stillfit_cassandra_table_writes_per_second{{{HERE}}})",
                legend="writes {{keyspace}}.{{table}}",
            ),
        ),
        unit="ops",
    ),
    Shown(
        title="Does each workload still fit?",
        kind="states",
        about="The verdict on the database it runs on. Unknown lists, on the status page, what to declare or measure.",
        at=(12, 29, 12, 8),
        queries=one(f'max by (workload) (stillfit_fit_state{{{HERE},basis="current"}})', "{{workload}}"),
        unit="none",
    ),
)
MONEY = (
    Shown(
        title="Cost of a table a month, now",
        kind="graph",
        about="The ten dearest tables at list price. A slope without more traffic: bigger items, or a new index.",
        at=(0, 37, 12, 8),
        queries=one(
            "topk(10, sum by (table) (stillfit_cost_dollars_per_month"
            f'{{{HERE},component="total",basis="current",band="mid"}}))',
            "{{table}}",
        ),
        unit="currencyUSD",
    ),
    Shown(
        title="Cost of a table under each option",
        kind="table",
        about="Dollars a month now and under the other mode; advice is given only where the whole interval saves.",
        at=(12, 37, 12, 8),
        queries=one(
            f'sum by (table, option, basis) (stillfit_cost_dollars_per_month{{{HERE},component="total",band="mid"}})'
        ),
        unit="currencyUSD",
        nothing="not priced",
    ),
)
ITSELF = (
    Shown(
        title="Questions by answer",
        kind="stack",
        about="Answers of all detectors. Unknown is neither health nor fault: the status page names what is missing.",
        at=(0, 45, 6, 7),
        queries=one('sum by (answer) (stillfit_judgements{job=~"$job"})', "{{answer}}"),
        unit="short",
    ),
    Shown(
        title="Time to read a target",
        kind="graph",
        about="Mean seconds of a read. Longer than the target's interval: its data lags.",
        at=(6, 45, 6, 7),
        queries=one(
            f"sum by (target) (rate(stillfit_collect_duration_seconds_sum{{{HERE}}}[$__rate_interval])) / "
            f"sum by (target) (rate(stillfit_collect_duration_seconds_count{{{HERE}}}[$__rate_interval]))",
            "{{target}}",
        ),
        unit="s",
    ),
    Shown(
        title="Runs of each job that did not end well",
        kind="graph",
        about="Per second. crashed: report it with the log. store: the disk or the database refused. "
        "still running: the job takes longer than its interval.",
        at=(12, 45, 6, 7),
        queries=one(
            'sum by (loop, outcome) (rate(stillfit_job_runs_total{job=~"$job",outcome!="ok"}[$__rate_interval])) '
            'or sum(rate(stillfit_job_runs_total{job=~"$job"}[$__rate_interval])) * 0',
            "{{loop}} {{outcome}}",
        ),
        unit="ops",
    ),
    Shown(
        title="What our own looking costs a month",
        kind="stat",
        about="CloudWatch's list price for what stillfit asks, at this rate. Too much: read rarer, or watch fewer.",
        at=(18, 45, 3, 7),
        queries=one(
            'sum(rate(stillfit_api_cost_dollars_total{job=~"$job"}[$__rate_interval])) * 86400 * 30', "a month"
        ),
        unit="currencyUSD",
        steps=((None, BLUE),),
        nothing="nothing billed",
    ),
    Shown(
        title="Messages that wait",
        kind="stat",
        about="In the outbox. Growing: Slack refuses or is away; nothing is lost meanwhile.",
        at=(21, 45, 3, 7),
        queries=one('sum(stillfit_notify_queue_length{job=~"$job"})', "waiting"),
        unit="short",
        steps=((None, GREEN), (20, YELLOW)),
    ),
)
PANELS = (*TOP, *STANDING, *LOAD, *MONEY, *ITSELF)
