"""Fault by operation of Keyspaces and DAX: each ends in a Gap with its reason, a SourceError, or the right data."""

import socket
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.looks.progress import NEWCOMER_S
from collector.aws.service import ServiceSource
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import Batch, GapReason, Series, Subject
from stillfit.standins.aws import Fault, FaultKind, World
from tests.collector.aws.kit import NOON, Brought, cycle
from tests.collector.aws.services import (
    FRONT,
    JOBS,
    NODE,
    PROVISIONED,
    SHOP,
    OpenService,
    put_cassandra,
    put_dax,
    put_front,
    put_jobs,
)
from tests.collector.aws.wire.test_faults import WHOLE

SCALING = {f"keyspaces_autoscaling_{way}_{what}" for way in ("read", "write") for what in ("min", "max", "target")}
OF_KEYSPACES: dict[str, tuple[Subject, set[str]]] = {
    "ListTables": (SHOP, {"*"}),
    "GetTable": (JOBS, {"*"}),
    "ListTagsForResource": (JOBS, {"keyspaces_tags"}),
    "DescribeScalableTargets": (JOBS, SCALING),
    "DescribeScalingPolicies": (JOBS, SCALING),
    "ListMetrics": (JOBS, {"keyspaces_requests", "keyspaces_request_latency_ms", "keyspaces_ttl_delete_units"}),
    "GetMetricData": (JOBS, {"keyspaces_consumed_read_units", "keyspaces_provisioned_write_units"}),
}
OF_DAX: dict[str, tuple[Subject, set[str]]] = {
    "DescribeParameters": (FRONT, {"dax_item_ttl_s", "dax_query_ttl_s"}),
    "ListTags": (FRONT, {"dax_tags"}),
    "ListMetrics": (FRONT, {"dax_get_item_requests", "dax_item_cache_misses"}),
    "GetMetricData": (NODE, {"dax_cpu_percent", "dax_memory_percent"}),
}
SERVICES: dict[tuple[type[Keyspaces | Dax], str], tuple[Subject, set[str]]] = {
    **{(Keyspaces, operation): told for operation, told in OF_KEYSPACES.items()},
    **{(Dax, operation): told for operation, told in OF_DAX.items()},
}


@pytest.fixture
def world(world: World) -> World:
    put_jobs(world, capacitySpecification=PROVISIONED, tags={"team": "shop"})
    put_front(world, tags={"team": "shop"})
    return world


def test_without_a_fault_nothing_is_missing(world: World, served: OpenService, clock: FakeClock) -> None:
    assert [cycle(served(service), clock).gaps for service in (Keyspaces, Dax)] == [(), ()]


@pytest.mark.parametrize("called", SERVICES, ids=lambda one: f"{one[0].name}:{one[1]}")
@pytest.mark.parametrize("kind", WHOLE)
def test_a_lost_call_is_a_gap_with_its_reason(
    kind: FaultKind, called: tuple[type[Keyspaces | Dax], str], world: World, served: OpenService, clock: FakeClock
) -> None:
    (service, operation), (subject, names) = called, SERVICES[called]
    source = served(service, hot=("*",))
    before = cycle(source, clock)
    world.faults.add(Fault(kind=kind, operation=operation))
    clock.advance(4_000)
    got = cycle(source, clock)
    missing = got.missing(subject)

    assert names <= missing.keys()
    assert {missing[name] for name in names} == {WHOLE[kind].value}
    assert {one.subject for one in got.listed.attributes} == {one.subject for one in before.listed.attributes}


