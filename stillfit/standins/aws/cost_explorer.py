"""Cost Explorer: what was billed, by day and group. One function an operation; OPERATIONS is what the dispatch reads.

Limits follow the API reference (GetCostAndUsage, GetCostAndUsageWithResources, Expression): two groups at most, the end
of a period is exclusive, days go back fourteen months, costs by resource fourteen days and only after an opt-in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from stillfit.standins.aws import savings
from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.cost_calls import HISTORY, fits, invalid, named, period
from stillfit.standins.aws.cost_ledger import CostLine
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

METRICS = ("UnblendedCost", "AmortizedCost", "UsageQuantity")
RESOURCE_HISTORY = timedelta(days=14)
DAYS_A_PAGE = 31


def get_cost_and_usage(world: World, call: Call) -> Answer:
    return _answer(world, call, HISTORY)


def get_cost_and_usage_with_resources(world: World, call: Call) -> Answer:
    if not world.ledger.by_resource:
        raise RefusedError("DataUnavailableException", "Resource-level data is not enabled for this account.")
    if _key({"Type": "DIMENSION", "Key": "RESOURCE_ID"}) not in map(_key, call.parameters.get("GroupBy", ())):
        raise invalid("Group by or filter by RESOURCE_ID is required.")
    return _answer(world, call, RESOURCE_HISTORY)


def _answer(world: World, call: Call, history: timedelta) -> Answer:
    unknown = [name for name in call.parameters.get("Metrics", ()) if name not in METRICS]
    if unknown:
        raise not_modelled(f"the metric {unknown[0]}")
    if len(call.parameters.get("GroupBy", ())) > 2:
        raise invalid("At most two groups can be given.")
    days = period(call, history)
    lines = [one for one in world.ledger.lines(call.account) if _wanted(one, call)]
    position = _redeemed(world, call) or Position(days)
    page, token = next_page(world, named(call, "NextPageToken"), position, DAYS_A_PAGE)
    results = [_day(world, call, day, [one for one in lines if one.day == day]) for day in page]
    return {
        "GroupDefinitions": list(call.parameters.get("GroupBy", ())),
        "ResultsByTime": results,
        **({"NextPageToken": token["NextToken"]} if token else {}),
    }


def _wanted(line: CostLine, call: Call) -> bool:
    def value(key: str) -> str:
        return _dimension(line, key, call.account)

    return fits(call.parameters.get("Filter"), value, dict(line.tags))


def _redeemed(world: World, call: Call) -> Any:
    return world.tokens.redeem(named(call, "NextPageToken"), refusal="InvalidNextTokenException")


def _day(world: World, call: Call, day: date, lines: list[CostLine]) -> Answer:
    share, wanted = world.ledger.known(day, call.at), call.parameters["Metrics"]
    groups: defaultdict[tuple[str, ...], list[CostLine]] = defaultdict(list)
    for line in lines if share else ():
        groups[tuple(_value(line, one, call.account) for one in call.parameters.get("GroupBy", ()))].append(line)
    total = groups.pop((), []) if not call.parameters.get("GroupBy") else []
    return {
        "TimePeriod": {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()},
        "Total": _summed(total, wanted, share) if not call.parameters.get("GroupBy") else {},
        "Groups": [{"Keys": list(keys), "Metrics": _summed(found, wanted, share)} for keys, found in groups.items()],
        "Estimated": world.ledger.is_estimated(day, call.at),
    }


def _summed(lines: Iterable[CostLine], metrics: Iterable[str], share: float) -> Answer:
    every = tuple(lines)
    return {
        metric: {
            "Amount": f"{sum(line.amount(metric) for line in every) * share:.10f}",
            "Unit": "N/A" if metric == "UsageQuantity" else "USD",
        }
        for metric in metrics
    }


def _value(line: CostLine, group: Mapping[str, str], account: str) -> str:
    if group["Type"] == "TAG":
        return f"{group['Key']}${dict(line.tags).get(group['Key'], '')}"
    if group["Type"] != "DIMENSION":
        raise not_modelled(f"groups by {group['Type']}")
    return _dimension(line, group["Key"], account)


def _dimension(line: CostLine, key: str, account: str) -> str:
    known = {
        "SERVICE": line.service,
        "USAGE_TYPE": line.usage_type,
        "REGION": line.region,
        "RECORD_TYPE": line.record_type,
        "LINKED_ACCOUNT": account,
        "RESOURCE_ID": line.resource or "NoResourceId",
    }
    if key not in known:
        raise not_modelled(f"the dimension {key}")
    return known[key]


def _key(group: Mapping[str, str]) -> tuple[str, str]:
    return group["Type"], group["Key"]


def _if_switched_on(operation: Callable[[World, Call], Answer]) -> Callable[[World, Call], Answer]:
    """The refusal as users have shown it, github.com/aws-samples/aws-cost-explorer-report, issue 15."""

    def answer(world: World, call: Call) -> Answer:
        if not world.ledger.switched_on:
            raise RefusedError("AccessDeniedException", "User not enabled for cost explorer access")
        return operation(world, call)

    return answer


_OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "GetCostAndUsage": get_cost_and_usage,
    "GetCostAndUsageWithResources": get_cost_and_usage_with_resources,
    **savings.OPERATIONS,
}
OPERATIONS = {name: _if_switched_on(operation) for name, operation in _OPERATIONS.items()}
