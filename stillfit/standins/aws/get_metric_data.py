"""CloudWatch GetMetricData: the request's rules, one pass over its queries, and its pages.

A page carries the queries it began, in the order of the request: Complete where it has all their points, PartialData
where the next page goes on. All pages of a request are read at the time of the first one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stillfit.standins.aws.calls import Answer, Call, invalid, not_modelled
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.points import Floats, Metric, Times
from stillfit.standins.aws.result_faults import spoilt
from stillfit.standins.aws.statistics import Periods, check_statistic, retained, rounded_start, together
from stillfit.standins.aws.world import World

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
MAX_PERIOD_S = 86_400  # "as long as one day" (CloudWatch User Guide, concepts, periods)
HIGH_RESOLUTION_S = frozenset({1, 5, 10, 20, 30})
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    id: str
    label: str
    metric: Metric
    statistic: str
    period: int
    unit: str | None
    returned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One request as it was first asked: later pages answer for the same moment."""

    queries: tuple[Query, ...]
    start: int
    end: float
    descending: bool
    at: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page begins: the query, and how many of its points went before."""

    reading: Reading
    query: int = 0
    point: int = 0


def get_metric_data(world: World, call: Call) -> Answer:
    asked, limit = _queries(call.parameters["MetricDataQueries"]), _limit(call)
    mark = world.tokens.redeem(call, refusal="InvalidNextToken") or Mark(_reading(call, asked))
    if world.faults.strike({FaultKind.EMPTY_PAGE}, call):
        world.bill.metric_data(call, ((query.metric, query.statistic) for query in asked), 0)
        return {"MetricDataResults": [], "NextToken": world.tokens.issue(call, mark)}
    if world.faults.strike({FaultKind.CUT_PAGE}, call):
        limit = world.faults.below(limit)
    results, rest = _page(world, call, mark, limit)
    datapoints = sum(len(result["Values"]) for result in results)
    world.quotas.spend_datapoints(call, datapoints, start=mark.reading.start)
    world.bill.metric_data(call, ((query.metric, query.statistic) for query in asked), datapoints)
    return {"MetricDataResults": results, "Messages": [], **_token(world, call, rest)}


def _token(world: World, call: Call, rest: Mark | None) -> dict[str, str]:
    sent = call.parameters.get("NextToken")
    if sent and world.faults.strike({FaultKind.REPEATED_TOKEN}, call):
        return {"NextToken": sent}
    return {} if rest is None else {"NextToken": world.tokens.issue(call, rest)}


def _limit(call: Call) -> int:
    limit: int = call.parameters.get("MaxDatapoints", MAX_DATAPOINTS)
    if not 1 <= limit <= MAX_DATAPOINTS:
        raise invalid(f"The value {limit} for parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.")
    return limit


def _reading(call: Call, asked: tuple[Query, ...]) -> Reading:
    start, end = call.parameters["StartTime"], call.parameters["EndTime"]
    if start == end:
        raise invalid("The parameter StartTime must not equal parameter EndTime.")
    if start > end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    finest = min(query.period for query in asked)
    step = min(60, finest)
    first = int(start // step * step) if finest < 60 else rounded_start(start, call.at)
    descending = call.parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    returned = tuple(query for query in asked if query.returned)
    return Reading(queries=returned, start=first, end=end // step * step, descending=descending, at=call.at)


def _queries(asked: list[dict[str, Any]]) -> tuple[Query, ...]:
    if not asked:
        raise invalid("The parameter MetricDataQueries is required.")
    if len(asked) > MAX_QUERIES:
        raise invalid(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    _check_ids([query["Id"] for query in asked])
    queries = tuple(_query(query, f"MetricDataQueries.member.{place}") for place, query in enumerate(asked, 1))
    if not any(query.returned for query in queries):
        raise invalid("At least one element of MetricDataQueries must have ReturnData set to true.")
    return queries


def _check_ids(ids: list[str]) -> None:
    wrong = [
        f"The value {name} for parameter MetricDataQueries.member.{place}.Id is not matching the expected pattern "
        "^[a-z][a-zA-Z0-9_]*$."
        for place, name in enumerate(ids, 1)
        if not _ID.fullmatch(name)
    ]
    if wrong:
        raise invalid("\n".join(wrong))
    if len(set(ids)) != len(ids):
        raise invalid("The values for parameter id in MetricDataQueries are not unique.")


def _query(query: dict[str, Any], where: str) -> Query:
    stat = query.get("MetricStat")
    if query.get("Expression") is not None:
        if stat is not None:
            raise invalid(f"{where}: Expression and MetricStat exclude each other.")
        raise not_modelled(f"Metric math ({where}.Expression)")
    if stat is None:
        raise invalid(f"{where}: one of Expression and MetricStat is required.")
    if query.get("Period") is not None:
        raise invalid(f"{where}: Period belongs into MetricStat when MetricStat is used.")
    if query.get("AccountId") is not None:
        raise not_modelled(f"Cross-account observability ({where}.AccountId)")
    return _metric_query(query, stat, where)


def _metric_query(query: dict[str, Any], stat: dict[str, Any], where: str) -> Query:
    _check_period(stat["Period"], f"{where}.MetricStat.Period")
    check_statistic(stat["Stat"], f"{where}.MetricStat.Stat")
    metric = _metric(stat["Metric"], f"{where}.MetricStat.Metric")
    return Query(
        id=query["Id"],
        label=query.get("Label") or metric.name,
        metric=metric,
        statistic=stat["Stat"],
        period=stat["Period"],
        unit=stat.get("Unit"),
        returned=query.get("ReturnData") is not False,
    )


def _check_period(period: int, where: str) -> None:
    if period not in HIGH_RESOLUTION_S and (period % 60 or period > MAX_PERIOD_S):
        raise invalid(
            f"The value {period} for parameter {where} must be 1, 5, 10, 20, 30, or a multiple of 60 up to 86400."
        )


def _metric(asked: Mapping[str, Any], where: str) -> Metric:
    for name in ("Namespace", "MetricName"):
        if asked.get(name) is None:
            raise invalid(f"The parameter {where}.{name} is required.")
    pairs = [(dimension["Name"], dimension["Value"]) for dimension in asked.get("Dimensions") or ()]
    if len({name for name, _ in pairs}) != len(pairs):
        raise invalid(f"The parameter {where}.Dimensions names a dimension twice.")
    return Metric(asked["Namespace"], asked["MetricName"], tuple(sorted(pairs)))


def _page(world: World, call: Call, mark: Mark, limit: int) -> tuple[list[Answer], Mark | None]:
    """Results up to `limit` datapoints, and where the next page begins, if there is one."""
    reading, results, room = mark.reading, list[Answer](), limit
    for place, (query, times, values) in enumerate(_rows(world, call, reading, mark.query), mark.query):
        begin = mark.point if place == mark.query else 0
        end = min(times.size, begin + room)
        room -= end - begin
        cut = end < times.size
        results.append(
            spoilt(world, call, query.metric.name, _result(query, times[begin:end], values[begin:end], cut=cut))
        )
        if cut:
            return results, Mark(reading, place, end)
        if not room and place + 1 < len(reading.queries):
            return results, Mark(reading, place + 1)
    return results, None


def _rows(world: World, call: Call, reading: Reading, first: int) -> Iterator[tuple[Query, Times, Floats]]:
    """Each query's whole row, in the order that was asked for; statistics of one metric share one read."""
    read: dict[tuple[Metric, int, str | None], Periods] = {}
    for query in reading.queries[first:]:
        key = (query.metric, query.period, query.unit)
        if key not in read:
            read[key] = _periods(world, call, reading, query)
        times, values = read[key].statistic(query.statistic)
        yield (query, times[::-1], values[::-1]) if reading.descending else (query, times, values)


def _periods(world: World, call: Call, reading: Reading, query: Query) -> Periods:
    window = (reading.start, min(reading.end, reading.at))
    origins = world.metrics.read(call.account, call.region, query.metric, window)
    shown = [
        retained(world.publication.visible(points, reading.at), query.period, reading.at)
        for points in origins
        if query.unit in (None, points.unit)
    ]
    return Periods.of(together(shown), reading.start, query.period)


def _result(query: Query, times: Times, values: Floats, *, cut: bool) -> Answer:
    """In the order and with the numbers of the service's JSON: seconds as doubles, not as integers."""
    return {
        "Id": query.id,
        "Label": query.label,
        "StatusCode": "PartialData" if cut else "Complete",
        "Timestamps": times.astype(np.float64),
        "Values": values,
    }
