"""The Contributor Insights rules of every account and region, with what each contributor did in each minute."""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillfit.standins.aws.points import Floats, Times

MINUTE = 60
Keys = tuple[str, ...]

# DynamoDB developer guide, "CloudWatch Contributor Insights for DynamoDB: how it works", rules.
_OF_DYNAMODB = re.compile(r"DynamoDBContributorInsights-(PKC|PKT|SKC|SKT)-[A-Za-z0-9_.-]+-\d+")
LABELS: Mapping[str, Keys] = {
    "PKC": ("PartitionKey",),
    "PKT": ("PartitionKey",),
    "SKC": ("PartitionKey", "SortKey"),
    "SKT": ("PartitionKey", "SortKey"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one contributor did: `values` in the minutes that begin at `times`, ascending epoch seconds."""

    times: Times
    values: Floats

    def between(self, start: float, end: float) -> "Contribution":
        first, last = self.times.searchsorted([start, end])
        return Contribution(self.times[first:last], self.values[first:last])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InsightRule:
    """One rule that DynamoDB made. `labels`: what the keys of its contributors are."""

    name: str
    labels: Keys
    contributions: Mapping[Keys, Contribution]


def rule_name(kind: str, resource: str, made_at: int = 1_576_629_651_520) -> str:
    """As DynamoDB names its rules: of a table, or of "table-index"; `made_at` in milliseconds."""
    return f"DynamoDBContributorInsights-{kind}-{resource}-{made_at}"


class InsightRules:
    def __init__(self) -> None:
        self._rules: dict[tuple[str, str], dict[str, InsightRule]] = {}
        self._lock = threading.Lock()

    def put(self, account: str, region: str, name: str, contributors: Mapping[Keys, Mapping[int, float]]) -> None:
        """Create or replace a rule. `contributors`: the keys of each to its value by minute (epoch seconds)."""
        named = _OF_DYNAMODB.fullmatch(name)
        if named is None:
            raise ValueError(f"put: {name!r} is no name of a DynamoDB rule; make it with rule_name().")
        labels = LABELS[named[1]]
        wrong = next((keys for keys in contributors if len(keys) != len(labels)), None)
        if wrong is not None:
            raise ValueError(f"put: a contributor of {named[1]} has {len(labels)} keys, {len(wrong)} were given.")
        rule = InsightRule(
            name=name, labels=labels, contributions={keys: _row(minutes) for keys, minutes in contributors.items()}
        )
        with self._lock:
            self._rules.setdefault((account, region), {})[name] = rule

    def remove(self, account: str, region: str, name: str) -> None:
        """As when insights are switched off: the rule is gone, and with it what it had seen."""
        with self._lock:
            self._rules.get((account, region), {}).pop(name, None)

    def find(self, account: str, region: str, name: str) -> InsightRule | None:
        with self._lock:
            return self._rules.get((account, region), {}).get(name)

    def all(self, account: str, region: str) -> Sequence[InsightRule]:
        with self._lock:
            return sorted(self._rules.get((account, region), {}).values(), key=lambda rule: rule.name)


def _row(minutes: Mapping[int, float]) -> Contribution:
    times: npt.NDArray[np.int64] = np.array(sorted(minutes), dtype=np.int64)
    if bool((times % MINUTE).any()):
        raise ValueError("put: values are told by the minute, and a time is not the start of one.")
    return Contribution(times, np.array([minutes[int(at)] for at in times], dtype=np.float64))
