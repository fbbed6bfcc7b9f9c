"""What people may declare of a workload: the questions that no metric answers. Pure.

Few, dated, and worth asking again after half a year. What is not answered widens the verdict and never fills itself in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from stillfit.model import DeclaredFact, Value

Type = Literal["text", "number", "bool", "names"]

EXPIRES_AFTER = timedelta(days=180)
"""Ours: a yearly plan changes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to declare. `choices` closes the set of a text or of the names in a list."""

    name: str
    type: Type
    question: str
    unit: str = ""
    choices: tuple[str, ...] = ()

    def accepts(self, value: Value) -> bool:
        match self.type:
            case "bool":
                return isinstance(value, bool)
            case "number":
                return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
            case "names":
                return isinstance(value, tuple) and (not self.choices or set(value) <= set(self.choices))
            case "text":
                return isinstance(value, str) and (not self.choices or value in self.choices)


def is_expired(fact: DeclaredFact, at: datetime) -> bool:
    """Whether it was said too long ago to count as known."""
    return at - fact.declared_at > EXPIRES_AFTER


_HOW_MUCH = ("none", "some", "primary")
CQL_FEATURES = (
    "secondary_index",
    "materialized_view",
    "trigger",
    "user_defined_function",
    "aggregate",
    "lwt_in_unlogged_batch",
)


def _questions(type_: Type, *rows: tuple[str, str] | tuple[str, str, str]) -> tuple[Question, ...]:
    return tuple(
        Question(name=row[0], type=type_, question=row[1], unit=row[2] if len(row) > 2 else "") for row in rows
    )


_QUESTIONS = (
    *_questions(
        "bool",
        ("access_patterns_stable", "Are the ways the data is read settled for the next year?"),
        ("joins_needed", "Are joins between tables the main way the data is read?"),
        ("search_needed", "Must the data be searched by text or by many optional filters?"),
        ("multi_cloud", "Must the same database run on more than one cloud provider?"),
        ("on_prem", "Must it run in your own data centre?"),
        ("aws_commitment", "Is staying on AWS settled for the next years?"),
        ("managed_contract", "Is there, or may there be, a contract under which someone else runs Cassandra?"),
        ("on_call", "Is there an on-call rota that can take one more system?"),
        ("active_active_regions", "Must several regions take writes for the same data at the same time?"),
        ("one_writer_suffices", "Does one relational writer carry your sustained writes, by your own benchmark?"),
        ("vector_index", "Must the same table be searched by vector similarity?"),
        ("source_available_licences", "May software under a source-available licence be used?"),
    ),
    *_questions(
        "number",
        ("dba_fte", "How many full-time people may be spent on running a database?", "people"),
        ("latency_slo_ms", "Within how many milliseconds must 99 of 100 point reads and writes be answered?", "ms"),
        ("analytics_freshness_s", "How old may the data under analytical queries be?", "s"),
        ("rpo_s", "How many seconds of writes may be lost in a disaster?", "s"),
        ("rto_s", "How many seconds may a recovery take?", "s"),
        ("repair_interval_s", "Within how many seconds is every table repaired in full, as you have seen it?", "s"),
        ("max_monthly_budget_usd", "What may it cost a month at most?", "USD"),
        ("largest_item_bytes", "How large is the largest item or row that must be kept, now or as planned?", "bytes"),
        ("largest_transaction_items", "How many items must change together, all or none, at most?", "items"),
        ("largest_transaction_bytes", "How many bytes must change together, all or none, at most?", "bytes"),
    ),
    *_questions(
        "names",
        ("compliance", "Which compliance regimes hold for the data?"),
        ("data_residency", "In which countries must the data stay?"),
        ("planned_events", "Which events will change the load, with their dates?"),
    ),
    *_questions("text", ("contract_end", "When does the contract or commitment now in force end (ISO date)?")),
    Question(name="ad_hoc_queries", type="text", question="Are unplanned queries needed?", choices=_HOW_MUCH),
    Question(name="analytics_needed", type="text", question="Are analytical scans needed?", choices=_HOW_MUCH),
    Question(
        name="consistency_need",
        type="text",
        question="What must a read see?",
        choices=("eventual", "read_your_writes", "strong", "serializable"),
    ),
    Question(
        name="cassandra_skill",
        type="text",
        question="How well does the team know Cassandra?",
        choices=("none", "some", "strong"),
    ),
    Question(
        name="cql_features",
        type="names",
        question="Which of these CQL features does the application need? An empty list means none.",
        choices=CQL_FEATURES,
    ),
)

DECLARED: dict[str, Question] = {question.name: question for question in sorted(_QUESTIONS, key=lambda one: one.name)}
"""Every question by the name of its fact."""
