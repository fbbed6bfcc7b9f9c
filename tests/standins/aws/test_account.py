"""Account Management of the stand-in: the regions of an account, and credentials where a region is not enabled."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World

Connect = Callable[..., Any]


def test_only_what_is_asked_for_is_listed(world: World, connect: Connect) -> None:
    world.regions.enable_only(DEFAULT_ACCOUNT, "us-east-1", "me-south-1")
    answer = connect("account", region="us-east-1").list_regions(
        RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]
    )

    assert answer["Regions"] == [
        {"RegionName": "me-south-1", "RegionOptStatus": "ENABLED"},
        {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
    ]


def test_a_list_comes_in_pages(world: World, connect: Connect) -> None:
    client = connect("account", region="us-east-1")
    first = client.list_regions(MaxResults=20)
    rest = client.list_regions(MaxResults=20, NextToken=first["NextToken"])

    names = [row["RegionName"] for row in (*first["Regions"], *rest["Regions"])]
    assert names == sorted(world.regions.statuses(DEFAULT_ACCOUNT))


def test_credentials_are_not_taken_where_a_region_is_not_enabled(world: World, connect: Connect) -> None:
    world.regions.enable_only(DEFAULT_ACCOUNT, "us-east-1")

    assert connect("dynamodb", region="us-east-1").list_tables()["TableNames"] == []
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        connect("dynamodb", region="me-south-1").list_tables()


def test_a_foreign_account_and_a_bad_token_are_refused(connect: Connect) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        connect("account", region="us-east-1").list_regions(AccountId="999999999999")
    with pytest.raises(ClientError, match="ValidationException"):
        connect("account", region="us-east-1").list_regions(NextToken="x")
