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


def next_page(world: World, call: Call, position: Position, size: int) -> tuple[list[Any], dict[str, str]]:
    """The items of this page, and {"NextToken": ...} where there are more."""
    if world.faults.strike({FaultKind.EMPTY_PAGE}, call):
        return [], {"NextToken": world.tokens.issue(call, position)}
    end = position.offset + size
    items = list(position.items[position.offset : end])
    if call.parameters.get("NextToken") and world.faults.strike({FaultKind.REPEATED_TOKEN}, call):
        return items, {"NextToken": call.parameters["NextToken"]}
    if end >= len(position.items):
        return items, {}
    return items, {"NextToken": world.tokens.issue(call, Position(position.items, end))}
