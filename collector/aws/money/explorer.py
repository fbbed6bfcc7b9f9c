"""Cost Explorer, asked once a day: what each day was billed, and what commitments covered. Each request costs a cent.

The last five weeks are read anew each day, because AWS restates them; the price is by request, not by day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np

from collector.aws.money import cost_answers as answers
from collector.aws.money.charges import CLOUDWATCH_NAME, DAY_S, SERVICE_NAMES, Ledger, Watch, daily, midnight
from collector.aws.money.prices import Trouble
from collector.aws.spending.attempts import Attempts
from collector.aws.wire.connection import Connection
from stillfit.errors import SourceError
from stillfit.model import GapReason, Series, Span, Statistic

DAYS = 35
HOUR_S = 3_600
RESOURCE_DAYS = 14
"""As long as Cost Explorer keeps costs by resource (its API reference)."""
MAX_PAGES = 5
"""Of one question: what may be spent on it a day is known (ours)."""
DYNAMODB_NAME = "Amazon DynamoDB"
NO_PART_OF_A_PRICE = ("Credit", "Refund", "Tax")
"""Record types that say nothing of use or price."""


@dataclass(slots=True)
class Told:
    """What one day's questions brought."""

    watch: Watch
    series: list[Series] = field(default_factory=list)
    troubles: list[tuple[str, Trouble]] = field(default_factory=list)
    """The metric that is missing, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One operation: where its list is, how it goes on, and the metric that is missing without it."""

    operation: str
    expect: str
    token: str
    missing: str
    parameters: Mapping[str, Any]


class Explorer:
    """Asks for one account. `tables` is how tables are told apart: "", "resource" or "tag:NAME"."""

    def __init__(self, connection: Connection, account: str, tables: str = "") -> None:
        self._connection = connection
        self._account = account
        self._tables = tables
        self.requests = 0
        """Answered so far; each is billed."""
        self.lost = 0
        """Attempts whose answer was lost on the way: each may have been billed too."""

    def read(self, at: datetime, watch: Watch, *, with_costs: bool = True) -> Told:
        """Ask everything once; without costs where files tell them. What fails is told, and the rest is there."""
        told, today, before = Told(watch), at.date(), self.requests + self.lost
        for question, meaning in self._questions(today) if with_costs else ():
            self._costs(told, today, question, meaning)
        for commitment, rows in _COMMITMENTS:
            self._covered(told, today, commitment(self._account, today), rows)
        told.series.append(_spent(watch, at, self.requests + self.lost - before))
        return told

    def _questions(self, today: date) -> Iterator[tuple[_Question, answers.Meaning]]:
        account = self._account
        yield _usage(account, today), answers.by_usage(account)
        if self._tables == "resource":
            yield _resources(account, today), answers.by_resource(account)
        elif self._tables:
            yield _tagged(account, today, self._tables), answers.by_tag(account)

    def _costs(self, told: Told, today: date, question: _Question, meaning: answers.Meaning) -> None:
        results = self._asked(told, question)
        if results is None:
            return
        found = answers.costs(results, meaning, today)
        ledger = Ledger(today - timedelta(days=DAYS), DAYS)
        for charge in found.charges:
            if told.watch.takes(charge.subject):
                ledger.add(charge)
        told.series += ledger.series(found.final, found.known)
        if found.odd:
            told.troubles.append((question.missing, _odd(question, found.odd)))

    def _covered(self, told: Told, today: date, question: _Question, rows: _Rows) -> None:
        results = self._asked(told, question)
        values = dict(answers.percentages(rows(results or ()), today))
        if not values:
            return
        starts = np.array([midnight(day) for day in sorted(values)], np.int64)
        points = (starts, np.array([values[day] for day in sorted(values)], np.float64))
        for subject in told.watch.scopes():
            told.series.append(daily(subject, question.missing, points, statistic=Statistic.AVERAGE))

    def _asked(self, told: Told, question: _Question) -> list[Mapping[str, Any]] | None:
        """All results of a question; None where it failed, which is told."""
        found: list[Mapping[str, Any]] = []
        try:
            pages = 0
            for page in islice(self._pages(question), MAX_PAGES):
                found += page
                pages += 1
        except SourceError as error:
            told.troubles.append((question.missing, Trouble(error.reason, str(error))))
            return None
        if pages == MAX_PAGES:
            told.troubles.append((question.missing, Trouble(GapReason.PARTIAL, _CUT.format(question.operation))))
            return None  # a day may go on over the next page
        return found

    def _pages(self, question: _Question) -> Iterator[Iterable[Mapping[str, Any]]]:
        pages = self._connection.pages(
            "ce",
            question.operation,
            f"account {self._account}",
            expect=question.expect,
            tokens=(question.token, question.token),
            **question.parameters,
        )
        with Attempts() as attempts:
            try:
                for page in pages:
                    attempts.answered()
                    self.requests += 1
                    yield page
            finally:
                self.lost += attempts.lost


_Rows = Callable[[Iterable[Mapping[str, Any]]], Iterator[answers.Row]]


