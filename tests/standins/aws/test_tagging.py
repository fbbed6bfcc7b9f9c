"""The Resource Groups Tagging API: which tables it lists, with which tags, in which pages."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, Extras, World
from tests.standins.aws.kit import REGION

HERE = (DEFAULT_ACCOUNT, REGION)
ARN = f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT}:table/"


@pytest.fixture(params=["", "json"], ids=["as botocore chooses", "json"])
def tagging(request: pytest.FixtureRequest, connect: Callable[..., Any]) -> Any:
    return connect("resourcegroupstaggingapi", protocol=request.param)


def put(world: World, name: str, **tags: str) -> None:
    world.dynamodb.put_table(*HERE, {"TableName": name}, Extras(tags=tags))


def shown(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Tags by table."""
    return {
        one["ResourceARN"].removeprefix(ARN): {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        for one in answer["ResourceTagMappingList"]
    }


def test_a_table_that_never_had_a_tag_is_not_listed(world: World, tagging: Any) -> None:
    put(world, "orders", team="shop", env="prod")
    put(world, "carts")

    assert shown(tagging.get_resources()) == {"orders": {"team": "shop", "env": "prod"}}


def test_a_table_that_lost_its_tags_is_listed_without_any(world: World, tagging: Any) -> None:
    put(world, "orders", team="shop")
    put(world, "orders")

    assert shown(tagging.get_resources()) == {"orders": {}}


def test_a_deleted_table_is_not_listed(world: World, tagging: Any) -> None:
    put(world, "orders", team="shop")
    world.dynamodb.delete_table(*HERE, "orders")
    put(world, "orders")

    assert shown(tagging.get_resources()) == {}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([{"Key": "team"}], ["carts", "orders"]),
        ([{"Key": "team", "Values": ["shop", "ads"]}], ["orders"]),
        ([{"Key": "team"}, {"Key": "env"}], ["carts"]),
    ],
    ids=str,
)
def test_filters_must_all_fit(world: World, tagging: Any, filters: list[dict[str, Any]], found: list[str]) -> None:
    put(world, "orders", team="shop")
    put(world, "carts", team="cart", env="prod")

    assert sorted(shown(tagging.get_resources(TagFilters=filters))) == found


@pytest.mark.parametrize(("kinds", "count"), [(["dynamodb:table"], 1), (["dynamodb"], 1), (["ec2:instance"], 0)])
def test_only_tables_are_known(world: World, tagging: Any, kinds: list[str], count: int) -> None:
    put(world, "orders", team="shop")

    assert len(shown(tagging.get_resources(ResourceTypeFilters=kinds))) == count


@pytest.mark.parametrize(("tables", "pages"), [(0, 1), (50, 1), (51, 2), (101, 3)])
def test_pages_end_with_an_empty_token(world: World, tagging: Any, tables: int, pages: int) -> None:
    for number in range(tables):
        put(world, f"table-{number:03}", team="shop")

    listed = list(tagging.get_paginator("get_resources").paginate())

    assert (len(listed), listed[-1]["PaginationToken"]) == (pages, "")
    assert len({name for page in listed for name in shown(page)}) == tables


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ResourcesPerPage": 101}, "InvalidParameterException"),
        ({"PaginationToken": "x"}, "PaginationTokenExpiredException"),
    ],
    ids=str,
)
def test_a_bad_page_is_refused(tagging: Any, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        tagging.get_resources(**asked)

    assert refused.value.response["Error"]["Code"] == code


def test_tags_belong_to_their_account_and_region(world: World, connect: Callable[..., Any]) -> None:
    put(world, "orders", team="shop")

    assert shown(connect("resourcegroupstaggingapi", region="us-east-1").get_resources()) == {}
