"""What reading the small fleet costs, counted by hand from the cadences of its plan and not by our own meter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from stillfit.standins.aws import Fault, FaultKind, Faults, Metric
from stillfit.standins.aws.bill import billed_metrics
from stillfit.standins.aws.calls import Call
from tests.collector.aws.kit import NOON
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES
from tests.collector.aws.matrix.truth import Truth, is_throttling

STEP_S = 300
LOOKS_AN_HOUR = 12

HOT_LOOK = 12
"""Of the table and its index: what was consumed and provisioned (two metrics a direction each), and two tripwires."""
CAUSES = 4
"""Of a subject and direction of which requests were refused."""
OF_ACCOUNT_HOURLY, OF_ACCOUNT_DAILY = 7, 4
ASKED_AGAIN_S = 1_200
"""A look reads from fifteen minutes before where the last one ended, which is one tick ago."""

BEATS = {
    KEYSPACES: {0: 11, 4: 4, 12: 1, 23: 6, 40: 5},
    DAX: {0: 7, **dict.fromkeys((2, 14, 26, 38), 7)},
}
"""Billed metrics of those looks, of 48, that have another number than each. Keyspaces: the quiet table by its beat of
three hours, its size when an hour of it is over, the account by its own. DAX: all seven at first and once an hour."""
EACH = {KEYSPACES: 0, DAX: 1}
"""What DAX refused is read in every look."""

_EVERY_CAUSE = 3 * CAUSES
EVERYTHING = {
    DYNAMODB: {
        HOT_LOOK + _EVERY_CAUSE + OF_ACCOUNT_HOURLY,
        HOT_LOOK + _EVERY_CAUSE + OF_ACCOUNT_HOURLY + OF_ACCOUNT_DAILY,
    },
    KEYSPACES: {11},
    DAX: {7},
}
"""Billed metrics of a look at which all is due. Of DynamoDB, requests were refused to each that refuses any at all."""


def planned(source: str, looks: range, truth: Truth) -> int:
    """Billed metrics of those looks, every five minutes from noon, where nothing fails."""
    if source != DYNAMODB:
        return sum(BEATS[source].get(look, EACH[source]) for look in looks)
    return sum(_hot(look, truth) for look in looks)


def _hot(look: int, truth: Truth) -> int:
    now = NOON + look * STEP_S
    shown = range(now - ASKED_AGAIN_S, now - 60, 60)  # of the newest minute nothing is published yet
    refused = [key for key, points in truth.items() if is_throttling(key) and any(at in points for at in shown)]
    of_account = OF_ACCOUNT_HOURLY * (look % LOOKS_AN_HOUR == 0) + OF_ACCOUNT_DAILY * (look == 0)
    return HOT_LOOK + CAUSES * len(refused) + of_account


class NotedFaults(Faults):
    """Faults that note what they spoil: a metric of which the answer is lost may be paid for again."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed, sleep=lambda _: None)
        self.spoilt: Counter[FaultKind] = Counter()
        """Billed metrics of the GetMetricData requests, or single results, that were struck."""

    def strike(self, kinds: Collection[FaultKind], call: Call, metric: str | None = None) -> Fault | None:
        fault = super().strike(kinds, call, metric)
        if fault is not None and call.operation == "GetMetricData":
            self.spoilt[fault.kind] += billed_metrics(_asked(call)) if metric is None else 1
        return fault


def _asked(call: Call) -> Iterator[tuple[Metric, str]]:
    for query in call.parameters.get("MetricDataQueries", ()):
        asked = query["MetricStat"]
        dimensions = {one["Name"]: one["Value"] for one in asked["Metric"]["Dimensions"]}
        yield Metric.of(asked["Metric"]["Namespace"], asked["Metric"]["MetricName"], dimensions), asked["Stat"]
