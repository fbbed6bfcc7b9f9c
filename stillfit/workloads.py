"""Which tables make up which workload: as declared, and every other table as a workload of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from fnmatch import fnmatchcase

from stillfit.config import ThresholdConfig, WorkloadConfig
from stillfit.model import DeclaredFact, Level, Subject, Workload


def workloads(declared: Iterable[WorkloadConfig], subjects: Iterable[Subject]) -> tuple[Workload, ...]:
    """Declared workloads that have a table here, then each table that none of them names."""
    tables = [subject for subject in subjects if subject.level is Level.TABLE]
    grouped = [_declared(one, tables) for one in declared]
    named = {table for workload in grouped for table in workload.tables}
    alone = [Workload(name=table.name, tables=(table,)) for table in tables if table not in named]
    return tuple(workload for workload in (*grouped, *alone) if workload.tables)


def matches(subject: Subject, pattern: str) -> bool:
    """Whether a table is meant by a name, a pattern with * and ?, or a full subject text."""
    return str(subject) == pattern or fnmatchcase(subject.name, pattern)


def thresholds(overrides: Iterable[ThresholdConfig], detector: str, subject: Subject) -> dict[str, float]:
    """The lines that an operator drew elsewhere for one detector and subject; the last that matches wins."""
    table = subject.parent
    return {
        one.name: one.value
        for one in overrides
        if one.detector == detector and any(matches(table, pattern) for pattern in one.tables)
    }


def _declared(config: WorkloadConfig, tables: Iterable[Subject]) -> Workload:
    facts = tuple(
        DeclaredFact(
            name=name,
            value=fact.value,
            declared_at=datetime.combine(fact.declared_at, time(), UTC),
            owner=fact.owner,
        )
        for name, fact in config.declared.items()
    )
    members = tuple(table for table in tables if any(matches(table, pattern) for pattern in config.tables))
    return Workload(name=config.name, tables=members, declared=facts)
