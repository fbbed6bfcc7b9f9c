"""Contributor Insights, reads only: GetInsightRuleReport and DescribeInsightRules.

Of rules that DynamoDB made "only MaxContributorValue and Maximum return useful statistics" (DynamoDB developer guide,
how Contributor Insights works). What the others return instead is not documented: here it is zero, so that nobody who
builds on them can be right by chance.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.insight_rules import MINUTE, Contribution, InsightRule, Keys
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.points import Floats, Times
from stillfit.standins.aws.world import World

USEFUL = ("MaxContributorValue", "Maximum")
METRICS = (*USEFUL, "UniqueContributors", "SampleCount", "Sum", "Minimum", "Average")
ORDERS = ("Sum", "Maximum")
DEFAULT_CONTRIBUTORS, MOST_CONTRIBUTORS = 10, 100  # "The range is 1 to 100" (API reference, MaxContributorCount)
PAGE = 500  # the most and the default of DescribeInsightRules


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One contributor by period: what it did in all, and in its busiest minute."""

    times: Times
    sums: Floats
    peaks: Floats


def get_insight_rule_report(world: World, call: Call) -> Answer:
    asked = call.parameters
    metrics, most, period = _metrics(asked), _most(asked), _period(asked)
    order = asked.get("OrderBy", "Sum")
    if order not in ORDERS:
        raise _invalid(f"The value {order} for parameter OrderBy is not one of {', '.join(ORDERS)}.")
    rule = world.insights.find(call.account, call.region, asked["RuleName"])
    if rule is None:
        raise RefusedError("ResourceNotFoundException", f"The rule {asked['RuleName']} does not exist.")
    seen = _seen(rule, _window(asked, call.at, period), period)
    world.bill.insight_report(call, metrics=len(metrics))
    return {
        "KeyLabels": list(rule.labels),
        "AggregationStatistic": "Sum",
        "AggregateValue": float(sum(one.sums.sum() for one in seen.values())),
        "ApproximateUniqueCount": len(seen),
        "Contributors": [_contributor(keys, one) for keys, one in _ranked(seen, order)[:most]],
        "MetricDatapoints": _datapoints(seen.values(), metrics) if metrics else [],
    }


def describe_insight_rules(world: World, call: Call) -> Answer:
    size = call.parameters.get("MaxResults", PAGE)
    rules = world.insights.all(call.account, call.region)
    position = world.tokens.redeem(call, refusal="InvalidNextToken") or Position(rules)
    shown, token = next_page(world, call, position, size)
    return {"InsightRules": [_described(rule) for rule in shown], **token}


def _described(rule: InsightRule) -> Answer:
    """What a managed rule's definition says is not documented; its name and its keys are true."""
    definition = {"Schema": {"Name": "DynamoDBContributorInsights", "Version": 1}, "Keys": list(rule.labels)}
    return {
        "Name": rule.name,
        "State": "ENABLED",
        "Schema": '{"Name":"DynamoDBContributorInsights","Version":1}',
        "Definition": json.dumps(definition),
        "ManagedRule": True,
    }


def _metrics(asked: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = tuple(asked.get("Metrics") or ())
    unknown = [name for name in wanted if name not in METRICS]
    if unknown:
        raise _invalid(f"The value {unknown[0]} for parameter Metrics is not one of {', '.join(METRICS)}.")
    return wanted


def _most(asked: Mapping[str, Any]) -> int:
    most: int = asked.get("MaxContributorCount", DEFAULT_CONTRIBUTORS)
    if not 1 <= most <= MOST_CONTRIBUTORS:
        raise _invalid(f"The value {most} for parameter MaxContributorCount must be from 1 to {MOST_CONTRIBUTORS}.")
    return most


def _period(asked: Mapping[str, Any]) -> int:
    period: int = asked["Period"]
    if period % MINUTE:
        raise _invalid(f"The value {period} for parameter Period must be a multiple of {MINUTE}.")
    return period


def _window(asked: Mapping[str, Any], now: float, period: int) -> tuple[float, float]:
    """Whole periods; minutes that are not over yet are not in any report."""
    start, end = asked["StartTime"], asked["EndTime"]
    if start >= end:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    return start // period * period, min(end, now // MINUTE * MINUTE)


def _seen(rule: InsightRule, window: tuple[float, float], period: int) -> dict[Keys, _Seen]:
    """Each contributor that did something in the window."""
    found = {keys: _by_period(one.between(*window), period) for keys, one in rule.contributions.items()}
    return {keys: one for keys, one in found.items() if one.times.size}


def _by_period(one: Contribution, period: int) -> _Seen:
    """Only the periods in which it appeared (API reference, Datapoints of a contributor)."""
    active = one.values > 0
    starts, places = np.unique(one.times[active] // period * period, return_inverse=True)
    sums, peaks = np.zeros(starts.size), np.zeros(starts.size)
    np.add.at(sums, places, one.values[active])
    np.maximum.at(peaks, places, one.values[active])
    return _Seen(starts, sums, peaks)


def _ranked(seen: Mapping[Keys, _Seen], order: str) -> list[tuple[Keys, _Seen]]:
    def weight(one: _Seen) -> float:
        return float(one.sums.sum() if order == "Sum" else one.peaks.max())

    return sorted(seen.items(), key=lambda pair: (-weight(pair[1]), pair[0]))


def _contributor(keys: Keys, one: _Seen) -> Answer:
    pairs = zip(one.times.tolist(), one.sums.tolist(), strict=True)
    return {
        "Keys": list(keys),
        "ApproximateAggregateValue": float(one.sums.sum()),
        "Datapoints": [{"Timestamp": at, "ApproximateValue": value} for at, value in pairs],
    }


def _datapoints(seen: Iterable[_Seen], metrics: tuple[str, ...]) -> list[Answer]:
    """One row for each period in which anybody contributed."""
    useful: dict[int, dict[str, float]] = {}
    for one in seen:
        for at, total, peak in zip(one.times.tolist(), one.sums.tolist(), one.peaks.tolist(), strict=True):
            row = useful.setdefault(at, dict.fromkeys(USEFUL, 0.0))
            row["MaxContributorValue"] = max(row["MaxContributorValue"], total)
            row["Maximum"] = max(row["Maximum"], peak)
    return [{"Timestamp": at, **{name: row.get(name, 0.0) for name in metrics}} for at, row in sorted(useful.items())]


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidParameterValueException", message)


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "GetInsightRuleReport": get_insight_rule_report,
    "DescribeInsightRules": describe_insight_rules,
}
