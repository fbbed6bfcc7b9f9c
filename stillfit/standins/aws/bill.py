"""What the calls would have cost: counted by the rules of the CloudWatch price page, per account and region too."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from math import ceil

from stillfit.standins.aws.calls import Call
from stillfit.standins.aws.points import Metric

USD_PER_METRIC = 0.01 / 1_000  # GetMetricData, per metric requested; datapoints are free
USD_PER_COST_REQUEST = 0.01  # Cost Explorer, each request, a further page included
STATISTICS_PER_METRIC = 5  # up to five statistics of one metric in one request are one metric


class Bill:
    """Counts of served calls; refused ones cost nothing and are counted apart.

    Whether CloudWatch bills the second page of a request again is not documented. This bill does, the dearer reading;
    `paged_metrics` is the part of `metrics` that came so.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()  # by action, "cloudwatch:GetMetricData"
        self.refused: Counter[str] = Counter()
        self.queries = 0
        self.datapoints = 0
        self.metrics = 0
        self.paged_metrics = 0
        self.metrics_by_place: Counter[tuple[str, str]] = Counter()  # by account and region
        self.report_metrics = 0  # of GetInsightRuleReport
        self._lock = threading.Lock()

    @property
    def dollars(self) -> float:
        return (self.metrics + self.report_metrics) * USD_PER_METRIC + self.cost_requests * USD_PER_COST_REQUEST

    @property
    def cost_requests(self) -> int:
        """Served requests of Cost Explorer."""
        return sum(count for action, count in self.calls.items() if action.startswith("ce:"))

    def served(self, call: Call) -> None:
        with self._lock:
            self.calls[call.action] += 1

    def turned_away(self, call: Call) -> None:
        with self._lock:
            self.refused[call.action] += 1

    def metric_data(self, call: Call, asked: Iterable[tuple[Metric, str]], datapoints: int) -> None:
        """One GetMetricData answer: the (metric, statistic) pairs that were asked, and the datapoints returned."""
        pairs = tuple(asked)
        billed = billed_metrics(pairs)
        with self._lock:
            self.queries += len(pairs)
            self.datapoints += datapoints
            self.metrics += billed
            self.metrics_by_place[call.account, call.region] += billed
            if call.parameters.get("NextToken") is not None:
                self.paged_metrics += billed

    def insight_report(self, call: Call, *, metrics: int) -> None:
        """One GetInsightRuleReport answer, billed like metric data (usage type GIRR-Metrics).

        Whether its statistics count as one metric or each is not documented. This bill counts each, the dearer
        reading, and one for a report that asks for contributors alone.
        """
        billed = max(1, metrics)
        with self._lock:
            self.report_metrics += billed
            self.metrics_by_place[call.account, call.region] += billed


def billed_metrics(asked: Iterable[tuple[Metric, str]]) -> int:
    """Five statistics of one (namespace, name, dimensions) in one request count once, the sixth begins a new one."""
    statistics: defaultdict[Metric, set[str]] = defaultdict(set)
    for metric, statistic in asked:
        statistics[metric].add(statistic)
    return sum(ceil(len(names) / STATISTICS_PER_METRIC) for names in statistics.values())
