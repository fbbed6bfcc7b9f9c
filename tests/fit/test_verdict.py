from __future__ import annotations

import pytest

from stillfit.case import Case
from stillfit.fit.knockouts import CANDIDATES, KNOCKOUTS
from stillfit.fit.verdict import fit_of
from stillfit.model import FitState, Value
from tests.builders import JOBS, JOBS_ON_1, NOON, ORDERS, case
from tests.fit.kit import ON_DEMAND, SETTLED, verdict, workload

HERE = "dynamodb-on-demand"
STANDING: tuple[tuple[str, dict[str, Value], str], ...] = (
    (HERE, {"joins_needed": True}, "dynamodb/joins"),
    (HERE, {"multi_cloud": True}, "one-cloud/multi-cloud"),
    (HERE, {"on_prem": True}, "one-cloud/on-prem"),
    (HERE, {"largest_item_bytes": 500_000.0}, "dynamodb/item-size"),
    (HERE, {"largest_transaction_items": 101.0}, "dynamodb/transaction-items"),
    (HERE, {"largest_transaction_bytes": 5e6}, "dynamodb/transaction-size"),
    ("dynamodb-provisioned", {"vector_index": True}, "dynamodb/vector-index"),
    ("keyspaces", {"cql_features": ("secondary_index",)}, "keyspaces/features"),
    ("keyspaces", {"largest_item_bytes": 2e6}, "keyspaces/row-size"),
    ("cassandra", {"dba_fte": 0.0, "managed_contract": False}, "cassandra/nobody-to-run-it"),
    ("aurora-postgresql", {"active_active_regions": True}, "aurora-postgresql/active-active"),
    ("aurora-postgresql", {"one_writer_suffices": False}, "aurora-postgresql/one-writer"),
    ("redshift", {"latency_slo_ms": 10.0}, "warehouse/point-latency"),
    ("bigquery", {"latency_slo_ms": 10.0}, "warehouse/point-latency"),
)


def test_a_workload_of_which_nothing_is_declared_is_unknown_and_never_fits() -> None:
    found = verdict(HERE, {})

    assert found.state is FitState.UNKNOWN
    assert found.is_current
    assert found.missing == ("joins_needed", "multi_cloud", "on_prem")
    assert found.blockers == ()


def test_it_fits_when_every_knock_out_is_known_not_to_stand() -> None:
    found = verdict(HERE, SETTLED)

    assert (found.state, found.missing, found.blockers) == (FitState.FITS, (), ())


@pytest.mark.parametrize("unsaid", sorted(SETTLED))
def test_one_decisive_fact_unsaid_keeps_it_open(unsaid: str) -> None:
    found = verdict(HERE, {name: value for name, value in SETTLED.items() if name != unsaid})

    assert (found.state, found.missing) == (FitState.UNKNOWN, (unsaid,))


@pytest.mark.parametrize(("candidate", "facts", "blocker"), STANDING)
def test_a_certain_blocker_decides(candidate: str, facts: dict[str, Value], blocker: str) -> None:
    found = verdict(candidate, facts)

    assert found.state is FitState.DOES_NOT_FIT
    assert [(one.id, one.certain) for one in found.blockers] == [(blocker, True)]
    assert any(one.source == "mara" for one in found.blockers[0].evidence)


def test_every_knock_out_is_tried_above() -> None:
    assert {blocker for _, _, blocker in STANDING} == {knockout.id for knockout in KNOCKOUTS}


def test_a_fact_that_expired_can_warn_but_neither_blocks_nor_clears() -> None:
    blocked, cleared = (verdict(HERE, SETTLED | {"joins_needed": value}, days_ago=181) for value in (True, False))

    assert blocked.state is FitState.UNKNOWN
    assert [(one.id, one.certain) for one in blocked.blockers] == [("dynamodb/joins", False)]
    assert blocked.blockers[0].sentence.startswith("possible blocker, confirm: ")
    assert cleared.state is FitState.UNKNOWN
    assert cleared.blockers == ()
    assert "joins_needed" in cleared.missing


@pytest.mark.parametrize(("days", "state"), [(179, "does not fit"), (180, "does not fit"), (181, "unknown")])
def test_a_fact_counts_for_180_days(days: float, state: str) -> None:
    assert verdict(HERE, {"multi_cloud": True}, days_ago=days).state == state


@pytest.mark.parametrize(
    ("bytes_", "state"),
    [(409_599.0, FitState.FITS), (409_600.0, FitState.FITS), (409_601.0, FitState.DOES_NOT_FIT)],
)
def test_an_item_may_have_exactly_400_kb(bytes_: float, state: FitState) -> None:
    assert verdict(HERE, SETTLED | {"largest_item_bytes": bytes_}).state is state


@pytest.mark.parametrize(("ms", "state"), [(999.0, "does not fit"), (1000.0, "fits"), (1001.0, "fits")])
def test_a_warehouse_is_out_below_a_second(ms: float, state: str) -> None:
    assert verdict("redshift", SETTLED | {"latency_slo_ms": ms}).state == state


def test_somebody_to_run_it_or_a_contract_lets_cassandra_in() -> None:
    by_staff = verdict("cassandra", {"dba_fte": 0.5})
    by_contract = verdict("cassandra", {"dba_fte": 0.0, "managed_contract": True})
    half_asked = verdict("cassandra", {"dba_fte": 0.0})

    assert by_staff.state is by_contract.state is FitState.FITS
    assert (half_asked.state, half_asked.missing) == (FitState.UNKNOWN, ("managed_contract",))


def test_a_replica_region_leaves_it_open_whether_both_write() -> None:
    alone = verdict("aurora-postgresql", SETTLED | {"one_writer_suffices": True})
    replicated = case(ORDERS, settings={"billing_mode": "PAY_PER_REQUEST", "replica_regions": ("eu-west-1",)})
    twice = verdict("aurora-postgresql", SETTLED | {"one_writer_suffices": True}, about=replicated)

    assert alone.state is FitState.FITS
    assert (twice.state, twice.missing) == (FitState.UNKNOWN, ("active_active_regions",))


@pytest.mark.parametrize(
    ("largest", "missing"),
    [(1_000_000.0, False), (1_048_576.0, False), (1_048_577.0, True)],
    ids=["below", "at", "above"],
)
def test_a_row_is_no_larger_than_its_partition(largest: float, missing: bool) -> None:
    jobs = case(JOBS, related=[case(JOBS_ON_1, max_partition_bytes=largest)])
    found = verdict("keyspaces", SETTLED | {"cql_features": ()}, about=jobs)

    assert ("largest_item_bytes" in found.missing) is missing
    assert found.blockers == ()


def test_the_mode_tells_which_candidate_is_current() -> None:
    provisioned = case(ORDERS, settings={"billing_mode": "PROVISIONED"})

    assert current(provisioned) == {"dynamodb-provisioned"}
    assert current(ON_DEMAND) == {"dynamodb-on-demand"}
    assert current(case(ORDERS)) == {"dynamodb-provisioned", "dynamodb-on-demand"}
    assert current(case(JOBS)) == {"cassandra"}


def current(about: Case) -> set[str]:
    return {one.candidate for one in fit_of(workload({}, about=about), (about,), NOON) if one.is_current}


def test_every_candidate_is_judged_once_and_the_current_one_first() -> None:
    verdicts = fit_of(workload({}), (ON_DEMAND,), NOON)

    assert sorted(one.candidate for one in verdicts) == sorted(CANDIDATES)
    assert verdicts[0].is_current
