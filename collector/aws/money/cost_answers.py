"""What Cost Explorer's answers mean: charges by day, and percentages of commitments. Pure.

Shapes follow the AWS Cost Explorer API reference (GetCostAndUsage and its sisters). Amounts are texts; a group's keys
come in the order in which groups were asked for; a tag's key is "name$value".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite
from typing import Any

from collector.aws.money.charges import (
    CLOUDWATCH_NAME,
    SERVICE_NAMES,
    Charge,
    component,
    engine_of,
    scope_of,
    subject_of,
)
from stillfit.costs.skus import CLOUDWATCH, DYNAMODB
from stillfit.model import Engine, Subject

SETTLED = timedelta(days=3)
"""A day that ended less ago still grows (AWS: 24 hours late and restated; ours: the third day has been whole)."""

Meaning = Callable[[tuple[str, ...]], "tuple[Subject, str] | None"]
"""Whose and what for, by the keys of a group; None where it is not of ours."""
Row = tuple[object, object, object]
"""A day of a commitment, all of the account: its period, the percentage, and the whole that it is a share of."""


@dataclass(slots=True)
class Costs:
    """What an answer of GetCostAndUsage holds."""

    charges: list[Charge] = field(default_factory=list)
    final: set[date] = field(default_factory=set)
    known: set[date] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    """One sentence for each group that could not be read."""


def costs(results: Iterable[Mapping[str, Any]], meaning: Meaning, today: date) -> Costs:
    """The days of an answer. A young day without a group is not known yet, an old one was billed nothing."""
    told = Costs()
    for result in results:
        day = _day(result.get("TimePeriod"))
        if day is None:
            told.odd.append("a result without its day")
            continue
        groups = result.get("Groups") or ()
        is_settled = day + SETTLED < today
        if not groups and not is_settled:
            continue
        told.known.add(day)
        if is_settled and result.get("Estimated") is False:
            told.final.add(day)
        for group in groups:
            _take(told, day, group, meaning)
    return told


def by_usage(account: str) -> Meaning:
    """Groups by SERVICE and USAGE_TYPE: figures of a region."""

    def meaning(keys: tuple[str, ...]) -> tuple[Subject, str] | None:
        name, usage_type = keys
        service = CLOUDWATCH if name == CLOUDWATCH_NAME else SERVICE_NAMES.get(name, "")
        engine = engine_of(service, usage_type)
        return (scope_of(engine, account, usage_type), component(service, usage_type)) if engine else None

    return meaning


def by_tag(account: str) -> Meaning:
    """Groups by TAG and USAGE_TYPE of DynamoDB: the tag's value is the table."""

    def meaning(keys: tuple[str, ...]) -> tuple[Subject, str] | None:
        table = keys[0].partition("$")[2]
        region = scope_of(Engine.DYNAMODB, account, keys[1]).scope[1]
        if not (table and region):
            return None
        subject = Subject(engine=Engine.DYNAMODB, scope=(account, region), table=table)
        return subject, component(DYNAMODB, keys[1])

    return meaning


def by_resource(account: str) -> Meaning:
    """Groups by RESOURCE_ID and USAGE_TYPE of DynamoDB."""

    def meaning(keys: tuple[str, ...]) -> tuple[Subject, str] | None:
        subject = subject_of(keys[0])
        if subject is None or subject.scope[0] != account:
            return None
        return subject, component(DYNAMODB, keys[1])

    return meaning


def percentages(rows: Iterable[Row], today: date) -> Iterator[tuple[date, float]]:
    """Day and percentage; days that may still change, and days with nothing to be a share of, are left out."""
    for period, text, whole in rows:
        day, value = _day(period), _number(text)
        if day is None or value is None or _number(whole) == 0:
            continue
        if day + SETTLED < today and 0 <= value <= 100:
            yield day, value


def reservation_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """CoveragesByTime: without groups a day's figures are in its Total."""
    for result in results:
        hours = result.get("Total", {}).get("CoverageHours", {})
        yield result.get("TimePeriod"), hours.get("CoverageHoursPercentage"), hours.get("TotalRunningHours")


def utilization_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """UtilizationsByTime."""
    for result in results:
        used = result.get("Total", {})
        yield result.get("TimePeriod"), used.get("UtilizationPercentage"), used.get("PurchasedHours")


def plan_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """SavingsPlansCoverages."""
    for result in results:
        covered = result.get("Coverage", {})
        yield result.get("TimePeriod"), covered.get("CoveragePercentage"), covered.get("TotalCost")


def plan_use_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """SavingsPlansUtilizationsByTime."""
    for result in results:
        used = result.get("Utilization", {})
        yield result.get("TimePeriod"), used.get("UtilizationPercentage"), used.get("TotalCommitment")


def _take(told: Costs, day: date, group: Mapping[str, Any], meaning: Meaning) -> None:
    keys = tuple(str(key) for key in group.get("Keys", ()))
    whose = meaning(keys) if len(keys) == 2 else None
    if whose is None:
        if len(keys) != 2:
            told.odd.append(f"a group of {day} with {len(keys)} keys")
        return
    metrics = group.get("Metrics", {})
    amounts = [_amount(metrics.get(name, {}), in_usd=name != "UsageQuantity") for name in METRICS]
    if None in amounts:
        told.odd.append(f"{whose[1]} of {day}: an amount is no number of USD")
        return
    billed, amortized, units = (float(amount or 0) for amount in amounts)
    charge = Charge(day=day, subject=whose[0], component=whose[1], billed=billed, amortized=amortized, units=units)
    told.charges.append(charge)


def _amount(value: Mapping[str, Any], *, in_usd: bool) -> float | None:
    return _number(value.get("Amount")) if not in_usd or value.get("Unit") == "USD" else None


def _number(text: object) -> float | None:
    try:
        number = float(text) if isinstance(text, str) else float("nan")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _day(period: object) -> date | None:
    start = period.get("Start") if isinstance(period, dict) else None
    try:
        return date.fromisoformat(start) if isinstance(start, str) else None
    except ValueError:
        return None


METRICS = ("UnblendedCost", "AmortizedCost", "UsageQuantity")
