"""The tables of tests/cases that a DBA can extend: short forms of a case -> cause, none or unknown.

settings, metrics (as in tests/builders.py: a sum is spread over the hour, a list ends at noon, name__statistic), gaps,
changes (minutes ago), index (this is an index), table / indexes / replicas (related cases) -> expect, confidence,
severity, says (words of the answer), unsaid (words that are not in it), days (length of the window; else an hour).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzers import (
    cassandra_monitoring_load,
    cassandra_tombstones,
    dynamodb_index_key,
    dynamodb_throttling,
    dynamodb_unused,
)
from stillfit.case import Analyzer, Case
from stillfit.model import Finding, GapReason, Subject, Unknown
from tests.builders import BY_STATUS, JOBS, ORDERS, ask, case, cassandra_subject, change, gap, series, subject

CASES = Path(__file__).parents[1] / "cases"
JUDGED: dict[str, tuple[Analyzer, Subject]] = {
    "dynamodb_throttling": (dynamodb_throttling.ANALYZER, ORDERS),
    "dynamodb_index_key": (dynamodb_index_key.ANALYZER, BY_STATUS),
    "dynamodb_unused": (dynamodb_unused.ANALYZER, ORDERS),
    "cassandra_tombstones": (cassandra_tombstones.ANALYZER, JOBS),
    "cassandra_monitoring_load": (
        cassandra_monitoring_load.ANALYZER,
        cassandra_subject("", keyspace="", node="10.0.0.1"),
    ),
}
KEYS = {
    *(
        "name",
        "index",
        "settings",
        "metrics",
        "gaps",
        "changes",
        "table",
        "indexes",
        "replicas",
        "disk_by_hour",
        "days",
    ),
    *("expect", "confidence", "severity", "says", "unsaid"),
}


def rows() -> Iterator[Any]:
    for detector in JUDGED:
        for row in yaml.safe_load((CASES / f"{detector}.yaml").read_text(encoding="utf-8")):
            assert set(row) <= KEYS, row
            yield pytest.param(detector, row, id=f"{detector}: {row['name']}")


def said(of: Subject, row: dict[str, Any]) -> Case:
    """The case that a row means."""
    built = case(
        of,
        hours=24 * row["days"] if "days" in row else 1,
        settings=_lists(row.get("settings")),
        changes=[change(**one, of=of) for one in row.get("changes", ())],
        gaps=[gap(one["missing"], of=of, reason=GapReason(one["reason"])) for one in row.get("gaps", ())],
        related=list(_related(of, row)),
        **row.get("metrics", {}),
    )
    return replace(built, history=_history(of, row["disk_by_hour"])) if "disk_by_hour" in row else built


def _related(of: Subject, row: dict[str, Any]) -> Iterator[Case]:
    if "table" in row:
        yield said(of.parent, row["table"])
    for name, index in row.get("indexes", {}).items():
        yield said(subject(index=name), index)
    for node, replica in row.get("replicas", {}).items():
        yield said(cassandra_subject(node=node), replica)


def _history(of: Subject, numbers: list[float]) -> Case:
    days = 28 * 24
    spread = [numbers[i * len(numbers) // days] for i in range(days)]
    bare = case(of, hours=days)
    disk = series("disk_used_bytes", spread, of=of, period_s=3600, window=bare.window)
    return replace(bare, series=(disk,))


def _lists(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


@pytest.mark.parametrize(("detector", "row"), list(rows()))
def test_the_answer_is_the_one_the_table_says(detector: str, row: dict[str, Any]) -> None:
    analyzer, of = JUDGED[detector]
    answer = ask(analyzer, said(BY_STATUS if row.get("index") else of, row))
    words = answer.summary if isinstance(answer, Finding) else answer.reason if isinstance(answer, Unknown) else ""
    got = answer.cause if isinstance(answer, Finding) else "unknown" if isinstance(answer, Unknown) else "none"

    assert got == row["expect"], words
    assert row.get("says", "") in words
    assert "unsaid" not in row or row["unsaid"] not in words
    if isinstance(answer, Finding):
        assert row.get("confidence", answer.confidence) == answer.confidence
        assert row.get("severity", answer.severity) == answer.severity
