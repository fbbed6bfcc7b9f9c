from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stillfit.case import Case
from stillfit.costs import cost_of
from stillfit.costs.pricebook import Band, Price, PriceBook
from stillfit.model import Confidence, Engine, Unknown
from tests.builders import JOBS, ORDERS, case, cassandra_subject
from tests.costs.kit import BOOK

NODE = Price(
    sku="cassandra_node",
    region="prod",
    unit="node-hour",
    bands=(Band(0, 0.686),),
    effective_from=datetime(2026, 7, 20, tzinfo=UTC),
    fetched_at=datetime(2026, 7, 20, tzinfo=UTC),
    source="invoice",
    confidence=Confidence.HIGH,
)
NODES = [case(cassandra_subject(node=f"10.0.0.{n}")) for n in range(1, 7)]


def why(nodes: list[Case], book: PriceBook) -> Unknown:
    answer = cost_of(case(JOBS, related=nodes), book)
    assert isinstance(answer, Unknown)
    return answer


def test_a_cluster_without_a_declared_node_price_is_unknown() -> None:
    answer = why(NODES, BOOK)

    assert answer.missing == ("cassandra_node",)
    assert "add sku cassandra_node with region 'prod' to your own price file" in answer.reason


def test_six_nodes_cost_3_004_68_together_and_a_tables_part_is_unknown() -> None:
    answer = why(NODES, PriceBook.of(BOOK, PriceBook((NODE,))))

    assert answer.missing == ("share_of_nodes",)
    assert "6 nodes x 0.686 USD/h x 730 h = 3,004.68 USD" in answer.reason


def test_nodes_that_nobody_saw_are_not_counted() -> None:
    assert why([], PriceBook((NODE,))).missing == ("nodes",)


@pytest.mark.parametrize("engine", [Engine.KEYSPACES, Engine.DAX])
def test_an_engine_without_a_cost_model_is_unknown(engine: Engine) -> None:
    assert isinstance(cost_of(case(replace(ORDERS, engine=engine)), BOOK), Unknown)
