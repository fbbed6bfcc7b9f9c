"""What reservations and savings plans cover, as Cost Explorer tells it."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.cost_calls import HISTORY, fits, invalid, period
from stillfit.standins.aws.cost_ledger import Commitment
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

COVERAGES_A_PAGE = 20


def get_reservation_coverage(world: World, call: Call) -> Answer:
    days = _days(call)
    found = _found(call, world.ledger.reservations(call.account), days)
    return {
        "CoveragesByTime": [
            {"TimePeriod": _span(day), "Groups": [], "Total": _coverage([one for one in found if one.day == day])}
            for day in days
        ],
        "Total": _coverage(found),
    }


def get_reservation_utilization(world: World, call: Call) -> Answer:
    days = _days(call)
    found = _found(call, world.ledger.reservations(call.account), days)
    return {
        "UtilizationsByTime": [
            {"TimePeriod": _span(day), "Groups": [], "Total": _used([one for one in found if one.day == day])}
            for day in days
        ],
        "Total": _used(found),
    }


def get_savings_plans_coverage(world: World, call: Call) -> Answer:
    days = _days(call)
    found = _found(call, world.ledger.savings_plans(call.account), days)
    rows = [
        {
            "Attributes": {},
            "Coverage": {
                "SpendCoveredBySavingsPlans": _text(sum(one.covered for one in those)),
                "OnDemandCost": _text(sum(one.on_demand for one in those)),
                "TotalCost": _text(sum(one.covered + one.on_demand for one in those)),
                "CoveragePercentage": _percent(those),
            },
            "TimePeriod": _span(day),
        }
        for day in days
        if (those := [one for one in found if one.day == day])
    ]
    position = world.tokens.redeem(call, refusal="InvalidNextTokenException") or Position(rows)
    page, token = next_page(world, call, position, call.parameters.get("MaxResults", COVERAGES_A_PAGE))
    return {"SavingsPlansCoverages": page, **token}


def get_savings_plans_utilization(world: World, call: Call) -> Answer:
    days = _days(call)
    found = _found(call, world.ledger.savings_plans(call.account), days)
    by_time = [
        {"TimePeriod": _span(day), **_committed([one for one in found if one.day == day])}
        for day in days
        if any(one.day == day for one in found)
    ]
    return {"SavingsPlansUtilizationsByTime": by_time, "Total": _committed(found)}


def _days(call: Call) -> list[date]:
    """Groups are told of a whole period only (API references; the refusal: github.com/awslabs/mcp, issue 2933).

    Raises RefusedError where a period or its parts are not allowed.
    """
    if call.parameters.get("GroupBy"):
        if "Granularity" in call.parameters:
            raise invalid("Granularity is not supported when specifying groupBy")
        raise not_modelled("coverage and use of commitments by group")
    return period(call, HISTORY)


def _found(call: Call, every: Iterable[Commitment], days: list[date]) -> list[Commitment]:
    """Raises RefusedError where there is nothing of the kind, as the service does."""
    found = [
        one for one in every if one.day in days and fits(call.parameters.get("Filter"), _values(one, call.account))
    ]
    if not found:
        raise RefusedError("DataUnavailableException", "The requested data is unavailable.")
    return found


def _values(one: Commitment, account: str) -> Callable[[str], str]:
    known = {"SERVICE": one.service, "REGION": one.region, "LINKED_ACCOUNT": one.account or account}

    def value(key: str) -> str:
        if key not in known:
            raise not_modelled(f"the dimension {key} of commitments")
        return known[key]

    return value


def _coverage(found: Iterable[Commitment]) -> Answer:
    those = list(found)
    hours = {
        "OnDemandHours": _text(sum(one.on_demand for one in those)),
        "ReservedHours": _text(sum(one.covered for one in those)),
        "TotalRunningHours": _text(sum(one.covered + one.on_demand for one in those)),
        "CoverageHoursPercentage": _percent(those),
    }
    return {"CoverageHours": hours}


def _used(found: Iterable[Commitment]) -> Answer:
    those = list(found)
    bought, used = sum(one.bought for one in those), sum(one.covered for one in those)
    return {
        "UtilizationPercentage": _text(100 * used / bought if bought else 0),
        "PurchasedHours": _text(bought),
        "TotalActualHours": _text(used),
        "UnusedHours": _text(bought - used),
    }


def _committed(found: Iterable[Commitment]) -> Answer:
    those = list(found)
    bought, used = sum(one.bought for one in those), sum(one.covered for one in those)
    return {
        "Utilization": {
            "TotalCommitment": _text(bought),
            "UsedCommitment": _text(used),
            "UnusedCommitment": _text(bought - used),
            "UtilizationPercentage": _text(100 * used / bought if bought else 0),
        }
    }


def _percent(found: Iterable[Commitment]) -> str:
    those = list(found)
    whole = sum(one.covered + one.on_demand for one in those)
    return _text(100 * sum(one.covered for one in those) / whole if whole else 0)


def _text(amount: float) -> str:
    return f"{amount:.6f}"


def _span(day: date) -> dict[str, str]:
    return {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()}


OPERATIONS: dict[str, Callable[[World, Call], Any]] = {
    "GetReservationCoverage": get_reservation_coverage,
    "GetReservationUtilization": get_reservation_utilization,
    "GetSavingsPlansCoverage": get_savings_plans_coverage,
    "GetSavingsPlansUtilization": get_savings_plans_utilization,
}
