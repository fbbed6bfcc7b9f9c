"""One page of a list behind a NextToken, with the ways a page can go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stillfit.standins.aws.calls import Call
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.world import World


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next page begins, in the list as it was when the first page was made."""

    items: Sequence[Any]
    offset: int = 0


def next_page(
    world: World, call: Call, position: Position, size: int, *, parameter: str = "NextToken"
) -> tuple[list[Any], dict[str, str]]:
    """The items of this page, and {"NextToken": ...}, or what else the token is called, where there are more."""
    if world.faults.strike({FaultKind.EMPTY_PAGE}, call):
        return [], {parameter: world.tokens.issue(call, position)}
    end = position.offset + size
    items = list(position.items[position.offset : end])
    if call.parameters.get(parameter) and world.faults.strike({FaultKind.REPEATED_TOKEN}, call):
        return items, {parameter: call.parameters[parameter]}
    if end >= len(position.items):
        return items, {}
    return items, {parameter: world.tokens.issue(call, Position(position.items, end))}
