"""Tables grouped as declared; the rest each for itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

from stillfit.config import Fact, ThresholdConfig, WorkloadConfig
from stillfit.model import DeclaredFact, Workload
from stillfit.workloads import thresholds, workloads
from tests.builders import BY_STATUS, JOBS, ORDERS, subject

CARTS = subject("carts")


def test_every_table_is_a_workload_of_its_own_by_default() -> None:
    assert workloads([], [ORDERS, BY_STATUS, JOBS]) == (
        Workload(name="orders", tables=(ORDERS,)),
        Workload(name="shop.jobs", tables=(JOBS,)),
    )


def test_declared_tables_are_one_workload_with_their_facts() -> None:
    fact = Fact(value=True, declared_at=date(2026, 11, 1), owner="ana")
    shop = WorkloadConfig(name="shop", tables=("orders", "shop.*"), declared={"joins_needed": fact})

    found = workloads([shop], [ORDERS, CARTS, JOBS])

    declared = DeclaredFact("joins_needed", True, datetime(2026, 11, 1, tzinfo=UTC), "ana")
    assert found == (
        Workload(name="shop", tables=(ORDERS, JOBS), declared=(declared,)),
        Workload(name="carts", tables=(CARTS,)),
    )


def test_a_full_subject_text_names_one_table_among_namesakes() -> None:
    only = WorkloadConfig(name="one", tables=(str(ORDERS),))

    assert workloads([only], [ORDERS, CARTS])[0].tables == (ORDERS,)


def test_a_workload_whose_tables_are_not_there_is_left_out() -> None:
    assert workloads([WorkloadConfig(name="ghost", tables=("ghost",))], []) == ()


def test_the_last_threshold_that_matches_wins_and_indexes_follow_their_table() -> None:
    drawn = [
        ThresholdConfig(detector="d", name="line", value=1.0),
        ThresholdConfig(detector="d", name="line", value=2.0, tables=("ord*",)),
        ThresholdConfig(detector="other", name="line", value=3.0),
    ]

    assert thresholds(drawn, "d", BY_STATUS) == {"line": 2.0}
    assert thresholds(drawn, "d", CARTS) == {"line": 1.0}
