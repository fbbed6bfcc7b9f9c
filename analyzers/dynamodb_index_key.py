"""dynamodb/index_key: an index whose partition key can have few values only, so that traffic will meet on one of them.

A risk of the design, not of today: it says nothing about throttling, which is dynamodb/throttling's matter. Fires on a
counted number of values, or, weakly, on a name that usually stands for few. A counted number always beats the name.
"""

from __future__ import annotations

import re

from stillfit.case import Analyzer, Case, Threshold
from stillfit.model import Confidence, Engine, Finding, Level, Severity, Unknown

FEW_BY_NAME = frozenset(
    {
        *("status", "state", "stage", "phase", "type", "kind", "category", "class", "priority", "flag", "gender"),
        *("active", "enabled", "deleted", "archived", "visible", "published", "date", "day", "month", "year"),
    }
)
"""Names that usually stand for few values, or for one value at a time (ours; the developer guide's partition key page
warns of status codes and of creation dates)."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def find(case: Case) -> Finding | Unknown | None:
    key, counted = case.attribute("partition_key"), case.number("distinct_partition_keys")
    if counted is not None:
        few = counted <= case.threshold("few_values")
        return (
            _finding(case, f"has {counted:.0f} value{'' if counted == 1 else 's'}", Confidence.MEDIUM) if few else None
        )
    if not isinstance(key, str) or not key:
        missing = ("partition_key", "distinct_partition_keys")
        return Unknown("the index's partition key is not known; DescribeTable tells it", missing)
    return _finding(case, "usually has few values, by its name", Confidence.LOW) if names_few(key) else None


def names_few(key: str) -> bool:
    """Whether the last word of a key's name stands for few values: orderStatus, entity_type, is_active."""
    words = [word.lower() for word in _WORDS.findall(key)]
    return bool(words) and (words[-1] in FEW_BY_NAME or words[0] in {"is", "has"})


def _finding(case: Case, why: str, confidence: Confidence) -> Finding:
    key = case.attribute("partition_key") or "the partition key"
    return Finding(
        detector=ANALYZER.id,
        subject=case.subject,
        cause="few_key_values",
        severity=Severity.INFO,
        confidence=confidence,
        since=case.attributes.at if case.attributes else case.at,
        summary=f"{key} of index {case.subject.name} {why}; one value takes at most 3,000 RCU/s and 1,000 WCU/s",
        evidence=case.setting("partition_key", "distinct_partition_keys", "projection"),
    )


ANALYZER = Analyzer(
    id="dynamodb/index_key",
    levels=frozenset({Level.INDEX}),
    engines=frozenset({Engine.DYNAMODB}),
    needs=frozenset(),
    causes={"few_key_values": "the index's partition key has few values: a hot key range once traffic grows"},
    thresholds=(
        Threshold(name="few_values", value=100, unit="values", why="ours: fewer than a busy key needs shards"),
    ),
    find=find,
)
