"""What the calls of Cost Explorer have in common: periods, tokens and filters."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stillfit.standins.aws.calls import Call, RefusedError, not_modelled

HISTORY = timedelta(days=425)
"""Fourteen months."""


def period(call: Call, history: timedelta) -> list[date]:
    """The days that are asked for. Raises RefusedError where the service would not take them."""
    try:
        start, end = (date.fromisoformat(call.parameters["TimePeriod"][name]) for name in ("Start", "End"))
    except ValueError as error:
        raise invalid("Start and end dates must be in the format yyyy-MM-dd.") from error
    if start >= end:
        raise invalid("Start date (and hour) should be before end date (and hour).")
    today = datetime.fromtimestamp(call.at, UTC).date()
    if start < today - history:
        raise invalid("You haven't enabled historical data beyond this time.")
    if call.parameters.get("Granularity") != "DAILY":
        raise not_modelled(f"a granularity of {call.parameters.get('Granularity')}")
    return [start + timedelta(days=number) for number in range((end - start).days)]


def named(call: Call, token: str) -> Call:
    """The call with its token under the name that paging knows."""
    others = {name: value for name, value in call.parameters.items() if name != token}
    given = {"NextToken": call.parameters[token]} if token in call.parameters else {}
    return replace(call, parameters={**others, **given})


def fits(expression: Any, value: Callable[[str], str], tags: Mapping[str, str] | None = None) -> bool:
    """Whether a filter takes what has these values of dimensions; each expression has one member, as demanded."""
    if not expression:
        return True
    if len(expression) != 1:
        raise invalid("Expression has more than one root.")
    ((kind, inner),) = expression.items()
    if kind in {"And", "Or"}:
        return (all if kind == "And" else any)(fits(one, value, tags) for one in inner)
    if kind == "Not":
        return not fits(inner, value, tags)
    if kind == "Dimensions":
        return value(inner["Key"]) in inner["Values"]
    if kind == "Tags":
        return (tags or {}).get(inner["Key"], "") in inner["Values"]
    raise not_modelled(f"a filter by {kind}")


def invalid(message: str) -> RefusedError:
    return RefusedError("ValidationException", message)