@pytest.mark.parametrize(
    ("age_s", "is_late"), [(NEWCOMER_S - 300, False), (NEWCOMER_S, False), (NEWCOMER_S + 300, True)]
)
@pytest.mark.parametrize(
    "late",
    [
        (Keyspaces, "GetTable", "keyspaces_consumed_read_units", JOBS),
        (Dax, "ListTags", "dax_throttled_requests", FRONT),
        (Dax, "ListTags", "dax_cpu_percent", NODE),
    ],
    ids=["table", "cluster", "node"],
)
def test_what_could_not_be_described_at_first_gets_its_first_look(
    late: tuple[type[Keyspaces | Dax], str, str, Subject],
    age_s: int,
    world: World,
    served: OpenService,
    clock: FakeClock,
    *,
    is_late: bool,
) -> None:
    service, operation, metric, subject = late
    source = served(service, first_look=timedelta(days=2), tags=(("team", "shop"),))
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation, until=NOON + 1))
    first = cycle(source, clock, since_s=None)
    clock.advance(age_s)
    got = cycle(source, clock)
    read = sorted((one for one in got.series if (one.subject, one.metric) == (subject, metric)), key=_begins)

    assert subject not in first.listed.subjects_seen
    look = timedelta(days=2).total_seconds() if is_late else NEWCOMER_S
    assert read[0].covered[0].start == (NOON + age_s - look) // 3_600 * 3_600 + (0 if is_late else age_s % 3_600)
    assert {one.period_s for one in read} == ({300, 60} if is_late else {60})


def _begins(series: Series) -> int:
    return series.covered[0].start


@pytest.mark.parametrize(("operation", "hole"), [("ListTables", SHOP), ("GetTable", JOBS)])
def test_a_hole_in_an_inventory_is_named(
    operation: str, hole: Subject, world: World, served: OpenService, clock: FakeClock
) -> None:
    source = served(Keyspaces)
    cycle(source, clock)
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, operation=operation))
    batch = cycle(source, clock).listed

    assert (batch.inventory, batch.subjects_seen, batch.undescribed) == (True, (SHOP, JOBS), (hole,))


def without_addresses(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """From here on no name of an endpoint exists; what is asked for is added to the list."""
    asked: list[object] = []

    def nameless(host: object, *_args: object, **_more: object) -> object:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nameless)
    return asked


