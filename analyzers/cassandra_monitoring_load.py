"""cassandra/monitoring_load: a node's metrics take so long to scrape that watching it is a load of its own.

Fires when a typical scrape takes half of the interval or more; where the interval is not known, when it takes longer
than Prometheus waits by default. The CPU that goes into it is not traffic.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from stillfit.case import Analyzer, Case, Threshold
from stillfit.model import Confidence, Engine, Finding, Level, Severity, Statistic, Unknown


def find(case: Case) -> Finding | Unknown | None:
    durations = case.values("scrape_duration_s", Statistic.LAST)
    if np.isnan(durations).all():
        return Unknown("no scrape of the node was timed", ("scrape_duration_s",))
    taken = float(np.nanmedian(durations))
    every = case.fold("scrape_interval_s", Statistic.LAST)
    line = every * case.threshold("busy_ratio") if every else case.threshold("timeout_s")
    if taken < line:
        return None
    asked = f"of every {every:.0f} s" if every else "and the interval is not known"
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause="scrape_too_heavy",
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM if every else Confidence.LOW,
        since=case.window.starts_at,
        summary=f"scraping the metrics of {case.subject.name} takes {taken:.1f} s {asked}: watching it is a load",
        evidence=case.evidence("scrape_duration_s", "scrape_interval_s", "cpu_ratio", statistic=Statistic.LAST),
    )


ANALYZER = Analyzer(
    id="cassandra/monitoring_load",
    levels=frozenset({Level.NODE}),
    engines=frozenset({Engine.CASSANDRA}),
    needs=frozenset({"scrape_duration_s"}),
    wants=frozenset({"scrape_interval_s", "cpu_ratio"}),
    window=timedelta(minutes=15),
    causes={"scrape_too_heavy": "the exporter walks too many metrics, so that scraping costs the node CPU"},
    thresholds=(
        Threshold(name="busy_ratio", value=0.5, unit="ratio", why="ours: half of the time is spent on being watched"),
        Threshold(name="timeout_s", value=10, unit="s", why="scrape_timeout default of Prometheus: longer ones fail"),
    ),
    find=find,
)
