"""What a load costs now, and would cost otherwise. Pure: prices and measurements come in, dated intervals go out."""

from __future__ import annotations

from stillfit.case import Case
from stillfit.costs import cassandra, dynamodb
from stillfit.costs.pricebook import PriceBook
from stillfit.model import CostFigure, Engine, Unknown


def cost_of(case: Case, book: PriceBook) -> tuple[CostFigure, ...] | Unknown:
    """What a table costs a month, or what is missing to tell."""
    match case.subject.engine:
        case Engine.DYNAMODB:
            return dynamodb.figures(case, book)
        case Engine.CASSANDRA:
            return cassandra.figures(case, book)
        case engine:
            return Unknown(f"{case.subject.name}: no cost model for {engine} yet")