def _usage(account: str, today: date) -> _Question:
    services = _is("SERVICE", *SERVICE_NAMES, CLOUDWATCH_NAME)
    groups = [_group("SERVICE"), _group("USAGE_TYPE")]
    return _costs_of("GetCostAndUsage", account, services, (today, DAYS), groups)


def _tagged(account: str, today: date, tables: str) -> _Question:
    tag = {"Type": "TAG", "Key": tables.removeprefix("tag:")}
    groups = [tag, _group("USAGE_TYPE")]
    return _costs_of("GetCostAndUsage", account, _is("SERVICE", DYNAMODB_NAME), (today, DAYS), groups)


def _resources(account: str, today: date) -> _Question:
    groups = [_group("RESOURCE_ID"), _group("USAGE_TYPE")]
    operation, service = "GetCostAndUsageWithResources", _is("SERVICE", DYNAMODB_NAME)
    return _costs_of(operation, account, service, (today, RESOURCE_DAYS), groups)


def _costs_of(
    operation: str, account: str, service: Mapping[str, Any], window: tuple[date, int], groups: list[dict[str, str]]
) -> _Question:
    """Costs of use by day, without what is no price: a payer's account sees those of others too."""
    whose = _is("LINKED_ACCOUNT", account)
    paid = {"Not": _is("RECORD_TYPE", *NO_PART_OF_A_PRICE)}
    return _Question(
        operation=operation,
        expect="ResultsByTime",
        token="NextPageToken",  # noqa: S106  (a parameter's name)
        missing="billed_usd",
        parameters={
            "TimePeriod": _period(*window),
            "Granularity": "DAILY",
            "Metrics": list(answers.METRICS),
            "Filter": {"And": [service, whose, paid]},
            "GroupBy": groups,
        },
    )


def _reserved(account: str, today: date) -> _Question:
    return _commitment("GetReservationCoverage", "CoveragesByTime", "reservation_coverage", account, today)


def _reserved_use(account: str, today: date) -> _Question:
    return _commitment("GetReservationUtilization", "UtilizationsByTime", "reservation_utilization", account, today)


def _planned(account: str, today: date) -> _Question:
    return _commitment("GetSavingsPlansCoverage", "SavingsPlansCoverages", "savings_plan_coverage", account, today)


def _planned_use(account: str, today: date) -> _Question:
    listed = "SavingsPlansUtilizationsByTime"
    return _commitment("GetSavingsPlansUtilization", listed, "savings_plan_utilization", account, today)


def _commitment(operation: str, expect: str, missing: str, account: str, today: date) -> _Question:
    """By day, and so of the account: by region would be a request, and a cent, for each.

    "If GroupBy is set, Granularity can't be set" (API references of both coverages and GetReservationUtilization; the
    refusal: github.com/awslabs/mcp, issue 2933). Use of savings plans is of no service (API reference, its Filter).
    Each knows LINKED_ACCOUNT, without which a payer is told of all its accounts, and joins dimensions by And alone.
    """
    whose, service = _is("LINKED_ACCOUNT", account), _is("SERVICE", DYNAMODB_NAME)
    filtered = whose if operation == "GetSavingsPlansUtilization" else {"And": [service, whose]}
    return _Question(
        operation=operation,
        expect=expect,
        token="NextPageToken" if operation.startswith("GetReservation") else "NextToken",
        missing=missing,
        parameters={"TimePeriod": _period(today, DAYS), "Granularity": "DAILY", "Filter": filtered},
    )


def _period(today: date, days: int) -> dict[str, str]:
    """Up to yesterday: the end is exclusive."""
    return {"Start": (today - timedelta(days=days)).isoformat(), "End": today.isoformat()}


def _is(key: str, *values: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def _group(key: str) -> dict[str, str]:
    return {"Type": "DIMENSION", "Key": key}


def _odd(question: _Question, odd: list[str]) -> Trouble:
    sentence = f"{len(odd)} parts of ce:{question.operation} could not be read: {'; '.join(odd[:3])}"
    return Trouble(GapReason.PARTIAL, sentence)


def _spent(watch: Watch, at: datetime, requests: int) -> Series:
    """Our own requests as a point of this hour: it is also how the next process sees that today's were made."""
    hour = int(at.timestamp()) // HOUR_S * HOUR_S
    return Series(
        subject=watch.scopes()[0],
        metric="cost_explorer_requests",
        statistic=Statistic.SUM,
        period_s=HOUR_S,
        times=np.array([hour], np.int64),
        values=np.array([requests], np.float64),
        covered=(Span(hour, hour + HOUR_S),),
    )


def is_new_day(since: datetime | None, at: datetime) -> bool:
    """Whether nothing has been read since midnight; `since` is how far what was read reaches."""
    return since is None or since.timestamp() < at.timestamp() // DAY_S * DAY_S


_CUT = f"ce:{{}} had more than {MAX_PAGES} pages, and each is billed: not all of it was read, and none is believed"
_COMMITMENTS: tuple[tuple[Callable[[str, date], _Question], _Rows], ...] = (
    (_reserved, answers.reservation_rows),
    (_reserved_use, answers.utilization_rows),
    (_planned, answers.plan_rows),
    (_planned_use, answers.plan_use_rows),
)
