"""DAX's control plane: clusters with their nodes, parameters, tags, and what is said about what is not there."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, World
from tests.standins.aws.kit import NOW, REGION

HERE = (DEFAULT_ACCOUNT, REGION)
ARN = f"arn:aws:dax:{REGION}:{DEFAULT_ACCOUNT}:cache/"


@pytest.fixture
def dax(connect: Callable[..., Any]) -> Any:
    return connect("dax")


def test_a_cluster_comes_with_its_nodes_over_three_zones(world: World, dax: Any) -> None:
    world.dax.put_cluster(*HERE, {"ClusterName": "front", "NodeType": "dax.t3.small"}, nodes=4)

    [cluster] = dax.describe_clusters()["Clusters"]

    assert (cluster["NodeType"], cluster["TotalNodes"], cluster["ClusterArn"]) == ("dax.t3.small", 4, f"{ARN}front")
    assert [node["NodeId"] for node in cluster["Nodes"]] == ["front-a", "front-b", "front-c", "front-d"]
    assert [node["AvailabilityZone"][-1] for node in cluster["Nodes"]] == ["a", "b", "c", "a"]
    assert cluster["Nodes"][0]["NodeCreateTime"].timestamp() == NOW


@pytest.mark.parametrize(("clusters", "pages"), [(0, 1), (20, 1), (21, 2)])
def test_clusters_come_in_pages(world: World, dax: Any, clusters: int, pages: int) -> None:
    for number in range(clusters):
        world.dax.put_cluster(*HERE, {"ClusterName": f"c{number:02}"}, nodes=1)

    listed = list(dax.get_paginator("describe_clusters").paginate(PaginationConfig={"PageSize": 20}))

    assert (len(listed), sum(len(page["Clusters"]) for page in listed)) == (pages, clusters)


def test_clusters_are_found_by_name_and_another_region_has_none(world: World, connect: Callable[..., Any]) -> None:
    for name in ("front", "back"):
        world.dax.put_cluster(*HERE, {"ClusterName": name})
    world.dax.delete_cluster(*HERE, "front")

    [cluster] = connect("dax").describe_clusters(ClusterNames=["back"])["Clusters"]

    assert cluster["ClusterName"] == "back"
    assert connect("dax", region="us-east-1").describe_clusters()["Clusters"] == []


@pytest.mark.parametrize(("group", "ttl"), [("default.dax1.0", "300000"), ("long", "600000")])
def test_parameters_are_the_defaults_until_set(world: World, dax: Any, group: str, ttl: str) -> None:
    world.dax.put_parameters(*HERE, "long", record_ttl_millis=600_000)

    found = {one["ParameterName"]: one for one in dax.describe_parameters(ParameterGroupName=group)["Parameters"]}

    assert found["record-ttl-millis"]["ParameterValue"] == ttl
    assert found["query-ttl-millis"]["ParameterValue"] == "300000"
    assert found["record-ttl-millis"]["Source"] == ("user" if group == "long" else "system")


def test_tags_are_told_by_arn(world: World, dax: Any) -> None:
    world.dax.put_cluster(*HERE, {"ClusterName": "front"}, tags={"team": "shop"})

    assert dax.list_tags(ResourceName=f"{ARN}front")["Tags"] == [{"Key": "team", "Value": "shop"}]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("describe_clusters", {"ClusterNames": ["nowhere"]}, "ClusterNotFoundFault"),
        ("describe_clusters", {"MaxResults": 19}, "InvalidParameterValueException"),
        ("describe_clusters", {"MaxResults": 101}, "InvalidParameterValueException"),
        ("describe_clusters", {"NextToken": "made-up"}, "InvalidParameterValueException"),
        ("describe_parameters", {"ParameterGroupName": "nowhere"}, "ParameterGroupNotFoundFault"),
        ("list_tags", {"ResourceName": "front"}, "InvalidARNFault"),
        ("list_tags", {"ResourceName": f"{ARN}front"}, "ClusterNotFoundFault"),
    ],
)
def test_what_is_not_there_is_refused(dax: Any, operation: str, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(dax, operation)(**asked)

    assert refused.value.response["Error"]["Code"] == code


def test_a_misshapen_description_is_refused_when_put(world: World) -> None:
    with pytest.raises(ValueError, match="status"):
        world.dax.put_cluster(*HERE, {"ClusterName": "front", "Status": 1})
