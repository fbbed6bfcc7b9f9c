"""A workload as evidence: what people declared, and what its tables show by being where they are. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from stillfit.case import Case
from stillfit.fit.declared import DECLARED
from stillfit.fit.knockouts import MAX_ITEM_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS, Known
from stillfit.model import DeclaredFact, Engine, Evidence, EvidenceKind, Statistic, Workload


def known_of(workload: Workload, cases: Sequence[Case], at: datetime) -> Known:
    """All that bears on the fit of a workload, by signal."""
    found: defaultdict[str, list[Evidence]] = defaultdict(list)
    for evidence in (*(_declared(fact, at) for fact in workload.declared), *_shown(cases)):
        found[evidence.signal].append(evidence)
    return {signal: tuple(several) for signal, several in found.items()}


def _declared(fact: DeclaredFact, at: datetime) -> Evidence:
    question = DECLARED.get(fact.name)
    text = ", ".join(fact.value) if isinstance(fact.value, tuple) else fact.value if isinstance(fact.value, str) else ""
    number = float(fact.value) if isinstance(fact.value, (bool, int, float)) else None
    return Evidence(
        signal=fact.name,
        unit=question.unit if question else "",
        kind=EvidenceKind.DECLARED,
        source=fact.owner,
        low=number,
        mid=number,
        high=number,
        text=text,
        freshness_s=max(0, int((at - fact.declared_at).total_seconds())),
    )


def _shown(cases: Sequence[Case]) -> Iterable[Evidence]:
    """What follows from where the tables are now; only what holds for each of them is said."""
    if not cases:
        return
    engines = {case.subject.engine for case in cases}
    if engines == {Engine.DYNAMODB}:
        mean = max(_mean_item_bytes(case) for case in cases)
        yield _within("largest_item_bytes", "bytes", mean, max(mean, MAX_ITEM_BYTES), cases[0])
        yield _within("largest_transaction_items", "items", 0.0, MAX_TRANSACTION_ITEMS, cases[0])
        yield _within("largest_transaction_bytes", "bytes", 0.0, MAX_TRANSACTION_BYTES, cases[0])
        yield _within("cql_features", "", 0.0, 0.0, cases[0])
        yield from _regions(cases)
    if engines == {Engine.CASSANDRA}:
        yield from _rows(cases)


def _mean_item_bytes(case: Case) -> float:
    size, items = (case.fold(name, Statistic.LAST) for name in ("table_size_bytes", "item_count"))
    return size / items if size and items else 0.0


def _regions(cases: Sequence[Case]) -> Iterable[Evidence]:
    """No replica in another region: nothing is written in two. With one it may be, and nobody but its owner knows."""
    replicas = [case.attribute("replica_regions") for case in cases]
    if all(value is not None for value in replicas):
        yield _within("active_active_regions", "", 0.0, 1.0 if any(replicas) else 0.0, cases[0])


def _rows(cases: Sequence[Case]) -> Iterable[Evidence]:
    """No row is larger than the largest partition ever written."""
    if all(case.proves("max_partition_bytes") for case in cases):
        largest = max(case.total("max_partition_bytes", Statistic.LAST) for case in cases)
        yield _within("largest_item_bytes", "bytes", 0.0, largest, cases[0])


def _within(signal: str, unit: str, low: float, high: float, case: Case) -> Evidence:
    return Evidence(
        signal=signal,
        unit=unit,
        kind=EvidenceKind.DERIVED,
        source=f"what {case.subject.engine} keeps for {case.subject.name} now",
        low=low,
        mid=low,
        high=high,
        window=case.window,
    )