@pytest.mark.parametrize("service", [Keyspaces, Dax])
def test_a_region_that_does_not_offer_a_service_has_nothing_of_it(
    service: type[Keyspaces | Dax], served: OpenService, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = served(service, attempts=3)  # signed in
    asked = without_addresses(monkeypatch)
    with pytest.raises(SourceError, match="found no address"):
        cycle(source, clock)
    assert len(asked) == 1  # and not once more for each attempt
    got = cycle(source, clock)

    assert (got.gaps, got.listed.subjects_seen, got.listed.inventory) == ((), (), True)


@pytest.mark.parametrize("service", [Keyspaces, Dax])
def test_who_looks_once_asks_twice_whether_a_region_offers_a_service(
    service: type[Keyspaces | Dax], served: OpenService, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = served(service, once=True)
    asked = without_addresses(monkeypatch)
    got = cycle(source, clock)

    assert (len(asked), got.gaps, got.listed.subjects_seen) == (2, (), ())


@pytest.mark.parametrize("service", [Keyspaces, Dax])
def test_a_name_that_is_lost_for_a_moment_leaves_an_inventory_as_it_is(
    service: type[Keyspaces | Dax], served: OpenService, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = served(service)
    with monkeypatch.context() as meanwhile:
        without_addresses(meanwhile)
        with pytest.raises(SourceError, match="found no address"):
            cycle(source, clock)

    assert cycle(source, clock).listed.subjects_seen


@pytest.mark.parametrize("service", [Keyspaces, Dax])
def test_what_was_found_once_is_not_given_up_for_a_name_that_is_lost(
    service: type[Keyspaces | Dax],
    world: World,
    served: OpenService,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = served(service)
    cycle(source, clock)
    without_addresses(monkeypatch)
    world.faults.add(Fault(kind=FaultKind.RESET))  # what is connected ends
    with suppress(SourceError):
        cycle(source, clock)

    with pytest.raises(SourceError, match="found no address"):
        cycle(source, clock)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("called", [(Keyspaces, "ListKeyspaces"), (Dax, "DescribeClusters")])
def test_what_there_is_must_be_listed(
    kind: FaultKind, called: tuple[type[Keyspaces | Dax], str], world: World, served: OpenService, clock: FakeClock
) -> None:
    service, operation = called
    world.faults.add(Fault(kind=kind, operation=operation))

    with pytest.raises(SourceError, match=f":{operation} for aws/123456789012/eu-west-1") as lost:
        cycle(served(service), clock)
    assert lost.value.reason is WHOLE[kind]


@pytest.mark.parametrize("kind", WHOLE)
def test_scaling_activities_that_cannot_be_read_are_a_gap_of_the_account(
    kind: FaultKind, world: World, served: OpenService, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=kind, operation="DescribeScalingActivities"))
    source = served(Keyspaces)

    assert cycle(source, clock).missing(source.scope) == {"scaling_activities": WHOLE[kind].value}


@pytest.mark.parametrize(
    ("called", "grant"),
    [
        ((Keyspaces, "GetTable"), "grant cassandra:Select "),
        ((Keyspaces, "ListTagsForResource"), "grant cassandra:Select "),
        ((Keyspaces, "DescribeScalingPolicies"), "grant application-autoscaling:DescribeScalingPolicies "),
        ((Dax, "ListTags"), "grant dax:ListTags "),
        ((Dax, "DescribeParameters"), "grant dax:DescribeParameters "),
    ],
)
def test_a_missing_permission_is_named_as_iam_names_it(
    called: tuple[type[Keyspaces | Dax], str], grant: str, world: World, served: OpenService, clock: FakeClock
) -> None:
    service, operation = called
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation=operation))
    denied = [gap.detail for gap in cycle(served(service), clock).gaps if gap.reason is GapReason.DENIED]

    assert denied
    assert all(grant in detail for detail in denied)


def test_what_is_denied_is_asked_again_after_a_quarter_of_an_hour(
    world: World, served: OpenService, clock: FakeClock
) -> None:
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, operation="ListTags"))
    source = served(Dax)
    for _ in range(3):
        cycle(source, clock)
        clock.advance(300)
    within = world.bill.refused["dax:ListTags"]
    cycle(source, clock)

    assert (within, world.bill.refused["dax:ListTags"]) == (1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_hour_at_random_brings_only_the_truth(
    seed: int, world: World, served: OpenService, clock: FakeClock
) -> None:
    """A twelfth of all calls and results fail in some way; whatever is vouched for afterwards is what was measured."""
    sources = [served(service, hot=("*",)) for service in (Keyspaces, Dax)]
    world.faults._random.seed(seed)
    truth = np.random.default_rng(seed).integers(1, 1_000, 120).astype(float)
    put_cassandra(world, "ConsumedReadCapacityUnits", truth, end=NOON + 3_600)
    put_dax(world, "TotalRequestCount", truth, end=NOON + 3_600)
    passing = {FaultKind.LATENCY, FaultKind.HANG, FaultKind.ACCESS_DENIED}
    bad = [kind for kind in WHOLE if kind not in passing]
    bad += [FaultKind.PARTIAL_DATA, FaultKind.RESULT_INTERNAL_ERROR, FaultKind.CUT_PAGE, FaultKind.EMPTY_PAGE]
    world.faults.add(*(Fault(kind=kind, probability=1 / 12 / len(bad) * 4, until=NOON + 3_300) for kind in bad))
    known: list[dict[int, float]] = [{}, {}]
    for _ in range(13):
        for number, (source, metric, subject) in enumerate(_read(sources)):
            known[number] |= _points(_until_it_fails(source, clock), metric, subject)
        clock.advance(300)

    expected = {NOON - 3_600 + 60 * minute: value for minute, value in enumerate(truth.tolist())}
    assert known == [expected, expected]


def _read(sources: list[ServiceSource]) -> list[tuple[ServiceSource, str, Subject]]:
    return [(sources[0], "keyspaces_consumed_read_units", JOBS), (sources[1], "dax_requests", FRONT)]


def _until_it_fails(source: ServiceSource, clock: FakeClock) -> Brought:
    """What was handed over stays: whoever stores has it."""
    batches: list[Batch] = []
    with suppress(SourceError):
        batches.extend(source.collect(clock.now() - timedelta(seconds=300), clock.now()))
    return Brought(tuple(batches))


def _points(got: Brought, metric: str, subject: Subject) -> dict[int, float]:
    found: dict[int, float] = {}
    for one in got.all(metric, subject):
        found |= dict(zip(one.times.tolist(), one.values.tolist(), strict=True))
    return found
