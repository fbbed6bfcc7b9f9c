"""What rules a database out for a workload: each knock-out with its reason, its source and what it rests on. Pure.

A knock-out looks at evidence only and answers in one of four ways. It stands: strong evidence, over its whole
interval. It may stand: the evidence is weak, or only its middle is over the line. It does not stand: strong evidence,
over its whole interval. Or nothing is known that would decide it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from stillfit.case import MIN_COVERAGE
from stillfit.fit.declared import CQL_FEATURES, EXPIRES_AFTER
from stillfit.model import Evidence, EvidenceKind

Known = Mapping[str, tuple[Evidence, ...]]
"""Evidence by signal, declared and measured side by side and never mixed."""


class Standing(IntEnum):
    """How a knock-out stands.

    Ordered: the greatest of several kinds of evidence counts, and the least of several clauses, which must all hold.
    """

    CLEAR = 0
    MISSING = 1
    POSSIBLE = 2
    STANDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One condition on one signal: above or below a number, or one of some words."""

    signal: str
    above: float | None = None
    below: float | None = None
    words: frozenset[str] = frozenset()

    def ask(self, known: Known) -> Standing:
        """The worst that any evidence says; weak evidence can warn, but clears nothing."""
        answers = [self._judge(one) for one in known.get(self.signal, ())]
        sure = [answer for answer in answers if answer is not Standing.MISSING]
        return max(sure, default=Standing.MISSING)

    def _judge(self, evidence: Evidence) -> Standing:
        ends = [self._hits(evidence, end) for end in (evidence.low, evidence.mid, evidence.high)]
        if is_weak(evidence):
            return Standing.POSSIBLE if ends[1] else Standing.MISSING
        if all(ends):
            return Standing.STANDS
        if ends[1]:
            return Standing.POSSIBLE
        return Standing.MISSING if any(ends) else Standing.CLEAR

    def _hits(self, evidence: Evidence, number: float | None) -> bool:
        if self.words:
            return bool(self.words & {word.strip() for word in evidence.text.split(",")})
        if number is None:
            return False
        return (self.above is not None and number > self.above) or (self.below is not None and number < self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knockout:
    """A reason why a candidate cannot carry a workload. All its clauses must hold."""

    id: str
    candidates: frozenset[str]
    sentence: str
    source: str
    clauses: tuple[Clause, ...]

    def ask(self, known: Known) -> Standing:
        return min(clause.ask(known) for clause in self.clauses)

    def missing(self, known: Known) -> tuple[str, ...]:
        """The signals that would have to be known, or known better, to decide it."""
        open_ = {Standing.MISSING, Standing.POSSIBLE}
        return tuple(clause.signal for clause in self.clauses if clause.ask(known) in open_)

    def evidence(self, known: Known) -> tuple[Evidence, ...]:
        return tuple(one for clause in self.clauses for one in known.get(clause.signal, ()))


def is_weak(evidence: Evidence) -> bool:
    """Whether it may only warn: assumed, declared too long ago, or seen in too little of its window."""
    expired = evidence.kind is EvidenceKind.DECLARED and evidence.freshness_s > EXPIRES_AFTER.total_seconds()
    return expired or evidence.kind is EvidenceKind.ASSUMED or evidence.coverage < MIN_COVERAGE


def knockouts_of(candidate: str) -> tuple[Knockout, ...]:
    return tuple(knockout for knockout in KNOCKOUTS if candidate in knockout.candidates)


DYNAMODB_ON_DEMAND = "dynamodb-on-demand"
DYNAMODB_PROVISIONED = "dynamodb-provisioned"
KEYSPACES = "keyspaces"
CASSANDRA = "cassandra"
AURORA_POSTGRESQL = "aurora-postgresql"
REDSHIFT = "redshift"
BIGQUERY = "bigquery"
CANDIDATES = (
    DYNAMODB_ON_DEMAND,
    DYNAMODB_PROVISIONED,
    KEYSPACES,
    CASSANDRA,
    AURORA_POSTGRESQL,
    REDSHIFT,
    BIGQUERY,
)
"""Only databases for which a knock-out with a source is known."""

NAMES = {
    DYNAMODB_ON_DEMAND: "DynamoDB on-demand",
    DYNAMODB_PROVISIONED: "DynamoDB provisioned",
    KEYSPACES: "Amazon Keyspaces",
    CASSANDRA: "Apache Cassandra",
    AURORA_POSTGRESQL: "Aurora PostgreSQL",
    REDSHIFT: "Amazon Redshift",
    BIGQUERY: "BigQuery",
}
"""As people call them."""

_DYNAMODB = frozenset({DYNAMODB_ON_DEMAND, DYNAMODB_PROVISIONED})
_AWS_ONLY = _DYNAMODB | {KEYSPACES, AURORA_POSTGRESQL, REDSHIFT}
_ONE_CLOUD = _AWS_ONLY | {BIGQUERY}
_WAREHOUSES = frozenset({REDSHIFT, BIGQUERY})
_YES = 0.5  # a yes is 1 and a no is 0: anything above the half

MAX_ITEM_BYTES = 400 * 1024
MAX_TRANSACTION_ITEMS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_KEYSPACES_ROW_BYTES = 1024 * 1024
WAREHOUSE_LATENCY_MS = 1_000  # ours: an SLO stated in milliseconds is one below a second

_DYNAMODB_API = "DynamoDB API model of botocore 1.44.5: BatchWriteItem and TransactWriteItems"
_KEYSPACES_SKILL = "AWS agent toolkit, Amazon Keyspaces skill: unsupported features (2026-08-20)"


def _knockouts(*rows: tuple[str, Iterable[str], str, str, tuple[Clause, ...]]) -> tuple[Knockout, ...]:
    return tuple(
        Knockout(id=id_, candidates=frozenset(candidates), sentence=sentence, source=source, clauses=clauses)
        for id_, candidates, sentence, source, clauses in rows
    )


KNOCKOUTS = _knockouts(
    (
        "dynamodb/item-size",
        _DYNAMODB,
        "items above 400 KB are refused by DynamoDB",
        _DYNAMODB_API,
        (Clause(signal="largest_item_bytes", above=MAX_ITEM_BYTES),),
    ),
    (
        "dynamodb/transaction-items",
        _DYNAMODB,
        "a DynamoDB transaction takes at most 100 items",
        _DYNAMODB_API,
        (Clause(signal="largest_transaction_items", above=MAX_TRANSACTION_ITEMS),),
    ),
    (
        "dynamodb/transaction-size",
        _DYNAMODB,
        "a DynamoDB transaction takes at most 4 MB",
        _DYNAMODB_API,
        (Clause(signal="largest_transaction_bytes", above=MAX_TRANSACTION_BYTES),),
    ),
    (
        "dynamodb/joins",
        _DYNAMODB,
        "joins are declared as the main way to read, and DynamoDB has none",
        "AWS agent toolkit, DynamoDB card (2026-08-20)",
        (Clause(signal="joins_needed", above=_YES),),
    ),
    (
        "dynamodb/vector-index",
        {DYNAMODB_PROVISIONED},
        "vector indexes exist on on-demand tables only",
        "AWS agent toolkit, Amazon DynamoDB skill (2026-08-20)",
        (Clause(signal="vector_index", above=_YES),),
    ),
    (
        "one-cloud/multi-cloud",
        _ONE_CLOUD,
        "several clouds are required, and this service runs on one",
        "declared need against a service of a single provider",
        (Clause(signal="multi_cloud", above=_YES),),
    ),
    (
        "one-cloud/on-prem",
        _ONE_CLOUD,
        "your own data centre is required, and this service runs in its provider's",
        "declared need against a service of a single provider",
        (Clause(signal="on_prem", above=_YES),),
    ),
    (
        "keyspaces/features",
        {KEYSPACES},
        "the application needs a CQL feature that Keyspaces does not have",
        _KEYSPACES_SKILL,
        (Clause(signal="cql_features", words=frozenset(CQL_FEATURES)),),
    ),
    (
        "keyspaces/row-size",
        {KEYSPACES},
        "rows above 1 MB are refused by Keyspaces",
        _KEYSPACES_SKILL,
        (Clause(signal="largest_item_bytes", above=MAX_KEYSPACES_ROW_BYTES),),
    ),
    (
        "cassandra/nobody-to-run-it",
        {CASSANDRA},
        "nobody is there to run Cassandra, and no contract under which someone else does",
        "ours: a cluster needs repair, compaction and upgrades by somebody",
        (Clause(signal="dba_fte", below=0.01), Clause(signal="managed_contract", below=_YES)),
    ),
    (
        "aurora-postgresql/active-active",
        {AURORA_POSTGRESQL},
        "several regions must take writes at once, and an Aurora PostgreSQL cluster has one writer",
        "AWS agent toolkit, Aurora PostgreSQL card (2026-08-20)",
        (Clause(signal="active_active_regions", above=_YES),),
    ),
    (
        "aurora-postgresql/one-writer",
        {AURORA_POSTGRESQL},
        "the sustained writes are beyond one relational writer",
        "AWS agent toolkit, Aurora PostgreSQL card (2026-08-20)",
        (Clause(signal="one_writer_suffices", below=_YES),),
    ),
    (
        "warehouse/point-latency",
        _WAREHOUSES,
        "point reads and writes must be answered in milliseconds, and a warehouse answers in seconds",
        "ours: warehouses batch and scan; Redshift and BigQuery publish no point-read latency",
        (Clause(signal="latency_slo_ms", below=WAREHOUSE_LATENCY_MS),),
    ),
)
"""Every knock-out, by its id and in the order in which people are told."""
