"""The Resource Groups Tagging API, reads of DynamoDB tables only. OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable
from typing import Any

from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.dynamodb_state import table_arn
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

PAGE = 50  # ResourcesPerPage where nothing is asked; 1 to 100 may be
TOKEN = "PaginationToken"  # noqa: S105  (a parameter's name)
_TABLES = frozenset({"dynamodb", "dynamodb:table"})


def get_resources(world: World, call: Call) -> Answer:
    """Tables that have, or once had, a tag; one that never had any is not listed (API reference, TagFilters)."""
    asked = call.parameters
    if "ResourceARNList" in asked or "TagsPerPage" in asked:
        raise not_modelled("GetResources by ResourceARNList or TagsPerPage")
    size = asked.get("ResourcesPerPage", PAGE)
    if not 1 <= size <= 100:
        raise _invalid(f"ResourcesPerPage {size} is not between 1 and 100")
    token = call.parameters.get(TOKEN) or None
    found = world.tokens.redeem(call, refusal="PaginationTokenExpiredException", parameter=TOKEN) if token else None
    items, more = next_page(world, call, found or Position(_tagged(world, call)), size, parameter=TOKEN)
    return {"ResourceTagMappingList": items, TOKEN: more.get(TOKEN, "")}


def _tagged(world: World, call: Call) -> list[dict[str, Any]]:
    kinds = call.parameters.get("ResourceTypeFilters") or ["dynamodb"]
    if not _TABLES.intersection(kinds):
        return []
    names = world.dynamodb.once_tagged(call.account, call.region)
    tagged = [(name, _tags(world, call, name)) for name in names]
    return [
        {
            "ResourceARN": table_arn(call.account, call.region, name),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        for name, tags in tagged
        if all(_fits(tags, wanted) for wanted in call.parameters.get("TagFilters", ()))
    ]


def _tags(world: World, call: Call, name: str) -> dict[str, str]:
    table = world.dynamodb.table(call.account, call.region, name)
    return dict(table.extras.tags) if table else {}


def _fits(tags: dict[str, str], wanted: dict[str, Any]) -> bool:
    values = wanted.get("Values") or None
    return wanted["Key"] in tags and (values is None or tags[wanted["Key"]] in values)


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidParameterException", message)


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {"GetResources": get_resources}
