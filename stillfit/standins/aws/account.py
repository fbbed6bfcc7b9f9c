"""Account Management: which regions are enabled. OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable

from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

PAGE = 50
"""The most that a page may have (API reference, ListRegions); and what it has where nothing is said (ours)."""


def list_regions(world: World, call: Call) -> Answer:
    asked = call.parameters
    if asked.get("AccountId", call.account) != call.account:
        message = f"User: {call.arn} is not authorized to perform: account:ListRegions on another account"
        raise RefusedError("AccessDeniedException", message, status=403)
    wanted = asked.get("RegionOptStatusContains")
    rows = [
        {"RegionName": name, "RegionOptStatus": status}
        for name, status in world.regions.statuses(call.account).items()
        if not wanted or status in wanted
    ]
    position = world.tokens.redeem(call, refusal="ValidationException") or Position(rows)
    shown, more = next_page(world, call, position, asked.get("MaxResults", PAGE))
    return {"Regions": shown, **more}


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {"ListRegions": list_regions}
