"""From what the nodes said to batches: subjects, settings, inventory, gaps. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from collector.cassandra import prepared
from collector.cassandra.connection import Peer
from collector.cassandra.history import NodeHistory
from collector.cassandra.prepared import Shape
from collector.cassandra.schema import ClusterSchema, TableName
from collector.cassandra.virtual_tables import NOT_TOLD_BY_CQL, VIEWS, Sample
from collector.cassandra.visit import PREPARED_ATTRIBUTES, Answers
from stillfit.config import Cassandra
from stillfit.metrics import METRICS, Kind
from stillfit.model import Attributes, Batch, Engine, Gap, GapReason, Series, Span, Subject, Value

COUNTERS: Final = tuple(
    sorted({metric for view in VIEWS for metric in view.metrics if METRICS[metric].kind is not Kind.GAUGE})
)
SCHEMA_ATTRIBUTES: Final = ("compaction", "gc_grace_s", "default_ttl_s", "clustering_columns", "replication_factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One collection as a whole."""

    answered: tuple[Answers, ...]
    schema: ClusterSchema | None
    shapes: frozenset[Shape] | None
    at: datetime


class Picture:
    """Knows what the cluster is called and which of its tables are watched."""

    def __init__(self, settings: Cassandra, source: str) -> None:
        self._settings = settings
        self._source = source
        self._is_watched: dict[TableName, bool] = {}

    @property
    def cluster(self) -> Subject:
        """All datacenters together."""
        return Subject(engine=Engine.CASSANDRA, scope=(self._settings.cluster, ""))

    def node(self, peer: Peer) -> Subject:
        return Subject(engine=Engine.CASSANDRA, scope=(self._settings.cluster, peer.datacenter), node=peer.name)

    def subject_of(self, peer: Peer) -> Callable[[Sample], Subject]:
        """Whom a sample of this node speaks of: the node, or its replica of a table."""
        node = self.node(peer)
        known: dict[TableName, Subject] = {("", ""): node}

        def subject(sample: Sample) -> Subject:
            name = (sample.keyspace, sample.table)
            if name not in known:
                known[name] = _replica(node, name)
            return known[name]

        return subject

    def watched(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        return (sample for sample in samples if not sample.table or self.watches((sample.keyspace, sample.table)))

    def watches(self, name: TableName) -> bool:
        if name not in self._is_watched:
            text = ".".join(name)
            wanted = any(fnmatchcase(text, pattern) for pattern in self._settings.include)
            self._is_watched[name] = wanted and not any(fnmatchcase(text, p) for p in self._settings.exclude)
        return self._is_watched[name]

    def node_batch(
        self, answers: Answers, series: tuple[Series, ...], before: NodeHistory | None, at: datetime
    ) -> Batch:
        assert answers.local is not None
        assert answers.slow is not None
        settings: dict[str, Value] = {
            "version": answers.local.release,
            "rack": answers.peer.rack,
            "schema_version": answers.local.schema_version,
        }
        return Batch(
            source=self._source,
            at=at,
            series=series,
            attributes=(Attributes.of(self.node(answers.peer), at, settings | answers.slow.settings),),
            gaps=(*_own(answers), *self._counter_gaps(answers, before, at)),
        )

    def _counter_gaps(self, answers: Answers, before: NodeHistory | None, at: datetime) -> Iterator[Gap]:
        """A first reading and a restart leave a stretch in which the counters' growth is not known."""
        assert answers.local is not None
        generation, now = answers.local.generation, int(at.timestamp())
        if before is not None and before.generation == generation:
            return
        since = int(before.at) if before else now
        started = datetime.fromtimestamp(generation, UTC)
        detail = (
            f"{answers.peer.name} restarted at {started:%Y-%m-%d %H:%M:%S} UTC: its counters began anew"
            if before
            else f"{answers.peer.name} was read for the first time: the next reading tells how counters grow"
        )
        for metric in COUNTERS:
            yield self._gap(self.node(answers.peer), metric, GapReason.NO_DATA, detail, Span(since, now))

    def cluster_batch(self, seen: Seen, gaps: Iterable[Gap] = ()) -> Batch:
        """Tables with their settings, the whole inventory, and what CQL cannot tell."""
        attributes = tuple(self._table_attributes(seen)) if seen.schema else ()
        nodes = tuple(self.node(answers.peer) for answers in seen.answered)
        tables = tuple(one.subject for one in attributes)
        replicas = tuple(
            _replica(node, (table.keyspace, table.table))
            for table in tables
            for node in nodes
            if node.scope == table.scope
        )
        return Batch(
            source=self._source,
            at=seen.at,
            attributes=attributes,
            gaps=(*gaps, *self._left_out(seen), *self._untold(), *self._disagreement(seen), *self._unprepared(seen)),
            subjects_seen=(*nodes, *tables, *replicas),
            inventory=seen.schema is not None,
        )

    def _table_attributes(self, seen: Seen) -> Iterator[Attributes]:
        assert seen.schema is not None
        tables = {name: table for name, table in seen.schema.tables.items() if self.watches(name)}
        told = prepared.attributes(seen.shapes, tables) if seen.shapes is not None else {}
        for name, table in tables.items():
            for datacenter in _datacenters(seen):
                if copies := seen.schema.replicas(table.keyspace, datacenter):
                    settings = {**table.settings, **told.get(name, {}), "replication_factor": float(copies)}
                    yield Attributes.of(self._table(name, datacenter), seen.at, settings)

    def _table(self, name: TableName, datacenter: str) -> Subject:
        keyspace, table = name
        scope = (self._settings.cluster, datacenter)
        return Subject(engine=Engine.CASSANDRA, scope=scope, keyspace=keyspace, table=table)

    def _left_out(self, seen: Seen) -> Iterator[Gap]:
        for name in seen.schema.tables if seen.schema else ():
            if not self.watches(name) and not name[0].startswith("system"):
                for datacenter in _datacenters(seen):
                    detail = f"{'.'.join(name)} is left out by include and exclude of cluster {self._settings.cluster}"
                    yield self._gap(self._table(name, datacenter), "*", GapReason.NOT_ASKED, detail)

    def _untold(self) -> Iterator[Gap]:
        """Told once for the cluster, so that whoever needs it can say why it is missing."""
        for metric in NOT_TOLD_BY_CQL:
            detail = f"Cassandra does not tell {metric} over CQL: Jolokia, an exporter or nodetool does"
            yield self._gap(self.cluster, metric, GapReason.NOT_CONFIGURED, detail)

    def _disagreement(self, seen: Seen) -> Iterator[Gap]:
        """Each node's own version counts: what peers say of each other stays stale for a minute after a change."""
        versions = {answers.peer.name: answers.local.schema_version for answers in seen.answered if answers.local}
        if len(set(versions.values())) > 1:
            told = ", ".join(f"{node} {version}" for node, version in sorted(versions.items()))
            detail = f"the nodes disagree on the schema: {told}"
            yield self._gap(self.cluster, "schema_version", GapReason.PARTIAL, detail)

    def _unprepared(self, seen: Seen) -> Iterable[Gap]:
        """Prepared statements are told of the cluster's tables, so what a node would not say of them is its gap too."""
        lacking = (gap for answers in seen.answered for gap in answers.gaps if gap.missing in PREPARED_ATTRIBUTES)
        return {gap.missing: replace(gap, subject=self.cluster) for gap in lacking}.values()

    def schema_gaps(self, reason: GapReason, detail: str) -> tuple[Gap, ...]:
        return tuple(self._gap(self.cluster, name, reason, detail) for name in SCHEMA_ATTRIBUTES)

    def _gap(self, subject: Subject, missing: str, reason: GapReason, detail: str, span: Span | None = None) -> Gap:
        return Gap(subject=subject, missing=missing, reason=reason, detail=detail, source=self._source, span=span)


def _own(answers: Answers) -> Iterator[Gap]:
    return (gap for gap in answers.gaps if gap.missing not in PREPARED_ATTRIBUTES)


def _replica(node: Subject, name: TableName) -> Subject:
    keyspace, table = name
    return Subject(engine=node.engine, scope=node.scope, keyspace=keyspace, table=table, node=node.node)


def _datacenters(seen: Seen) -> list[str]:
    return sorted({answers.peer.datacenter for answers in seen.answered})
