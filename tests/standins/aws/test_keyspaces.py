"""Keyspaces' control plane: inventory, descriptions, tags, auto scaling, and what is said about what is not there."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Fault, FaultKind, World
from tests.standins.aws.kit import NOW, REGION, client

HERE = (DEFAULT_ACCOUNT, REGION)
JOBS = {"keyspaceName": "shop", "tableName": "jobs"}
ARN = f"arn:aws:cassandra:{REGION}:{DEFAULT_ACCOUNT}:/keyspace/shop/"
SYSTEM = ["system", "system_multiregion_info", "system_schema", "system_schema_mcs"]


@pytest.fixture
def keyspaces(connect: Callable[..., Any]) -> Any:
    return connect("keyspaces")


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json"])
def test_a_description_comes_back_as_it_was_put(world: World, aws: AwsStandIn, protocol: str) -> None:
    capacity = {"throughputMode": "PROVISIONED", "readCapacityUnits": 20, "writeCapacityUnits": 5}
    world.keyspaces.put_table(*HERE, {**JOBS, "capacitySpecification": capacity})
    keyspaces = client(aws.url, "keyspaces", protocol=protocol)

    table = keyspaces.get_table(**JOBS)

    assert (table["capacitySpecification"], table["status"]) == (capacity, "ACTIVE")
    assert (table["resourceArn"], table["creationTimestamp"].timestamp()) == (f"{ARN}table/jobs", NOW)
    assert table["schemaDefinition"]["partitionKeys"] == [{"name": "id"}]
    keyspaces.close()


def test_keyspaces_are_listed_with_those_of_the_service(world: World, keyspaces: Any) -> None:
    world.keyspaces.put_keyspace(*HERE, {"keyspaceName": "shop"})

    names = [one["keyspaceName"] for one in keyspaces.list_keyspaces()["keyspaces"]]

    assert names == ["shop", *SYSTEM]
    assert code_of(keyspaces.list_tables, keyspaceName="system") == "NotModelledByStandIn"


def test_a_keyspace_tells_its_regions(world: World, keyspaces: Any) -> None:
    regions = {"replicationStrategy": "MULTI_REGION", "replicationRegions": [REGION, "us-east-1"]}
    world.keyspaces.put_keyspace(*HERE, {"keyspaceName": "shop", **regions})

    keyspace = keyspaces.get_keyspace(keyspaceName="shop")

    assert {name: keyspace[name] for name in regions} == regions


@pytest.mark.parametrize(("tables", "size", "pages"), [(0, 2, 1), (2, 2, 1), (3, 2, 2), (5, 2, 3)])
def test_tables_are_listed_by_name_in_pages(world: World, keyspaces: Any, tables: int, size: int, pages: int) -> None:
    world.keyspaces.put_keyspace(*HERE, {"keyspaceName": "shop"})
    world.keyspaces.put_table(*HERE, {"keyspaceName": "other", "tableName": "elsewhere"})
    for number in reversed(range(tables)):
        world.keyspaces.put_table(*HERE, {"keyspaceName": "shop", "tableName": f"t{number}"})

    paginator = keyspaces.get_paginator("list_tables")
    listed = list(paginator.paginate(keyspaceName="shop", PaginationConfig={"PageSize": size}))

    assert len(listed) == pages
    assert [one["tableName"] for page in listed for one in page["tables"]] == [f"t{n}" for n in range(tables)]


def test_a_deleted_table_is_gone(world: World, keyspaces: Any) -> None:
    world.keyspaces.put_table(*HERE, JOBS)
    world.keyspaces.delete_table(*HERE, "shop", "jobs")

    assert keyspaces.list_tables(keyspaceName="shop")["tables"] == []
    assert code_of(keyspaces.get_table, **JOBS) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("get_keyspace", {"keyspaceName": "nowhere"}, "ResourceNotFoundException"),
        ("list_tables", {"keyspaceName": "nowhere"}, "ResourceNotFoundException"),
        ("get_table", JOBS, "ResourceNotFoundException"),
        ("get_table_auto_scaling_settings", JOBS, "ResourceNotFoundException"),
        ("list_tags_for_resource", {"resourceArn": f"{ARN}table/jobs"}, "ResourceNotFoundException"),
        ("get_table", {**JOBS, "keyspaceName": "no-dash"}, "ValidationException"),
        ("list_keyspaces", {"nextToken": "made-up"}, "ValidationException"),
    ],
)
def test_what_is_not_there_is_refused(keyspaces: Any, operation: str, asked: dict[str, Any], code: str) -> None:
    assert code_of(getattr(keyspaces, operation), **asked) == code


def test_tags_are_told_by_arn(world: World, keyspaces: Any) -> None:
    world.keyspaces.put_table(*HERE, JOBS, tags={"team": "shop"})

    assert keyspaces.list_tags_for_resource(resourceArn=f"{ARN}table/jobs")["tags"] == [
        {"key": "team", "value": "shop"}
    ]
    assert keyspaces.list_tags_for_resource(resourceArn=ARN)["tags"] == []


def test_auto_scaling_is_what_application_auto_scaling_has_on_file(world: World, keyspaces: Any) -> None:
    world.keyspaces.put_table(*HERE, JOBS)
    here = {
        "ServiceNamespace": "cassandra",
        "ResourceId": "keyspace/shop/table/jobs",
        "ScalableDimension": "cassandra:table:ReadCapacityUnits",
    }
    world.scaling.put_target(*HERE, {**here, "MinCapacity": 5, "MaxCapacity": 50})
    tracking = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
    world.scaling.put_policy(*HERE, {**here, "PolicyName": "reads", **tracking})

    settings = keyspaces.get_table_auto_scaling_settings(**JOBS)["autoScalingSpecification"]

    assert list(settings) == ["readCapacityAutoScaling"]
    read = settings["readCapacityAutoScaling"]
    assert (read["minimumUnits"], read["maximumUnits"]) == (5, 50)
    assert read["scalingPolicy"]["targetTrackingScalingPolicyConfiguration"] == {"targetValue": 70.0}


def test_a_table_without_auto_scaling_has_no_specification(world: World, keyspaces: Any) -> None:
    world.keyspaces.put_table(*HERE, JOBS)

    assert "autoScalingSpecification" not in keyspaces.get_table_auto_scaling_settings(**JOBS)


def test_all_reads_of_the_service_are_one_permission(world: World, keyspaces: Any) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, service="cassandra"))

    with pytest.raises(ClientError, match="not authorized to perform: cassandra:Select"):
        keyspaces.list_keyspaces()
    assert world.bill.refused["cassandra:ListKeyspaces"] > 0


@pytest.mark.parametrize(
    ("resource", "seen"), [("*", "jobs"), (f"{ARN}table/jobs", "jobs"), (f"{ARN}table/carts", "AccessDeniedException")]
)
def test_a_policy_on_cassandra_select_is_what_counts(world: World, aws: AwsStandIn, resource: str, seen: str) -> None:
    world.keyspaces.put_table(*HERE, JOBS)
    allowed = {"Effect": "Allow", "Action": "cassandra:Select", "Resource": resource}
    world.identities.add_key("AKIDPOLICY", policy={"Version": "2012-10-17", "Statement": [allowed]})
    keyspaces = client(aws.url, "keyspaces", access_key="AKIDPOLICY")

    try:
        told = keyspaces.get_table(**JOBS)["tableName"]
    except ClientError as refused:
        told = refused.response["Error"]["Code"]
    assert told == seen
    keyspaces.close()


def test_a_misshapen_description_is_refused_when_put(world: World) -> None:
    with pytest.raises(ValueError, match="comment"):
        world.keyspaces.put_table(*HERE, {**JOBS, "comment": "mine"})
    with pytest.raises(ValueError, match="enum"):
        world.keyspaces.put_keyspace(*HERE, {"keyspaceName": "shop", "replicationStrategy": "SOME"})
