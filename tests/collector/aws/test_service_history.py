"""What of Keyspaces and DAX is gone for the store: what is listed no more, and never what could not be described."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.model import Level, Subject
from stillfit.standins.aws import Fault, FaultKind, World
from stillfit.standins.aws.calls import Call, RefusedError
from stillfit.store.store import Store
from tests.collector.aws.kit import SCOPE, cycle
from tests.collector.aws.services import FRONT, JOBS, NODE, SHOP, OpenService, put_front, put_jobs

CARTS = replace(JOBS, table="carts")
Look = Callable[[ServiceSource], None]


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/stillfit.db", clock=clock, ballast_bytes=64 * 1024)
    yield store
    store.close()


@pytest.fixture
def look(store: Store, clock: FakeClock) -> Look:
    """An hour passes, then one cycle is read and stored."""

    def look(source: ServiceSource) -> None:
        clock.advance(3_600)
        for batch in cycle(source, clock).batches:
            store.write(batch)

    return look


def living(store: Store) -> tuple[Subject, ...]:
    """What of the account exists, as far as is known."""
    return tuple(one for one in store.subjects() if one.level is not Level.SCOPE)


def deny(world: World, table: str) -> None:
    """Nobody may describe this table."""

    def refuse(call: Call) -> None:
        if (call.operation, call.parameters.get("tableName")) == ("GetTable", table):
            raise RefusedError("AccessDeniedException", f"User is not authorized to perform cassandra:Select: {table}")

    world.before_call.append(refuse)


def test_a_table_that_is_denied_keeps_no_deleted_one_alive(
    world: World, served: OpenService, store: Store, look: Look
) -> None:
    deny(world, "carts")
    put_jobs(world)
    put_jobs(world, "carts")
    source = served(Keyspaces)
    look(source)
    world.keyspaces.delete_table(*SCOPE, "shop", "jobs")
    look(source)

    assert living(store) == (SHOP,)


def test_a_table_that_is_denied_after_a_start_is_not_gone(
    world: World, served: OpenService, store: Store, look: Look
) -> None:
    put_jobs(world)
    put_jobs(world, "carts")
    look(served(Keyspaces))
    deny(world, "carts")
    look(served(Keyspaces))

    assert living(store) == (SHOP, CARTS, JOBS)


def test_tables_of_a_keyspace_that_cannot_be_listed_after_a_start_are_not_gone(
    world: World, served: OpenService, store: Store, look: Look
) -> None:
    put_jobs(world)
    look(served(Keyspaces))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTables"))
    look(served(Keyspaces))

    assert living(store) == (SHOP, JOBS)


def test_a_table_whose_tags_are_not_known_after_a_start_is_not_gone(
    world: World, served: OpenService, store: Store, look: Look
) -> None:
    put_jobs(world, tags={"team": "shop"})
    look(served(Keyspaces, tags=(("team", "shop"),)))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTagsForResource"))
    look(served(Keyspaces, tags=(("team", "shop"),)))

    assert living(store) == (SHOP, JOBS)


def test_a_cluster_whose_tags_are_not_known_after_a_start_is_not_gone_nor_are_its_nodes(
    world: World, served: OpenService, store: Store, look: Look
) -> None:
    put_front(world, nodes=1, tags={"team": "shop"})
    look(served(Dax, tags=(("team", "shop"),)))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTags"))
    look(served(Dax, tags=(("team", "shop"),)))

    assert living(store) == (FRONT, NODE)
