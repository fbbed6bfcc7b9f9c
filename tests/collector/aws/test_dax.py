"""DAX from the stand-in: clusters and nodes, settings, metrics, what is spared, and what is not known."""

import pytest

from collector.aws.dax import Dax
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.model import Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, World
from tests.collector.aws.kit import KNOWN_TO, NOON, REGION, SCOPE, cycle
from tests.collector.aws.services import FRONT, NODE, OpenService, put_dax, put_front


@pytest.fixture
def dax(served: OpenService) -> ServiceSource:
    return served(Dax)


# Inventory and settings


def test_a_region_without_clusters_is_empty_and_free(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    got = cycle(dax, clock)

    assert [(batch.subjects_seen, batch.inventory) for batch in got.batches] == [((), True)]
    assert (got.gaps, dax.bill.usd, dax.price.metrics) == ((), 0.0, 0)
    assert set(world.bill.calls) == {"sts:GetCallerIdentity", "dax:DescribeClusters"}


def test_an_account_that_never_had_dax_is_empty_and_no_failure(
    world: World, dax: ServiceSource, clock: FakeClock
) -> None:
    fault = Fault(
        kind=FaultKind.REFUSED, operation="DescribeClusters", code="ServiceLinkedRoleNotFoundFault", status=400
    )
    world.faults.add(fault)
    got = cycle(dax, clock)

    assert (got.gaps, got.listed.subjects_seen, got.listed.inventory) == ((), (), True)


def test_clusters_and_nodes_are_the_inventory(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world)
    inventory = cycle(dax, clock).listed

    names = [one.name for one in inventory.subjects_seen]
    assert (names, inventory.inventory) == (["front", "front on front-a", "front on front-b"], True)
    assert dax.id == f"aws/{DEFAULT_ACCOUNT}/{REGION}/dax"


def test_a_cluster_is_told_whole(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    group = {"ParameterGroupName": "long", "ParameterApplyStatus": "in-sync", "NodeIdsToReboot": []}
    put_front(
        world,
        tags={"team": "shop"},
        NodeType="dax.r5.xlarge",
        ParameterGroup=group,
        SSEDescription={"Status": "ENABLED"},
        ClusterEndpointEncryptionType="TLS",
    )
    world.dax.put_parameters(*SCOPE, "long", record_ttl_millis=600_000, query_ttl_millis=0)

    assert cycle(dax, clock).settings(FRONT) == {
        "dax_status": "available",
        "dax_node_type": "dax.r5.xlarge",
        "dax_nodes": 2.0,
        "dax_active_nodes": 2.0,
        "dax_zones": (f"{REGION}a", f"{REGION}b"),
        "dax_subnet_group": "default",
        "dax_parameter_group": "long",
        "dax_parameters_applied": "in-sync",
        "dax_item_ttl_s": 600.0,
        "dax_query_ttl_s": 0.0,
        "dax_encrypted": True,
        "dax_endpoint_encryption": "TLS",
        "dax_network": "ipv4",
        "dax_maintenance_window": "sun:02:00-sun:03:00",
        "dax_tags": ("team=shop",),
    }


def test_a_node_is_told_whole(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world)

    assert cycle(dax, clock).settings(NODE) == {
        "dax_node_status": "available",
        "dax_node_zone": f"{REGION}a",
        "dax_node_created": "2026-11-02T12:00:00+00:00",
        "dax_node_parameters": "in-sync",
    }


def test_a_cluster_in_creation_has_no_nodes_yet(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world, nodes=0, Status="creating", TotalNodes=3)
    got = cycle(dax, clock)

    assert got.listed.subjects_seen == (FRONT,)
    settings = got.settings(FRONT)
    assert (settings["dax_status"], settings["dax_nodes"], settings["dax_active_nodes"]) == ("creating", 3.0, 0.0)


def test_a_removed_node_is_gone(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world, nodes=2)
    cycle(dax, clock)
    put_front(world, nodes=1)

    assert cycle(dax, clock).listed.subjects_seen == (FRONT, NODE)


def test_parameters_and_tags_are_read_once_an_hour(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world)
    for _ in range(12):
        cycle(dax, clock)
        clock.advance(300)
    in_the_hour = (world.bill.calls["dax:DescribeParameters"], world.bill.calls["dax:ListTags"])
    cycle(dax, clock)

    assert in_the_hour == (1, 1)
    assert (world.bill.calls["dax:DescribeParameters"], world.bill.calls["dax:ListTags"]) == (2, 2)


def test_what_is_left_out_is_told_and_costs_nothing(world: World, served: OpenService, clock: FakeClock) -> None:
    put_front(world)
    source = served(Dax, include=("back",))
    got = cycle(source, clock)

    assert (got.listed.subjects_seen, got.missing(FRONT)) == ((), {"*": "not asked"})
    assert source.bill.metrics == source.bill.listings == 0


def test_tags_choose_clusters(world: World, served: OpenService, clock: FakeClock) -> None:
    put_front(world, tags={"team": "shop"})
    seen = [cycle(served(Dax, tags=(("team", team),)), clock).listed.subjects_seen for team in ("sh*", "office")]

    assert [len(one) for one in seen] == [3, 0]


# Metrics


def test_requests_are_read_of_the_cluster_and_strain_of_each_node(
    world: World, dax: ServiceSource, clock: FakeClock
) -> None:
    put_front(world)
    put_dax(world, "TotalRequestCount", [60] * 60)
    put_dax(world, "GetItemRequestCount", [50] * 60)
    put_dax(world, "ItemCacheHits", [40] * 60)
    put_dax(world, "CPUUtilization", [30] * 60, node="front-a")
    put_dax(world, "EvictedSize", [4_096] * 60, node="front-a")
    put_dax(world, "ClientConnections", [12] * 60, node="front-a")
    got = cycle(dax, clock)

    for metric, value in (("dax_requests", 60), ("dax_get_item_requests", 50), ("dax_item_cache_hits", 40)):
        assert got.one(metric, FRONT).values.tolist() == [value] * 60
    assert got.one("dax_cpu_percent", NODE, Statistic.MAXIMUM).values.tolist() == [30] * 60
    assert got.one("dax_evicted_bytes", NODE).values.tolist() == [4_096] * 60
    assert got.one("dax_client_connections", NODE, Statistic.AVERAGE).values.tolist() == [12] * 60


def test_an_idle_cluster_costs_what_stands(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world, nodes=3)
    got = cycle(dax, clock)

    assert dax.bill.metrics == world.bill.metrics == dax.price.metrics == 3 + 3 * 2
    assert got.one("dax_scan_requests", FRONT).covered[0].end == NOON - 900
    assert got.one("dax_evicted_bytes", NODE).times.tolist() == []
    assert got.all("dax_client_connections", NODE, Statistic.AVERAGE) == []


def test_refusals_are_asked_in_every_look(world: World, dax: ServiceSource, clock: FakeClock) -> None:
    put_front(world)
    put_dax(world, "ThrottledRequestCount", [7])
    refused = cycle(dax, clock).one("dax_throttled_requests", FRONT)

    assert (refused.values.tolist(), refused.covered[0].end) == ([7], KNOWN_TO)


@pytest.mark.parametrize("metric", ["CPUUtilization", "CacheMemoryUtilization"])
def test_a_level_that_is_not_published_is_no_zero(
    world: World, dax: ServiceSource, clock: FakeClock, metric: str
) -> None:
    put_front(world)
    put_dax(world, metric, [30] * 5, node="front-b")
    name = {"CPUUtilization": "dax_cpu_percent", "CacheMemoryUtilization": "dax_memory_percent"}[metric]

    assert cycle(dax, clock).one(name, NODE, Statistic.MAXIMUM).values.tolist() == []
